"""Promises about `ack` and `retry`: who holds a lease decides, and nobody else."""

from collections.abc import Awaitable, Callable, Sequence

from core_caps.capabilities.queue import Queue
from core_caps.contract.message_queue.reading import (
    LEASE_SECONDS,
    arrive,
    come_back,
    excused,
    leases_of,
    nothing_left,
    pulled,
    stay_hidden,
    wait_until,
)
from core_caps.contract.reading import pass_time
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import LeaseExpired, Outcome

__all__ = ["CASES"]

_VISIBLE_SECONDS = 120
_DELAY_SECONDS = 300


@promise("send", "pull", "ack", needs_time=True)
async def an_acknowledged_message_stays_away(queue: Queue, world: World) -> None:
    """At once, and when its lease would have run out."""
    for number in range(5):
        await queue.send(b"%d" % number)
    found = await arrive(
        queue, world, 5, "every message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    result: object = await queue.ack(leases_of(found))
    expect("ack returns None", result is None, result)
    gone = "what was acknowledged does not come again"
    await nothing_left(queue, world, gone)
    await nothing_left(queue, world, gone, after_seconds=LEASE_SECONDS + 10)


@promise("send", "pull", "ack", needs_time=True)
async def ack_settles_what_it_names_and_nothing_else(queue: Queue, world: World) -> None:
    """The others of the same pull come again."""
    for number in range(6):
        await queue.send(b"%d" % number)
    found = await arrive(
        queue, world, 6, "every message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    await queue.ack(leases_of(found[:1]))
    await queue.ack(tuple(leases_of(found[1:3])))
    await pass_time(world, _VISIBLE_SECONDS + 10)
    settled = {each.id for each in found[:3]}
    kept = {each.id for each in found[3:]}
    again = await arrive(
        queue,
        world,
        3,
        "what was not acknowledged comes again",
        wanted=lambda each: each.id not in settled,
    )
    expect("the very messages", {each.id for each in again} == kept, again)
    await queue.ack(leases_of(again))
    gone = "what was acknowledged does not come again"
    await nothing_left(queue, world, gone, after_seconds=LEASE_SECONDS + 10)


@promise("pull", "ack", "retry")
async def settling_nothing_is_success(queue: Queue, world: World) -> None:
    """No leases, nothing to do."""
    await queue.ack([])
    await queue.retry([])
    await queue.retry((), delay_seconds=60)


@promise("send", "pull", "ack", "retry")
async def a_lease_holds_once(queue: Queue, world: World) -> None:
    """What was settled cannot be settled again, either way."""
    settling: dict[str, Callable[[Sequence[str]], Awaitable[None]]] = {
        "ack": queue.ack,
        "retry": lambda leases: queue.retry(leases, delay_seconds=600),
    }
    for first, settle in settling.items():
        await queue.send(b"body")
        (found,) = await arrive(queue, world, 1, "the message arrives")
        await settle([found.lease])
        for then, settle_again in settling.items():
            await _expired(
                f"{then} after {first} is refused", settle_again([found.lease]), [found.lease]
            )


@promise("send", "pull", "ack")
async def a_lease_that_nobody_gave_out_does_not_hold(queue: Queue, world: World) -> None:
    """It is named, and what holds beside it is settled."""
    await queue.send(b"body")
    (found,) = await arrive(queue, world, 1, "the message arrives")
    for stranger in ("nobody gave this out", found.lease + "x", ""):
        await _expired("an unknown lease is refused", queue.ack([stranger]), [stranger])
    stranger = "nobody gave this out"
    await _expired(
        "an unknown lease among others is refused", queue.ack([stranger, found.lease]), [stranger]
    )
    await _expired("the others are settled", queue.ack([found.lease]), [found.lease])


@promise("send", "pull", "ack", "retry", needs_time=True)
async def the_lease_of_an_earlier_delivery_does_not_hold(queue: Queue, world: World) -> None:
    """Whoever was too late can neither settle the message nor disturb who has it now."""
    for number in range(6):
        await queue.send(b"%d" % number)
    late = await arrive(
        queue, world, 6, "every message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    await pass_time(world, _VISIBLE_SECONDS + 10)
    started = world.clock.now()
    now = await arrive(
        queue,
        world,
        6,
        "it comes again",
        wanted=lambda each: each.attempts > 1,
        visibility_seconds=_VISIBLE_SECONDS,
    )
    for name, call in (("ack", queue.ack), ("retry", queue.retry)):
        await _expired(
            f"{name} with the lease of an earlier delivery is refused",
            call(leases_of(late)),
            leases_of(late),
        )
    now = await stay_hidden(queue, world, now, "a late consumer does not disturb who has it now")
    await wait_until(world, started + _VISIBLE_SECONDS - 20)
    await queue.ack(leases_of(now))
    settled = "the lease of the last delivery settles it"
    await nothing_left(queue, world, settled, after_seconds=LEASE_SECONDS + 10)


@promise("send", "pull", "ack", needs_time=True)
async def an_ack_that_comes_too_late_tells_the_truth(queue: Queue, world: World) -> None:
    """Accepted, the message is settled; refused, it comes again. Never lost, never both."""
    await queue.send(b"body")
    found = await arrive(
        queue, world, 1, "the message arrives", visibility_seconds=_VISIBLE_SECONDS
    )
    await pass_time(world, _VISIBLE_SECONDS + 10)
    try:
        await queue.ack(leases_of(found))
    except LeaseExpired:
        await come_back(queue, world, found, "what could not be acknowledged comes again")
    else:
        await nothing_left(queue, world, "what was acknowledged does not come again")


@promise("send", "pull", "retry", "ack")
async def a_retried_message_comes_again(queue: Queue, world: World) -> None:
    """At once, as it was, counted; the others of the same pull stay with their consumer."""
    for number in range(6):
        await queue.send(b"%d" % number, key=f"key-{number}")
    found = await arrive(queue, world, 6, "every message arrives")
    result: object = await queue.retry(leases_of(found[:2]), delay_seconds=0)
    expect("retry returns None", result is None, result)
    await come_back(queue, world, found[:2], "what is retried comes again")
    lost: Sequence[str] = ()
    try:
        await queue.ack(leases_of(found[2:]))
    except LeaseExpired as error:
        lost = error.leases
    expect("the leases of the others hold", len(lost) <= excused(world, len(found) - 2), lost)


@promise("send", "pull", "retry", needs_time=True)
async def a_retry_waits_as_long_as_it_says(queue: Queue, world: World) -> None:
    """Not before its delay has passed, and then."""
    for number in range(6):
        await queue.send(b"%d" % number)
    found = await arrive(queue, world, 6, "every message arrives")
    started = world.clock.now()
    await queue.retry(leases_of(found[:-1]), delay_seconds=_DELAY_SECONDS)
    await queue.retry(leases_of(found[-1:]), delay_seconds=_DELAY_SECONDS)
    await wait_until(world, started + _DELAY_SECONDS - 5)
    await stay_hidden(queue, world, found, "what is retried later is hidden until then")
    await wait_until(world, started + _DELAY_SECONDS + 10)
    again = await pulled(queue, world)
    expect("what is retried later comes then", len(again) > 0, again)
    await pass_time(world, LEASE_SECONDS + 10)
    await come_back(queue, world, found, "what is retried later comes then")


@promise("send", "pull", "retry", limits=("attempts_max",))
async def a_message_is_given_up_after_its_last_attempt(queue: Queue, world: World) -> None:
    """Delivered as often as the limit says, and not once more."""
    greatest = world.limits["attempts_max"]
    await queue.send(b"given up")
    found = await arrive(queue, world, 1, "the message arrives")
    for attempt in range(1, greatest):
        await queue.retry(leases_of(found), delay_seconds=0)
        found = await come_back(queue, world, found, f"{greatest} attempts are made")
        expect(f"this is attempt {attempt + 1}", found[0].attempts == attempt + 1, found[0])
    await queue.retry(leases_of(found), delay_seconds=0)
    left = await pulled(queue, world)
    expect(f"after {greatest} attempts a message is given up", not left, left)


async def _expired(promised: str, call: Awaitable[object], leases: Sequence[str]) -> None:
    error = await expect_error(LeaseExpired, promised, call)
    expect(f"{promised}, and named", tuple(error.leases) == tuple(leases), error.leases)
    whole = error.outcome is Outcome.NOT_APPLIED
    expect(f"{promised}: NOT_APPLIED for what it names", whole, error.outcome)


CASES = (
    an_acknowledged_message_stays_away,
    ack_settles_what_it_names_and_nothing_else,
    settling_nothing_is_success,
    a_lease_holds_once,
    a_lease_that_nobody_gave_out_does_not_hold,
    the_lease_of_an_earlier_delivery_does_not_hold,
    an_ack_that_comes_too_late_tells_the_truth,
    a_retried_message_comes_again,
    a_retry_waits_as_long_as_it_says,
    a_message_is_given_up_after_its_last_attempt,
)
