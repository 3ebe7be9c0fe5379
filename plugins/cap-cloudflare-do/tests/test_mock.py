"""The mock's own quirks: what the vendor limits, what clients share, what time does."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cap_cloudflare_do import ledger, limits
from cap_cloudflare_do.config import MockConfig
from cap_cloudflare_do.mock import MockDedupe, MockObjects, MockSequencer
from core_caps.capabilities.dedupe import Commit, Done, Fresh, Reservation
from core_caps.capabilities.durable_object import Item, ObjectRef
from core_caps.clock import VirtualClock
from core_caps.errors import ConfigInvalid, InvalidArgument, KeyCollision, PreconditionFailed
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("PH2-09", "DC-04")
REF = ObjectRef(name="one")


def run(use: Callable[[Any], Awaitable[Any]], make: Any = MockObjects, **settings: Any) -> Any:
    clock = settings.pop("clock", None) or VirtualClock()

    async def main() -> Any:
        async with make(MockConfig(**settings), clock=clock, rng=SeededRng()) as provider:
            return await use(provider)

    return asyncio.run(main())


def test_storage_says_which_limits_hold() -> None:
    large = b"x" * (limits.KV_BACKED_VALUE_SIZE_BYTES_MAX + 1)

    async def put(objects: MockObjects) -> None:
        await objects.put(REF, "k", large[:-1])
        await objects.put(REF, "k", large)

    async def change(objects: MockObjects) -> None:
        await objects.transaction(REF, [Item("a", b""), Item("k", large)])

    run(put)
    for use in (put, change):
        with pytest.raises(InvalidArgument, match="131072") as refused:
            run(use, storage="kv")
        assert "SQLite" in refused.value.hint
    with pytest.raises(ConfigInvalid, match="storage"):
        MockConfig(storage="disk")  # type: ignore[arg-type]


def test_many_large_values_are_read_a_few_at_a_time() -> None:
    async def use(objects: MockObjects) -> None:
        value = b"x" * 1_900_000
        for number in range(9):
            await objects.put(REF, f"k{number}", value)
        with pytest.raises(InvalidArgument, match="fewer keys"):
            await objects.get_many(REF, [f"k{number}" for number in range(9)])
        await objects.get_many(REF, [f"k{number}" for number in range(8)])
        page = await objects.list(REF)
        assert len(page.items) == limits.PAGE_SIZE_BYTES_MAX // len(value)
        assert page.more
        with pytest.raises(InvalidArgument, match="16000000"):
            await objects.transaction(REF, [Item(f"k{n}", value) for n in range(9)])

    run(use)


def test_a_store_is_shared_by_name_and_only_then() -> None:
    async def put(objects: MockObjects) -> ObjectRef:
        await objects.put(REF, "k", b"v")
        return await objects.new_id()

    async def get(objects: MockObjects) -> bytes | None:
        return await objects.get(REF, "k")

    run(put, store="shared by name")
    assert run(get, store="shared by name") == b"v"
    assert run(get, store="another") is None
    run(put)
    assert run(get) is None


def test_ids_repeat_with_their_seed() -> None:
    async def ids(objects: MockObjects) -> list[str]:
        return [(await objects.new_id()).id for _ in range(3)]

    first = run(ids)
    assert first == run(ids)
    assert all(len(each) == 64 for each in first)


def test_an_object_has_one_turn_at_a_time_among_threads() -> None:
    """Each thread counts up by compare-and-set; no turn is lost."""
    turns, store = 200, "threads"

    async def count(objects: MockObjects) -> None:
        for _ in range(turns):
            while True:
                before = await objects.get(REF, "n")
                after = b"%d" % (int(before or 0) + 1)
                try:
                    await objects.transaction(
                        REF, [Item("n", after)], if_values=[Item("n", before)]
                    )
                except PreconditionFailed:
                    continue
                break

    threads = [threading.Thread(target=run, args=(count,), kwargs={"store": store}) for _ in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def total(objects: MockObjects) -> bytes | None:
        return await objects.get(REF, "n")

    assert run(total, store=store) == b"%d" % (3 * turns)


@pytest.mark.feature("S3-07", "S3-13")
def test_ledgers_stay_apart() -> None:
    async def reserve(store: MockDedupe) -> Any:
        return await store.reserve("k", owner="one", lease_seconds=60, payload=b"p")

    async def collide(store: MockDedupe) -> Any:
        return await store.reserve("k", owner="two", lease_seconds=60, payload=b"q")

    async def append(store: MockSequencer) -> Any:
        return (await store.append("k", b"q")).sequence

    assert run(reserve, MockDedupe, store="ledgers") == Fresh()
    with pytest.raises(KeyCollision) as refused:
        run(collide, MockDedupe, store="ledgers")
    assert refused.value.code == "IDEM099"
    assert run(collide, MockDedupe, store="ledgers", ledger="other") == Fresh()
    assert run(append, MockSequencer, store="ledgers") == 1


@pytest.mark.feature("S3-07")
def test_what_nobody_came_back_for_is_forgotten_a_day_later() -> None:
    clock = VirtualClock()

    async def use(store: MockDedupe) -> None:
        asked = {"owner": "one", "lease_seconds": 60.0}
        await store.reserve_many([Reservation("a", b"p"), Reservation("b", b"p")], **asked)
        await store.commit_many(
            [Commit("b", b"r")], owner="one", ttl_seconds=ledger.ABANDONED_SECONDS * 3
        )
        clock.advance(60 + ledger.ABANDONED_SECONDS - 1)
        with pytest.raises(KeyCollision):
            await store.reserve("a", payload=b"q", **asked)
        clock.advance(2)
        assert await store.reserve("a", payload=b"q", **asked) == Fresh()
        assert await store.reserve("b", **asked) == Done(b"r")

    run(use, MockDedupe, clock=clock)


@pytest.mark.feature("S3-07")
def test_results_that_are_too_large_together_are_asked_for_one_by_one() -> None:
    async def use(store: MockDedupe) -> None:
        keys = [f"k{number}" for number in range(9)]
        asked = {"owner": "one", "lease_seconds": 60.0}
        await store.reserve_many([Reservation(key) for key in keys], **asked)
        for key in keys:
            await store.commit(key, owner="one", result=b"x" * 1_900_000, ttl_seconds=60)
        with pytest.raises(InvalidArgument, match="fewer keys"):
            await store.reserve_many([Reservation("new"), *map(Reservation, keys)], **asked)
        assert await store.reserve("new", owner="two", lease_seconds=60) == Fresh()
        with pytest.raises(InvalidArgument, match="several batches"):
            await store.commit_many(
                [Commit(key, b"x" * 1_900_000) for key in keys], owner="one", ttl_seconds=60
            )

    run(use, MockDedupe)
