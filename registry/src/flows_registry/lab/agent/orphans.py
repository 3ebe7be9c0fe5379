"""No process outlives the one that answers for it, a case its agent, and the agent its room; and
none reaches into the one that it comes from."""

import contextlib
import ctypes
import os
import signal
import threading
from pathlib import Path

from .affinity import roam, settle

__all__ = ["Orphans", "close_to_children", "die_with_parent", "reaped"]

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that started it ends, however it ends."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def close_to_children() -> None:
    """Let nobody of the same user trace this process or read and write its memory."""
    _prctl(_PR_SET_DUMPABLE, 0)


def reaped(child: int) -> int:
    """Wait for a child to end, and for its last threads to be gone; its exit status."""
    roam()
    try:
        return os.waitpid(child, 0)[1]
    finally:
        settle()


class Orphans:
    """What cases leave running: it becomes this process's child, and is ended.

    Children that are there from the beginning stay: they belong to the plugin's modules.
    """

    def __init__(self) -> None:
        _prctl(_PR_SET_CHILD_SUBREAPER, 1)
        self._spared = _children()

    def end(self) -> None:
        """End every process that the last case has left, and those that these leave."""
        while left := _children() - self._spared:
            for child in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    reaped(child)


def _children() -> set[int]:
    """The children of this thread; where the kernel does not tell, none."""
    own = f"/proc/self/task/{threading.get_native_id()}/children"
    try:
        return {int(child) for child in Path(own).read_text().split()}
    except OSError:
        return set()


def _prctl(option: int, value: int) -> None:
    with contextlib.suppress(OSError, AttributeError):  # other kernels have none
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)
