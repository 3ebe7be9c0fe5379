"""HTTP/1.1 around the companion's service: bounded requests, kept connections, no log of either."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus

from cap_postgres_neon.companion.service import Reply, Service
from cap_postgres_neon.neon import PATH

__all__ = ["listening"]

HEAD_BYTES_MAX = 64 * 1024
BODY_BYTES_MAX = 64 * 1024 * 1024
"""Of a request; Neon's own limit on both sides.
https://neon.com/docs/serverless/serverless-driver#http-connections"""

IDLE_SECONDS_MAX = 75.0
"""A connection that asks nothing for longer is closed."""

TURNED_AWAY_SECONDS_MAX = 2.0
"""How long is read on from whoever sends no request."""


class _NoRequestError(Exception):
    """What came is no request; it is answered with a status and nothing more is read."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@asynccontextmanager
async def listening(service: Service, host: str, port: int) -> AsyncGenerator[int]:
    """Serve for the length of the block; the port, which is a free one for 0."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        try:
            await _serve(service, reader, writer)
        finally:
            serving.discard(task)

    server = await asyncio.start_server(serve, host, port, limit=HEAD_BYTES_MAX)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _serve(
    service: Service, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection's life."""
    try:
        keeps = True
        while keeps:
            async with asyncio.timeout(IDLE_SECONDS_MAX):
                request = await _request(reader, writer)
            method, path, headers, body = request
            keeps = headers.get("connection", "").lower() != "close"
            _write(writer, await _reply(service, method, path, headers, body), keeps=keeps)
            await writer.drain()
    except _NoRequestError as problem:
        with contextlib.suppress(OSError, TimeoutError):
            await _turn_away(reader, writer, problem)
    except (asyncio.IncompleteReadError, OSError, TimeoutError):
        pass  # whoever asked has left
    finally:
        writer.close()


async def _turn_away(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, problem: _NoRequestError
) -> None:
    """Say why, and read on for a moment: who is cut off while it sends never hears the answer."""
    _write(writer, (problem.status, _message(str(problem))), keeps=False)
    writer.write_eof()
    async with asyncio.timeout(TURNED_AWAY_SECONDS_MAX):
        while await reader.read(HEAD_BYTES_MAX):
            pass


async def _reply(
    service: Service, method: str, path: str, headers: Mapping[str, str], body: bytes
) -> Reply:
    if path.partition("?")[0] != PATH:
        return 404, _message(f"there is {PATH} and nothing else")
    if method != "POST":
        return 405, _message(f"{PATH} takes POST")
    try:
        return await service.reply(headers, body)
    except Exception as problem:
        return 500, _message(f"the companion failed: {type(problem).__name__}")


async def _request(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[str, str, Mapping[str, str], bytes]:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.LimitOverrunError:
        raise _NoRequestError(431, f"the head has more than {HEAD_BYTES_MAX} bytes") from None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise _NoRequestError(400, "that is no HTTP/1.1")
    pairs = (line.partition(":") for line in lines)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return parts[0], parts[1], headers, await _body(reader, headers)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        return await _chunks(reader)
    return await reader.readexactly(_bounded(headers.get("content-length", "0"), 10))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        line = await _line(reader)
        size = _bounded(line.partition(b";")[0].decode("latin-1").strip(), 16, len(body))
        if not size:
            while await _line(reader) != b"\r\n":
                pass
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except asyncio.LimitOverrunError:
        raise _NoRequestError(400, f"a line has more than {HEAD_BYTES_MAX} bytes") from None


def _bounded(text: str, base: int, more: int = 0) -> int:
    try:
        size = int(text, base)
    except ValueError:
        raise _NoRequestError(400, "a length is no number") from None
    if size < 0 or size + more > BODY_BYTES_MAX:
        raise _NoRequestError(413, f"request is too large (max is {BODY_BYTES_MAX} bytes)")
    return size


def _write(writer: asyncio.StreamWriter, reply: Reply, *, keeps: bool) -> None:
    status, body = reply
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"Connection: {'keep-alive' if keeps else 'close'}\r\n\r\n"
    )
    writer.write(head.encode() + body)


def _message(text: str) -> bytes:
    return b'{"message":"%s","code":null}' % text.encode()
