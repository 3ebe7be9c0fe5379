"""Lines of JSON over a socket: how a room talks with its processes."""

import json
import select
import socket
import time
from collections.abc import Mapping
from typing import Any, cast

from flows_registry.lab.broken import RoomBroken

__all__ = ["Line"]

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""No message of ours comes near it."""

_RECEIVE_BYTES = 1 << 20
_SHOWN_BYTES = 200


class Line:
    """Our end of the socket, with a time limit on what is awaited.

    Args:
        connection: the socket.
        what: who is at the other end, to print.
        word: what every message from there must hold as its `word`, where others can write, too.
        broken: what is raised where it is broken.
    """

    def __init__(
        self,
        connection: socket.socket,
        what: str,
        *,
        word: str = "",
        broken: type[RoomBroken] = RoomBroken,
    ) -> None:
        self._socket = connection
        self._what = what
        self._word = word
        self._broken = broken
        self._buffer = bytearray()

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message.

        Raises:
            RoomBroken: the other side has gone.
        """
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise self._broken(f"{self._what} has gone: {error}") from error

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next message.

        Raises:
            TimeoutError: none came in time.
            RoomBroken: the other side has gone, or what it said is no message.
        """
        line = self._line(time.monotonic() + seconds, seconds)
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            shown = bytes(line[:_SHOWN_BYTES])
            raise self._broken(f"{self._what} said what is no message: {shown!r}")
        told = cast("dict[str, Any]", message)
        if self._word and told.pop("word", None) != self._word:
            raise self._broken(f"somebody spoke for {self._what}: {bytes(line[:_SHOWN_BYTES])!r}")
        return told

    def _line(self, end: float, seconds: float) -> bytearray:
        searched = 0
        while (at := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > MESSAGE_BYTES_MAX:
                raise self._broken(f"{self._what} said more than {MESSAGE_BYTES_MAX} bytes at once")
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise TimeoutError(f"{self._what} said nothing for {seconds:.0f} s")
            self._buffer += self._chunk()
        line = self._buffer[:at]
        del self._buffer[: at + 1]
        return line

    def _chunk(self) -> bytes:
        try:
            chunk = self._socket.recv(_RECEIVE_BYTES)
        except OSError as error:  # it ended before it had read everything
            raise self._broken(f"{self._what} has gone: {error}") from error
        if not chunk:
            raise self._broken(f"{self._what} has gone")
        return chunk

    def has_news(self) -> bool:
        """Whether something has been said that nobody has received yet."""
        return bool(self._buffer or select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Hang up: the other side reads the end."""
        self._socket.close()
