"""How the cases take messages out, as consumers who know that one may come twice."""

from collections.abc import Callable, Sequence
from typing import Any

from core_caps.capabilities.queue import Delivery, Queue
from core_caps.claims.guarantees import UNKNOWN, AtLeast, satisfies
from core_caps.contract.reading import STALE_SECONDS_MAX, pass_time
from core_caps.contract.suite import World, expect, violated

__all__ = [
    "LEASE_SECONDS",
    "arrive",
    "come_back",
    "delivered_once",
    "excused",
    "leases_of",
    "nothing_left",
    "pulled",
    "stay_hidden",
    "wait_until",
]

LEASE_SECONDS = 600
"""How long the leases of a case hold where it does not look at that."""

_PULLS_MAX = 200
_ROUNDS_MAX = 10


def delivered_once(world: World) -> bool:
    """Whether the provider promises that nothing comes twice."""
    claimed = world.guarantees.get("delivery", UNKNOWN)
    return satisfies(claimed, AtLeast("exactly_once"), guarantee="delivery")


def excused(world: World, count: int) -> int:
    """Of so many messages, how many may come to somebody else, too, where that is not excluded."""
    return 0 if delivered_once(world) else count // 2


def leases_of(deliveries: Sequence[Delivery]) -> list[str]:
    """The leases of these deliveries."""
    return [delivery.lease for delivery in deliveries]


async def wait_until(world: World, time: float) -> None:
    """Let time pass until then, in seconds since 1970."""
    await pass_time(world, max(0.0, time - world.clock.now()))


async def pulled(
    queue: Queue, world: World, *, limit: int = 10, visibility_seconds: int = LEASE_SECONDS
) -> Sequence[Delivery]:
    """One pull, with leases as long as the provider allows up to those asked for."""
    limit = min(limit, world.limits.get("pull_limit_max", limit))
    longest = world.limits.get("visibility_seconds_max", visibility_seconds)
    batch = await queue.pull(limit=limit, visibility_seconds=min(visibility_seconds, longest))
    expect(f"a pull gives {limit} messages at most", len(batch) <= limit, len(batch))
    return batch


async def arrive(
    queue: Queue,
    world: World,
    count: int,
    promised: str,
    *,
    wanted: Callable[[Delivery], bool] = lambda _: True,
    visibility_seconds: int = LEASE_SECONDS,
) -> list[Delivery]:
    """So many different messages, each as it was delivered last, in the order they first came in.

    What was just sent may take a while to show where reading one's own writes is not promised; an
    empty pull says otherwise that nothing is due.

    Args:
        queue: the consumer.
        world: what surrounds the case.
        count: how many messages there are.
        promised: that they come.
        wanted: which deliveries count: those of one attempt, say; others may be repeats.
        visibility_seconds: how long their leases hold.
    """
    found: dict[str, Delivery] = {}
    waited, step = 0.0, 1.0
    for _ in range(_PULLS_MAX):
        batch = await pulled(queue, world, visibility_seconds=visibility_seconds)
        found.update({each.id: each for each in batch if wanted(each)})
        if len(found) > count:
            violated(f"{promised}: {count} messages, and no others", _shown(found.values()))
        if len(found) == count:
            return list(found.values())
        if not batch:
            if _shows_at_once(world) or waited >= STALE_SECONDS_MAX:
                violated(promised, _shown(found.values()))
            await pass_time(world, step)
            waited, step = waited + step, min(step * 2, 60.0)
    return violated(f"{promised}: {count} messages come to an end", _shown(found.values()))


async def come_back(
    queue: Queue, world: World, before: Sequence[Delivery], promised: str
) -> list[Delivery]:
    """Check that the same messages come again, by their ids, as further attempts with other
    leases."""
    earlier = {delivery.id: delivery for delivery in before}
    again = await arrive(
        queue,
        world,
        len(earlier),
        promised,
        wanted=lambda each: each.id in earlier and each.attempts > earlier[each.id].attempts,
    )
    for delivery in again:
        first = earlier[delivery.id]
        same = (delivery.body, delivery.key, delivery.sent_at)
        expect(f"{promised}, as it was", same == (first.body, first.key, first.sent_at), delivery)
        expect(f"{promised}, under another lease", delivery.lease != first.lease, delivery)
    return again


async def stay_hidden(
    queue: Queue, world: World, messages: Sequence[Delivery], promised: str
) -> list[Delivery]:
    """Check that messages that are leased, or not due, do not come; a few may, by bad luck.

    Returns them, each as it was delivered last.
    """
    latest = {delivery.id: delivery for delivery in messages}
    seen: set[str] = set()
    for _ in latest:
        batch = [delivery for delivery in await pulled(queue, world) if delivery.id in latest]
        latest.update({delivery.id: delivery for delivery in batch})
        seen |= {delivery.id for delivery in batch}
        if not batch:
            break
    few = len(seen) <= excused(world, len(latest))
    expect(promised, few, f"{len(seen)} of {len(latest)} came")
    return list(latest.values())


async def nothing_left(
    queue: Queue, world: World, promised: str, *, after_seconds: float = 0.0
) -> None:
    """Check that nothing comes any more, now or after so long; what comes again by bad luck is
    settled again, and that ends."""
    batch: Sequence[Delivery] = ()
    for _ in range(_ROUNDS_MAX):
        if after_seconds:
            await pass_time(world, after_seconds)
        batch = await pulled(queue, world)
        if not batch:
            return
        if delivered_once(world):
            break
        await queue.ack(leases_of(batch))
    violated(promised, _shown(batch))


def _shows_at_once(world: World) -> bool:
    claimed = world.guarantees.get("consistency", UNKNOWN)
    return satisfies(claimed, AtLeast("read_your_writes"), guarantee="consistency")


def _shown(deliveries: Any) -> object:
    lines = [(each.body[:40], each.key, each.attempts) for each in list(deliveries)[:20]]
    return f"{len(list(deliveries))} messages: {lines}"
