"""BlobStore for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.blob_store`; a test keeps the two
equal. Streams are iterators both ways.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol

from core_caps.capabilities.blob_store import (
    Blob,
    BlobPage,
    ByteRange,
    HttpMetadata,
    ObjectInfo,
)

__all__ = ["SyncBlobReader", "SyncBlobStore", "SyncBlobWriter"]


class SyncBlobReader(Protocol):
    """The half of SyncBlobStore that changes nothing."""

    def get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        """The object in memory, or None when absent; `info.size_bytes` is the whole's size."""
        ...

    def open(self, key: str, *, if_match: str | None = None) -> Iterator[bytes]:
        """The object as a stream of chunks in bounded memory."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of the object, or None when absent."""
        ...

    def list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = 1000,
        cursor: str | None = None,
    ) -> BlobPage:
        """Up to `limit` objects and common prefixes that start with `prefix`, in byte order."""
        ...

    def get_by_hash(self, digest: str) -> bytes | None:
        """The object stored under its own content digest, verified on arrival: the pinned read."""
        ...


class SyncBlobWriter(Protocol):
    """The half of SyncBlobStore that changes the store."""

    def put(
        self,
        key: str,
        data: bytes | Iterator[bytes],
        *,
        size_bytes: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        http: HttpMetadata | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object, whole or not at all."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; an absent one is success."""
        ...

    def copy(self, source: str, target: str) -> ObjectInfo | None:
        """Copy within the store, metadata included; None when the source is absent."""
        ...


class SyncBlobStore(SyncBlobReader, SyncBlobWriter, Protocol):
    """An object store."""

    def presign(
        self,
        key: str,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires_in_seconds: int = 3600,
    ) -> str:
        """A URL that lets its holder read (GET) or store (PUT) the object until it expires."""
        ...
