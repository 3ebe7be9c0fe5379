"""The times of files, made virtual: the kernel stamps what a case writes with a time of its own.

A stamp is told as the time at which it is first seen, which is the case's own; what was there
before the agent keeps its stamp.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from .followed import wall

__all__ = ["install", "told"]

_STAMPS = ("st_atime", "st_mtime", "st_ctime")
_BEGAN = time.time_ns()
_SEEN: dict[int, float] = {}


def install() -> None:
    """Replace every look at a file's times."""
    for name in ("stat", "lstat", "fstat"):
        setattr(os, name, _telling(getattr(os, name)))


def told(result: os.stat_result) -> os.stat_result:
    """What the kernel said of a file, with the case's own times."""
    if max(result.st_mtime_ns, result.st_ctime_ns, result.st_atime_ns) < _BEGAN:
        return result
    parts: Any = result.__reduce__()[1]
    fields, named = list(parts[0]), dict[str, Any](parts[1])
    for number, stamp in enumerate(_STAMPS, 7):
        real: int = named[f"{stamp}_ns"]
        if real >= _BEGAN:
            seconds = _SEEN[real] = _SEEN.get(real) or wall()
            fields[number] = int(seconds)
            named[stamp], named[f"{stamp}_ns"] = seconds, int(seconds * 1e9)
    return os.stat_result(fields, named)


def _telling(real: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
    def telling(*args: Any, **kwargs: Any) -> os.stat_result:
        return told(real(*args, **kwargs))

    telling.__name__ = real.__name__
    return telling
