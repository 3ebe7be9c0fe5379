"""Promises about limits: what is over one is refused, and what was there stays or is forgotten."""

from core_caps.capabilities.cache import Cache
from core_caps.claims.operation import operations_of
from core_caps.contract.reading import at, refused
from core_caps.contract.result_cache.reading import TTL_SECONDS, keeps
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("get", "put", "delete")
async def an_empty_key_is_refused(cache: Cache, world: World) -> None:
    """No operation takes ""; nothing is sent."""
    for promised, call in (
        ("put refuses an empty key", lambda: cache.put("", b"value", ttl_seconds=TTL_SECONDS)),
        ("get refuses an empty key", lambda: cache.get("")),
        ("delete refuses an empty key", lambda: cache.delete("")),
    ):
        await refused(promised, call())


@promise("get", "put", "delete", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(cache: Cache, world: World) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    stem = at(world, "key-max")
    room = greatest - len(stem.encode())
    for longest in (stem + "k" * room, stem + "é" * (room // 2) + "k" * (room % 2)):
        await cache.put(longest, b"value", ttl_seconds=TTL_SECONDS)
        await keeps(cache, world, longest, b"value", f"a key of {greatest} bytes works")
        beyond, promised = longest + "k", f"a key of {greatest + 1} bytes is refused"
        await refused(promised, cache.put(beyond, b"other", ttl_seconds=TTL_SECONDS))
        await refused(promised, cache.get(beyond))
        await refused(promised, cache.delete(beyond))
        await keeps(cache, world, longest, b"value", "a refused key touches no other")


@promise("get", "put", limits=("value_size_bytes_max",))
async def the_greatest_value_works_and_one_byte_more_does_not(cache: Cache, world: World) -> None:
    """The documented maximum comes back whole; one byte more is refused."""
    greatest = world.limits["value_size_bytes_max"]
    key = at(world, "value-max")
    value = b"\x00\xffvalue-" * (greatest // 8) + b"x" * (greatest % 8)
    await cache.put(key, value, ttl_seconds=TTL_SECONDS)
    found = await cache.get(key)
    expect(f"a value of {greatest} bytes comes back whole or not", found in (None, value), key)
    await refused(
        f"a value of {greatest + 1} bytes is refused",
        cache.put(key, value + b"x", ttl_seconds=TTL_SECONDS),
    )
    found = await cache.get(key)
    expect("a refused put stores nothing", found in (None, value), key)


@promise()
async def an_undeclared_operation_is_absent(cache: Cache, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Cache).keys() - world.operations
    present = sorted(name for name in others if hasattr(cache, name))
    expect("an operation that is not declared is not there", not present, present)


CASES = (
    an_empty_key_is_refused,
    the_longest_key_works_and_one_byte_more_does_not,
    the_greatest_value_works_and_one_byte_more_does_not,
    an_undeclared_operation_is_absent,
)
