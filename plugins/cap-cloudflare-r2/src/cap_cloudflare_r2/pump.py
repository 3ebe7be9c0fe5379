"""A streamed body, taken in a thread a little ahead of its reader."""

import asyncio
import contextlib
import threading
from collections import deque
from concurrent.futures import Future

from core_caps.errors import ProviderError

from cap_cloudflare_r2 import errors
from cap_cloudflare_r2.connections import Abandoned
from cap_cloudflare_r2.lanes import Lanes
from cap_cloudflare_r2.wire import Exchange

__all__ = ["Pump"]


class Pump:
    """Reads a body in chunks, at most `depth` ahead.

    A thread reads on without asking the event loop, and is given back when the reader is slow: an
    idle stream holds no thread.
    """

    def __init__(self, lanes: Lanes, exchange: Exchange, chunk_bytes: int, depth: int) -> None:
        self._lanes = lanes
        self._exchange = exchange
        self._chunk_bytes = chunk_bytes
        self._depth = depth
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._chunks: deque[bytes] = deque()
        self._reading = False
        self._ended = False
        self._started: Future[None] | None = None
        self._arrived = asyncio.Event()

    async def next(self, *, seconds: float) -> bytes:
        """The next chunk; only the last is shorter than the others, and b"" follows it.

        Raises:
            ProviderError: the body broke off, or no chunk came in time.
        """
        while True:
            self._arrived.clear()
            with self._lock:
                chunk = self._chunks.popleft() if self._chunks else b""
                over = self._ended and not chunk
                resume = not self._reading and not self._ended
                resume = resume and len(self._chunks) <= self._depth // 2
                self._reading = self._reading or resume
            if resume:
                self._check_last()
                self._started = self._lanes.begin(self._exchange, self._read_on)
                self._started.add_done_callback(self._wake)
            if chunk or over:
                return chunk
            await self._wait(seconds)

    def drop(self) -> None:
        """Let the body go, read or not."""
        self._lanes.drop(self._exchange, self._started)

    async def _wait(self, seconds: float) -> None:
        plan = self._exchange.plan
        try:
            async with asyncio.timeout(seconds):
                await self._arrived.wait()
        except TimeoutError:
            assert self._started is not None
            await self._lanes.break_off(self._exchange, self._started)
            raise errors.timed_out(
                seconds, operation=plan.operation, writes=plan.writes, sent=True
            ) from None
        except asyncio.CancelledError:
            if self._started is not None:
                await self._lanes.break_off(self._exchange, self._started)
            raise
        if not self._chunks:
            self._check_last()

    def _check_last(self) -> None:
        """Say what ended the reading thread, where that was a failure."""
        started = self._started
        if started is None or not started.done():
            return
        if started.cancelled() or isinstance(started.exception(), Abandoned):
            raise errors.closed(operation=self._exchange.plan.operation) from None
        failure = started.exception()
        if failure is not None:
            assert isinstance(failure, ProviderError), failure
            raise failure

    def _read_on(self) -> None:
        while True:
            chunk = self._exchange.read(self._chunk_bytes)
            with self._lock:
                if chunk:
                    self._chunks.append(chunk)
                self._ended = self._exchange.finished
                stop = self._ended or len(self._chunks) >= self._depth
                self._reading = not stop
            if stop:
                return  # the callback of its end wakes the reader
            self._wake()

    def _wake(self, _: object = None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._arrived.set)
