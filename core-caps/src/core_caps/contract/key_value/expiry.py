"""Promises about expiry: when a key disappears, and when it must not."""

from core_caps.capabilities.key_value import KeyValue
from core_caps.contract.key_value.reading import absent, holds, listed, lists
from core_caps.contract.key_value.refusals import refused_whole
from core_caps.contract.reading import at, pass_time, refused, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_TTL = ("ttl", "best_effort")
_EXACT = ("ttl", "exact")


@promise("get", "list", "put", needs=(_TTL,))
async def a_key_lives_until_its_time(kv: KeyValue, world: World) -> None:
    """A ttl and an absolute expiry in the future leave the key readable and listed."""
    prefix = at(world, "lives")
    by_ttl, by_time = at(world, "lives", "a"), at(world, "lives", "b")
    later = int(world.clock.now()) + 7200
    await kv.put(by_ttl, b"value", ttl_seconds=7200)
    await kv.put(by_time, b"value", expires_at=later)
    for key in (by_ttl, by_time):
        await holds(kv, world, key, b"value", "a key lives until its time")
    lines = await lists(kv, world, prefix, [by_ttl, by_time], "a living key is listed")
    shown = [line.expires_at for line in lines]
    whole = all(isinstance(each, int) for each in shown)
    expect("a listing shows when keys expire, in whole seconds since 1970", whole, shown)
    near = all(each is not None and later <= each <= later + 300 for each in shown)
    expect("a listing shows the expiry that was asked for", near, (shown, later))


@promise("list", "put")
async def a_key_without_expiry_shows_none(kv: KeyValue, world: World) -> None:
    """No expiry is None in a listing."""
    key = at(world, "no-expiry", "a")
    await kv.put(key, b"value")
    lines = await lists(kv, world, at(world, "no-expiry"), [key], "the key is listed")
    expect("a key without expiry shows None", lines[0].expires_at is None, lines[0])


@promise("get", "get_with_metadata", "list", "put", needs=(_EXACT,), needs_time=True)
async def a_key_is_gone_after_its_ttl(kv: KeyValue, world: World) -> None:
    """There until the ttl has passed, then gone for every read and from the listing."""
    seconds = max(60, world.limits.get("ttl_seconds_min", 1)) + 37  # no whole minutes
    prefix, key = at(world, "ttl"), at(world, "ttl", "a")
    await kv.put(key, b"value", ttl_seconds=seconds, metadata={"a": 1})
    await pass_time(world, seconds - 2)
    await holds(kv, world, key, b"value", "a key lives until its ttl has passed")
    await pass_time(world, 4)
    promised = "a key is gone when its ttl has passed"
    expect(promised, await kv.get(key) is None, "get still gives a value")
    expect(promised, await kv.get_with_metadata(key) is None, "get_with_metadata gives an entry")
    await lists(kv, world, prefix, [], promised)


@promise("get", "list", "put", needs=(_EXACT,), needs_time=True)
async def a_key_is_gone_at_its_time(kv: KeyValue, world: World) -> None:
    """An absolute expiry is seconds since 1970."""
    prefix, key = at(world, "expires"), at(world, "expires", "a")
    await kv.put(key, b"value", expires_at=int(world.clock.now()) + 100)
    await pass_time(world, 97)
    await holds(kv, world, key, b"value", "a key lives until its expiry")
    await pass_time(world, 5)
    expect("a key is gone after its expiry", await kv.get(key) is None, "get still gives a value")
    await lists(kv, world, prefix, [], "an expired key is not listed")


@promise("get", "put", needs=(_TTL,), needs_time=True)
async def put_replaces_the_expiry(kv: KeyValue, world: World) -> None:
    """A later put decides: without a ttl the key stays for good, with a longer one it stays."""
    for_good, longer = at(world, "replace-ttl", "a"), at(world, "replace-ttl", "b")
    for key in (for_good, longer):
        await kv.put(key, b"old", ttl_seconds=60)
    await pass_time(world, 5)
    await kv.put(for_good, b"new")
    await kv.put(longer, b"new", ttl_seconds=3600)
    await pass_time(world, 120)
    await holds(kv, world, for_good, b"new", "a put without a ttl drops the old expiry")
    await holds(kv, world, longer, b"new", "a put with a ttl replaces the old expiry")


