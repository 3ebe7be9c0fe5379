"""Promises about transactions: all of them or nothing, on what was expected, one at a time."""

import asyncio

from core_caps.capabilities.durable_object import DurableObject, Item
from core_caps.capabilities.object_stub import Namespace
from core_caps.contract.object_storage.reading import holds, not_met, ref, refused_whole, stored
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("transaction", "list")
async def a_transaction_stores_and_removes(objects: DurableObject, world: World) -> None:
    """Several keys at once; removing what is absent is success, and nothing is a transaction."""
    one = ref(world, "several")
    await objects.transaction(one, [Item("a", b"1"), Item("b", b""), Item("c", b"3")])
    done: object = await objects.transaction(
        one, [Item("a", None), Item("d", b"4"), Item("b", b"2"), Item("never", None)]
    )
    expect("transaction returns None", done is None, done)
    found = await stored(objects, one)
    expect("all changes are made", found == {"b": b"2", "c": b"3", "d": b"4"}, found)
    await objects.transaction(one, [])
    expect("no changes, no change", await stored(objects, one) == found, one)


@promise("transaction", "list", "put")
async def conditions_decide_over_all_changes(objects: DurableObject, world: World) -> None:
    """Each must hold: a value, an empty one, absence. What is expected need not be changed."""
    one = ref(world, "conditions")
    before = {"a": b"1", "empty": b""}
    await objects.transaction(one, [Item(key, value) for key, value in before.items()])
    changes = [Item("a", b"changed"), Item("new", b"n"), Item("empty", None)]
    for bad in (
        [Item("a", b"2")],
        [Item("a", None)],
        [Item("a", b"")],
        [Item("empty", None)],
        [Item("never", b"")],
        [Item("a", b"1"), Item("empty", b""), Item("never", b"x")],
    ):
        await not_met(
            f"{bad} is not so, and nothing changes",
            objects.transaction(one, changes, if_values=bad),
        )
        expect("nothing of it is applied", await stored(objects, one) == before, bad)
    good = [Item("a", b"1"), Item("empty", b""), Item("never", None)]
    await objects.transaction(one, changes, if_values=good)
    found = await stored(objects, one)
    expect("what is as expected is changed", found == {"a": b"changed", "new": b"n"}, found)
    await not_met(
        "the same condition does not hold again",
        objects.transaction(one, changes, if_values=good),
    )


@promise("transaction", "get")
async def compare_and_set_is_a_lock(objects: DurableObject, world: World) -> None:
    """Who expects what is there sets it; with no condition at all anybody does."""
    one = Namespace(objects).by_name(ref(world, "cas").name)
    expect("absence is expected", await one.compare_and_set("key", None, b"1"), "refused")
    expect("twice it is not", not await one.compare_and_set("key", None, b"2"), "set")
    expect("another value is not", not await one.compare_and_set("key", b"0", b"2"), "set")
    expect("its value is", await one.compare_and_set("key", b"1", b"2"), "refused")
    expect("and it can be removed", await one.compare_and_set("key", b"2", None), "refused")
    await holds(objects, one.ref, "key", None, "it was removed")


@promise("transaction", "get")
async def of_many_at_once_one_wins(objects: DurableObject, world: World) -> None:
    """Through two clients: no update is lost, and none is made on what is not there any more."""
    async with world.reopen() as other:
        clients: tuple[DurableObject, DurableObject] = (objects, other)
        name = ref(world, "race").name
        stubs = [Namespace(each).by_name(name) for each in clients]
        for turn in range(4):
            before = None if turn == 0 else await stubs[0].get("winner")
            sets = [
                stub.compare_and_set("winner", before, f"{turn}/{number}/{side}".encode())
                for number in range(4)
                for side, stub in enumerate(stubs)
            ]
            won = await asyncio.gather(*sets)
            expect("exactly one of many at once wins", sum(won) == 1, won)


@promise("transaction", "get_many")
async def nobody_sees_half_a_transaction(objects: DurableObject, world: World) -> None:
    """Reads between the writes see all keys of one of them."""
    one, keys = ref(world, "half"), ["a", "b", "c"]

    async def write() -> None:
        for number in range(1, 9):
            await objects.transaction(one, [Item(key, b"%d" % number) for key in keys])

    async def read() -> list[set[bytes | None]]:
        return [set((await objects.get_many(one, keys)).values()) for _ in range(12)]

    _, seen, also = await asyncio.gather(write(), read(), read())
    torn = [values for values in (*seen, *also) if len(values) != 1]
    expect("a read sees all of a transaction or nothing of it", not torn, torn)


@promise("transaction", "list")
async def a_refused_transaction_changes_nothing(objects: DurableObject, world: World) -> None:
    """One bad key refuses them all, as does a key that is given twice."""
    one = ref(world, "bad")
    await objects.transaction(one, [Item("a", b"before")])
    for bad in (
        [Item("a", b"1"), Item("", b"2")],
        [Item("a", b"1"), Item("\ud800", b"2")],
        [Item("a", b"1"), Item("b", b"2"), Item("a", b"3")],
        [Item("a", b"1"), Item("a", None)],
    ):
        await refused_whole(
            objects, one, f"{bad} is refused", lambda bad=bad: objects.transaction(one, bad)
        )
    await refused_whole(
        objects,
        one,
        "a condition that is given twice is refused",
        lambda: objects.transaction(
            one, [Item("a", b"1")], if_values=[Item("a", b"before"), Item("a", None)]
        ),
    )


CASES = (
    a_transaction_stores_and_removes,
    conditions_decide_over_all_changes,
    compare_and_set_is_a_lock,
    of_many_at_once_one_wins,
    nobody_sees_half_a_transaction,
    a_refused_transaction_changes_nothing,
)
