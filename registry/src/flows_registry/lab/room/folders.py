"""The folders that a plugin finds around it; what a case leaves there, the next does not find."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

__all__ = ["Folders"]

_NAMES = ("home", "work", "elsewhere", "tmp")


class Folders:
    """A room's folders: its plugin's home, two to work in, and one for temporary files.

    Args:
        directory: the room's own.
    """

    def __init__(self, directory: Path) -> None:
        self._places = [directory / name for name in _NAMES]
        for place in self._places:
            place.mkdir(parents=True, exist_ok=True)
        self._kept: set[str] = set()

    def settle(self) -> None:
        """What is there now belongs there: importing and opening the plugin has made it."""
        self._kept = self._found()

    def sweep(self) -> None:
        """Remove what has come since, at any depth."""
        for path in sorted(self._found() - self._kept):
            if os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
                shutil.rmtree(path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(path)  # noqa: PTH108

    def _found(self) -> set[str]:
        return {
            os.path.join(folder, name)  # noqa: PTH118
            for place in self._places
            for folder, folders, files in os.walk(place)
            for name in (*folders, *files)
        }
