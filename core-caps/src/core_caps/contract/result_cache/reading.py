"""How the cases look at a cache, which may always have forgotten."""

from collections.abc import Sequence

from core_caps.capabilities.cache import Cache
from core_caps.contract.reading import seen
from core_caps.contract.suite import World, expect

__all__ = ["TTL_SECONDS", "forgot", "keeps", "some_kept"]

TTL_SECONDS = 3600
"""How long a value may be kept where a case does not look at that."""


async def keeps(cache: Cache, world: World, key: str, value: bytes, promised: str) -> bool:
    """Check that the key gives this value, or nothing; whether it was still there."""
    found = await seen(
        world, promised, lambda: cache.get(key), lambda found: found is None or found == value
    )
    if found is not None:
        # A str equals no bytes, but a bytearray does, and would change under its reader.
        expect(f"{promised}, as bytes", type(found) is bytes, type(found))
    return found is not None


async def some_kept(cache: Cache, world: World, keys: Sequence[str], promised: str) -> None:
    """Check that of several keys, each with its own name as its value, not all are forgotten."""

    async def kept() -> int:
        each = "a value comes back or not at all"
        return sum([await keeps(cache, world, key, key.encode(), each) for key in keys])

    await seen(world, promised, kept, lambda count: count > 0)


async def forgot(cache: Cache, world: World, key: str, promised: str) -> None:
    """Check that the key gives nothing."""
    await seen(world, promised, lambda: cache.get(key), lambda found: found is None)
