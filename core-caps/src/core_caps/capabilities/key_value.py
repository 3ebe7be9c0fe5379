"""KeyValue: small values under text keys, with expiry and metadata.

`KeyValueReader` and `KeyValueWriter` are the two halves a flow may be limited to; a type checker
then refuses the other half before anything runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core_caps.claims.operation import capability, operation

__all__ = ["Entry", "KeyInfo", "KeyValue", "KeyValueReader", "KeyValueWriter", "Metadata", "Page"]

Metadata = Mapping[str, object]
"""JSON-shaped data kept beside a value and returned by reads and listings."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A value with what is kept beside it.

    Attributes:
        value: the stored bytes.
        metadata: JSON-shaped data, or None where none was stored.
    """

    value: bytes
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """One line of a listing.

    Attributes:
        key: the key.
        expires_at: seconds since 1970 at which it disappears, or None.
        metadata: JSON-shaped data, or None where none was stored.
    """

    key: str
    expires_at: int | None = None
    metadata: Metadata | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing, in the keys' UTF-8 byte order.

    Attributes:
        entries: the lines of this page.
        cursor: pass it to the next `list`; None on the last page. Opaque.
    """

    entries: Sequence[KeyInfo] = field(default_factory=tuple)
    cursor: str | None = None

    @property
    def keys(self) -> list[str]:
        """The keys of this page."""
        return [entry.key for entry in self.entries]


class KeyValueReader(Protocol):
    """The half of KeyValue that changes nothing."""

    @operation("resource::kv::read")
    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired."""
        ...

    @operation("resource::kv::read")
    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired."""
        ...

    @operation("resource::kv::read")
    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in byte order.

        Raises:
            InvalidArgument: `limit` is out of range, or the cursor is not one of ours.
        """
        ...

    @operation("resource::kv::read", optional=True)
    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values in one request; an absent key maps to None."""
        ...


class KeyValueWriter(Protocol):
    """The half of KeyValue that changes the store. Every write converges: twice is once."""

    @operation("resource::kv::write")
    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Store a value, replacing what was there, its expiry and metadata included.

        Args:
            key: the key, non-empty text.
            value: the bytes to store.
            ttl_seconds: disappear after so many seconds.
            expires_at: disappear at this time, in seconds since 1970. Not both.
            metadata: JSON-shaped data to keep beside the value.

        Raises:
            InvalidArgument: a limit of the service is broken; NOT_APPLIED.
        """
        ...

    @operation("resource::kv::write")
    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        ...

    @operation("resource::kv::write", optional=True)
    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Store several values; on failure some of them may be stored (outcome UNKNOWN)."""
        ...

    @operation("resource::kv::write", optional=True)
    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys; on failure some of them may be removed (outcome UNKNOWN)."""
        ...


@capability("kv", version=1)
class KeyValue(KeyValueReader, KeyValueWriter, Protocol):
    """A key-value store."""
