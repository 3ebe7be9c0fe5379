"""PostgreSQL's own protocol on a socket, by hand: who comes in, and what is asked in one go.

What a client sends up to a Sync is one request, and what the server answers up to ReadyForQuery is
its response: so much travels in one round trip, and a fault falls before it, after it, or within.
https://www.postgresql.org/docs/current/protocol-flow.html
"""

import re
import socket
import struct
from collections.abc import Mapping

from flows_registry.lab.references.exchange import Request

__all__ = ["SCHEME", "PostgresReader", "Stranger", "asks_for_tls", "knocks"]

SCHEME = "postgresql"
MESSAGE_BYTES_MAX = 256 * 1024 * 1024
_SSL, _GSS, _VERSION = 80877103, 80877104, 196608
_BEGINS = re.compile(
    rb"(?>\s+|--[^\n]*|/\*.*?\*/)*+"
    rb"(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)\b([A-Z,\s]*)(?:;|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_READS = re.compile(rb".*\bREAD\s+ONLY\b(?!.*\bREAD\s+WRITE\b)", re.IGNORECASE | re.DOTALL)
_IS_OVER = re.compile(
    rb"(?:\A|;)\s*(?:COMMIT|END|ROLLBACK|ABORT)(?:\s+(?:WORK|TRANSACTION))?\s*;?\s*\Z",
    re.IGNORECASE,
)
_PARSE, _QUERY, _SYNC = b"P", b"Q", b"S"
_ENDS = (_SYNC, _QUERY)


class Stranger(Exception):
    """Whoever came speaks another protocol, or is not let in; it was told so."""


def knocks(first: bytes) -> bool:
    """Whether a connection begins as PostgreSQL's do: with a length of four bytes."""
    return first == b"\0"


def asks_for_tls(connection: socket.socket) -> bool:
    """Read what comes before the startup message; True where TLS is to begin now."""
    while True:
        head = connection.recv(8, socket.MSG_PEEK | socket.MSG_WAITALL)
        if len(head) < 8:
            raise Stranger("it left")
        _, code = struct.unpack("!ii", head)
        if code not in (_SSL, _GSS):
            return False
        connection.recv(8, socket.MSG_WAITALL)
        if code == _SSL:
            connection.sendall(b"S")
            return True
        connection.sendall(b"N")


class PostgresReader:
    """Lets a client in, and reads its requests.

    Args:
        connection: after TLS has begun, where it does.
        session: the name by which the reference knows this connection.
        known: the user, password and database that are let in.
    """

    def __init__(self, connection: socket.socket, session: str, known: Mapping[str, str]) -> None:
        self._connection = connection
        self._session = session
        self._buffer = bytearray()
        self._reads, self._said = False, b""
        self._let_in(known)

    @property
    def pending(self) -> bool:
        """Whether bytes of the next request have already been read."""
        return bool(self._buffer)

    def request(self, scheme: str, host: str) -> Request | None:
        """What the client asks for in one go; None when it has left."""
        asked = bytearray()
        while True:
            message = self._message()
            if message is None or message[:1] == b"X":
                return None
            asked += message
            if message[:1] in _ENDS:
                return self._request(bytes(asked), host)

    def _request(self, body: bytes, host: str) -> Request:
        """A request carries what its transaction has carried before: a COMMIT commits all that."""
        texts = _texts(body)
        if begun := _BEGINS.match(texts[0]):
            self._reads, self._said = _READS.match(begun[1]) is not None, b""
        headers = [("session", self._session), ("said-before", self._said.decode("latin-1"))]
        if self._reads:
            headers.append(("transaction", "read-only"))
        self._said += body
        if _IS_OVER.search(texts[-1]):
            self._reads, self._said = False, b""
        return Request("POST", host, "/postgresql", tuple(headers), body, SCHEME)

    def _let_in(self, known: Mapping[str, str]) -> None:
        length, version = struct.unpack("!ii", self._exactly(8))
        rest = self._exactly(length - 8).split(b"\0")
        told = dict(zip(rest[::2], rest[1::2], strict=False))
        if version != _VERSION:
            self._turned_away("08P01", f"protocol {version >> 16}.{version & 0xFFFF}")
        self._connection.sendall(_framed(b"R", struct.pack("!i", 3)))  # a password in clear text
        given = self._message()
        password = b"" if given is None else given[5:].rstrip(b"\0")
        if password != known["password"].encode() or told.get(b"user") != known["user"].encode():
            self._turned_away("28P01", f'password authentication failed for user "{known["user"]}"')
        if told.get(b"database") != known["database"].encode():
            self._turned_away("3D000", "database does not exist")

    def _turned_away(self, code: str, message: str) -> None:
        fields = ("SFATAL", "VFATAL", f"C{code}", f"M{message}")
        text = b"".join(field.encode() + b"\0" for field in fields)
        self._connection.sendall(_framed(b"E", text + b"\0"))
        raise Stranger(message)

    def _message(self) -> bytes | None:
        """The next message, whole, with its kind and length."""
        if not self._fill(5):
            return None
        length = struct.unpack("!i", self._buffer[1:5])[0]
        if not 4 <= length <= MESSAGE_BYTES_MAX or not self._fill(1 + length):
            raise Stranger("it sent no message of the protocol")
        message = bytes(self._buffer[: 1 + length])
        del self._buffer[: 1 + length]
        return message

    def _exactly(self, size: int) -> bytes:
        if size < 0 or not self._fill(size):
            raise Stranger("it left")
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            came = self._connection.recv(1 << 16)
            if not came:
                return False
            self._buffer += came
        return True


def _texts(messages: bytes) -> list[bytes]:
    """The text of each command among the messages: a query's, or one that is parsed; one that is
    empty where there is none."""
    texts: list[bytes] = []
    at = 0
    while at < len(messages):
        kind, length = messages[at : at + 1], struct.unpack_from("!i", messages, at + 1)[0]
        content = messages[at + 5 : at + 1 + length]
        if kind == _PARSE:
            content = content.partition(b"\0")[2]  # after the statement's name
        if kind in (_PARSE, _QUERY):
            texts.append(content.partition(b"\0")[0])
        at += 1 + length
    return texts or [b""]


def _framed(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(content)) + content
