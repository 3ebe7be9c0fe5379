"""Promises about clients: several on one namespace, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.durable_object import DurableObject, Item, ObjectRef
from core_caps.contract.object_storage.reading import holds, ref, stored
from core_caps.contract.reading import closed
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_FAR = 4_102_444_800.0


@promise("get", "put", "delete", "list")
async def every_client_reads_the_last_write(objects: DurableObject, world: World) -> None:
    """An object is one, whoever calls it: the very next read shows a write."""
    one = ref(world, "share")
    async with world.reopen() as other:
        for number in range(4):
            value = b"%d" % number
            await objects.put(one, "key", value)
            await holds(other, one, "key", value, "another client sees a put")
            await other.put(one, "own", value)
            wanted = {"key": value, "own": value}
            expect("this client lists another's", await stored(objects, one) == wanted, value)
            await other.delete(one, "key")
            await holds(objects, one, "key", None, "this client sees another's delete")


@promise("get", "put", "set_alarm", "get_alarm", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(objects: DurableObject, world: World) -> None:
    """Values and alarms outlive the client that stored them."""
    one = ref(world, "outlive")
    async with world.reopen() as other:
        await other.put(one, "key", b"value")
        await other.set_alarm(one, _FAR)
    await holds(objects, one, "key", b"value", "a value outlives its client")
    expect("an alarm outlives its client", await objects.get_alarm(one) is not None, "no alarm")


@promise()
async def a_closed_client_refuses_every_operation(objects: DurableObject, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, ref(world, "closed", "a")))


@promise("get", "put")
async def closing_one_client_leaves_the_others_open(objects: DurableObject, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    one = ref(world, "closed", "b")
    await objects.put(one, "key", b"value")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, one))
    await holds(objects, one, "key", b"value", "closing one client leaves the others open")


def _calls(objects: DurableObject, one: ObjectRef) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "get": lambda: objects.get(one, "key"),
        "get_many": lambda: objects.get_many(one, ["key"]),
        "list": lambda: objects.list(one),
        "get_alarm": lambda: objects.get_alarm(one),
        "put": lambda: objects.put(one, "key", b"changed"),
        "delete": lambda: objects.delete(one, "key"),
        "delete_all": lambda: objects.delete_all(one),
        "transaction": lambda: objects.transaction(one, [Item("key", b"changed")]),
        "set_alarm": lambda: objects.set_alarm(one, _FAR),
        "delete_alarm": lambda: objects.delete_alarm(one),
        "new_id": objects.new_id,
    }


CASES = (
    every_client_reads_the_last_write,
    closing_a_client_loses_nothing,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
