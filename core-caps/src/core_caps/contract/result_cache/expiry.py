"""Promises about time: nothing is given that is older than it may be."""

from core_caps.capabilities.cache import Cache
from core_caps.contract.reading import at, pass_time, refused
from core_caps.contract.result_cache.reading import TTL_SECONDS, forgot, keeps, some_kept
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("get", "put", needs_time=True)
async def nothing_is_given_after_its_time(cache: Cache, world: World) -> None:
    """Not a moment: a cache that cannot say when a value expires must look at its age."""
    for seconds in (2, 90, 7200):
        if seconds < world.limits.get("ttl_seconds_min", 0):
            continue
        key = at(world, "expires", str(seconds))
        await cache.put(key, b"value", ttl_seconds=seconds)
        await keeps(cache, world, key, b"value", "a value comes back or not at all")
        await pass_time(world, seconds + 1)
        found = await cache.get(key)
        expect(f"a value is not given after its {seconds} s", found is None, found)


@promise("get", "put", needs_time=True)
async def a_value_lives_on_within_its_time(cache: Cache, world: World) -> None:
    """Some of many are still there when half of it has passed."""
    keys = [at(world, "lives", str(number)) for number in range(20)]
    for key in keys:
        await cache.put(key, key.encode(), ttl_seconds=600)
    await pass_time(world, 300)
    await some_kept(cache, world, keys, "of 20 values some live for half of their time")


@promise("get", "put", needs_time=True)
async def put_replaces_the_time(cache: Cache, world: World) -> None:
    """The last put decides, shorter or longer."""
    shorter, longer = at(world, "shorter"), at(world, "longer")
    await cache.put(shorter, b"old", ttl_seconds=7200)
    await cache.put(shorter, b"new", ttl_seconds=90)
    await cache.put(longer, b"old", ttl_seconds=90)
    await cache.put(longer, b"new", ttl_seconds=7200)
    await pass_time(world, 100)
    await forgot(cache, world, shorter, "a shorter time replaces a longer one")
    await keeps(cache, world, longer, b"new", "a longer time replaces a shorter one")


@promise("get", "put")
async def a_time_is_above_zero(cache: Cache, world: World) -> None:
    """Zero is not for ever, and fractions are taken."""
    key = at(world, "times")
    for seconds in (0, -1, 0.0, -0.5):
        await refused(f"{seconds} s are refused", cache.put(key, b"bad", ttl_seconds=seconds))
    found = await cache.get(key)
    expect("a refused put stores nothing", found is None, found)
    await cache.put(key, b"value", ttl_seconds=600.5)
    await keeps(cache, world, key, b"value", "a fraction of a second is taken")


@promise("get", "put", limits=("ttl_seconds_min",))
async def the_least_time_works_and_less_does_not(cache: Cache, world: World) -> None:
    """One second less is refused, and stores nothing."""
    least = world.limits["ttl_seconds_min"]
    key = at(world, "ttl-min")
    await refused(f"less than {least} s is refused", cache.put(key, b"b", ttl_seconds=least - 1))
    await forgot(cache, world, key, "a refused put stores nothing")
    await cache.put(key, b"value", ttl_seconds=least)
    await keeps(cache, world, key, b"value", f"{least} s work")


@promise("get", "put", limits=("ttl_seconds_max",))
async def the_longest_time_works_and_more_does_not(cache: Cache, world: World) -> None:
    """One second more is refused, and stores nothing."""
    longest = world.limits["ttl_seconds_max"]
    key = at(world, "ttl-max")
    await refused(
        f"more than {longest} s is refused", cache.put(key, b"b", ttl_seconds=longest + 1)
    )
    await forgot(cache, world, key, "a refused put stores nothing")
    await cache.put(key, b"value", ttl_seconds=min(longest, TTL_SECONDS))
    await keeps(cache, world, key, b"value", "what is allowed works")
    await cache.put(key, b"value", ttl_seconds=longest)


CASES = (
    nothing_is_given_after_its_time,
    a_value_lives_on_within_its_time,
    put_replaces_the_time,
    a_time_is_above_zero,
    the_least_time_works_and_less_does_not,
    the_longest_time_works_and_more_does_not,
)