@promise("list", "put", needs=(_TTL,))
async def put_without_expiry_drops_the_old_one(kv: KeyValue, world: World) -> None:
    """The listing shows it where time cannot be moved."""
    key = at(world, "drop-ttl", "a")
    await kv.put(key, b"old", ttl_seconds=3600)
    await kv.put(key, b"new")
    await seen(
        world,
        "a put without expiry leaves none of the old",
        lambda: listed(kv, at(world, "drop-ttl")),
        lambda lines: [(line.key, line.expires_at) for line in lines] == [(key, None)],
    )


@promise("get", "put", "list", needs=(_EXACT,), needs_time=True)
async def an_expired_key_can_be_put_again(kv: KeyValue, world: World) -> None:
    """Nothing of the expired one is left."""
    key = at(world, "again", "a")
    await kv.put(key, b"old", ttl_seconds=60, metadata={"old": True})
    await pass_time(world, 62)
    await kv.put(key, b"new")
    await holds(kv, world, key, b"new", "an expired key can be put again")
    lines = await lists(kv, world, at(world, "again"), [key], "a key put again is listed")
    expect("nothing of the expired key is left", lines[0].metadata is None, lines[0])


@promise("get", "get_with_metadata", "put", needs=(_TTL,), limits=("ttl_seconds_min",))
async def the_least_ttl_works_and_one_second_less_does_not(kv: KeyValue, world: World) -> None:
    """For a ttl and for an absolute expiry alike."""
    least = world.limits["ttl_seconds_min"]
    key = at(world, "ttl-min", "a")
    await kv.put(key, b"value", ttl_seconds=least)
    await holds(kv, world, key, b"value", f"a ttl of {least} s works")
    # Time passes between a check and the service's own: a few seconds keep clear of the edge.
    await kv.put(key, b"value", expires_at=int(world.clock.now()) + least + 5)
    await holds(kv, world, key, b"value", f"an expiry {least} s ahead works")
    for short in (least - 1, 0, -1):
        await refused_whole(
            kv,
            world,
            key,
            f"a ttl of {short} s is refused",
            lambda short=short: kv.put(key, b"value", ttl_seconds=short),
        )
    for ahead in (least - 1, 0, -3600):
        await refused_whole(
            kv,
            world,
            key,
            f"an expiry {ahead} s ahead is refused",
            lambda ahead=ahead: kv.put(key, b"value", expires_at=int(world.clock.now()) + ahead),
        )


@promise("get", "get_with_metadata", "put", needs=(_TTL,))
async def both_expiries_at_once_are_refused(kv: KeyValue, world: World) -> None:
    """A ttl and an absolute time together are ambiguous."""
    key = at(world, "both", "a")
    later = int(world.clock.now()) + 3600
    await refused_whole(
        kv,
        world,
        key,
        "ttl_seconds and expires_at together are refused",
        lambda: kv.put(key, b"value", ttl_seconds=3600, expires_at=later),
    )


@promise("get", "put", lacks=("ttl",))
async def an_unclaimed_ttl_is_refused(kv: KeyValue, world: World) -> None:
    """A provider that promises no expiry does not silently keep for ever what should vanish."""
    key = at(world, "unclaimed", "a")
    await refused(
        "where ttl is not promised it is refused",
        kv.put(key, b"value", ttl_seconds=3600),
    )
    await absent(kv, world, key, "a refused put stores nothing")


CASES = (
    a_key_lives_until_its_time,
    a_key_without_expiry_shows_none,
    a_key_is_gone_after_its_ttl,
    a_key_is_gone_at_its_time,
    put_replaces_the_expiry,
    put_without_expiry_drops_the_old_one,
    an_expired_key_can_be_put_again,
    the_least_ttl_works_and_one_second_less_does_not,
    both_expiries_at_once_are_refused,
    an_unclaimed_ttl_is_refused,
)
