"""One event loop on one thread of its own, for synchronous callers: started late, stopped in time.

A call is handed to the loop and waited for; meanwhile the waiting thread makes the items of any
synchronous iterator that the call consumes, so that generators run in the thread that wrote them.
"""

import asyncio
import atexit
import os
import queue
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from core_caps.errors import ClientClosed

__all__ = ["Background", "background"]

INTERRUPT_SECONDS = 5.0
"""How long an interrupted call may take to come to its end before it is left behind."""

EXIT_SECONDS = 2.0
"""How long the interpreter's exit waits for connections that are still open."""

Call = Callable[..., Any]
Close = Callable[[], Coroutine[Any, Any, object]]

_END = object()


class Background:
    """The loop and its thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._stopped = False
        self._open: dict[object, Close] = {}
        self._thread = threading.Thread(target=self._run, name="core-caps", daemon=True)
        self._thread.start()

    @property
    def usable(self) -> bool:
        """Whether calls are possible: in the process that started it, until that exits."""
        return self is _process.loop and not self._stopped

    def call(self, call: Call, *args: Any, **kwargs: Any) -> Any:
        """The result of a coroutine function, run on the loop while this thread waits.

        Raises:
            ClientClosed: the interpreter is exiting, or the process was forked meanwhile.
            RuntimeError: called on the loop's own thread, where waiting would never end.
        """
        running = _Running(self._usable_loop())
        args, kwargs = running.fed(args, kwargs)
        running.start(lambda: call(*args, **kwargs))
        return running.wait()

    def stream(self, call: Call, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """The items of the async iterator that `call` returns; it is closed with this iterator."""
        running = _Running(self._usable_loop())
        wanted: asyncio.Queue[None] = asyncio.Queue()

        # One task drives the iterator from end to end, as an async caller's would: a timeout or a
        # scope opened inside it belongs to the task that opened it.
        async def drive() -> None:
            source = call(*args, **kwargs)
            try:
                async for item in source:
                    running.inbox.put(item)
                    await wanted.get()
            finally:
                close = getattr(source, "aclose", None)
                if close is not None:
                    await close()

        running.start(drive)
        try:
            while (item := running.next()) is not _END:
                yield item
                self._usable_loop().call_soon_threadsafe(wanted.put_nowait, None)
        finally:
            running.cancel(wait=threading.current_thread() is not self._thread)

    def opened(self, key: object, close: Close) -> None:
        """Close this, too, should the interpreter exit first."""
        self._open[key] = close

    def closed(self, key: object) -> None:
        """It was closed by its owner."""
        self._open.pop(key, None)

    def stop(self) -> None:
        """Close what is open, cancel what is running, end the thread; bounded in time."""
        if self._stopped:
            return
        closing = asyncio.run_coroutine_threadsafe(self._close_all(), self.loop)
        try:
            closing.result(EXIT_SECONDS)
        except (Exception, asyncio.CancelledError):
            closing.cancel()
        self._stopped = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(EXIT_SECONDS)

    async def _close_all(self) -> None:
        closing = [close() for close in self._open.values()]
        self._open.clear()
        await asyncio.gather(*closing, return_exceptions=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(_cancel_all(self.loop))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()

    def _usable_loop(self) -> asyncio.AbstractEventLoop:
        if not self.usable:
            raise ClientClosed(
                "this connection was opened before a fork, or the interpreter is exiting",
                hint="call connect() in the process that uses it",
            )
        if threading.current_thread() is self._thread:
            raise RuntimeError(
                "a synchronous call on the background loop would wait for itself: "
                "inside coroutines use core_caps.connect"
            )
        return self.loop


class _Running:
    """A coroutine on the loop, and the inbox through which it reaches the waiting thread.

    The inbox holds requests for the next item of an iterator argument, items of a stream, and
    at last the task itself.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._cancelled = False
        self._ended = False

    def fed(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments, with synchronous iterators as asynchronous ones."""
        return (
            tuple(self._fed(value) for value in args),
            {name: self._fed(value) for name, value in kwargs.items()},
        )

    def _fed(self, value: Any) -> Any:
        if hasattr(value, "__next__") and not hasattr(value, "__aiter__"):
            return _Fed(value, self.inbox, self._loop)
        return value

    def start(self, make: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        async def run() -> Any:
            return await make()  # a call may fail before there is anything to await

        def begin() -> None:
            # Also when it was cancelled before it began: the end must be told.
            self._task = self._loop.create_task(run())
            self._task.add_done_callback(self.inbox.put)
            if self._cancelled:
                self._task.cancel()

        self._loop.call_soon_threadsafe(begin)  # in a copy of the caller's context

    def wait(self) -> Any:
        """The result. Whatever interrupts this thread cancels the call first."""
        try:
            while self.next() is not _END:
                pass  # a coroutine has no items; requests are answered on the way
        except BaseException:
            self.cancel(wait=True)
            raise
        assert self._task is not None
        return self._task.result()

    def next(self) -> Any:
        """The next item, or _END; requests for items of arguments are answered meanwhile.

        Raises:
            BaseException: what ended the task of a stream.
        """
        while True:
            message = self.inbox.get()
            if isinstance(message, _Request):
                message.answer()
            elif message is self._task:
                self._ended = True
                if message.cancelled():
                    raise ClientClosed("the call was cancelled: the interpreter is exiting")
                message.result()
                return _END
            else:
                return message

    def cancel(self, *, wait: bool) -> None:
        """End it, unless it has ended; with `wait` its clean-up is over when this returns."""
        if self._ended:
            return
        self._cancelled = True
        try:
            self._loop.call_soon_threadsafe(self._cancel)
        except RuntimeError:
            return  # the loop is closed: nothing runs any more
        until = time.monotonic() + INTERRUPT_SECONDS
        while wait and (left := until - time.monotonic()) > 0:
            try:
                message = self.inbox.get(timeout=left)
            except queue.Empty:
                return
            if message is self._task:
                self._ended = True
                return

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


class _Request:
    """The loop asks the waiting thread for an iterator's next item."""

    def __init__(
        self,
        source: Iterator[Any],
        loop: asyncio.AbstractEventLoop,
        item: "asyncio.Future[Any]",
    ) -> None:
        self._source = source
        self._loop = loop
        self._item = item

    def answer(self) -> None:
        try:
            item = next(self._source, _END)
        except Exception as error:
            self._loop.call_soon_threadsafe(self._fail, error)
        else:
            self._loop.call_soon_threadsafe(self._give, item)

    def _give(self, item: Any) -> None:
        if not self._item.done():
            self._item.set_result(item)

    def _fail(self, error: Exception) -> None:
        if not self._item.done():
            self._item.set_exception(error)


class _Fed:
    """An async iterator over a synchronous one."""

    def __init__(
        self,
        source: Iterator[Any],
        inbox: "queue.SimpleQueue[Any]",
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._source = source
        self._inbox = inbox
        self._loop = loop

    def __aiter__(self) -> "_Fed":
        return self

    async def __anext__(self) -> Any:
        item: asyncio.Future[Any] = self._loop.create_future()
        self._inbox.put(_Request(self._source, self._loop, item))
        value = await item
        if value is _END:
            raise StopAsyncIteration
        return value


async def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    left = asyncio.all_tasks(loop) - {asyncio.current_task(loop)}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=EXIT_SECONDS / 2)


class _Process:
    """What this process has: a loop once there was a call, and the lock that keeps it one."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.loop: Background | None = None

    def forget(self) -> None:
        """In a forked child the thread does not exist, and the lock may be held by nobody."""
        if self.loop is not None:
            atexit.unregister(self.loop.stop)
        self.lock = threading.Lock()
        self.loop = None


_process = _Process()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.forget)


def background() -> Background:
    """The one background loop of this process, started on first use."""
    with _process.lock:
        if _process.loop is None:
            _process.loop = Background()
            atexit.register(_process.loop.stop)
        return _process.loop
