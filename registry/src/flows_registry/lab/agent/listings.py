"""Directories as the system lists them: in the order of names, or in the very opposite one."""

import os
from collections.abc import Callable, Iterator
from typing import Any, cast

from .file_times import told

__all__ = ["install"]


def install(*, reverse: bool) -> None:
    """List every directory in one order; a file system keeps none that two machines share."""
    real_listdir = cast("Callable[[Any], list[Any]]", os.listdir)
    real_scandir = cast("Callable[[Any], Any]", os.scandir)

    def listdir(path: Any = ".") -> list[Any]:
        return sorted(real_listdir(path), reverse=reverse)

    class Scan:
        def __init__(self, path: Any = ".") -> None:
            with real_scandir(path) as entries:
                found = sorted(entries, key=lambda entry: entry.name, reverse=reverse)
            self._iterator: Iterator[Any] = map(_Entry, found)

        def __iter__(self) -> "Scan":
            return self

        def __next__(self) -> Any:
            return next(self._iterator)

        def __enter__(self) -> "Scan":
            return self

        def __exit__(self, *exc: object) -> None:
            self.close()

        def close(self) -> None:
            self._iterator = iter(())

    replacements: dict[str, Callable[..., Any]] = {"listdir": listdir, "scandir": Scan}
    for name, replacement in replacements.items():
        setattr(os, name, replacement)


class _Entry:
    """An entry of a directory whose file is as old as the case's clock says."""

    def __init__(self, entry: "os.DirEntry[Any]") -> None:
        self._entry = entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> Any:
        return self._entry.path

    def __repr__(self) -> str:
        return repr(self._entry)

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        return told(self._entry.stat(follow_symlinks=follow_symlinks))
