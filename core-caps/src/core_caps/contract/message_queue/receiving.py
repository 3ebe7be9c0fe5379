"""Promises about pulling: what is leased is hidden, and comes again when nobody settles it."""

import asyncio

from core_caps.capabilities.queue import Queue
from core_caps.contract.message_queue.reading import (
    LEASE_SECONDS,
    arrive,
    come_back,
    delivered_once,
    leases_of,
    nothing_left,
    pulled,
    stay_hidden,
    wait_until,
)
from core_caps.contract.reading import pass_time, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_VISIBLE_SECONDS = 120


@promise("send", "pull")
async def a_pulled_message_is_hidden_from_others(queue: Queue, world: World) -> None:
    """From its own consumer and from another client, while its lease holds."""
    for number in range(12):
        await queue.send(b"%d" % number)
    found = await arrive(queue, world, 12, "every message arrives")
    await stay_hidden(queue, world, found, "what is leased is hidden")
    async with world.reopen() as other:
        await stay_hidden(other, world, found, "what is leased is hidden from other clients")


@promise("send", "pull")
async def a_lease_of_the_queues_own_length_hides_too(queue: Queue, world: World) -> None:
    """None leaves the length to the queue; it is not zero."""
    for number in range(8):
        await queue.send(b"%d" % number)
    found = await seen(
        world,
        "a pull without arguments gives what is due",
        queue.pull,
        lambda batch: len(batch) > 0,
    )
    await stay_hidden(queue, world, found, "a lease of the queue's own length hides")


@promise("send", "pull", needs_time=True)
async def what_nobody_settles_comes_again(queue: Queue, world: World) -> None:
    """Hidden until its lease runs out, then there again: counted, under another lease."""
    for number in range(6):
        await queue.send(b"%d" % number, key=f"key-{number}")
    started = world.clock.now()
    found = await arrive(
        queue, world, 6, "every message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    await wait_until(world, started + _VISIBLE_SECONDS - 5)
    await stay_hidden(queue, world, found, "what is leased is hidden until the lease runs out")
    await pass_time(world, LEASE_SECONDS)  # the few that came again are leased anew
    await come_back(queue, world, found, "what nobody settles comes again")


@promise("send", "pull", needs_time=True)
async def attempts_are_counted(queue: Queue, world: World) -> None:
    """Each delivery says which it is; a consumer gives up by that number."""
    await queue.send(b"body")
    found = await arrive(
        queue, world, 1, "the message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    expect("the first delivery is attempt 1", found[0].attempts == 1, found[0])
    for attempt in (2, 3):
        await pass_time(world, LEASE_SECONDS + 10)
        found = await come_back(queue, world, found, "it comes again")
        counted = found[0].attempts == attempt or not delivered_once(world)
        expect(f"this is attempt {attempt}", counted, found[0])


@promise("send", "pull")
async def a_pull_gives_no_more_than_its_limit(queue: Queue, world: World) -> None:
    """One at a time, and the rest is still there."""
    for number in range(7):
        await queue.send(b"%d" % number)
    ids: set[str] = set()
    for _ in range(30):
        batch = await pulled(queue, world, limit=1)
        ids |= {each.id for each in batch}
        if len(ids) == 3:
            break
    expect("pulls of one give a message each", len(ids) == 3, len(ids))
    await arrive(queue, world, 4, "the rest is still there", wanted=lambda each: each.id not in ids)


@promise("send", "pull")
async def consumers_share_the_work(queue: Queue, world: World) -> None:
    """Several pull at once: each message reaches one of them, and none is lost between them."""
    bodies = {b"%d" % number for number in range(20)}
    for body in sorted(bodies):
        await queue.send(body)
    taken: set[bytes] = set()
    async with world.reopen() as other:
        for _ in range(20):
            batches = await asyncio.gather(
                pulled(queue, world, limit=3), pulled(other, world, limit=3)
            )
            taken |= {each.body for batch in batches for each in batch}
            if taken == bodies:
                break
    expect("nothing is lost between consumers", taken == bodies, sorted(bodies - taken))


@promise("send", "pull", "ack", needs=(("delivery", "exactly_once"),))
async def nothing_comes_twice(queue: Queue, world: World) -> None:
    """Consumers that pull at once are given different messages."""
    for number in range(24):
        await queue.send(b"%d" % number)
    async with world.reopen() as other:
        batches = await asyncio.gather(
            *(pulled(client, world, limit=4) for _ in range(3) for client in (queue, other))
        )
    ids = [each.id for batch in batches for each in batch]
    expect("no message is given to two consumers", len(ids) == len(set(ids)), sorted(ids))
    await queue.ack([lease for batch in batches for lease in leases_of(batch)])
    left = await arrive(queue, world, 24 - len(ids), "the others arrive")
    await queue.ack(leases_of(left))
    await nothing_left(queue, world, "what was settled does not come again")


CASES = (
    a_pulled_message_is_hidden_from_others,
    a_lease_of_the_queues_own_length_hides_too,
    what_nobody_settles_comes_again,
    attempts_are_counted,
    a_pull_gives_no_more_than_its_limit,
    consumers_share_the_work,
    nothing_comes_twice,
)
