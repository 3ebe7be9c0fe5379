"""What the local dedupe store promises beside the contract: batches of any size, and forgetting."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from cap_local.config import LocalConfig
from cap_local.dedupe import LocalDedupe
from core_caps.capabilities.dedupe import Commit, Done, Fresh, InProgress, Reservation
from core_caps.clock import VirtualClock
from core_caps.errors import LeaseExpired
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")

CLOCK = VirtualClock()
MANY = 2011


def _store(folder: Path) -> Any:
    return LocalDedupe(LocalConfig(str(folder)), clock=CLOCK, rng=SeededRng())


def _rows(folder: Path) -> int:
    connection = sqlite3.connect(folder / "dedupe.sqlite")
    try:
        return connection.execute("SELECT COUNT(*) FROM work").fetchone()[0]
    finally:
        connection.close()


async def test_a_batch_of_any_size_is_one(tmp_path: Path) -> None:
    reservations = [Reservation(f"key-{n}\0é", b"%d" % n) for n in range(MANY)]
    commits = [Commit(each.key, each.payload) for each in reservations]
    async with _store(tmp_path) as store:
        answers = await store.reserve_many(reservations, owner="one", lease_seconds=60)
        assert answers == [Fresh()] * MANY
        await store.commit(commits[-1].key, owner="one", result=b"other", ttl_seconds=60)
        with pytest.raises(LeaseExpired) as caught:
            await store.commit_many(commits, owner="one", ttl_seconds=60)
        assert caught.value.leases == (commits[-1].key,)
        await store.commit_many(commits[:-1], owner="one", ttl_seconds=60)
        answers = await store.reserve_many(reservations, owner="two", lease_seconds=60)
        assert answers == [*(Done(each.result) for each in commits[:-1]), Done(b"other")]


async def test_what_is_forgotten_is_removed_in_steps(tmp_path: Path) -> None:
    async with _store(tmp_path) as store:
        for turn in range(4):
            keys = [f"{turn}-{n}" for n in range(300)]
            await store.reserve_many(
                [Reservation(key) for key in keys], owner="one", lease_seconds=60
            )
            await store.commit_many([Commit(key) for key in keys], owner="one", ttl_seconds=600)
        CLOCK.advance(601)
        left = []
        for turn in range(20):
            await store.reserve(f"new-{turn}", owner="one", lease_seconds=60)
            left.append(_rows(tmp_path))
        assert left[0] > 1000  # no call pays for all of them
        assert left[-1] == 20


async def test_a_reservation_that_nobody_came_back_for_is_forgotten_a_day_later(
    tmp_path: Path,
) -> None:
    async with _store(tmp_path) as store:
        await store.reserve("abandoned", owner="one", lease_seconds=60)
        CLOCK.advance(86_000)
        await store.reserve("new", owner="one", lease_seconds=1)
        assert _rows(tmp_path) == 2
        CLOCK.advance(1000)
        await store.reserve("newer", owner="one", lease_seconds=1)
        assert _rows(tmp_path) == 2


async def test_a_lease_begins_when_it_is_granted(tmp_path: Path) -> None:
    """However long the call waited for others to finish their writes."""
    clock = VirtualClock()
    store = LocalDedupe(LocalConfig(str(tmp_path)), clock=clock, rng=SeededRng())
    async with store, asyncio.timeout(10):
        other = sqlite3.connect(tmp_path / "dedupe.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.reserve("k", owner="one", lease_seconds=10))
        await asyncio.sleep(0.05)
        clock.advance(60)
        other.execute("COMMIT")
        other.close()
        assert await waiting == Fresh()
        answer = await store.reserve("k", owner="two", lease_seconds=10)
        assert answer == InProgress(clock.now() + 10)
