"""Promises about values: a cache may forget, and never gives what was not put there last."""

import asyncio

from core_caps.capabilities.cache import Cache
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.reading import at
from core_caps.contract.result_cache.reading import TTL_SECONDS, forgot, keeps, some_kept
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_VALUES = (
    b"plain",
    b"",
    b"\x00",
    bytes(range(256)),
    b"\xff\xfe\xfd",
    b"line\r\nline\n",
    b"null",
    b"x" * 60_000,
)


@promise("get")
async def an_absent_key_is_none(cache: Cache, world: World) -> None:
    """Never put: None, not an error and not b""."""
    found = await cache.get(at(world, "absent"))
    expect("an absent key is None", found is None, found)


@promise("get", "put")
async def a_value_comes_back_exactly_or_not_at_all(cache: Cache, world: World) -> None:
    """All byte values, text in no encoding, line ends."""
    for number, value in enumerate(_VALUES):
        if len(value) > world.limits.get("value_size_bytes_max", len(value)):
            continue
        key = at(world, "exact", str(number))
        result: object = await cache.put(key, value, ttl_seconds=TTL_SECONDS)
        expect("put returns None", result is None, result)
        await keeps(cache, world, key, value, "a value comes back byte for byte or not at all")


@promise("get", "put")
async def a_cache_keeps_something(cache: Cache, world: World) -> None:
    """It may forget any value at any time; what forgets all of them at once is none."""
    keys = [at(world, "something", str(number)) for number in range(20)]
    for key in keys:
        await cache.put(key, key.encode(), ttl_seconds=TTL_SECONDS)
    await some_kept(cache, world, keys, "of 20 values some are kept")


@promise("get", "put")
async def put_replaces_the_value(cache: Cache, world: World) -> None:
    """What was there before does not come back, also where the new one is forgotten."""
    key = at(world, "replace")
    for value in (b"first, the longest of them", b"second", b"", b"last"):
        await cache.put(key, value, ttl_seconds=TTL_SECONDS)
        await keeps(cache, world, key, value, "put replaces the value")


@promise("get", "put", "delete")
async def delete_forgets_the_value(cache: Cache, world: World) -> None:
    """It is gone, and a later put starts anew."""
    key = at(world, "delete")
    await cache.put(key, b"value", ttl_seconds=TTL_SECONDS)
    result: object = await cache.delete(key)
    expect("delete returns None", result is None, result)
    await forgot(cache, world, key, "a deleted value is gone")
    await cache.put(key, b"again", ttl_seconds=TTL_SECONDS)
    await keeps(cache, world, key, b"again", "a deleted key can be put again")


@promise("delete")
async def deleting_an_absent_key_is_success(cache: Cache, world: World) -> None:
    """Never put, and deleted before."""
    for _ in range(2):
        await cache.delete(at(world, "delete-absent"))


@promise("get", "put", "delete")
async def keys_stay_apart(cache: Cache, world: World) -> None:
    """No name is decoded, normalised, folded or cut; no put or delete touches another's value."""
    keys = [at(world, "apart", name) for name in TRICKY_NAMES]
    for key in keys:
        await cache.put(key, key.encode(), ttl_seconds=TTL_SECONDS)
    for key in keys:
        await keeps(cache, world, key, key.encode(), f"{key!r} is a name of its own")
    await cache.delete(keys[0])
    await forgot(cache, world, keys[0], "a deleted value is gone")
    for key in keys[1:]:
        await keeps(cache, world, key, key.encode(), "other keys have their own values")


@promise("get", "put")
async def concurrent_calls_keep_their_answers(cache: Cache, world: World) -> None:
    """Many calls at once on one client: each gets its own value, or none."""
    keys = [at(world, "concurrent", f"{number:02}") for number in range(24)]
    await asyncio.gather(
        *(cache.put(key, key.encode() * 50, ttl_seconds=TTL_SECONDS) for key in keys)
    )
    found = await asyncio.gather(*(cache.get(key) for key in keys))
    wrong = [
        key
        for key, value in zip(keys, found, strict=True)
        if value not in (None, key.encode() * 50)
    ]
    expect("each of many reads at once gets its own value", not wrong, wrong)


CASES = (
    an_absent_key_is_none,
    a_value_comes_back_exactly_or_not_at_all,
    a_cache_keeps_something,
    put_replaces_the_value,
    delete_forgets_the_value,
    deleting_an_absent_key_is_success,
    keys_stay_apart,
    concurrent_calls_keep_their_answers,
)
