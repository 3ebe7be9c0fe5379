"""What the local queue promises beside the contract: giving up, other queues, size."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cap_local.config import LocalConfig, MockConfig
from cap_local.queue import LocalQueue, MockQueue
from core_caps.capabilities.queue import Message
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, LeaseExpired
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")

CLOCK = VirtualClock()


@pytest.fixture(params=["mock", "local"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A queue of the one store, with these settings."""

    @asynccontextmanager
    async def open_queue(**settings: Any) -> AsyncIterator[Any]:
        if request.param == "mock":
            provider, config = MockQueue, MockConfig(store=str(tmp_path), **settings)
        else:
            provider, config = LocalQueue, LocalConfig(str(tmp_path), **settings)
        async with provider(config, clock=CLOCK, rng=SeededRng()) as queue:
            yield queue

    return open_queue


async def _fail(queue: Any, attempt: int, *, by: str) -> None:
    """Take the one message, and do not settle it or give it back."""
    (found,) = await queue.pull(visibility_seconds=60)
    assert found.attempts == attempt
    if by == "retry":
        await queue.retry([found.lease])
    else:
        CLOCK.advance(61)


@pytest.mark.parametrize("by", ["retry", "silence"])
async def test_what_is_given_up_goes_to_the_dead_letter_queue(opened: Any, by: str) -> None:
    async with opened(queue="work", attempts_max=3, dead_letter="dead") as queue:
        await queue.send(b"poison", key="k")
        (first,) = await queue.pull(visibility_seconds=60)
        await queue.retry([first.lease])
        await _fail(queue, 2, by=by)
        await _fail(queue, 3, by=by)
        assert await queue.pull() == []
        assert await queue.pull() == []
        async with opened(queue="dead") as dead:
            (found,) = await dead.pull()
            assert (found.id, found.body, found.key) == (first.id, b"poison", "k")
            assert (found.attempts, found.sent_at) == (1, first.sent_at)
            with pytest.raises(LeaseExpired):
                await dead.ack([first.lease])
            await dead.ack([found.lease])


async def test_what_is_given_up_is_dropped_where_there_is_no_dead_letter_queue(opened: Any) -> None:
    async with opened(attempts_max=1) as queue:
        await queue.send_batch([Message(b"poison")] * 3)
        found = await queue.pull(limit=2, visibility_seconds=60)
        await queue.retry([found[0].lease])
        CLOCK.advance(61)
        (other,) = await queue.pull(limit=2)
        assert other.id not in {each.id for each in found}
        with pytest.raises(LeaseExpired):
            await queue.ack([each.lease for each in found])


async def test_without_a_limit_nothing_is_given_up(opened: Any) -> None:
    async with opened() as queue:
        await queue.send(b"body")
        for attempt in range(1, 50):
            await _fail(queue, attempt, by="retry")


async def test_queues_of_one_store_stay_apart(opened: Any) -> None:
    async with opened(queue="a") as a, opened(queue="b") as b:
        await a.send(b"for a")
        assert await b.pull() == []
        (found,) = await a.pull()
        for settle in (b.ack, b.retry):
            with pytest.raises(LeaseExpired):
                await settle([found.lease])
        await a.ack([found.lease])


async def test_an_expired_lease_settles_nothing(opened: Any) -> None:
    async with opened() as queue:
        await queue.send(b"body")
        (found,) = await queue.pull(visibility_seconds=30)
        CLOCK.advance(30)
        with pytest.raises(LeaseExpired):
            await queue.ack([found.lease])
        (again,) = await queue.pull()
        assert (again.id, again.attempts) == (found.id, 2)


async def test_a_pull_steps_over_no_message_that_waits(opened: Any) -> None:
    """Counted in steps of SQLite's machine: a pull costs the same in a long queue as in a short."""
    async with opened() as queue:
        steps: list[int] = []
        for size in (10, 5000):
            for _ in range(0, size, 10):
                await queue.send_batch([Message(b"m")] * 10)
            steps.append(await _steps_of_a_pull(queue))
        assert steps[1] < 1.5 * steps[0] + 20


async def _steps_of_a_pull(queue: Any) -> int:
    counted = 0

    def step() -> int:
        nonlocal counted
        counted += 1
        return 0

    database = queue._database
    await database.write(lambda connection: connection.set_progress_handler(step, 10))
    await queue.pull(limit=5)
    await database.write(lambda connection: connection.set_progress_handler(None, 0))
    return counted


@pytest.mark.parametrize(
    "settings",
    [
        {"queue": ""},
        {"queue": 5},
        {"queue": "\ud800"},
        {"attempts_max": -1},
        {"attempts_max": True},
        {"dead_letter": "dead"},
        {"attempts_max": 2, "dead_letter": "queue"},
        {"cache_size_bytes_max": 0},
    ],
    ids=str,
)
def test_settings_that_contradict_themselves_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid):
        MockConfig(**settings)
    with pytest.raises(ConfigInvalid):
        LocalConfig("folder", **settings)


async def test_senders_at_once_share_commits_and_lose_nothing(opened: Any) -> None:
    async with opened() as queue, opened() as other:
        senders = [client.send(b"%d" % n) for n in range(200) for client in (queue, other)]
        await asyncio.gather(*senders)
        found = [each.body for _ in range(5) for each in await queue.pull(limit=100)]
        assert sorted(found) == sorted(b"%d" % n for n in range(200) for _ in range(2))
