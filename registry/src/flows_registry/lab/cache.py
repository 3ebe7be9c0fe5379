"""The user's cache folder, and one lock per thing that is made in it."""

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

from flows_registry.lab.simulators.packages import cache_root

__all__ = ["cache_folder", "locked", "made_once", "remove_unused"]

UNUSED_SECONDS_MAX = 30 * 24 * 3600
"""What nobody used for so long is removed when something new is made beside it."""

KEPT_MAX = 64
"""So many things of a kind are kept; beyond them the longest unused go."""

IN_USE_SECONDS = 3600
"""What was asked for so recently may be in use, and stays."""


def cache_folder(*below: str) -> Path:
    """A folder of our own in the user's cache, created if needed.

    Raises:
        OSError: it cannot be created.
    """
    folder = cache_root().joinpath(*below)
    folder.mkdir(parents=True, exist_ok=True)
    return folder.resolve()


@contextlib.contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock beside `path` against other processes; it ends with the process at the latest."""
    with path.with_name(path.name + ".lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def made_once(
    path: Path, make: Callable[[Path], None], *, fits: Callable[[Path], bool] = Path.exists
) -> Path:
    """The folder `path`, made by `make(a fresh folder beside it)` unless it is there and fits.

    Never half-made: the fresh folder takes the name only when `make` has returned.
    """
    with locked(path):
        if path.is_dir():
            if fits(path):
                os.utime(path)
                return path
            _remove(path)
        remove_unused(path.parent)
        fresh = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            make(fresh)
            fresh.rename(path)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
    return path


def remove_unused(folder: Path) -> None:
    """Remove what is old, and the longest unused where there are too many; never what may be in
    use now."""
    now = time.time()
    unused: list[tuple[float, Path]] = []
    for entry in folder.iterdir():
        with contextlib.suppress(OSError):
            if entry.is_dir():
                unused.append((now - entry.stat().st_mtime, entry))
    for place, (seconds, entry) in enumerate(sorted(unused)):
        spare = place >= KEPT_MAX and seconds > IN_USE_SECONDS
        if spare or seconds > UNUSED_SECONDS_MAX:
            with contextlib.suppress(OSError):  # somebody else is removing it, too
                _remove(entry)


def _remove(folder: Path) -> None:
    """Take the name away first: what a removal that is cut short leaves, nobody takes for whole."""
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        folder.rename(aside / folder.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
