"""Which core a room works on: one that no other room of this machine's user works on."""

import os
import socket
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["core_of_its_own"]

_NAME = "\0flows-registry room on core {core} of user {user}"
"""An address that no file stands for: the kernel frees it when its holder ends, however it ends."""


@contextmanager
def core_of_its_own() -> Generator[int | None]:
    """Keep this thread, and every process it starts, on one core; where each is taken, or none can
    be chosen, anywhere.

    The threads of a case take turns anyway (the interpreter's lock); on one core they do so
    without waking another, and a fork's copied pages need no other core's attention: a third less
    time. Two rooms on one core hold each other up by more than that.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield None
        return
    allowed = os.sched_getaffinity(0)
    with socket.socket(socket.AF_UNIX) as holder:
        core = next((core for core in sorted(allowed) if _held(holder, core)), None)
        os.sched_setaffinity(0, allowed if core is None else {core})
        try:
            yield core
        finally:
            os.sched_setaffinity(0, allowed)


def _held(holder: socket.socket, core: int) -> bool:
    try:
        holder.bind(_NAME.format(core=core, user=os.getuid()))
    except OSError:
        return False
    return True
