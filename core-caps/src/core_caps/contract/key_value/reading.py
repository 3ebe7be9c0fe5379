"""How the cases name keys and look at what a write did."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from core_caps.capabilities.key_value import KeyInfo, KeyValue
from core_caps.claims.guarantees import UNKNOWN, AtLeast, satisfies
from core_caps.contract.suite import World, expect, violated

__all__ = ["STALE_SECONDS_MAX", "absent", "at", "holds", "listed", "lists", "pass_time", "seen"]

STALE_SECONDS_MAX = 150
"""How long a case waits for a write to show where reading one's own writes is not promised."""

_T = TypeVar("_T")


def at(world: World, case: str, name: str = "") -> str:
    """A key of this case alone."""
    return f"{world.prefix}{case}/{name}"


async def pass_time(world: World, seconds: float) -> None:
    """Move the case's clock, or wait where it cannot be moved."""
    if world.advance is not None:
        await world.advance(seconds)
    else:
        await world.clock.sleep(seconds)


async def seen(
    world: World,
    promised: str,
    read: Callable[[], Awaitable[_T]],
    accept: Callable[[_T], bool],
) -> _T:
    """What a read gives once it is as promised.

    A provider that promises to read its own writes has one try; one that does not may show them
    late, so it is asked again while time passes.
    """
    result = await read()
    own_writes = AtLeast("read_your_writes")
    claimed = world.guarantees.get("consistency", UNKNOWN)
    waited, step = 0.0, 1.0
    while not accept(result):
        if satisfies(claimed, own_writes, guarantee="consistency") or waited >= STALE_SECONDS_MAX:
            violated(promised, _shown(result))
        await pass_time(world, step)
        waited, step = waited + step, min(step * 2, 60.0)
        result = await read()
    return result


async def holds(kv: KeyValue, world: World, key: str, value: bytes, promised: str) -> None:
    """Check that the key has this value."""
    found = await seen(world, promised, lambda: kv.get(key), lambda found: found == value)
    # A str equals no bytes, but a bytearray does, and would change under its reader.
    expect(f"{promised}, as bytes", type(found) is bytes, type(found))


async def absent(kv: KeyValue, world: World, key: str, promised: str) -> None:
    """Check that the key has no value, to each of the reads."""
    await seen(world, promised, lambda: kv.get(key), lambda found: found is None)
    await seen(world, promised, lambda: kv.get_with_metadata(key), lambda found: found is None)


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


def _shown(result: object) -> object:
    if isinstance(result, bytes) and len(result) > 200:
        return f"{len(result)} bytes, {result[:40]!r}…"
    if isinstance(result, list):
        return [getattr(line, "key", line) for line in result[:50]]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return result
