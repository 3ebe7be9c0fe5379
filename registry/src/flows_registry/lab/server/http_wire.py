"""HTTP/1.1 on a socket, by hand: a fault server must be able to say what no library would say."""

import socket
import string
from http import HTTPStatus

from flows_registry.lab.references.exchange import Request, Response

__all__ = ["BadRequest", "Reader", "head_of", "whole"]

HEAD_BYTES_MAX = 256 * 1024
BODY_BYTES_MAX = 700 * 1024 * 1024
_RECEIVE_BYTES = 1 << 18
_DIGITS_MAX = 20


class BadRequest(Exception):
    """The client sent something that is not HTTP/1.1."""


class Reader:
    """Reads requests from one connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = bytearray()

    @property
    def pending(self) -> bool:
        """Whether bytes of the next request have already been read."""
        return bool(self._buffer)

    def request(self, scheme: str, default_host: str) -> Request | None:
        """The next request, whole; None when the client has closed the connection.

        Raises:
            BadRequest: it is not HTTP.
            OSError: the connection broke.
        """
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, version = first.split(" ")
        except ValueError:
            raise BadRequest(first[:200]) from None
        if not version.startswith("HTTP/1."):
            raise BadRequest(first[:200])
        headers: list[tuple[str, str]] = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        named = dict(headers)
        if named.get("expect", "").lower() == "100-continue":
            self._connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self._body(named)
        host = named.get("host", default_host).rpartition(":")
        name = host[0] if host[2].isdigit() and host[0] else named.get("host", default_host)
        return Request(method, name, target, tuple(headers), body, scheme)

    def _body(self, headers: dict[str, str]) -> bytes:
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunks()
        return self._exactly(_bounded(_number(headers.get("content-length", "0") or "0")))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            line = self._until(b"\r\n")
            size = _number((line or b"").split(b";")[0].decode("latin-1").strip(), 16)
            if size == 0:
                while self._until(b"\r\n"):
                    pass
                return bytes(body)
            _bounded(len(body) + size)
            body += self._exactly(size)
            self._exactly(2)

    def _until(self, end: bytes) -> bytes | None:
        while (at := self._buffer.find(end)) < 0:
            if len(self._buffer) > HEAD_BYTES_MAX:
                raise BadRequest("the head is too long")
            if not self._more():
                return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return line

    def _exactly(self, size: int) -> bytes:
        data = bytearray(size)
        have = min(size, len(self._buffer))
        data[:have] = self._buffer[:have]
        del self._buffer[:have]
        with memoryview(data) as rest:
            while have < size:
                came = self._connection.recv_into(rest[have : have + _RECEIVE_BYTES])
                if not came:
                    raise BadRequest(f"the body ended after {have} of {size} bytes")
                have += came
        return bytes(data)

    def _more(self) -> bool:
        chunk = self._connection.recv(_RECEIVE_BYTES)
        self._buffer += chunk
        return bool(chunk)


def _number(text: str, base: int = 10) -> int:
    digits = string.digits if base == 10 else string.hexdigits
    if not text or len(text) > _DIGITS_MAX or not set(text) <= set(digits):
        raise BadRequest(f"a length of {text[:200]!r}")
    return int(text, base)


def _bounded(size: int) -> int:
    if size > BODY_BYTES_MAX:
        raise BadRequest(f"a body of {size} bytes")
    return size


def head_of(
    response: Response, *, length: int | None, extra: tuple[tuple[str, str], ...] = ()
) -> bytes:
    """Status line and headers; `length` None leaves Content-Length out."""
    try:
        phrase = HTTPStatus(response.status).phrase
    except ValueError:
        phrase = "Status"
    named = {name.lower() for name, _ in response.headers}
    lines = [f"HTTP/1.1 {response.status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in (*response.headers, *extra)]
    if length is not None and "content-length" not in named:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def whole(request: Request, response: Response) -> tuple[bytes, bytes]:
    """The head and the body of an honest answer to this request; a protocol that is not HTTP has
    no heads."""
    if not request.scheme.startswith("http"):
        return b"", response.body
    bodiless = response.status in (204, 304) or response.status < 200
    body = b"" if bodiless or request.method == "HEAD" else response.body
    length = None if bodiless else len(response.body)
    return head_of(response, length=length), body
