"""Lines of JSON over a socket: how a room talks with its processes."""

import json
import select
import socket
import time
from collections.abc import Mapping
from typing import Any, cast

from flows_registry.lab.broken import RoomBroken

__all__ = ["Line"]

_RECEIVE_BYTES = 1 << 20
_SHOWN_BYTES = 200


class Line:
    """Our end of the socket, with a time limit on what is awaited.

    Args:
        connection: the socket.
        what: who is at the other end, to print.
    """

    def __init__(self, connection: socket.socket, what: str) -> None:
        self._socket = connection
        self._what = what
        self._buffer = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Send one message.

        Raises:
            RoomBroken: the other side has gone.
        """
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise RoomBroken(f"{self._what} has gone: {error}") from error

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next message.

        Raises:
            TimeoutError: none came in time.
            RoomBroken: the other side has gone, or what it said is no message.
        """
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise TimeoutError(f"{self._what} said nothing for {seconds:.0f} s")
            self._buffer += self._chunk()
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise RoomBroken(f"{self._what} said what is no message: {line[:_SHOWN_BYTES]!r}")
        return cast("dict[str, Any]", message)

    def _chunk(self) -> bytes:
        try:
            chunk = self._socket.recv(_RECEIVE_BYTES)
        except OSError as error:  # it ended before it had read everything
            raise RoomBroken(f"{self._what} has gone: {error}") from error
        if not chunk:
            raise RoomBroken(f"{self._what} has gone")
        return chunk

    def has_news(self) -> bool:
        """Whether something has been said that nobody has received yet."""
        return bool(self._buffer or select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        """Hang up: the other side reads the end."""
        self._socket.close()
