"""Undoing gzip in bounded memory: a small content that unfolds without an end is stopped."""

import zlib
from collections.abc import Iterator

from core_caps.http.transports import Broken

__all__ = ["Gunzip"]

PIECE_BYTES_MAX = 256 * 1024
"""How much is unfolded at once."""

_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """A gzip stream, unfolded a piece at a time; several members one after the other are one."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP)
        self._began = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """What a further chunk unfolds to.

        Raises:
            Broken: it is no gzip.
        """
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            self._began = True
            piece = self._unfolded(chunk)
            chunk = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece

    def rest(self) -> Iterator[bytes]:
        """What is left at the end.

        Raises:
            Broken: the stream has no end.
        """
        while self._began and not self._member.eof:
            piece = self._unfolded(b"")
            if not piece and not self._member.eof:
                raise Broken("its gzip coding ends in the middle")
            yield piece

    def _unfolded(self, chunk: bytes) -> bytes:
        try:
            return self._member.decompress(chunk, PIECE_BYTES_MAX)
        except zlib.error:
            raise Broken("it says that it is gzip and is not") from None
