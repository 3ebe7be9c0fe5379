"""The folder that one certification works in, gone afterwards; what a killed one left goes, too."""

import os
import shutil
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["scratch_folder"]

_PREFIX = "flows-certify-"
LEFT_SECONDS = 3600
"""So old, and of no process that runs: nobody comes back for it."""


@contextmanager
def scratch_folder(keep: Path | None) -> Generator[Path]:
    """The folder `keep`, kept; or a fresh one that is removed."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    _remove_left(Path(tempfile.gettempdir()))
    prefix = f"{_PREFIX}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _remove_left(folder: Path) -> None:
    """Remove what certifications left here that were killed."""
    for entry in folder.glob(f"{_PREFIX}*-*"):
        process = entry.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(OSError):
            old = time.time() - entry.stat().st_mtime > LEFT_SECONDS
            if old and process.isdigit() and not _runs(int(process)):
                shutil.rmtree(entry, ignore_errors=True)


def _runs(process: int) -> bool:
    if os.name == "nt":
        return True  # no way to ask that does not end it
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
