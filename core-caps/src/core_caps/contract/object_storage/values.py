"""Promises about single values: what is put comes back, whole, and nothing else does."""

import asyncio

from core_caps.capabilities.durable_object import DurableObject, Item
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.object_storage.reading import holds, ref, stored
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES", "VALUES"]

VALUES = (
    b"plain",
    b"",
    bytes(range(256)),
    b"\x00",
    b"\xef\xbb\xbfmark",
    b"line\r\nline\nline\r",
    b"null",
    b"x" * 70_000,
)


@promise("get", "get_many", "list")
async def an_absent_key_is_none(objects: DurableObject, world: World) -> None:
    """Of an object that nobody wrote to: None, not an error and not b""."""
    one = ref(world, "absent")
    await holds(objects, one, "never", None, "an absent key is None")
    many = await objects.get_many(one, ["never", "ever"])
    expect("absent keys map to None", dict(many) == {"never": None, "ever": None}, many)
    page = await objects.list(one)
    expect("an object that nobody wrote to is empty", not page.items and not page.more, page)


@promise("get", "put")
async def a_value_comes_back_exactly(objects: DurableObject, world: World) -> None:
    """All byte values, none at all, line ends, a byte order mark."""
    one = ref(world, "exact")
    for number, value in enumerate(VALUES):
        put: object = await objects.put(one, f"k{number}", value)
        expect("put returns None", put is None, put)
    for number, value in enumerate(VALUES):
        await holds(objects, one, f"k{number}", value, "a value comes back byte for byte")


@promise("get", "put")
async def put_replaces_the_value(objects: DurableObject, world: World) -> None:
    """The last of several puts stands, also where it is shorter; twice is once."""
    one = ref(world, "replace")
    for value in (b"first, the longest of them", b"second", b"second", b"", b"last"):
        await objects.put(one, "key", value)
        await holds(objects, one, "key", value, "put replaces the value")


@promise("get", "put", "delete")
async def delete_removes_the_key(objects: DurableObject, world: World) -> None:
    """It and no other; an absent key is success."""
    one = ref(world, "delete")
    for key in ("a", "ab", "A"):
        await objects.put(one, key, b"value")
    for _ in range(2):
        deleted: object = await objects.delete(one, "a")
        expect("delete returns None", deleted is None, deleted)
    await holds(objects, one, "a", None, "a deleted key is absent")
    for key in ("ab", "A"):
        await holds(objects, one, key, b"value", "other keys stay untouched")


@promise("get", "get_many", "put", "list")
async def tricky_keys_stay_apart(objects: DurableObject, world: World) -> None:
    """No key is decoded, normalised or folded."""
    one = ref(world, "tricky")
    for number, key in enumerate(TRICKY_NAMES):
        await objects.put(one, key, b"%d" % number)
    wanted = {key: b"%d" % number for number, key in enumerate(TRICKY_NAMES)}
    for key, value in wanted.items():
        await holds(objects, one, key, value, f"{key!r} is a key of its own")
    many = await objects.get_many(one, list(wanted))
    expect("get_many tells them apart", dict(many) == wanted, many)
    found = await stored(objects, one)
    expect("a listing names each key as it was put", found == wanted, found)


@promise("get_many", "put")
async def get_many_gives_each_key_its_value(objects: DurableObject, world: World) -> None:
    """Whatever their order, also of a key that is given twice, and of none."""
    one = ref(world, "many")
    await objects.put(one, "a", b"1")
    await objects.put(one, "b", b"")
    found = await objects.get_many(one, ["c", "b", "a", "b"])
    expect("each key has its value", dict(found) == {"c": None, "b": b"", "a": b"1"}, found)
    nothing = await objects.get_many(one, [])
    expect("no keys, no values", dict(nothing) == {}, nothing)


@promise("put", "delete_all", "list", "set_alarm", "get_alarm", "transaction")
async def delete_all_leaves_nothing(objects: DurableObject, world: World) -> None:
    """Neither keys nor the alarm; the object can be used again at once, and others stay."""
    one, other = ref(world, "all", "a"), ref(world, "all", "b")
    await objects.transaction(one, [Item(f"k{number:03}", b"value") for number in range(100)])
    await objects.put(other, "key", b"stays")
    await objects.set_alarm(one, world.clock.now() + 3600)
    for _ in range(2):
        await objects.delete_all(one)
        found = await stored(objects, one)
        expect("delete_all removes every key", found == {}, sorted(found))
        alarm = await objects.get_alarm(one)
        expect("delete_all removes the alarm", alarm is None, alarm)
    await objects.put(one, "new", b"value")
    expect("an object can be used again", await stored(objects, one) == {"new": b"value"}, one)
    await holds(objects, other, "key", b"stays", "other objects stay untouched")


@promise("get", "put")
async def calls_at_once_keep_their_answers(objects: DurableObject, world: World) -> None:
    """Many calls on one object and on several: each gets its own answer."""
    refs = [ref(world, "at-once", name) for name in "abc"]
    calls = [(one, f"k{number:02}") for one in refs for number in range(10)]
    await asyncio.gather(*(objects.put(one, key, f"{one}{key}".encode()) for one, key in calls))
    found = await asyncio.gather(*(objects.get(one, key) for one, key in calls))
    wanted = [f"{one}{key}".encode() for one, key in calls]
    expect("each of many reads at once gets its own value", found == wanted, found[:3])


CASES = (
    an_absent_key_is_none,
    a_value_comes_back_exactly,
    put_replaces_the_value,
    delete_removes_the_key,
    tricky_keys_stay_apart,
    get_many_gives_each_key_its_value,
    delete_all_leaves_nothing,
    calls_at_once_keep_their_answers,
)
