"""Clocks: the virtual one moves only when told to, and the system's one moves."""

import asyncio
import time

import pytest
from core_caps import Clock, SystemClock, VirtualClock
from hypothesis import given
from hypothesis import strategies as st


async def test_a_virtual_clock_stands_still_until_it_is_advanced() -> None:
    clock = VirtualClock(start=1000.0)
    woken: list[str] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(name)

    async with asyncio.TaskGroup() as group:
        for name, seconds in [("late", 30.0), ("early", 10.0), ("also early", 10.0)]:
            group.create_task(sleeper(name, seconds))
        await asyncio.sleep(0)
        assert (clock.now(), clock.monotonic(), woken) == (1000.0, 0.0, [])
        clock.advance(9.9)
        await asyncio.sleep(0)
        assert woken == []
        clock.advance(0.2)
        await asyncio.sleep(0)
        assert woken == ["early", "also early"]
        clock.advance(3600.0)
    assert woken == ["early", "also early", "late"]
    assert clock.monotonic() == pytest.approx(3610.1)


async def test_an_hour_of_waiting_takes_no_time_with_auto() -> None:
    clock = VirtualClock(auto=True)
    before = time.perf_counter()
    await clock.sleep(3600.0)
    assert clock.monotonic() == 3600.0
    assert time.perf_counter() - before < 1.0


@pytest.mark.parametrize("seconds", [0.0, -1.0])
@pytest.mark.parametrize("clock", [VirtualClock(), VirtualClock(auto=True), SystemClock()])
async def test_a_wait_of_nothing_still_yields_once(clock: Clock, seconds: float) -> None:
    before = clock.now()
    ran: list[bool] = []
    asyncio.get_running_loop().call_soon(ran.append, True)
    await clock.sleep(seconds)
    assert ran == [True]
    assert clock.now() >= before


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = VirtualClock()
    task = asyncio.create_task(clock.sleep(5.0))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    clock.advance(10.0)
    assert clock.monotonic() == 10.0


@given(st.lists(st.floats(0, 1e6), max_size=20))
def test_a_virtual_clock_never_runs_backwards(steps: list[float]) -> None:
    clock = VirtualClock()
    seen = [clock.monotonic()]
    for step in steps:
        clock.advance(step)
        seen.append(clock.monotonic())
    assert seen == sorted(seen)
    with pytest.raises(ValueError, match=r"cannot advance by -0\.5 seconds"):
        clock.advance(-0.5)
    with pytest.raises(ValueError, match="cannot advance by nan seconds"):
        clock.advance(float("nan"))
    assert clock.monotonic() == seen[-1]


async def test_the_systems_clock_is_the_machines() -> None:
    clock = SystemClock()
    assert abs(clock.now() - time.time()) < 5.0
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
