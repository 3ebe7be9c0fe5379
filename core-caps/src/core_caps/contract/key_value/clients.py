"""Promises about clients: several on one store, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.key_value import Entry, KeyValue
from core_caps.contract.key_value.reading import absent, holds, lists
from core_caps.contract.reading import at, closed, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("get", "get_with_metadata", "put", "delete", "list")
async def two_clients_share_the_store(kv: KeyValue, world: World) -> None:
    """What one writes or deletes the other comes to see: at once only where that is promised."""
    key = at(world, "share", "a")
    async with world.reopen() as other:
        await kv.put(key, b"from one", metadata={"a": 1})
        await seen(
            world,
            "another client sees a put",
            lambda: other.get_with_metadata(key),
            lambda entry: entry == Entry(b"from one", {"a": 1}),
        )
        await other.put(key, b"from the other")
        await holds(kv, world, key, b"from the other", "this client sees another's put")
        await lists(kv, world, at(world, "share"), [key], "this client lists another's key")
        await other.delete(key)
        await absent(kv, world, key, "this client sees another's delete")


@promise("get", "put", "delete", needs=(("consistency", "read_your_writes"),))
async def a_client_reads_its_own_writes(kv: KeyValue, world: World) -> None:
    """The very next read shows a put and a delete, also after the key was read as absent."""
    key = at(world, "own", "a")
    for number in range(5):
        before = await kv.get(key)
        expect("an absent key reads as None", before is None, before)
        value = f"value {number}".encode()
        await kv.put(key, value)
        found = await kv.get(key)
        expect("the next read shows one's own put", found == value, found)
        await kv.delete(key)
        found = await kv.get(key)
        expect("the next read shows one's own delete", found is None, found)


@promise("get", "put", needs=(("consistency", "linearizable"),))
async def every_client_reads_the_last_write(kv: KeyValue, world: World) -> None:
    """The very next read of another client shows a put."""
    key = at(world, "last", "a")
    async with world.reopen() as other:
        for number in range(5):
            value = f"value {number}".encode()
            await kv.put(key, value)
            found = await other.get(key)
            expect("the next read of another client shows a put", found == value, found)


@promise("get", "put", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(kv: KeyValue, world: World) -> None:
    """A value outlives the client that stored it."""
    key = at(world, "outlive", "a")
    async with world.reopen() as other:
        await other.put(key, b"value")
    await holds(kv, world, key, b"value", "a value outlives the client that stored it")


@promise()
async def a_closed_client_refuses_every_operation(kv: KeyValue, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, at(world, "closed", "a")))


@promise("get", "put")
async def closing_one_client_leaves_the_others_open(kv: KeyValue, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    key = at(world, "closed", "a")
    await kv.put(key, b"value")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, key))
    await holds(kv, world, key, b"value", "closing one client leaves the others open")


def _calls(kv: KeyValue, key: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "get": lambda: kv.get(key),
        "get_with_metadata": lambda: kv.get_with_metadata(key),
        "get_many": lambda: kv.get_many([key]),
        "list": lambda: kv.list(prefix=key),
        "put": lambda: kv.put(key, b"changed"),
        "put_many": lambda: kv.put_many({key: b"changed"}),
        "delete": lambda: kv.delete(key),
        "delete_many": lambda: kv.delete_many([key]),
    }


CASES = (
    two_clients_share_the_store,
    a_client_reads_its_own_writes,
    every_client_reads_the_last_write,
    closing_a_client_loses_nothing,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
