"""The mock's rules beyond the contract: staleness, the write rate, named stores, cursors."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cap_cloudflare_kv.config import MockConfig, RemoteConfig
from cap_cloudflare_kv.mock import MockKv
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, ConfigInvalid, InvalidArgument, Outcome, RateLimited
from core_caps.rng import SeededRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("DC-04", "PH2-02", "W2-01")

_stores = itertools.count()


def _pair(use: Callable[[MockKv, MockKv, VirtualClock], Awaitable[Any]], **settings: Any) -> Any:
    """What `use` makes of two clients of one store."""

    async def main() -> Any:
        clock = VirtualClock()
        config = MockConfig(store=f"mock-{next(_stores)}", **settings)
        one = MockKv(config, clock=clock, rng=SeededRng())
        other = MockKv(config, clock=clock, rng=SeededRng())
        async with one, other:
            return await use(one, other, clock)

    return asyncio.run(main())


def test_a_read_may_be_sixty_seconds_old() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        await one.put("k", b"old")
        assert await other.get("k") == b"old"
        await one.put("k", b"new", metadata={"new": True})
        assert await one.get("k") == b"new"
        clock.advance(59)
        assert await other.get("k") == b"old"
        clock.advance(1)
        assert await other.get("k") == b"new"

    _pair(use, stale_read_seconds=60)


def test_absence_is_remembered_too() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        assert await other.get("k") is None
        await one.put("k", b"v")
        assert await other.get("k") is None
        clock.advance(60)
        assert await other.get("k") == b"v"

    _pair(use, stale_read_seconds=60)


def test_expiry_comes_before_what_is_remembered() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        await one.put("k", b"v", ttl_seconds=60)
        clock.advance(50)
        assert await other.get("k") == b"v"
        clock.advance(10)
        assert await other.get("k") is None
        assert (await other.list()).keys == []

    _pair(use, stale_read_seconds=60)


def test_a_listing_may_be_as_old() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        assert (await other.list()).keys == []
        await one.put("k", b"v")
        await other.put("own", b"v")
        assert (await other.list()).keys == ["own"]
        assert (await one.list()).keys == ["k", "own"]
        clock.advance(60)
        assert (await other.list()).keys == ["k", "own"]

    _pair(use, stale_read_seconds=60)


def test_one_write_a_second_to_a_key_where_that_is_asked_for() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        await one.put("k", b"1")
        await one.put("other", b"1")
        with pytest.raises(RateLimited) as caught:
            await other.delete("k")
        assert caught.value.outcome is Outcome.NOT_APPLIED
        assert await one.get("k") == b"1"
        clock.advance(1)
        await other.delete("k")

    _pair(use, limit_write_rate=True)


def test_stores_are_shared_by_name_only() -> None:
    async def main() -> None:
        clock, rng = VirtualClock(), SeededRng()
        async with (
            MockKv(MockConfig(), clock=clock, rng=rng) as one,
            MockKv(MockConfig(), clock=clock, rng=rng) as other,
        ):
            await one.put("k", b"v")
            assert await other.get("k") is None

    asyncio.run(main())


def test_a_forged_cursor_is_refused() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        for key in ("a1", "a2", "b1", "b2"):
            await one.put(key, b"")
        cursor = (await one.list(prefix="a", limit=1)).cursor
        assert cursor is not None
        assert (await other.list(prefix="a", cursor=cursor)).keys == ["a2"]
        flipped = ("A" if cursor[-5] != "A" else "B").join((cursor[:-5], cursor[-4:]))
        for prefix, wrong in (("b", cursor), ("", cursor), ("a", cursor[:-4]), ("a", flipped)):
            with pytest.raises(InvalidArgument, match="cursor"):
                await one.list(prefix=prefix, cursor=wrong)
        for wrong in ("", 5, b"AAAA", "AAAA"):
            with pytest.raises(InvalidArgument, match="cursor"):
                await one.list(prefix="a", cursor=wrong)  # type: ignore[arg-type]

    _pair(use)


def test_a_deleted_key_does_not_disturb_a_cursor() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        for key in "abcd":
            await one.put(key, b"")
        page = await one.list(limit=2)
        await one.delete("b")
        assert (await one.list(cursor=page.cursor)).keys == ["c", "d"]

    _pair(use)


def test_a_client_is_open_only_within_its_block() -> None:
    async def main() -> None:
        kv = MockKv(MockConfig(), clock=VirtualClock(), rng=SeededRng())
        with pytest.raises(ClientClosed):
            await kv.get("k")

    asyncio.run(main())


def test_bytes_like_values_are_taken_whole() -> None:
    async def use(one: MockKv, other: MockKv, clock: VirtualClock) -> None:
        value = bytearray(b"value")
        await one.put("k", value)  # type: ignore[arg-type]
        value[:] = b"other"
        assert await one.get("k") == b"value"
        await one.put("k", memoryview(b"view"))  # type: ignore[arg-type]
        assert await one.get("k") == b"view"

    _pair(use)


@pytest.mark.parametrize("seconds", [-1, 61, True, "60", float("nan")])
def test_staleness_beyond_the_vendors_is_refused(seconds: Any) -> None:
    with pytest.raises(ConfigInvalid, match="stale_read_seconds"):
        MockConfig(stale_read_seconds=seconds)


@pytest.mark.parametrize(
    "wrong",
    [
        {"namespace_id": ""},
        {"namespace_id": "a/b"},
        {"account_id": "a?b"},
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
    right = {"account_id": "a", "namespace_id": "n", "api_token": Secret("canary")}
    with pytest.raises(ConfigInvalid, match=next(iter(wrong))) as caught:
        RemoteConfig(**{**right, **wrong})
    assert "canary" not in str(caught.value)
    assert "canary" not in repr(RemoteConfig(**right))  # type: ignore[arg-type]
