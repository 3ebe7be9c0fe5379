"""What the walls around this process are to deny, tried for real before the plugin is imported."""

import ctypes
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

__all__ = ["open_ways"]

_CLONE_NEWNS, _CLONE_NEWNET = 0x00020000, 0x40000000


def open_ways(hidden: Sequence[str]) -> list[str]:
    """The ways out that are not closed, in words; none where the walls hold.

    Args:
        hidden: paths of the machine that must not be here.
    """
    return [told for told, is_open in _tried(hidden) if is_open]


def _tried(hidden: Sequence[str]) -> Iterator[tuple[str, bool]]:
    libc = ctypes.CDLL(None, use_errno=True)
    for path in ("/", "/etc", "/usr", "/tmp", os.__file__):  # noqa: S108 (it is to be closed)
        yield f"write to {path}", _writes(path)
    for path in hidden:
        yield f"see {path}", os.path.lexists(path)
    yield "see other processes", _others()
    yield "mount", libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0
    yield "enter a mount namespace", _works(lambda: libc.unshare(_CLONE_NEWNS) == 0)
    yield "enter a network namespace", _works(lambda: libc.unshare(_CLONE_NEWNET) == 0)
    yield "use a capability", not _is_powerless()


def _writes(path: str) -> bool:
    """Whether a file there can be opened for writing, or one be made in the folder."""
    try:
        if Path(path).is_dir():
            place = Path(path, ".flows-tried")
            place.touch()
            place.unlink()
        else:
            os.close(os.open(path, os.O_WRONLY))
    except OSError:
        return False
    return True


def _others() -> bool:
    """Whether any process is seen that this one has not started."""
    seen = {int(name) for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208
    return os.getpid() != 1 or bool(seen - {1} - _children())


def _children() -> set[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text()
    return {int(child) for child in text.split()}


def _works(attempt: Callable[[], bool]) -> bool:
    """Whether it works, tried where it does no harm: in a process of its own."""
    child = os.fork()
    if child == 0:
        os._exit(0 if attempt() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _is_powerless() -> bool:
    lines = dict(
        line.split(":\t", 1)
        for line in Path("/proc/self/status").read_text().splitlines()
        if "\t" in line
    )
    return int(lines["CapEff"], 16) == int(lines["CapBnd"], 16) == 0 and lines["NoNewPrivs"] == "1"
