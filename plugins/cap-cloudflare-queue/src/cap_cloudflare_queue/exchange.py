"""One request and its whole answer: bounded, complete, never redirected, never repeated."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from core_caps.clock import Clock
from core_caps.errors import ProviderError
from core_caps.secret import Secret

from cap_cloudflare_queue import answers, errors, transports
from cap_cloudflare_queue.answers import Malformed
from cap_cloudflare_queue.config import RemoteConfig
from cap_cloudflare_queue.transports import Broken, Lost, NotConnected, WireError

__all__ = ["Call", "Exchange"]

_Result = TypeVar("_Result")

ERROR_BODY_BYTES_MAX = 64 * 1024
"""How much of an error answer is read; its status decides even where its body is unusable."""

SLICE_BYTES = 256 * 1024
"""How much of a request's body is handed over at once, so that a long one does not hold up the
event loop while it is encrypted."""


@dataclass(frozen=True, slots=True)
class Call(Generic[_Result]):
    """What is asked of the service.

    Attributes:
        operation: the operation's name, for errors.
        path: the path below the queue.
        body: the request's JSON.
        read: `(body, content type) → result` of a success; raises answers.Malformed.
        size_bytes_max: of a success's body.
    """

    operation: str
    path: str
    body: bytes
    read: Callable[[bytes, str], _Result]
    size_bytes_max: int


class Exchange:
    """The connection pool of one client."""

    def __init__(self, config: RemoteConfig, clock: Clock) -> None:
        base = config.base_url.rstrip("/")
        self._queue = f"{base}/accounts/{config.account_id}/queues/{config.queue_id}"
        self._token: Secret = config.api_token
        self._headers = httpx.Headers(
            {
                "Authorization": f"Bearer {config.api_token.reveal()}",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Content-Type": "application/json",
                "User-Agent": "cap-cloudflare-queue",
            }
        )
        self._clock = clock
        # Where no connection comes, its own timeout says so (NOT_APPLIED) before the call's does.
        connect = min(config.connect_timeout_seconds, 0.8 * config.timeout_seconds)
        self._extensions = {
            "timeout": {
                "connect": connect,
                "pool": connect,
                "read": None,
                "write": None,
            }
        }
        self._transport = transports.open_transport(
            config.transport, tls=config.base_url.startswith("https:")
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def send(self, call: Call[_Result]) -> _Result:
        """The result of a documented success.

        Raises:
            ProviderError: everything else, by the table in `errors`.
        """
        try:
            response = await self._transport.handle_async_request(self._request(call))
        except Exception as problem:
            error = self._failed(call, transports.classified(problem))
        else:
            try:
                return await self._read(call, response)
            finally:
                # The answer is read; how its connection ends changes nothing.
                with contextlib.suppress(Exception):
                    await response.aclose()
        # Raised out here so that it carries no vendor exception: those hold the request's headers.
        raise error

    def _request(self, call: Call[Any]) -> httpx.Request:
        headers = self._headers.copy()
        content: bytes | AsyncIterator[bytes] = call.body
        if len(call.body) > SLICE_BYTES:
            headers["Content-Length"] = str(len(call.body))
            content = _slices(call.body)
        return httpx.Request(
            "POST",
            self._queue + call.path,
            headers=headers,
            content=content,
            extensions=self._extensions,
        )

    async def _read(self, call: Call[_Result], response: httpx.Response) -> _Result:
        content_type = response.headers.get("content-type", "")
        if response.status_code != 200:
            raise await self._refused(call, response, content_type)
        try:
            return call.read(await _body(response, call.size_bytes_max), content_type)
        except (Broken, Malformed) as problem:
            shown = str(problem)
        except Exception as problem:
            shown = f"it broke off: {transports.classified(problem)}"
        raise errors.broken(call.operation, self._without_token(shown))

    async def _refused(
        self, call: Call[Any], response: httpx.Response, content_type: str
    ) -> ProviderError:
        refusal = answers.refusal(await _error_body(response), content_type)
        return errors.refused(
            call.operation,
            response.status_code,
            refusal.codes,
            self._without_token(refusal.detail),
            retry_after_seconds=answers.retry_after_seconds(
                response.headers.get("retry-after"), self._clock.now()
            ),
        )

    def _failed(self, call: Call[Any], problem: WireError) -> ProviderError:
        shown = self._without_token(str(problem))
        match problem:
            case NotConnected(late=late):
                return errors.unconnected(call.operation, shown, late=late)
            case Lost():
                return errors.lost(call.operation, shown)
            case _:
                return errors.broken(call.operation, shown)

    def _without_token(self, text: str) -> str:
        return text.replace(self._token.reveal(), "…")


async def _slices(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), SLICE_BYTES):
        yield body[start : start + SLICE_BYTES]


async def _body(response: httpx.Response, size_bytes_max: int) -> bytes:
    """The body, known to be complete.

    Raises:
        Broken: it is encoded, too long, or its length is not told or not kept.
    """
    headers = response.headers
    if headers.get("content-encoding", "identity") not in ("", "identity"):
        raise Broken("it is compressed, which was not asked for")
    told = headers.get("content-length")
    if told is None and "chunked" not in headers.get("transfer-encoding", "").lower():
        raise Broken("it does not tell its length, so a part could be missing")
    body = await _bounded(response, size_bytes_max)
    if told is not None and "transfer-encoding" not in headers and str(len(body)) != told.strip():
        raise Broken(f"it has {len(body)} bytes and promises {told[:20]}")
    return body


async def _bounded(response: httpx.Response, size_bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        size_bytes += len(chunk)
        if size_bytes > size_bytes_max:
            raise Broken(f"it is longer than {size_bytes_max} bytes")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _error_body(response: httpx.Response) -> bytes:
    """As much of an error's body as can be used; the status says enough where it cannot."""
    try:
        return await _body(response, ERROR_BODY_BYTES_MAX)
    except Exception:
        return b""
