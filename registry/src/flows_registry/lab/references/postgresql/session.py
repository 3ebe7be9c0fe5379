"""One session on a real PostgreSQL, as bytes."""

import os
import socket
import struct

import psycopg

from flows_registry.lab.references.neon_http.database import ticked

__all__ = ["Session"]

_PARAMETERS = (
    "server_version", "server_encoding", "client_encoding", "DateStyle", "IntervalStyle",
    "TimeZone", "integer_datetimes", "standard_conforming_strings",
)  # fmt: skip


class Session:
    """A connection that psycopg made and whose bytes are passed on.

    Attributes:
        greeting: what PostgreSQL says to whom it lets in, up to ReadyForQuery.
        is_idle: it is between two transactions.
    """

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, client_encoding="UTF8")
        libpq = self._connection.pgconn
        self._socket = socket.socket(fileno=os.dup(libpq.socket))
        self._socket.setblocking(True)
        said = [_framed(b"R", struct.pack("!i", 0))]
        for name in _PARAMETERS:
            value = libpq.parameter_status(name.encode())
            if value is not None:
                said.append(_framed(b"S", name.encode() + b"\0" + value + b"\0"))
        said.append(_framed(b"K", struct.pack("!ii", 1, 1)))
        said.append(_framed(b"Z", b"I"))
        self.greeting = b"".join(said)
        self._status = b"I"

    @property
    def is_idle(self) -> bool:
        return self._status == b"I"

    def answer(self, asked: bytes, now: float) -> bytes:
        """What is answered up to ReadyForQuery, at this time of the case."""
        if self._status != b"E":  # in a transaction that failed nothing else is taken
            told = f"SELECT set_config('lab.now', '{ticked(now)}', false)"
            self._socket.sendall(_framed(b"Q", told.encode() + b"\0"))
            self._until_ready()
        self._socket.sendall(asked)
        return self._until_ready()

    def close(self) -> None:
        """End it at once."""
        self._socket.close()
        self._connection.pgconn.finish()
        self._connection.close()

    def _until_ready(self) -> bytes:
        answered = bytearray()
        while True:
            head = self._exactly(5)
            content = self._exactly(struct.unpack("!i", head[1:])[0] - 4)
            answered += head + content
            if head[:1] == b"Z":
                self._status = content
                return bytes(answered)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            came = self._socket.recv(size - len(data))
            if not came:
                raise ConnectionError("PostgreSQL ended the session")
            data += came
        return bytes(data)


def _framed(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(content)) + content
