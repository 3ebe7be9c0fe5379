"""A web in this process's memory: declared answers first, then a site that keeps what is put.

Nothing is resolved or connected to. The hosts that are allowed, URLs, headers, keys and redirects
are judged as `remote` judges them.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from typing import Self

from core_caps.capabilities.http import Response
from core_caps.clock import Clock
from core_caps.http.failures import retry_after_seconds
from core_caps.rng import Rng

from cap_http import errors
from cap_http.config import MockConfig
from cap_http.requests import (
    Request,
    check_content,
    checked_body,
    checked_digest,
    followed,
    reading,
    redirected_too_often,
    writing,
)
from cap_http.routes import Declared
from cap_http.site import Site

__all__ = ["MockHttp"]

_STORES: dict[str, Site] = {}
"""The named sites of this process: they outlive their clients, as servers do."""

ABSENT = (404, 410)
CHUNK_BYTES = 64 * 1024


class MockHttp:
    """The web as one client sees it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._egress = config.egress
        self._routes = config.declared
        self._asked: Counter[tuple[str, str]] = Counter()
        self._clock = clock
        self._site = _STORES.setdefault(config.store, Site()) if config.store else Site()
        self._open = False

    def __repr__(self) -> str:
        return f"MockHttp({self._config.hosts})"

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """See HttpReader.get."""
        await self._begin()
        return self._answer(reading("get", "GET", url, headers, self._egress))

    async def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """See HttpReader.head."""
        await self._begin()
        return self._answer(reading("head", "HEAD", url, headers, self._egress))

    async def open(
        self, url: str, *, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[bytes]:
        """See HttpReader.open."""
        await self._begin()
        request = reading("open", "GET", url, headers, self._egress)
        found = self._answer(request)
        check_content(request, found)
        body = found.body
        for start in range(0, len(body), CHUNK_BYTES):
            yield body[start : start + CHUNK_BYTES]
            await self._begin()

    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        """See HttpReader.get_pinned."""
        await self._begin()
        wanted = checked_digest(digest)
        request = reading("get_pinned", "GET", url, None, self._egress)
        found = self._answer(request)
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
        await self._begin()
        content = checked_body(body, self._config.request_size_bytes_max)
        return self._answer(
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
        await self._begin()
        content = checked_body(body, self._config.request_size_bytes_max)
        return self._answer(
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
        await self._begin()
        content = checked_body(body, self._config.request_size_bytes_max)
        return self._answer(
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
        await self._begin()
        return self._answer(
            writing("delete", "DELETE", url, headers, idempotency_key, self._egress)
        )

    async def _begin(self) -> None:
        await asyncio.sleep(0)  # others have their turn, as they do around a request
        if not self._open:
            raise errors.closed()

    def _answer(self, request: Request) -> Response:
        redirects_max = self._config.redirects_max
        for _ in range(redirects_max + 1):
            answer = self._response(request)
            following = followed(request, answer, self._egress) if redirects_max else None
            if following is None:
                return answer
            request = following
        raise redirected_too_often(request, redirects_max)

    def _response(self, request: Request) -> Response:
        said = self._declared(request) or self._site.answer(request)
        return Response(
            status=said.status,
            headers=dict(said.headers),
            body=b"" if request.method == "HEAD" else said.body,
            url=str(request.url),
            method=request.method,
            retry_after_seconds=retry_after_seconds(
                said.headers.get("retry-after"), self._clock.now()
            ),
        )

    def _declared(self, request: Request) -> Declared | None:
        """What the routes say; of several answers the next one, and the last for ever."""
        route = request.method, str(request.url)
        answers = self._routes.get(route)
        if answers is None:
            return None
        number = self._asked[route]
        self._asked[route] += 1
        return answers[min(number, len(answers) - 1)]
