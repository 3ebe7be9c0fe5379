"""Promises about reservations: one owner at a time has a key, until its lease runs out."""

import asyncio

from core_caps.capabilities.dedupe import Dedupe, Fresh, InProgress
from core_caps.contract.dedupe_store.reading import (
    LEASE_SECONDS,
    fresh,
    in_progress,
    untouched,
)
from core_caps.contract.key_value.values import TRICKY_NAMES
from core_caps.contract.reading import at, pass_time
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_SLACK_SECONDS = 60
"""How far a service's clock may be from ours."""


@promise("reserve")
async def a_new_key_is_fresh(dedupe: Dedupe, world: World) -> None:
    """The first to ask gets it, whatever the key is called."""
    for name in ("new", "0", " ", "é", "k" * 64):
        await fresh(dedupe, at(world, "new", name), "one", "a new key is fresh")


@promise("reserve")
async def a_reserved_key_is_in_progress_for_others(dedupe: Dedupe, world: World) -> None:
    """They are told until when; that they ask changes nothing."""
    key = at(world, "reserved")
    before = world.clock.now()
    await fresh(dedupe, key, "one", "a new key is fresh")
    told = await in_progress(dedupe, key, "a reserved key is in progress")
    earliest = before + LEASE_SECONDS - _SLACK_SECONDS
    latest = world.clock.now() + LEASE_SECONDS + _SLACK_SECONDS
    expect("`until` is when the lease runs out", earliest <= told.until <= latest, told)

    async def ask() -> None:
        for owner in ("two", "three", "two"):
            await in_progress(dedupe, key, "who asks again does not get it", owner=owner)

    await untouched(dedupe, key, "asking changes nothing", ask)


@promise("reserve")
async def the_owner_is_fresh_again(dedupe: Dedupe, world: World) -> None:
    """A repeated reservation is the first one, so a lost answer costs nothing."""
    key = at(world, "again")
    for _ in range(3):
        await fresh(dedupe, key, "one", "the owner is answered Fresh again")
    await in_progress(dedupe, key, "the key is still the owner's")


@promise("reserve", needs_time=True)
async def a_lease_runs_out(dedupe: Dedupe, world: World) -> None:
    """Until then others are kept away; from then on the next one gets the key."""
    key = at(world, "runs-out")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=120)
    await pass_time(world, 115)
    await in_progress(dedupe, key, "a lease holds until it runs out")
    await pass_time(world, 10)
    await fresh(dedupe, key, "two", "a key whose lease ran out is fresh")
    await in_progress(dedupe, key, "it is the new owner's now", owner="one")


@promise("reserve", needs_time=True)
async def the_owner_begins_its_lease_anew(dedupe: Dedupe, world: World) -> None:
    """Work that takes longer than one lease is kept by asking again in time."""
    key = at(world, "renewed")
    await fresh(dedupe, key, "one", "a new key is fresh", lease_seconds=120)
    for _ in range(3):
        await pass_time(world, 100)
        await fresh(dedupe, key, "one", "the owner's lease begins anew", lease_seconds=120)
    await pass_time(world, 100)
    await in_progress(dedupe, key, "a lease that began anew holds")
    await pass_time(world, 30)
    await fresh(dedupe, key, "two", "and runs out when it was not renewed")


@promise("reserve", needs_time=True)
async def work_of_a_dead_owner_comes_again(dedupe: Dedupe, world: World) -> None:
    """Its client is gone between the two steps, and nothing of the work is lost."""
    key = at(world, "dead")
    async with world.reopen() as other:
        await fresh(other, key, "one", "a new key is fresh", lease_seconds=120, payload=b"p")
    await pass_time(world, 130)
    await fresh(dedupe, key, "two", "the work of a dead owner comes again", payload=b"p")


@promise("reserve")
async def keys_and_owners_stay_apart(dedupe: Dedupe, world: World) -> None:
    """No name is decoded, normalised or folded, of a key or of an owner."""
    for number, name in enumerate(TRICKY_NAMES):
        own = f"owner-{number}"
        await fresh(dedupe, at(world, "apart", name), own, f"{name!r} is a key of its own")
    key = at(world, "owners")
    await fresh(dedupe, key, "a/b", "a new key is fresh")
    for name in TRICKY_NAMES[1:]:
        await in_progress(dedupe, key, f"{name!r} is an owner of its own", owner=name)


@promise("reserve")
async def one_of_many_at_once_is_fresh(dedupe: Dedupe, world: World) -> None:
    """Owners who ask all at once, through two clients: exactly one is given each key."""
    async with world.reopen() as other:
        for round_ in range(4):
            key = at(world, "at-once", str(round_))
            answers = await asyncio.gather(
                *(
                    client.reserve(key, owner=f"{name}-{number}", lease_seconds=LEASE_SECONDS)
                    for number in range(6)
                    for name, client in (("one", dedupe), ("other", other))
                )
            )
            given = [answer for answer in answers if isinstance(answer, Fresh)]
            kept = [answer for answer in answers if isinstance(answer, InProgress)]
            expect("exactly one of many at once is fresh", len(given) == 1, answers)
            expect("all others are told it is in progress", len(kept) == len(answers) - 1, answers)


CASES = (
    a_new_key_is_fresh,
    a_reserved_key_is_in_progress_for_others,
    the_owner_is_fresh_again,
    a_lease_runs_out,
    the_owner_begins_its_lease_anew,
    work_of_a_dead_owner_comes_again,
    keys_and_owners_stay_apart,
    one_of_many_at_once_is_fresh,
)
