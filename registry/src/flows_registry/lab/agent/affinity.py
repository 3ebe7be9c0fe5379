"""On which cores threads run: a case on its room's own, and what is on its way out on any.

The kernel lets whoever reaps a process wait for its last threads without giving way; where they
need the same core, that can take seconds.
"""

import os
from contextlib import suppress

__all__ = ["roam", "settle"]

_HOME = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else frozenset[int]()
_ALL = range(os.cpu_count() or 1)


def settle() -> None:
    """Have this thread, and those it starts, run where its room is."""
    if _HOME:
        os.sched_setaffinity(0, _HOME)


def roam() -> None:
    """Let every thread of this process run on any core."""
    if _HOME:
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208
            with suppress(OSError):  # it has ended meanwhile
                os.sched_setaffinity(int(task), _ALL)
