"""One request and its whole answer: bounded, complete, and only where it may go."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import httpx
from core_caps.capabilities.http import Response
from core_caps.clock import Clock
from core_caps.errors import ProviderError
from core_caps.http.bodies import SLICE_BYTES, slices
from core_caps.http.failures import retry_after_seconds
from core_caps.http.transports import Broken, Lost, NotConnected, classified, let_go, waits

from cap_http import errors
from cap_http.coding import Gunzip
from cap_http.config import RemoteConfig
from cap_http.connecting import GuardedTransport
from cap_http.headers import headers_of
from cap_http.requests import (
    Request,
    check_content,
    followed,
    redirected_too_often,
)

__all__ = ["Exchange", "Opened"]

_Result = TypeVar("_Result")

_OF_THE_CODING = ("content-encoding", "content-length")


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer whose content is still to come.

    Attributes:
        request: what it answers, after redirects.
        head: the answer without its content.
        raw: where the content comes from.
    """

    request: Request
    head: Response
    raw: httpx.Response


class _TooLong(Broken):
    """A content has more bytes than it may have."""

    def __init__(self, size_bytes_max: int) -> None:
        super().__init__(f"it is longer than {size_bytes_max} bytes")
        self.size_bytes_max = size_bytes_max


class Exchange:
    """The connections of one client."""

    def __init__(self, config: RemoteConfig, clock: Clock) -> None:
        self._config = config
        self._egress = config.egress
        self._clock = clock
        self._transport = GuardedTransport(self._egress)
        self._extensions = waits(config.timeout_seconds, config.connect_timeout_seconds)

    async def close(self) -> None:
        """Close every connection."""
        await let_go(self._transport)

    async def answer(self, request: Request) -> Response:
        """The whole answer, after redirects.

        Raises:
            ProviderError: there is none, or none that can be used.
        """
        return await self._in_time(request, self._answer(request), self._config.timeout_seconds)

    async def stream(self, request: Request) -> AsyncGenerator[bytes]:
        """The content of a success, in pieces. Time that its reader takes is the reader's own.

        Raises:
            ProviderError: it is no success, or ends without being whole.
        """
        left = self._config.timeout_seconds
        loop = asyncio.get_running_loop()
        began = loop.time()
        opened = await self._in_time(request, self.opened(request), left)
        left -= loop.time() - began
        try:
            check_content(opened.request, opened.head)
            pieces = _content(opened, self._config.stream_size_bytes_max)
            while True:
                began = loop.time()
                piece = await self._in_time(request, _next(opened.request, pieces), left)
                left -= loop.time() - began
                if piece is None:
                    return
                yield piece
        finally:
            await let_go(opened.raw)

    async def opened(self, request: Request) -> Opened:
        """The answer, after redirects; its `raw` is to be closed."""
        redirects_max = self._config.redirects_max
        for _ in range(redirects_max + 1):
            opened = await self._sent(request)
            following = await self._following(opened) if redirects_max else None
            if following is None:
                return opened
            request = following
        raise redirected_too_often(request, redirects_max)

    async def _following(self, opened: Opened) -> Request | None:
        """The request that the answer redirects to, or None; the answer is closed if it is not
        the one to give."""
        try:
            following = followed(opened.request, opened.head, self._egress)
        except ProviderError:
            await let_go(opened.raw)
            raise
        if following is not None:
            await let_go(opened.raw)
        return following

    async def _answer(self, request: Request) -> Response:
        opened = await self.opened(request)
        try:
            bound = self._config.body_size_bytes_max
            pieces: list[bytes] = []
            content = _content(opened, bound)
            while (piece := await _next(opened.request, content)) is not None:
                pieces.append(piece)
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            return replace(opened.head, body=body)
        finally:
            await let_go(opened.raw)

    async def _sent(self, request: Request) -> Opened:
        try:
            raw = await self._transport.handle_async_request(self._raw(request))
        except ProviderError:
            raise  # the connection was not allowed
        except Exception as problem:
            error = _failed(request, problem)
        else:
            return Opened(request, self._head(request, raw), raw)
        # Raised out here so that it carries no vendor exception: those hold the request's headers.
        raise error

    def _raw(self, request: Request) -> httpx.Request:
        headers = {
            "host": request.url.authority,
            "accept": "*/*",
            # A part of a coded content cannot be decoded.
            "accept-encoding": "identity" if "range" in request.headers else "gzip",
            "user-agent": "cap-http",
            **request.headers,
        }
        content: bytes | AsyncIterator[bytes] | None = request.body
        if request.body is not None:
            headers["content-length"] = str(len(request.body))
            if len(request.body) > SLICE_BYTES:
                content = slices(request.body)
        url = request.url
        return httpx.Request(
            request.method,
            f"{url.scheme}://{url.authority}/",
            headers=headers,
            content=content,
            # The target as it was given: what parses it again could change it.
            extensions={**self._extensions, "target": url.target.encode("ascii")},
        )

    def _head(self, request: Request, raw: httpx.Response) -> Response:
        headers = headers_of(raw.headers.multi_items())
        wait = retry_after_seconds(headers.get("retry-after"), self._clock.now())
        if headers.get("content-encoding", "identity") != "identity":
            headers = {n: v for n, v in headers.items() if n not in _OF_THE_CODING}
        return Response(
            status=raw.status_code,
            headers=headers,
            url=str(request.url),
            method=request.method,
            retry_after_seconds=wait,
        )

    async def _in_time(
        self, request: Request, work: Coroutine[Any, Any, _Result], seconds: float
    ) -> _Result:
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                return await work
        except TimeoutError:
            pass
        raise errors.late(request, self._config.timeout_seconds)


