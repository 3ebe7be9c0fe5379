"""KeyValue for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.key_value`; a test keeps the two
equal.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from core_caps.capabilities.key_value import Entry, Metadata, Page

__all__ = ["SyncKeyValue", "SyncKeyValueReader", "SyncKeyValueWriter"]


class SyncKeyValueReader(Protocol):
    """The half of SyncKeyValue that changes nothing."""

    def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired."""
        ...

    def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired."""
        ...

    def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in byte order."""
        ...

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values in one request; an absent key maps to None."""
        ...


class SyncKeyValueWriter(Protocol):
    """The half of SyncKeyValue that changes the store. Every write converges: twice is once."""

    def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Store a value, replacing what was there, its expiry and metadata included."""
        ...

    def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        ...

    def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Store several values; on failure some of them may be stored (outcome UNKNOWN)."""
        ...

    def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys; on failure some of them may be removed (outcome UNKNOWN)."""
        ...


class SyncKeyValue(SyncKeyValueReader, SyncKeyValueWriter, Protocol):
    """A key-value store."""
