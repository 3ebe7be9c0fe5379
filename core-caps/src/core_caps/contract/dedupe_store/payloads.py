"""Promises about payloads: one key that stands for two pieces of work is never answered."""

from core_caps.capabilities.dedupe import Dedupe, InProgress
from core_caps.contract.dedupe_store.reading import (
    LEASE_SECONDS,
    TTL_SECONDS,
    collides,
    done,
    fresh,
    in_progress,
    untouched,
)
from core_caps.contract.reading import at, pass_time
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_PAYLOADS = (b"p", b"q", bytes(range(256)), b"\x00", b"\x00\x00", b"P", b"p ")


@promise("reserve", "commit")
async def the_same_payload_is_no_collision(dedupe: Dedupe, world: World) -> None:
    """A repeat of the same work: whatever bytes its digest has."""
    for number, payload in enumerate(_PAYLOADS):
        key = at(world, "same", str(number))
        for _ in range(2):
            await fresh(dedupe, key, "one", "the same payload is no collision", payload=payload)
        await dedupe.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
        for _ in range(2):
            await dedupe.reserve(key, owner="two", lease_seconds=LEASE_SECONDS, payload=payload)


@promise("reserve", "commit")
async def another_payload_collides(dedupe: Dedupe, world: World) -> None:
    """For the owner, for others and after the work is done; nothing changes by it."""
    key = at(world, "collides")
    first, *others = _PAYLOADS
    await fresh(dedupe, key, "one", "a new key is fresh", payload=first)

    async def collide() -> None:
        for owner in ("one", "two"):
            for payload in others:
                await collides(
                    f"another payload under one key, asked for by {owner}",
                    dedupe.reserve(key, owner=owner, lease_seconds=5, payload=payload),
                    [key],
                )

    await untouched(dedupe, key, "a collision", collide)
    await dedupe.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
    await collide()
    await done(dedupe, key, b"r", "a collision undoes no result")


@promise("reserve", needs_time=True)
async def a_lease_that_ran_out_forgets_no_payload(dedupe: Dedupe, world: World) -> None:
    """The key was seen: who comes later with other work is told."""
    key = at(world, "late-collision")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=60, payload=b"p")
    await pass_time(world, 90)
    await collides(
        "another payload after the lease ran out",
        dedupe.reserve(key, owner="two", lease_seconds=LEASE_SECONDS, payload=b"q"),
        [key],
    )
    await fresh(dedupe, key, "two", "the same work is fresh", payload=b"p")


@promise("reserve")
async def no_payload_compares_nothing(dedupe: Dedupe, world: World) -> None:
    """Neither before nor after one was given; who only asks gives none."""
    key = at(world, "no-payload")
    await fresh(dedupe, key, "one", "a new key is fresh")
    asked = await dedupe.reserve(key, owner="two", lease_seconds=LEASE_SECONDS, payload=b"asked")
    expect(
        "a payload where there is none collides with nothing", isinstance(asked, InProgress), asked
    )
    await fresh(dedupe, key, "one", "a payload after none", payload=b"p")
    await fresh(dedupe, key, "one", "none after a payload")
    await in_progress(dedupe, key, "none by another owner")
    await collides(
        "another payload than the first",
        dedupe.reserve(key, owner="one", lease_seconds=LEASE_SECONDS, payload=b"q"),
        [key],
    )


@promise("reserve", "release")
async def a_release_forgets_the_payload(dedupe: Dedupe, world: World) -> None:
    """The key is as if it had never been seen."""
    key = at(world, "released-payload")
    await fresh(dedupe, key, "one", "a new key is fresh", payload=b"p")
    await dedupe.release(key, owner="one")
    await fresh(dedupe, key, "two", "a released key takes another payload", payload=b"q")


CASES = (
    the_same_payload_is_no_collision,
    another_payload_collides,
    a_lease_that_ran_out_forgets_no_payload,
    no_payload_compares_nothing,
    a_release_forgets_the_payload,
)
