"""The page of memory that a case and the fault server share: virtual time, and who is busy.

The case moves the time. The server counts the requests it is working on, and says when it will
next do something by itself, so that the case never jumps over an answer that is on its way. It
counts those of the armed time too: where no time goes by, that tells what came before what.
"""

import mmap
import os
import struct
from typing import Self

__all__ = ["NEVER", "ORIGIN_SECONDS", "Page"]

ORIGIN_SECONDS = 2_000_000_000.0
"""The wall clock at which every case begins: in 2033, so that no file is from its future."""

NEVER = float("inf")
_NOW, _DUE, _BUSY, _REQUESTS = 0, 8, 16, 24
_SIZE_BYTES = 32


class Page:
    """One shared page, backed by a file that every process of the room maps."""

    def __init__(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.ftruncate(descriptor, _SIZE_BYTES)
            self._memory = mmap.mmap(descriptor, _SIZE_BYTES)
        finally:
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._memory.close()

    @property
    def now(self) -> float:
        """The time inside the case, in seconds since 1970."""
        return struct.unpack_from("=d", self._memory, _NOW)[0]

    @now.setter
    def now(self, seconds: float) -> None:
        struct.pack_into("=d", self._memory, _NOW, seconds)

    @property
    def due(self) -> float:
        """When the server next acts by itself, or NEVER."""
        return struct.unpack_from("=d", self._memory, _DUE)[0]

    @due.setter
    def due(self, seconds: float) -> None:
        struct.pack_into("=d", self._memory, _DUE, seconds)

    @property
    def busy(self) -> int:
        """How many requests the server is working on now."""
        return struct.unpack_from("=q", self._memory, _BUSY)[0]

    @busy.setter
    def busy(self, requests: int) -> None:
        struct.pack_into("=q", self._memory, _BUSY, requests)

    @property
    def requests(self) -> int:
        """How many requests have come since the case was armed."""
        return struct.unpack_from("=q", self._memory, _REQUESTS)[0]

    @requests.setter
    def requests(self, requests: int) -> None:
        struct.pack_into("=q", self._memory, _REQUESTS, requests)
