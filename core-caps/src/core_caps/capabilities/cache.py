"""Cache: results that may be worked out again, kept for a while.

A cache may forget anything at any time; what it does return is what was put there last.
"""

from typing import Protocol

from core_caps.claims.lattice import Determinism
from core_caps.claims.operation import capability, operation

__all__ = ["Cache"]


@capability("cache", version=1)
class Cache(Protocol):
    """Results under the digest of what they were worked out from."""

    @operation("resource::cache::read", determinism=Determinism.BEST_EFFORT)
    async def get(self, key: str) -> bytes | None:
        """What was put under the key, or None when it was not, is forgotten or is too old."""
        ...

    @operation("resource::cache::write")
    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep a value for so long at most.

        Raises:
            InvalidArgument: the key is empty, the time is not above zero, or a limit is broken.
        """
        ...

    @operation("resource::cache::write")
    async def delete(self, key: str) -> None:
        """Forget a value; an absent key is success."""
        ...
