"""HTTP/1.1 by hand over asyncio's streams, one connection for each request."""

import asyncio
import re
import ssl
from urllib.parse import quote, urlsplit

from .wire import BODY_BYTES_MAX, Answer, Broken, Lost, NotConnected, Request, WireError

__all__ = ["Transport"]

LINES_MAX = 200
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?: .*)?\r\n")


class Transport:
    """Sends a request and reads its whole answer; nothing is followed or repeated."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or 443
        self._path = parts.path
        self._context = ssl.create_default_context()

    async def close(self) -> None:
        """Nothing is kept open."""

    async def exchange(self, request: Request) -> Answer:
        """The answer to one request."""
        try:
            reader, writer = await asyncio.open_connection(
                self._host, self._port, ssl=self._context
            )
        except OSError as problem:
            raise NotConnected(type(problem).__name__) from None
        try:
            writer.write(self._head(request) + (request.body or b""))
            await writer.drain()
            return await _answer(reader)
        except (OSError, EOFError) as problem:
            raise Lost(type(problem).__name__) from None
        except ValueError as problem:
            raise Broken(type(problem).__name__) from None
        finally:
            writer.transport.abort()

    def _head(self, request: Request) -> bytes:
        headers = {"Host": self._host, "Connection": "close", **request.headers}
        if request.body is not None:
            headers["Content-Length"] = str(len(request.body))
        lines = [f"{name}: {text}" for name, text in headers.items()]
        target = quote(self._path + request.target, safe="/%?=&+:")
        return "\r\n".join([f"{request.method} {target} HTTP/1.1", *lines, "", ""]).encode()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    line = await reader.readline()
    if not line:
        raise EOFError
    status = _STATUS.fullmatch(line)
    if status is None:
        raise Broken("its first line is no status")
    headers: dict[str, str] = {}
    for _ in range(LINES_MAX):
        line = await reader.readline()
        if not line.endswith(b"\r\n"):
            raise Broken("its headers end early")
        if line == b"\r\n":
            break
        name, _, text = line.decode("latin-1").partition(":")
        if headers.get(name.lower(), text.strip()) != text.strip():
            headers["twice"] = name
        headers[name.lower()] = text.strip()
    try:
        return Answer(int(status[1]), headers, await _body(reader, headers))
    except (WireError, OSError, EOFError, ValueError) as problem:
        return Answer(int(status[1]), headers, b"", f"its body broke off: {problem}")


async def _body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "twice" in headers and headers["twice"].lower() == "content-length":
        raise Broken("its lengths contradict each other")
    chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    if chunked == ("content-length" in headers):
        raise Broken("it does not tell its length once")
    if not chunked:
        size_bytes = int(headers["content-length"])
        if size_bytes > BODY_BYTES_MAX:
            raise Broken("it is too long")
        return await reader.readexactly(size_bytes)
    chunks: list[bytes] = []
    total_bytes = 0
    while True:
        size_bytes = int((await reader.readline()).strip(), 16)
        total_bytes += size_bytes
        if total_bytes > BODY_BYTES_MAX:
            raise Broken("it is too long")
        chunk = await reader.readexactly(size_bytes + 2)
        if not chunk.endswith(b"\r\n"):
            raise Broken("a chunk does not end where it says")
        if size_bytes == 0:
            return b"".join(chunks)
        chunks.append(chunk[:-2])
