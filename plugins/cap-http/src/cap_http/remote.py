"""HTTP over httpx: to allowed hosts and public addresses, bounded, never repeated."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Self

from core_caps.capabilities.http import Response
from core_caps.clock import Clock
from core_caps.rng import Rng

from cap_http import errors
from cap_http.config import RemoteConfig
from cap_http.exchange import Exchange
from cap_http.requests import check_content, checked_body, checked_digest, reading, writing

__all__ = ["RemoteHttp"]

ABSENT = (404, 410)


class RemoteHttp:
    """The web as one client sees it.

    Nothing is ever repeated; every error states its outcome: what may have arrived is UNKNOWN.
    Every operation may raise EgressRefused, InvalidArgument, Unavailable, TimedOut and
    ProtocolViolation.
    """

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._egress = config.egress
        self._clock = clock
        self._exchange: Exchange | None = None

    def __repr__(self) -> str:
        return f"RemoteHttp({self._config.hosts})"

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(self._config, self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """See HttpReader.get."""
        exchange = self._opened()
        return await exchange.answer(reading("get", "GET", url, headers, self._egress))

    async def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """See HttpReader.head."""
        exchange = self._opened()
        return await exchange.answer(reading("head", "HEAD", url, headers, self._egress))

    async def open(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[bytes]:
        """See HttpReader.open; `timeout_seconds` bounds what is waited for the server in all."""
        exchange = self._opened()
        stream = exchange.stream(reading("open", "GET", url, headers, self._egress))
        async with aclosing(stream):
            async for piece in stream:
                yield piece

    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        """See HttpReader.get_pinned."""
        exchange = self._opened()
        wanted = checked_digest(digest)
        request = reading("get_pinned", "GET", url, None, self._egress)
        found = await exchange.answer(request)
        if found.status in ABSENT:
            return None
        check_content(request, found)
        arrived = f"sha256:{hashlib.sha256(found.body).hexdigest()}"
        if arrived != wanted:
            raise errors.another_digest(request, wanted, arrived)
        return found.body

    async def post(
        self,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """See HttpWriter.post."""
        exchange, content = self._opened(), self._body(body)
        return await exchange.answer(
            writing("post", "POST", url, headers, idempotency_key, self._egress, content)
        )

    async def put(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """See HttpWriter.put."""
        exchange, content = self._opened(), self._body(body)
        return await exchange.answer(
            writing("put", "PUT", url, headers, idempotency_key, self._egress, content)
        )

    async def patch(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """See HttpWriter.patch."""
        exchange, content = self._opened(), self._body(body)
        return await exchange.answer(
            writing("patch", "PATCH", url, headers, idempotency_key, self._egress, content)
        )

    async def delete(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """See HttpWriter.delete."""
        exchange = self._opened()
        return await exchange.answer(
            writing("delete", "DELETE", url, headers, idempotency_key, self._egress)
        )

    def _body(self, given: object) -> bytes:
        return checked_body(given, self._config.request_size_bytes_max)

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise errors.closed()
        return self._exchange
