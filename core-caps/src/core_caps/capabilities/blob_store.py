"""BlobStore: objects of any size under text keys, with conditions, ranges and streams.

`BlobReader` and `BlobWriter` are the two halves a flow may be limited to.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core_caps.claims.operation import capability, operation

__all__ = [
    "Blob",
    "BlobPage",
    "BlobReader",
    "BlobStore",
    "BlobWriter",
    "ByteRange",
    "HttpMetadata",
    "ObjectInfo",
]


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Which bytes of an object to read.

    Attributes:
        offset: the first byte; None together with `length` reads the last `length` bytes.
        length: how many bytes at most; None reads to the end.
    """

    offset: int | None = 0
    length: int | None = None


@dataclass(frozen=True, slots=True)
class HttpMetadata:
    """The headers a store sends along when the object is served over HTTP."""

    content_type: str | None = None
    content_language: str | None = None
    content_disposition: str | None = None
    content_encoding: str | None = None
    cache_control: str | None = None
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a store knows of an object.

    Attributes:
        key: its key.
        size_bytes: the whole object's size.
        etag: the strong entity tag, without quotes; compare it only for equality.
        uploaded_at: when it was stored, in seconds since 1970, or None where not told.
        http: its HTTP metadata (listings may leave it empty).
        metadata: its custom metadata (listings may leave it empty).
    """

    key: str
    size_bytes: int
    etag: str
    uploaded_at: float | None = None
    http: HttpMetadata = field(default_factory=HttpMetadata)
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Blob:
    """An object's bytes, whole or a range of them, with what the store knows of it."""

    data: bytes
    info: ObjectInfo


@dataclass(frozen=True, slots=True)
class BlobPage:
    """A page of a listing, in the keys' UTF-8 byte order.

    Attributes:
        objects: the objects of this page.
        prefixes: the common prefixes up to the delimiter, where one was given.
        cursor: pass it to the next `list`; None on the last page. Opaque.
    """

    objects: Sequence[ObjectInfo] = field(default_factory=tuple)
    prefixes: Sequence[str] = field(default_factory=tuple)
    cursor: str | None = None

    @property
    def keys(self) -> list[str]:
        """The keys of this page."""
        return [info.key for info in self.objects]


class BlobReader(Protocol):
    """The half of BlobStore that changes nothing."""

    @operation("resource::blob::read")
    async def get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        """The object in memory, or None when absent; `info.size_bytes` is the whole's size.

        Args:
            key: the object's key.
            range: which bytes; None is all of them.
            if_match: read only if the etag is this one.
            if_none_match: read only if the etag is not this one.

        Raises:
            PreconditionFailed: the object exists and the condition does not hold.
            InvalidArgument: the range lies outside the object.
            ProtocolViolation: the bytes are fewer than promised or fail their checksum.
        """
        ...

    @operation("resource::blob::read", streams=True)
    def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """The object as a stream of chunks in bounded memory.

        Leaving the loop early, or closing the iterator, frees the connection.

        Raises:
            ObjectAbsent: there is no such object (a stream has no None).
            PreconditionFailed: `if_match` does not hold.
            ProtocolViolation: the stream ended early or its checksum does not match; raised
                at the end, so act on the bytes only once the loop has finished.
        """
        ...

    @operation("resource::blob::read")
    async def head(self, key: str) -> ObjectInfo | None:
        """What the store knows of the object, or None when absent."""
        ...

    @operation("resource::blob::read")
    async def list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = 1000,
        cursor: str | None = None,
    ) -> BlobPage:
        """Up to `limit` objects and common prefixes that start with `prefix`, in byte order.

        Raises:
            InvalidArgument: `limit` is out of range, or the cursor is not one of ours.
        """
        ...

    @operation("resource::blob::read::pinned")
    async def get_by_hash(self, digest: str) -> bytes | None:
        """The object stored under its own content digest, verified on arrival: the pinned read.

        Args:
            digest: `sha256:` and 64 hexadecimal digits; the object's key is that same text.

        Raises:
            InvalidArgument: the digest has another form.
            ProtocolViolation: the bytes that arrived have another digest.
        """
        ...


class BlobWriter(Protocol):
    """The half of BlobStore that changes the store."""

    @operation("resource::blob::write")
    async def put(
        self,
        key: str,
        data: bytes | AsyncIterator[bytes],
        *,
        size_bytes: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        http: HttpMetadata | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object, whole or not at all.

        A stream is sent in bounded memory. When the stream, the task or the service fails, the
        upload is aborted: nothing is left behind and the old object stays.

        Args:
            key: the object's key.
            data: the bytes, or a stream of them.
            size_bytes: the stream's size where it is known; a stream of another size is refused.
            if_match: store only over the object with this etag.
            if_none_match: `"*"` stores only where there is none.
            http: headers to keep with the object.
            metadata: custom text metadata to keep with the object.

        Raises:
            PreconditionFailed: the condition does not hold; nothing changed.
            InvalidArgument: a limit of the service is broken; nothing was sent.
        """
        ...

    @operation("resource::blob::write")
    async def delete(self, key: str) -> None:
        """Remove an object; an absent one is success."""
        ...

    @operation("resource::blob::write")
    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """Copy within the store, metadata included; None when the source is absent."""
        ...


@capability("blob", version=1)
class BlobStore(BlobReader, BlobWriter, Protocol):
    """An object store."""

    @operation(
        "resource::blob::read",
        "resource::clock",
        delegates=("resource::blob::write",),
        optional=True,
    )
    async def presign(
        self,
        key: str,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires_in_seconds: int = 3600,
    ) -> str:
        """A URL that lets its holder read (GET) or store (PUT) the object until it expires.

        It mints a credential: whoever holds the URL acts with the binding's rights, so the
        operation carries the hint of what it delegates.
        """
        ...
