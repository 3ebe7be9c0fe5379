"""Time as an argument: the system's clock, and a twin that moves only when told to.

Code that takes a `Clock` is tested through an hour of waiting in a millisecond.
"""

import asyncio
import heapq
import itertools
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock", "VirtualClock"]


class Clock(Protocol):
    """Where the time comes from. Everything is in seconds."""

    def now(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never falling."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait; a zero or negative wait still yields once."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class VirtualClock:
    """A clock that stands still until `advance` is called.

    With `auto=True` every sleep moves the clock to its own end at once: the shape for tests in
    which nothing else happens meanwhile.

    Args:
        start: seconds since 1970 at which the clock stands first.
        auto: whether a sleep advances the clock by itself.
    """

    def __init__(self, start: float = 1_700_000_000.0, *, auto: bool = False) -> None:
        self._start = start
        self._now = start
        self._auto = auto
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._tickets = itertools.count()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now - self._start

    async def sleep(self, seconds: float) -> None:
        due = self._now + max(0.0, seconds)
        if self._auto or due <= self._now:
            self._now = max(self._now, due)
            await asyncio.sleep(0)
            return
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (due, next(self._tickets), woken))
        await woken

    def advance(self, seconds: float) -> None:
        """Move forward, waking every sleeper whose time has come, earliest first.

        Raises:
            ValueError: `seconds` is negative, or no number; this clock never runs backwards.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock cannot advance by {seconds} seconds")
        self._now += seconds
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                woken.set_result(None)
