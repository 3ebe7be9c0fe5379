"""Cache for synchronous callers: the shape of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.cache`; a test keeps the two equal.
"""

from typing import Protocol

__all__ = ["SyncCache"]


class SyncCache(Protocol):
    """Results under the digest of what they were worked out from."""

    def get(self, key: str) -> bytes | None:
        """What was put under the key, or None when it was not, is forgotten or is too old."""
        ...

    def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep a value for so long at most."""
        ...

    def delete(self, key: str) -> None:
        """Forget a value; an absent key is success."""
        ...
