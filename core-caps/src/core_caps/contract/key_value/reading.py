"""How the cases look at what a write did."""

from core_caps.capabilities.key_value import KeyInfo, KeyValue
from core_caps.contract.reading import seen
from core_caps.contract.suite import World, expect, violated

__all__ = ["absent", "holds", "listed", "lists", "same"]


async def holds(kv: KeyValue, world: World, key: str, value: bytes, promised: str) -> None:
    """Check that the key has this value."""
    found = await seen(world, promised, lambda: kv.get(key), lambda found: found == value)
    # A str equals no bytes, but a bytearray does, and would change under its reader.
    expect(f"{promised}, as bytes", type(found) is bytes, type(found))


async def absent(kv: KeyValue, world: World, key: str, promised: str) -> None:
    """Check that the key has no value, to each of the reads."""
    await seen(world, promised, lambda: kv.get(key), lambda found: found is None)
    await seen(world, promised, lambda: kv.get_with_metadata(key), lambda found: found is None)


async def same(kv: KeyValue, key: str, value: bytes) -> str:
    """ "the same", or in few words what the key has instead of a value too long to show."""
    found = await kv.get(key)
    if found == value:
        return "the same"
    return "None" if found is None else f"{len(found)} bytes, other ones"


async def listed(
    kv: KeyValue, prefix: str, limit: int = 1000, pages_max: int = 400
) -> list[KeyInfo]:
    """All lines of a listing, following its cursors."""
    lines: list[KeyInfo] = []
    cursor: str | None = None
    for _ in range(pages_max):
        page = await kv.list(prefix=prefix, limit=limit, cursor=cursor)
        expect(f"a page has at most {limit} keys", len(page.entries) <= limit, len(page.entries))
        lines.extend(page.entries)
        cursor = page.cursor
        if cursor is None:
            return lines
    return violated("a listing ends", f"no end after {pages_max} pages of at most {limit} keys")


async def lists(
    kv: KeyValue, world: World, prefix: str, keys: list[str], promised: str, limit: int = 1000
) -> list[KeyInfo]:
    """Check that a listing gives these keys in this order, and return its lines."""
    return await seen(
        world,
        promised,
        lambda: listed(kv, prefix, limit),
        lambda lines: [line.key for line in lines] == keys,
    )
