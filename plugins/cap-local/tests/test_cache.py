"""What the local cache promises beside the contract: it stays within its size."""

from pathlib import Path
from typing import Any

import pytest
from cap_local.cache import LocalCache, MockCache
from cap_local.config import LocalConfig, MockConfig
from core_caps.clock import VirtualClock
from core_caps.errors import InvalidArgument
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")

SIZE = 1000
CLOCK = VirtualClock()


@pytest.fixture(params=["mock", "local"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A cache with room for SIZE bytes."""
    if request.param == "mock":
        config = MockConfig(cache_size_bytes_max=SIZE)
        return MockCache(config, clock=CLOCK, rng=SeededRng())
    config = LocalConfig(str(tmp_path), cache_size_bytes_max=SIZE)
    return LocalCache(config, clock=CLOCK, rng=SeededRng())


async def _kept(cache: Any, keys: str) -> str:
    return "".join([key for key in keys if await cache.get(key) is not None])


async def test_the_oldest_make_room(cache: Any) -> None:
    async with cache:
        for key in "abcd":
            await cache.put(key, bytes(249), ttl_seconds=60)
        assert await _kept(cache, "abcd") == "abcd"
        await cache.put("e", bytes(1), ttl_seconds=60)
        assert await _kept(cache, "abcde") == "bcde"
        await cache.put("b", bytes(249), ttl_seconds=60)  # put again it is the youngest
        await cache.put("f", bytes(500), ttl_seconds=60)
        assert await _kept(cache, "abcdef") == "bef"
        await cache.put("g", bytes(SIZE - 1), ttl_seconds=60)
        assert await _kept(cache, "abcdefg") == "g"


async def test_what_is_replaced_deleted_or_expired_takes_no_room(cache: Any) -> None:
    async with cache:
        for _ in range(20):
            await cache.put("a", bytes(400), ttl_seconds=3600)
        await cache.put("b", bytes(400), ttl_seconds=3600)
        assert await _kept(cache, "ab") == "ab"
        await cache.delete("a")
        await cache.put("c", bytes(400), ttl_seconds=5)
        assert await _kept(cache, "bc") == "bc"
        CLOCK.advance(5)
        await cache.put("d", bytes(400), ttl_seconds=3600)
        assert await _kept(cache, "bcd") == "bd"


async def test_what_has_no_room_at_all_is_refused_and_evicts_nothing(cache: Any) -> None:
    async with cache:
        await cache.put("a", b"value", ttl_seconds=60)
        with pytest.raises(InvalidArgument):
            await cache.put("b", bytes(SIZE), ttl_seconds=60)
        assert await cache.get("a") == b"value"
