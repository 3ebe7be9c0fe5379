"""The folders that a plugin finds around it; what a case leaves there, the next does not find."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

__all__ = ["Folders", "inside_of"]

_NAMES = ("home", "work", "elsewhere", "tmp")
_GIVEN = "given"


def inside_of(directory: Path) -> Path:
    """Where in a room's directory everything lies that its plugin may write to."""
    return directory / "inside"


class Folders:
    """A room's folders: its plugin's home, two to work in, and one for temporary files; and one
    for each setting that is a folder, empty whenever a case begins.

    Args:
        directory: the room's own.
    """

    def __init__(self, directory: Path) -> None:
        self._places = [inside_of(directory) / name for name in _NAMES]
        for place in self._places:
            place.mkdir(parents=True, exist_ok=True)
        self._given = inside_of(directory) / _GIVEN
        self._kept: set[str] = set()

    def given(self, setting: str) -> str:
        """The folder of a setting."""
        return str(self._given / setting)

    def holds(self, name: str) -> bool:
        """Whether a file, as a path or a `file:` URL, lies in the folder of a setting."""
        path = url2pathname(urlsplit(name).path) if name.startswith("file:") else name
        return Path(path).is_absolute() and Path(path).resolve().is_relative_to(
            self._given.resolve()
        )

    def settle(self) -> None:
        """What is there now belongs there: importing and opening the plugin has made it."""
        self._kept = self._found()
        shutil.rmtree(self._given, ignore_errors=True)

    def left(self) -> list[str]:
        """What has come since, at any depth, but for what lies in the folder of a setting."""
        return sorted(self._found() - self._kept)

    def sweep(self) -> None:
        """Remove what has come since."""
        shutil.rmtree(self._given, ignore_errors=True)
        for path in self.left():
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
