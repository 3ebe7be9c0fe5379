"""Promises about clients: several on one queue, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.queue import Message, Queue
from core_caps.contract.message_queue.reading import arrive, leases_of, nothing_left
from core_caps.contract.reading import closed
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("send", "pull", "ack")
async def two_clients_share_the_queue(queue: Queue, world: World) -> None:
    """What one sends the other receives and settles, and then it is gone for both."""
    async with world.reopen() as other:
        await queue.send(b"from one")
        (found,) = await arrive(other, world, 1, "another client receives what this one sent")
        expect("as it was sent", found.body == b"from one", found)
        await other.ack([found.lease])
        await other.send(b"from the other")
        (found,) = await arrive(queue, world, 1, "this client receives what another sent")
        expect("as it was sent", found.body == b"from the other", found)
        await queue.ack([found.lease])
        await nothing_left(other, world, "what was settled is gone for every client")


@promise("send", "pull", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(queue: Queue, world: World) -> None:
    """A message outlives the client that sent it."""
    async with world.reopen() as other:
        await other.send(b"body", key="k")
    (found,) = await arrive(queue, world, 1, "a message outlives the client that sent it")
    expect("as it was sent", (found.body, found.key) == (b"body", "k"), found)


@promise()
async def a_closed_client_refuses_every_operation(queue: Queue, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other))


@promise("send", "pull", "ack")
async def closing_one_client_leaves_the_others_open(queue: Queue, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    await queue.send(b"body")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other))
    found = await arrive(queue, world, 1, "closing one client leaves the others open")
    await queue.ack(leases_of(found))


def _calls(queue: Queue) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "send": lambda: queue.send(b"body"),
        "send_batch": lambda: queue.send_batch([Message(b"body")]),
        "pull": lambda: queue.pull(limit=1),
        "ack": lambda: queue.ack(["lease"]),
        "retry": lambda: queue.retry(["lease"]),
    }


CASES = (
    two_clients_share_the_queue,
    closing_a_client_loses_nothing,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
