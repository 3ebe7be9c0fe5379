"""Promises about what is sent: it arrives, whole and with its key, and when it is due."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from core_caps.capabilities.queue import Delivery, Message, Queue
from core_caps.contract.message_queue.reading import (
    arrive,
    leases_of,
    nothing_left,
    pulled,
    wait_until,
)
from core_caps.contract.reading import at
from core_caps.contract.suite import World, expect, promise

__all__ = ["BODIES", "CASES", "KEYS"]

BODIES = (
    b"plain",
    b"",
    b"\x00",
    bytes(range(256)),
    b"\xef\xbb\xbfmark",
    b"\xff\xfe\xfd",
    b"line\r\nline\nline\r",
    b'{"body": null}',
    b"null",
    b"aGVsbG8=",
    "é\U0001f511".encode(),
    b"x" * 60_000,
)
"""Contents that a text encoding, a guess at JSON or base64, or a notion of emptiness would harm."""

KEYS = ("", "k", "a/b%2F+c?&=", '"\\{}', "é\U0001f511", "0", "null", "k" * 64)
"""Keys as flows make them, and such as an unescaped header or document would change."""

_CLOCK_SLACK_SECONDS = 120


@promise("pull")
async def an_empty_queue_gives_nothing(queue: Queue, world: World) -> None:
    """An empty sequence, not None and not an error."""
    batch = await queue.pull()
    empty = hasattr(batch, "__len__") and len(batch) == 0
    expect("an empty queue gives an empty sequence", empty, batch)


@promise("send", "pull")
async def a_message_arrives_as_it_was_sent(queue: Queue, world: World) -> None:
    """All byte values, emptiness, text in no encoding, JSON: byte for byte, as bytes."""
    sent = [
        body for body in BODIES if len(body) <= world.limits.get("message_size_bytes_max", 60_000)
    ]
    for body in sent:
        await queue.send(body)
    found = await arrive(queue, world, len(sent), "every message that was sent arrives")
    expect("a body is bytes", all(type(each.body) is bytes for each in found), found[:3])
    bodies = Counter(each.body for each in found)
    expect("a body arrives byte for byte", bodies == Counter(sent), list(bodies - Counter(sent)))
    expect("a message without a key says ''", all(each.key == "" for each in found), found[:3])


@promise("send", "pull")
async def a_delivery_says_what_it_is(queue: Queue, world: World) -> None:
    """An id of its own, a lease of its own, the first attempt, and when it was sent."""
    before = world.clock.now()
    for number in range(3):
        await queue.send(b"%d" % number)
    found = await arrive(queue, world, 3, "every message that was sent arrives")
    for name in ("id", "lease"):
        values = [getattr(each, name) for each in found]
        own = all(isinstance(value, str) and value for value in values)
        expect(f"each delivery has {name} text of its own", own and len(set(values)) == 3, values)
    expect("the first delivery is attempt 1", all(each.attempts == 1 for each in found), found)
    times = [each.sent_at for each in found]
    near = all(
        before - _CLOCK_SLACK_SECONDS <= each <= world.clock.now() + _CLOCK_SLACK_SECONDS
        for each in times
    )
    expect("sent_at is when it was sent, in seconds since 1970", near, (before, times))


@promise("send", "send_batch", "pull")
async def a_key_travels_with_its_message(queue: Queue, world: World) -> None:
    """From `send` and in a batch, as it was given; no key is empty text."""
    half = len(KEYS) // 2
    for number, key in enumerate(KEYS[:half]):
        await queue.send(b"%d" % number, key=key)
    await queue.send_batch(
        [Message(b"%d" % number, key=key) for number, key in enumerate(KEYS[half:], half)]
    )
    found = await arrive(queue, world, len(KEYS), "a message with a key arrives")
    keys = {int(each.body): each.key for each in found}
    expect("each message has the key it was sent with", keys == dict(enumerate(KEYS)), keys)


@promise("send_batch", "pull")
async def a_batch_is_its_messages(queue: Queue, world: World) -> None:
    """Each body, with its own key, once; no messages are success."""
    await queue.send_batch([])
    await queue.send_batch(())
    sent = [Message(body, key=f"key-{number}") for number, body in enumerate(BODIES[:-1])]
    await queue.send_batch(sent)
    found = await arrive(queue, world, len(sent), "every message of a batch arrives")
    pairs = {each.key: each.body for each in found}
    wanted = {each.key: each.body for each in sent}
    expect("each message of a batch keeps its body and key", pairs == wanted, pairs)


@promise("send", "pull")
async def equal_messages_are_several(queue: Queue, world: World) -> None:
    """Without a key nothing tells a repeat: two sends are two messages."""
    for _ in range(2):
        await queue.send(b"same")
    found = await arrive(queue, world, 2, "two equal messages without a key are two")
    expect("both are as they were sent", [each.body for each in found] == [b"same"] * 2, found)


@promise("send", "pull")
async def a_message_sent_twice_under_one_key_arrives(queue: Queue, world: World) -> None:
    """Once or twice, always under its key: that is how a consumer knows."""
    for _ in range(2):
        await queue.send(b"body", key=at(world, "twice", "k"))
    found = await _all_due(queue, world)
    expect("a message sent twice arrives", len({each.id for each in found}) in (1, 2), found)
    same = all((each.body, each.key) == (b"body", at(world, "twice", "k")) for each in found)
    expect("each copy carries the key", same, found)


@promise("send", "pull", "ack")
async def many_messages_arrive_each_once_settled(queue: Queue, world: World) -> None:
    """Sent one by one and all at once; none is lost, none becomes another."""
    bodies = {b"message %02d" % number for number in range(36)}
    for body in sorted(bodies)[:12]:
        await queue.send(body)
    await asyncio.gather(*(queue.send(body) for body in sorted(bodies)[12:]))
    found = await arrive(queue, world, len(bodies), "each of many messages arrives")
    arrived = {each.body for each in found}
    expect("none of many messages is lost", arrived == bodies, sorted(bodies - arrived))
    await queue.ack(leases_of(found))
    await nothing_left(queue, world, "nothing is left of what was settled")


@promise("send", "send_batch", "pull", needs_time=True)
async def a_delayed_message_arrives_when_it_is_due(queue: Queue, world: World) -> None:
    """Not before, from `send` and in a batch; others do not wait for it."""
    started = world.clock.now()
    await queue.send(b"late", delay_seconds=180)
    await queue.send_batch([Message(b"now", delay_seconds=0), Message(b"later", delay_seconds=360)])
    found = await arrive(queue, world, 1, "a message without delay does not wait for others")
    expect("a delayed message is hidden", found[0].body == b"now", found)
    for due, body in ((180, b"late"), (360, b"later")):
        known = {each.id for each in found}
        await wait_until(world, started + due - 5)
        early = [each for each in await pulled(queue, world) if each.id not in known]
        expect("a delayed message is hidden until it is due", not early, early)
        await wait_until(world, started + due + 5)
        found += await arrive(
            queue,
            world,
            1,
            "a delayed message arrives when it is due",
            wanted=lambda each, known=known: each.id not in known,
        )
        expect("the one that is due arrives", found[-1].body == body, found[-1])


@promise("send", "pull", needs=(("ordering", "total"),))
async def messages_arrive_in_the_order_they_were_sent(queue: Queue, world: World) -> None:
    """Within a pull and from pull to pull."""
    bodies = [b"%02d" % number for number in range(25)]
    for body in bodies:
        await queue.send(body)
    found = await arrive(queue, world, len(bodies), "every message arrives")
    expect("in the order they were sent", [each.body for each in found] == bodies, found)


async def _all_due(queue: Queue, world: World) -> Sequence[Delivery]:
    found: list[Delivery] = []
    for _ in range(10):
        batch = await pulled(queue, world)
        found += batch
        if found and not batch:
            break
    return found


CASES = (
    an_empty_queue_gives_nothing,
    a_message_arrives_as_it_was_sent,
    a_delivery_says_what_it_is,
    a_key_travels_with_its_message,
    a_batch_is_its_messages,
    equal_messages_are_several,
    a_message_sent_twice_under_one_key_arrives,
    many_messages_arrive_each_once_settled,
    a_delayed_message_arrives_when_it_is_due,
    messages_arrive_in_the_order_they_were_sent,
)
