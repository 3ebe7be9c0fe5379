"""Http for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.http`; a test keeps the two equal.
"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from core_caps.capabilities.http import Response

__all__ = ["SyncHttp", "SyncHttpReader", "SyncHttpWriter"]


class SyncHttpReader(Protocol):
    """The half of SyncHttp that asks a server to change nothing: GET and HEAD."""

    def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """What is at the URL; any status is an answer."""
        ...

    def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """What `get` would answer, without the content."""
        ...

    def open(self, url: str, *, headers: Mapping[str, str] | None = None) -> Iterator[bytes]:
        """The content at the URL as a stream of chunks in bounded memory."""
        ...

    def get_pinned(self, url: str, digest: str) -> bytes | None:
        """The content at the URL, which must have this digest: the pinned read. None is absent."""
        ...


class SyncHttpWriter(Protocol):
    """The half of SyncHttp that may change something."""

    def post(
        self,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have the content processed by what is at the URL; any status is an answer."""
        ...

    def put(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have the content stand at the URL; any status is an answer."""
        ...

    def patch(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Change what is at the URL as the content says; any status is an answer."""
        ...

    def delete(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have nothing stand at the URL; any status is an answer, 404 of a repeat too."""
        ...


class SyncHttp(SyncHttpReader, SyncHttpWriter, Protocol):
    """The web, as far as a deployment allows it."""
