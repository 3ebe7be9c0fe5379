"""Promises about clients: several on one store, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.dedupe import Commit, Dedupe, Reservation
from core_caps.contract.dedupe_store.reading import (
    LEASE_SECONDS,
    TTL_SECONDS,
    done,
    fresh,
    in_progress,
)
from core_caps.contract.reading import at, closed
from core_caps.contract.suite import World, promise

__all__ = ["CASES"]


@promise("reserve", "commit", "release")
async def two_clients_share_the_store(dedupe: Dedupe, world: World) -> None:
    """An owner is who says so, whichever client it asks through."""
    key, given_back = at(world, "share", "a"), at(world, "share", "b")
    async with world.reopen() as other:
        await fresh(dedupe, key, "one", "a new key is fresh")
        await in_progress(other, key, "another client sees the reservation")
        await fresh(other, key, "one", "an owner may ask through another client")
        await other.commit(key, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
        await done(dedupe, key, b"r", "this client sees another's commit")
        await fresh(other, given_back, "two", "a new key is fresh")
        await dedupe.release(given_back, owner="two")
        await fresh(other, given_back, "three", "another client sees a release")


@promise("reserve", "commit", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(dedupe: Dedupe, world: World) -> None:
    """Reservations and results outlive the client that made them."""
    key, finished = at(world, "outlive", "a"), at(world, "outlive", "b")
    async with world.reopen() as other:
        await fresh(other, key, "one", "a new key is fresh")
        await fresh(other, finished, "one", "a new key is fresh")
        await other.commit(finished, owner="one", result=b"r", ttl_seconds=TTL_SECONDS)
    await in_progress(dedupe, key, "a reservation outlives its client")
    await done(dedupe, finished, b"r", "a result outlives its client")


@promise()
async def a_closed_client_refuses_every_operation(dedupe: Dedupe, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, at(world, "closed")))


@promise("reserve")
async def closing_one_client_leaves_the_others_open(dedupe: Dedupe, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    key = at(world, "closed", "a")
    await fresh(dedupe, key, "one", "a new key is fresh")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, key))
    await in_progress(dedupe, key, "closing one client leaves the others open")


def _calls(dedupe: Dedupe, key: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    one, lease, ttl = "one", LEASE_SECONDS, TTL_SECONDS
    return {
        "reserve": lambda: dedupe.reserve(key, owner=one, lease_seconds=lease),
        "reserve_many": lambda: dedupe.reserve_many(
            [Reservation(key)], owner=one, lease_seconds=lease
        ),
        "commit": lambda: dedupe.commit(key, owner=one, ttl_seconds=ttl),
        "commit_many": lambda: dedupe.commit_many([Commit(key)], owner=one, ttl_seconds=ttl),
        "release": lambda: dedupe.release(key, owner=one),
        "release_many": lambda: dedupe.release_many([key], owner=one),
    }


CASES = (
    two_clients_share_the_store,
    closing_a_client_loses_nothing,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
