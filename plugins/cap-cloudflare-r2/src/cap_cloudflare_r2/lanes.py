"""Blocking work in a few threads of our own, each piece with a deadline and a way to stop it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from cap_cloudflare_r2 import errors
from cap_cloudflare_r2.connections import Abandoned
from cap_cloudflare_r2.wire import Exchange

__all__ = ["CANCEL_SECONDS_MAX", "Lanes"]

_T = TypeVar("_T")

CANCEL_SECONDS_MAX = 0.4
"""How long a stopped piece of work is waited for. Its socket is shut down at once; the thread
needs a moment to notice, and only a name server can keep it longer."""


class Lanes:
    """At most `threads` pieces of work at a time; more wait their turn inside their deadline."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="cap-cloudflare-r2")
        self._running: set[Exchange] = set()

    def aside(self, work: Callable[[], _T]) -> "asyncio.Future[_T]":
        """Begin work that talks to nobody."""
        return asyncio.wrap_future(self._pool.submit(work))

    async def run(self, exchange: Exchange, work: Callable[[], _T], *, seconds: float) -> _T:
        """Do the work in a thread.

        Raises:
            TimedOut: the deadline passed; the exchange was broken off.
            ClientClosed: `close` broke it off.
        """
        return await self.finish(exchange, self.begin(exchange, work), seconds=seconds)

    def begin(self, exchange: Exchange, work: Callable[[], _T]) -> "Future[_T]":
        """Start the work; whoever starts it also finishes or drops it."""
        self._running.add(exchange)
        try:
            started = self._pool.submit(work)
        except RuntimeError:  # the pool was shut down
            self._running.discard(exchange)
            raise self._closed(exchange) from None
        return started

    async def finish(self, exchange: Exchange, started: "Future[_T]", *, seconds: float) -> _T:
        """Wait for work that was begun; see `run`."""
        waited = asyncio.wrap_future(started)
        try:
            done, _ = await asyncio.wait((waited,), timeout=seconds)
            if not done and not await self._stop(exchange, started, waited):
                raise errors.timed_out(
                    seconds,
                    operation=exchange.plan.operation,
                    writes=exchange.plan.writes,
                    sent=exchange.sent,
                )
        except asyncio.CancelledError:
            await self._stop(exchange, started, waited)
            raise
        finally:
            self._running.discard(exchange)
        try:
            return waited.result()
        except (Abandoned, asyncio.CancelledError):
            raise self._closed(exchange) from None

    async def break_off(self, exchange: Exchange, started: "Future[Any]") -> None:
        """Stop work, wait a moment for its thread, and let the connection go."""
        await self._stop(exchange, started, asyncio.wrap_future(started))

    def drop(self, exchange: Exchange, started: "Future[Any] | None") -> None:
        """Stop work without waiting; its connection goes when the thread lets go of it."""
        exchange.abandon()
        self._running.discard(exchange)
        if started is None:
            exchange.close()
        else:
            started.cancel()
            started.add_done_callback(lambda _: exchange.close())

    def close(self) -> None:
        """Break everything off and take no more work."""
        for exchange in tuple(self._running):
            exchange.abandon()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _stop(
        self, exchange: Exchange, started: "Future[_T]", waited: "asyncio.Future[_T]"
    ) -> bool:
        """Break work off and wait a moment; True when it had succeeded all the same."""
        waited.add_done_callback(_look_away)
        self.drop(exchange, started)
        await asyncio.wait((waited,), timeout=CANCEL_SECONDS_MAX)
        if exchange.plan.streams or not waited.done() or waited.cancelled():
            return False
        return waited.exception() is None

    def _closed(self, exchange: Exchange) -> Exception:
        return errors.closed(
            operation=exchange.plan.operation,
            writes=exchange.plan.writes,
            sent=exchange.sent,
        )


def _look_away(waited: "asyncio.Future[_T]") -> None:
    if not waited.cancelled():
        waited.exception()  # looked at, so that nobody complains that nobody did
