"""Promises about bulk operations: they are the single ones, several at a time."""

from core_caps.capabilities.key_value import Entry, KeyValue
from core_caps.contract.key_value.reading import absent, holds, listed, lists
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_VALUES = (b"plain", b"", bytes(range(256)), b"\xff\xfe", "é\U0001f511".encode(), b'"\\\x00\n')


@promise("get_many", "get", "put")
async def get_many_equals_many_gets(kv: KeyValue, world: World) -> None:
    """Every key asked for is answered: present byte for byte, absent with None."""
    present = {at(world, "get-many", str(n)): value for n, value in enumerate(_VALUES)}
    for key, value in present.items():
        await kv.put(key, value)
        await holds(kv, world, key, value, "a put is seen")
    missing = at(world, "get-many", "missing")
    expected = {missing: None, **present}
    await seen(
        world,
        "get_many equals many gets, absent keys included",
        lambda: kv.get_many([*present, missing]),
        lambda found: dict(found) == expected,
    )


@promise("get_many", "put")
async def get_many_takes_any_names_and_any_number(kv: KeyValue, world: World) -> None:
    """None, one, the same twice, and names with special letters."""
    found = await kv.get_many([])
    expect("no keys, no answers", dict(found) == {}, found)
    keys = [at(world, "get-names", name) for name in TRICKY_NAMES]
    for key in keys:
        await kv.put(key, key.encode())
    expected = {key: key.encode() for key in keys}
    await seen(
        world,
        "get_many answers under the names that were asked for",
        lambda: kv.get_many([*keys, keys[0]]),
        lambda found: dict(found) == expected,
    )


@promise("put_many", "get", "get_with_metadata", "list", "put")
async def put_many_equals_many_puts(kv: KeyValue, world: World) -> None:
    """Values byte for byte; old metadata and expiry go; other keys stay."""
    keys = [at(world, "put-many", str(number)) for number in range(len(_VALUES))]
    other = at(world, "put-many", "other")
    await kv.put(keys[0], b"old", metadata={"old": True})
    await kv.put(other, b"other")
    await kv.put_many(dict(zip(keys, _VALUES, strict=True)))
    for key, value in zip(keys, _VALUES, strict=True):
        await holds(kv, world, key, value, "put_many stores every value byte for byte")
    await seen(
        world,
        "put_many replaces metadata too",
        lambda: kv.get_with_metadata(keys[0]),
        lambda entry: entry == Entry(_VALUES[0], None),
    )
    await holds(kv, world, other, b"other", "put_many touches no other key")
    await lists(kv, world, at(world, "put-many"), [*keys, other], "put_many's keys are listed")


@promise("put_many", "list", "put", needs=(("ttl", "best_effort"),))
async def put_many_drops_the_old_expiry(kv: KeyValue, world: World) -> None:
    """A key stored by put_many does not expire."""
    key = at(world, "put-many-ttl", "a")
    await kv.put(key, b"old", ttl_seconds=3600)
    await kv.put_many({key: b"new"})
    await seen(
        world,
        "put_many replaces the expiry too",
        lambda: listed(kv, at(world, "put-many-ttl")),
        lambda lines: [(line.key, line.expires_at) for line in lines] == [(key, None)],
    )


@promise("delete_many", "get", "get_with_metadata", "put")
async def delete_many_equals_many_deletes(kv: KeyValue, world: World) -> None:
    """Present, absent and repeated keys; others stay."""
    keys = [at(world, "delete-many", name) for name in ("a", "b/c", "é%2F")]
    other = at(world, "delete-many", "other")
    for key in (*keys, other):
        await kv.put(key, b"value")
    await kv.delete_many([*keys, at(world, "delete-many", "never"), keys[0]])
    for key in keys:
        await absent(kv, world, key, "delete_many removes every key")
    await holds(kv, world, other, b"value", "delete_many touches no other key")


@promise("put_many", "delete_many")
async def nothing_in_bulk_is_success(kv: KeyValue, world: World) -> None:
    """Empty bulk writes succeed."""
    await kv.put_many({})
    await kv.delete_many([])


@promise("put_many", "get", "get_with_metadata")
async def put_many_checks_all_before_it_stores_any(kv: KeyValue, world: World) -> None:
    """One bad entry refuses the whole call, and nothing of it is written."""
    good = at(world, "put-many-bad", "good")
    too_long = at(world, "put-many-bad", "k" * world.limits.get("key_size_bytes_max", 0))
    for bad in ("", too_long) if "key_size_bytes_max" in world.limits else ("",):
        await refused(
            "put_many refuses a bad entry",
            kv.put_many({good: b"value", bad: b"value"}),
        )
        expect("nothing of a refused put_many is written", await kv.get(good) is None, good)


@promise("get_many", limits=("get_many_keys_max",))
async def get_many_takes_its_maximum_and_not_one_more(kv: KeyValue, world: World) -> None:
    """The documented number of keys works; one more is InvalidArgument."""
    keys = [at(world, "get-max", str(n)) for n in range(world.limits["get_many_keys_max"] + 1)]
    found = await kv.get_many(keys[:-1])
    expect("every key asked for is answered", set(found) == set(keys[:-1]), len(found))
    await refused("one key more is refused", kv.get_many(keys))


@promise("put_many", "delete_many", "get", "get_with_metadata", limits=("put_many_keys_max",))
async def put_many_takes_its_maximum_and_not_one_more(kv: KeyValue, world: World) -> None:
    """The documented number of entries is stored; one more is refused and stores nothing."""
    greatest = world.limits["put_many_keys_max"]
    keys = [at(world, "put-max", str(number)) for number in range(greatest + 1)]
    entries = dict.fromkeys(keys, b"v")
    await refused("one entry more is refused", kv.put_many(entries))
    expect("nothing of it is written", await kv.get(keys[0]) is None, keys[0])
    del entries[keys[-1]]
    await kv.put_many(entries)
    for key in (keys[0], keys[-2]):
        await holds(kv, world, key, b"v", f"{greatest} entries are stored")
    step = world.limits.get("delete_many_keys_max", greatest)
    for start in range(0, greatest, step):
        await kv.delete_many(keys[start : min(start + step, greatest)])
    for key in (keys[0], keys[-2]):
        await absent(kv, world, key, f"{greatest} keys are removed")


@promise("delete_many", "get", "put", limits=("delete_many_keys_max",))
async def delete_many_refuses_one_more_than_its_maximum(kv: KeyValue, world: World) -> None:
    """One key more is refused and removes nothing."""
    greatest = world.limits["delete_many_keys_max"]
    keys = [at(world, "delete-max", str(number)) for number in range(greatest + 1)]
    await kv.put(keys[0], b"value")
    await refused("one key more is refused", kv.delete_many(keys))
    await holds(kv, world, keys[0], b"value", "a refused delete_many removes nothing")


CASES = (
    get_many_equals_many_gets,
    get_many_takes_any_names_and_any_number,
    put_many_equals_many_puts,
    put_many_drops_the_old_expiry,
    delete_many_equals_many_deletes,
    nothing_in_bulk_is_success,
    put_many_checks_all_before_it_stores_any,
    get_many_takes_its_maximum_and_not_one_more,
    put_many_takes_its_maximum_and_not_one_more,
    delete_many_refuses_one_more_than_its_maximum,
)