def _failed(request: Request, problem: Exception) -> ProviderError:
    said = classified(problem)
    match said:
        case NotConnected(late=late):
            return errors.unconnected(request, str(said), late=late)
        case Lost():
            return errors.lost(request, str(said))
        case _:
            return errors.broken(request, str(said))


async def _next(request: Request, pieces: AsyncIterator[bytes]) -> bytes | None:
    """The next piece of a content, or None at its end.

    Raises:
        ProviderError: it broke off, or cannot be used.
    """
    try:
        return await anext(pieces, None)
    except _TooLong as problem:
        raise errors.too_long(request, problem.size_bytes_max) from None
    except Broken as problem:
        shown = str(problem)
    except Exception as problem:
        shown = f"it broke off: {classified(problem)}"
    raise errors.broken(request, shown)


async def _content(opened: Opened, size_bytes_max: int) -> AsyncIterator[bytes]:
    """The content with its coding undone, known to be whole.

    Raises:
        Broken: it is too long, in another coding, or its length is not told.
    """
    coded = _bounded(_whole(opened), size_bytes_max)
    if _has_none(opened):
        async for _ in coded:
            pass
        return
    coding = opened.raw.headers.get("content-encoding", "identity").strip().lower()
    if coding in ("", "identity"):
        async for chunk in coded:
            yield chunk
        return
    if coding not in ("gzip", "x-gzip"):
        raise Broken("it comes in a coding that was not asked for")
    async for piece in _bounded(_unfolded(coded), size_bytes_max):
        yield piece


async def _whole(opened: Opened) -> AsyncIterator[bytes]:
    """What comes over the wire, in a framing in which nothing can be missing at the end."""
    headers = opened.raw.headers
    chunked = "chunked" in headers.get("transfer-encoding", "").lower()
    if not chunked and "content-length" not in headers and not _has_none(opened):
        raise Broken("it does not tell its length, so a part could be missing")
    assert isinstance(opened.raw.stream, httpx.AsyncByteStream)
    async for chunk in opened.raw.stream:
        yield chunk


def _has_none(opened: Opened) -> bool:
    """Whether no content comes, whatever the headers say of one."""
    return opened.request.method == "HEAD" or opened.raw.status_code in (204, 304)


async def _unfolded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    gunzip = Gunzip()
    async for chunk in chunks:
        for piece in gunzip.pieces(chunk):
            yield piece
    for piece in gunzip.rest():
        yield piece


async def _bounded(chunks: AsyncIterator[bytes], size_bytes_max: int) -> AsyncIterator[bytes]:
    size_bytes = 0
    async for chunk in chunks:
        size_bytes += len(chunk)
        if size_bytes > size_bytes_max:
            raise _TooLong(size_bytes_max)
        yield chunk
