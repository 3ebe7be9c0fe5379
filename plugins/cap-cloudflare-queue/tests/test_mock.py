"""The mock's rules beyond the contract: bad luck on a seed, named queues, what is given up."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cap_cloudflare_queue.config import MockConfig, RemoteConfig
from cap_cloudflare_queue.mock import MockQueue
from core_caps.capabilities.queue import Message
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, InvalidArgument, LeaseExpired
from core_caps.rng import SeededRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("DC-04", "PH2-06")

QUIET = {"duplicate_rate": 0.0, "reorder": False, "lost_ack_rate": 0.0}
_stores = itertools.count()


def _using(use: Callable[..., Awaitable[Any]], **settings: Any) -> Any:
    """What `use(queue, clock, open)` gives; `open` makes another client of the same store."""

    async def main() -> Any:
        clock, store = VirtualClock(), f"mock-{next(_stores)}"

        def another(**more: Any) -> MockQueue:
            config = MockConfig(store=store, **{**QUIET, **settings, **more})
            return MockQueue(config, clock=clock, rng=SeededRng())

        async with another() as queue:
            return await use(queue, clock, another)

    return asyncio.run(main())


def _bodies(deliveries: Any) -> list[bytes]:
    return [delivery.body for delivery in deliveries]


async def _drained(queue: MockQueue, clock: VirtualClock) -> list[tuple[bytes, int]]:
    """Consume until nothing comes for an hour: every delivery, in order, with its attempt."""
    seen: list[tuple[bytes, int]] = []
    while True:
        found = await queue.pull(limit=3)
        if not found:
            clock.advance(3600)
            found = await queue.pull(limit=3)
        if not found:
            return seen
        for delivery in found:
            seen.append((delivery.body, delivery.attempts))
            with contextlib.suppress(LeaseExpired):  # a duplicate of what is done with
                await queue.ack([delivery.lease])


def test_by_default_it_is_at_least_once() -> None:
    sent = [b"%d" % number for number in range(300)]

    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> list[tuple[bytes, int]]:
        for first in range(0, len(sent), 100):
            await queue.send_batch([Message(body) for body in sent[first : first + 100]])
        return await _drained(queue, clock)

    config = MockConfig()
    honest = {name: getattr(config, name) for name in QUIET}
    seen = _using(use, **honest)
    bodies = [body for body, _ in seen]
    counts = Counter(bodies)
    assert set(counts) == set(sent), "every message, at least once"
    assert max(counts.values()) > 1, "and some again"
    assert list(dict.fromkeys(bodies)) != sent, "in another order"
    assert _using(use, **honest) == seen, "the same on the same seed"
    assert _using(use, **honest, seed=1) != seen


def test_without_bad_luck_it_is_exactly_once_and_in_order() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> Any:
        for number in range(50):
            await queue.send(b"%d" % number)
        return await _drained(queue, clock)

    assert _using(use) == [(b"%d" % number, 1) for number in range(50)]


def test_a_duplicate_is_the_same_attempt_and_goes_with_its_message() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"a")
        (first,) = await queue.pull()
        (second,) = await queue.pull()
        assert (first.id, first.attempts) == (second.id, second.attempts) == (first.id, 1)
        assert first.lease != second.lease
        await queue.ack([second.lease])
        with pytest.raises(LeaseExpired):
            await queue.ack([first.lease])
        assert await queue.pull() == ()

    _using(use, duplicate_rate=0.999)


def test_a_lost_acknowledgement_lets_the_message_come_again_after_its_lease() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"a")
        (first,) = await queue.pull(visibility_seconds=10)
        await queue.ack([first.lease])
        with pytest.raises(LeaseExpired):
            await queue.ack([first.lease])
        assert await queue.pull() == ()
        clock.advance(10)
        (second,) = await queue.pull()
        assert (second.id, second.attempts) == (first.id, 2)

    _using(use, lost_ack_rate=0.999)


def test_what_is_given_up_goes_to_the_dead_letter_queue() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"poison", key="k")
        sent_at = clock.now()
        attempts = []
        for turn in range(3):
            (delivery,) = await queue.pull(visibility_seconds=5)
            attempts.append(delivery.attempts)
            if turn == 1:
                clock.advance(5)  # its consumer died
            else:
                await queue.retry([delivery.lease])
        assert attempts == [1, 2, 3]
        assert await queue.pull() == ()
        async with another(queue="dead", dead_letter_queue="") as dead:
            (buried,) = await dead.pull()
            assert (buried.body, buried.key, buried.attempts) == (b"poison", "k", 1)
            assert (buried.id, buried.sent_at) == (delivery.id, sent_at)
        assert await queue.pull() == ()

    _using(use, max_retries=2, dead_letter_queue="dead")


def test_without_one_it_is_dropped() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"poison")
        (delivery,) = await queue.pull(visibility_seconds=5)
        clock.advance(5)
        assert await queue.pull() == ()
        with pytest.raises(LeaseExpired):
            await queue.retry([delivery.lease])
        clock.advance(1_000_000)
        assert await queue.pull() == ()

    _using(use, max_retries=0)


def test_the_consumers_settings_stand_where_a_call_says_nothing() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"a")
        await queue.send(b"at once", delay_seconds=0)
        (at_once,) = await queue.pull()
        assert at_once.body == b"at once"
        await queue.ack([at_once.lease])
        clock.advance(7)
        (first,) = await queue.pull()
        clock.advance(19)
        assert await queue.pull() == ()
        clock.advance(1)
        (second,) = await queue.pull()
        assert (second.id, second.attempts) == (first.id, 2)
        await queue.retry([second.lease])
        clock.advance(4)
        assert await queue.pull() == ()
        clock.advance(1)
        assert [found.attempts for found in await queue.pull()] == [3]

    _using(use, delivery_delay_seconds=7, visibility_timeout_seconds=20, retry_delay_seconds=5)


def test_old_messages_are_deleted() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"old")
        clock.advance(59)
        await queue.send(b"young")
        clock.advance(1)
        assert _bodies(await queue.pull()) == [b"young"]

    _using(use, retention_seconds=60)


def test_stores_are_shared_by_name_only() -> None:
    async def main() -> None:
        clock, rng = VirtualClock(), SeededRng()
        async with (
            MockQueue(MockConfig(), clock=clock, rng=rng) as one,
            MockQueue(MockConfig(), clock=clock, rng=rng) as other,
        ):
            await one.send(b"a")
            assert await other.pull() == ()

    asyncio.run(main())


def test_it_refuses_the_sizes_that_the_service_would_store() -> None:
    async def use(queue: MockQueue, clock: VirtualClock, another: Any) -> None:
        await queue.send(b"a" * 128_000)
        for refused in (
            lambda: queue.send(b"a" * 128_001),
            lambda: queue.send(b"a" * 128_000, key="k"),
            lambda: queue.send(b"\xff" * 96_000),
            lambda: queue.send_batch([Message(b"a" * 128_000)] * 2 + [Message(b"a")]),
        ):
            with pytest.raises(InvalidArgument, match="would be stored as"):
                await refused()
        await queue.send_batch([Message(b"b" * 128_000)] * 2)
        assert len(await queue.pull()) == 3

    _using(use)


@pytest.mark.parametrize(
    "wrong",
    [
        {"store": 5},
        {"queue": ""},
        {"seed": "0"},
        {"duplicate_rate": 1.0},
        {"duplicate_rate": -0.1},
        {"duplicate_rate": float("nan")},
        {"lost_ack_rate": True},
        {"reorder": 1},
        {"max_retries": 101},
        {"max_retries": -1},
        {"dead_letter_queue": "queue"},
        {"retry_delay_seconds": 86_401},
        {"delivery_delay_seconds": 0.5},
        {"visibility_timeout_seconds": 0},
        {"retention_seconds": 59},
    ],
    ids=str,
)
def test_settings_that_no_queue_has_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigInvalid, match=next(iter(wrong))):
        MockConfig(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"account_id": ""},
        {"account_id": "a?b"},
        {"queue_id": ""},
        {"queue_id": "a/b"},
        {"api_token": Secret("")},
        {"api_token": Secret("two words")},
        {"api_token": Secret("line\nbreak")},
        {"api_token": "canary"},
        {"base_url": "http://api.example.com"},
        {"base_url": "https://user:canary@example.com"},
        {"base_url": "https://example.com/?a=b"},
        {"base_url": "ftp://example.com"},
        {"base_url": "https://[bad"},
        {"timeout_seconds": 0},
        {"timeout_seconds": float("inf")},
        {"connect_timeout_seconds": "1"},
        {"transport": "requests"},
    ],
    ids=str,
)
def test_wrong_settings_are_refused_without_showing_secrets(wrong: dict[str, Any]) -> None:
    right = {"account_id": "a", "queue_id": "q", "api_token": Secret("canary")}
    with pytest.raises(ConfigInvalid, match=next(iter(wrong))) as caught:
        RemoteConfig(**{**right, **wrong})
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(RemoteConfig(**right))  # type: ignore[arg-type]
