"""Promises about limits: what is over one is refused whole, and nothing is sent."""

from collections.abc import Awaitable, Callable

from core_caps.capabilities.queue import Message, Queue
from core_caps.claims.operation import operations_of
from core_caps.contract.message_queue.reading import arrive, leases_of, pulled
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("send", "send_batch", "pull", limits=("message_size_bytes_max",))
async def the_greatest_message_works_and_one_byte_more_does_not(queue: Queue, world: World) -> None:
    """The documented maximum arrives whole; one byte more is refused, in a batch too."""
    greatest = world.limits["message_size_bytes_max"]
    body = b"0123456789abcdef" * (greatest // 16) + b"0" * (greatest % 16)
    await queue.send(body)
    (found,) = await arrive(queue, world, 1, f"a message of {greatest} bytes arrives")
    expect("whole", found.body == body, f"{len(found.body)} bytes")
    await _refused_whole(
        queue, world, f"{greatest + 1} bytes are refused", lambda: queue.send(body + b"0")
    )
    await _refused_whole(
        queue,
        world,
        f"{greatest + 1} bytes are refused in a batch",
        lambda: queue.send_batch([Message(b"small"), Message(body + b"0")]),
    )


@promise("send_batch", "pull", limits=("batch_messages_max",))
async def the_greatest_batch_works_and_one_message_more_does_not(
    queue: Queue, world: World
) -> None:
    """Each of the documented number of messages arrives; one more sends none."""
    greatest = world.limits["batch_messages_max"]
    messages = [Message(b"%d" % number) for number in range(greatest + 1)]
    await _refused_whole(
        queue,
        world,
        f"a batch of {greatest + 1} messages is refused",
        lambda: queue.send_batch(messages),
    )
    await queue.send_batch(messages[:-1])
    found = await arrive(queue, world, greatest, f"a batch of {greatest} messages arrives")
    bodies = {each.body for each in found}
    expect("each of them", bodies == {each.body for each in messages[:-1]}, len(bodies))


@promise("send_batch", "pull", limits=("batch_size_bytes_max", "batch_messages_max"))
async def a_batch_of_too_many_bytes_is_refused(queue: Queue, world: World) -> None:
    """Each message is small enough, and all together are not."""
    greatest = world.limits["batch_size_bytes_max"]
    largest = min(world.limits.get("message_size_bytes_max", greatest), greatest)
    count = greatest // largest + 1
    if count <= world.limits["batch_messages_max"]:
        await _refused_whole(
            queue,
            world,
            f"more than {greatest} bytes in one batch are refused",
            lambda: queue.send_batch([Message(b"0" * largest)] * count),
        )


@promise("send_batch", "pull")
async def a_batch_is_checked_before_any_of_it_is_sent(queue: Queue, world: World) -> None:
    """One bad message refuses them all."""
    for bad in (Message(b"body", delay_seconds=-1), Message(b"body", key="\ud800")):
        await _refused_whole(
            queue,
            world,
            "one bad message refuses its batch",
            lambda bad=bad: queue.send_batch([Message(b"good"), bad, Message(b"good")]),
        )


@promise("send", "send_batch", "pull", "retry")
async def a_delay_is_not_negative(queue: Queue, world: World) -> None:
    """Refused on every way in; zero is no delay."""
    await _refused_whole(
        queue, world, "send refuses a negative delay", lambda: queue.send(b"b", delay_seconds=-1)
    )
    await queue.send(b"body", delay_seconds=0)
    (found,) = await arrive(queue, world, 1, "a delay of zero is none")
    await refused("retry refuses a negative delay", queue.retry([found.lease], delay_seconds=-1))
    await queue.retry([found.lease], delay_seconds=0)


@promise("send", "pull", limits=("delay_seconds_max",))
async def the_longest_delay_works_and_one_second_more_does_not(queue: Queue, world: World) -> None:
    """Hidden where it works, not sent where it does not."""
    longest = world.limits["delay_seconds_max"]
    await queue.send(b"body", delay_seconds=longest)
    await _refused_whole(
        queue,
        world,
        f"a delay of {longest + 1} s is refused",
        lambda: queue.send(b"body", delay_seconds=longest + 1),
    )


@promise("send", "pull")
async def a_pull_of_nothing_is_refused(queue: Queue, world: World) -> None:
    """A limit below one, a lease of less than no time."""
    await queue.send(b"body")
    for limit in (0, -1):
        await refused(f"a limit of {limit} is refused", queue.pull(limit=limit))
    await refused("a lease of -1 s is refused", queue.pull(visibility_seconds=-1))
    await arrive(queue, world, 1, "a refused pull takes nothing")


@promise("send", "pull", limits=("pull_limit_max",))
async def the_greatest_pull_works_and_one_more_does_not(queue: Queue, world: World) -> None:
    """One more is refused and takes nothing."""
    greatest = world.limits["pull_limit_max"]
    await queue.send(b"body")
    await refused(f"a pull of {greatest + 1} is refused", queue.pull(limit=greatest + 1))
    await arrive(queue, world, 1, "a refused pull takes nothing")
    await queue.pull(limit=greatest)


@promise("send", "pull", "ack", limits=("visibility_seconds_max",))
async def the_longest_lease_works_and_one_second_more_does_not(queue: Queue, world: World) -> None:
    """One second more is refused and takes nothing."""
    longest = world.limits["visibility_seconds_max"]
    await queue.send(b"body")
    await refused(
        f"a lease of {longest + 1} s is refused", queue.pull(visibility_seconds=longest + 1)
    )
    found = await arrive(
        queue, world, 1, f"a lease of {longest} s works", visibility_seconds=longest
    )
    await queue.ack(leases_of(found))


@promise()
async def an_undeclared_operation_is_absent(queue: Queue, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Queue).keys() - world.operations
    present = sorted(name for name in others if hasattr(queue, name))
    expect("an operation that is not declared is not there", not present, present)


async def _refused_whole(
    queue: Queue, world: World, promised: str, call: Callable[[], Awaitable[object]]
) -> None:
    """Check that a call is refused and sends nothing."""
    await refused(promised, call())
    left = await pulled(queue, world)
    expect(f"{promised}: nothing is sent", not left, [each.body[:40] for each in left])


CASES = (
    the_greatest_message_works_and_one_byte_more_does_not,
    the_greatest_batch_works_and_one_message_more_does_not,
    a_batch_of_too_many_bytes_is_refused,
    a_batch_is_checked_before_any_of_it_is_sent,
    a_delay_is_not_negative,
    the_longest_delay_works_and_one_second_more_does_not,
    a_pull_of_nothing_is_refused,
    the_greatest_pull_works_and_one_more_does_not,
    the_longest_lease_works_and_one_second_more_does_not,
    an_undeclared_operation_is_absent,
)
