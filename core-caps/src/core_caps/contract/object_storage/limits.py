"""Promises about limits: exactly at one works; one beyond is refused and nothing is written."""

from core_caps.capabilities.durable_object import DurableObject, Item
from core_caps.contract.object_storage.reading import holds, ref, refused_whole, same, stored
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("get", "put", "delete", "list")
async def an_empty_key_is_refused(objects: DurableObject, world: World) -> None:
    """No operation takes ""."""
    one = ref(world, "empty-key")
    await refused("put refuses an empty key", objects.put(one, "", b"value"))
    await refused("get refuses an empty key", objects.get(one, ""))
    await refused("get_many refuses an empty key", objects.get_many(one, ["a", ""]))
    await refused("delete refuses an empty key", objects.delete(one, ""))


@promise("get", "put", "delete", "list", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(
    objects: DurableObject, world: World
) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    one = ref(world, "key-max")
    for longest in ("k" * greatest, "é" * (greatest // 2) + "k" * (greatest % 2)):
        await objects.put(one, longest, b"value")
        await holds(objects, one, longest, b"value", f"a key of {greatest} bytes works")
        await holds(objects, one, longest[:-1] + "z", None, "long keys stay apart")
        promised = f"a key of {greatest + 1} bytes is refused"
        beyond = longest + "k"
        await refused(promised, objects.put(one, beyond, b"changed"))
        await refused(promised, objects.get(one, beyond))
        await refused(promised, objects.delete(one, beyond))
        await holds(objects, one, longest, b"value", "a refused key touches no other")
        await objects.delete(one, longest)
    expect("long keys can be deleted", await stored(objects, one) == {}, one)


@promise("get", "put", "delete", limits=("item_size_bytes_max",))
async def the_greatest_item_works_and_one_byte_more_does_not(
    objects: DurableObject, world: World
) -> None:
    """Key and value count together, in a transaction, too."""
    greatest = world.limits["item_size_bytes_max"]
    one, key = ref(world, "item-max"), "é"
    value = b"\x00\xffvalue-" * (greatest // 8)
    value += b"x" * (greatest - len(key.encode()) - len(value))
    value = value[: greatest - len(key.encode())]
    await objects.put(one, key, value)
    found = await objects.get(one, key)
    expect(f"an item of {greatest} bytes comes back", same(found, value) == "the same", len(value))
    promised = f"an item of {greatest + 1} bytes is refused"
    await refused(promised, objects.put(one, key, value + b"x"))
    await refused(promised, objects.transaction(one, [Item("a", b""), Item(key, value + b"x")]))
    await holds(objects, one, "a", None, "nothing of a refused transaction is stored")
    found = await objects.get(one, key)
    expect("the old value stays", same(found, value) == "the same", found and len(found))
    await objects.delete(one, key)


@promise("get_many", "transaction", "list", limits=("transaction_keys_max",))
async def the_most_keys_work_and_one_more_does_not(objects: DurableObject, world: World) -> None:
    """Of a transaction, of what it expects, and of a read."""
    most = world.limits["transaction_keys_max"]
    one = ref(world, "keys-max")
    items = [Item(f"k{number:05}", b"%d" % number) for number in range(most + 1)]
    keys = [item.key for item in items]
    promised = f"{most + 1} keys are refused"
    await refused_whole(objects, one, promised, lambda: objects.transaction(one, items))
    await objects.transaction(one, items[:-1])
    await objects.transaction(one, [Item("last", b"")], if_values=items[:-1])
    found = await objects.get_many(one, keys[:-1])
    wanted = {item.key: item.value for item in items[:-1]}
    expect(f"{most} keys are stored and read", dict(found) == wanted, len(found))
    await refused(promised, objects.get_many(one, keys))
    await refused_whole(
        objects, one, promised, lambda: objects.transaction(one, [], if_values=items)
    )


CASES = (
    an_empty_key_is_refused,
    the_longest_key_works_and_one_byte_more_does_not,
    the_greatest_item_works_and_one_byte_more_does_not,
    the_most_keys_work_and_one_more_does_not,
)
