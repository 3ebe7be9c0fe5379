"""Evidence on disk: a folder, or one zip, that is there as a whole or not at all.

Whoever ends this process in the middle finds what was there before. Where the system cannot
exchange two folders at once the old one steps aside for a moment, under a name that `reading`
knows.
"""

import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from flows_registry.evidence.files import NAMES, as_files, as_zip
from flows_registry.evidence.reading import EvidenceUnusable, aside
from flows_registry.verdict import Certification

__all__ = ["refuse_foreign", "write"]

_AT_FDCWD, _EXCHANGE = -100, 2


def write(certification: Certification, target: Path) -> None:
    """Write the evidence to a folder, or to one file where the name ends with `.zip`.

    Evidence that is there already is replaced; nothing else ever is.

    Raises:
        EvidenceUnusable: something else is there.
        OSError: it cannot be written.
    """
    refuse_foreign(target)
    files = as_files(certification)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.suffix == ".zip":
        _write_file(target, as_zip(files))
    else:
        _write_folder(target, files)


def refuse_foreign(target: Path) -> None:
    """Say before anything is run that the evidence cannot go there.

    Raises:
        EvidenceUnusable: something else is there.
    """
    if target.suffix == ".zip":
        if target.is_dir():
            raise EvidenceUnusable(f"{target} is a folder", "name another file")
        return
    if target.exists() and not target.is_dir():
        raise EvidenceUnusable(f"{target} is a file", "name a folder, or a file that ends in .zip")
    if target.is_dir() and {entry.name for entry in target.iterdir()} - set(NAMES):
        raise EvidenceUnusable(
            f"{target} holds other files than evidence", "name an empty folder, or a new one"
        )


def _write_file(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.chmod(0o644)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    _settle(target.parent)


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, content in files.items():
            with (fresh / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        fresh.chmod(0o755)
        _settle(fresh)
        _take_place(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    _settle(target.parent)


def _take_place(fresh: Path, target: Path) -> None:
    """Let the new folder have the name; what had it is in the new one's place, or gone."""
    if not target.exists():
        fresh.rename(target)
    elif not _exchanged(fresh, target):
        before = aside(target)
        shutil.rmtree(before, ignore_errors=True)
        target.rename(before)
        fresh.rename(target)
        shutil.rmtree(before)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the two have each other's names now, at one stroke; not every system can."""
    if sys.platform != "linux":
        return False
    exchange = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if exchange is None:
        return False
    paths = os.fsencode(one), os.fsencode(other)
    if exchange(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), str(other))


def _settle(folder: Path) -> None:
    """Have the names in a folder reach the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
