"""The waits of the standard library, made virtual: sleeping, polling, conditions, joining."""

import _thread
import collections
import os
import queue
import select
import selectors
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from .clocks import real
from .followed import HELD

__all__ = ["install", "poll"]

_real_select = select.select
_real_poll = select.poll
_real_condition_wait = threading.Condition.wait
_real_join = threading.Thread.join


def install() -> None:
    """Replace every wait."""
    time.sleep = _sleep
    select.select = _select
    select.poll = _Poll  # type: ignore[assignment]
    real_epoll_select = selectors.EpollSelector.select

    def epoll_select(self: Any, timeout: float | None = None) -> Any:
        if HELD.keeper is None:
            return real_epoll_select(self, timeout)
        ready = real_epoll_select(self, 0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        poll({self.fileno(): select.POLLIN}, timeout)
        return real_epoll_select(self, 0)

    selectors.EpollSelector.select = epoll_select  # type: ignore[method-assign]
    selectors._PollLikeSelector._selector_cls = None  # type: ignore[attr-defined]
    selectors.PollSelector._selector_cls = _Poll  # type: ignore[attr-defined]
    threading.Condition.wait = _condition_wait  # type: ignore[method-assign]
    threading.Thread.join = _join  # type: ignore[method-assign]
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined,misc]


def _sleep(seconds: float) -> None:
    if HELD.keeper is None:
        real["sleep"](seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if not seconds:
        real["sleep"](0)  # who gives way for no time at all is not asleep
        return
    waiter = _thread.allocate_lock()
    waiter.acquire()
    HELD.keeper.at(HELD.keeper.now() + seconds, waiter.release)
    waiter.acquire()


class _Waker:
    """A descriptor that becomes readable when the timekeeper rings it."""

    def __init__(self) -> None:
        self._lock = _thread.allocate_lock()
        self._open = True
        if hasattr(os, "eventfd"):
            self._reading = self._writing = os.eventfd(0, os.EFD_CLOEXEC)
        else:
            self._reading, self._writing = os.pipe()

    def fileno(self) -> int:
        return self._reading

    def ring(self) -> None:
        with self._lock:
            if self._open:  # else the number may be another file's by now
                os.write(self._writing, _RING)

    def close(self) -> None:
        with self._lock:
            self._open = False
            for descriptor in {self._reading, self._writing}:
                os.close(descriptor)


_RING = struct.pack("=Q", 1)


def _wait_readable(poll_for: Callable[[_Waker | None], Any], deadline_seconds: float | None) -> Any:
    """Poll in real time, with the end of the wait in virtual time.

    Args:
        poll_for: waits for its own descriptors, and for our waker where there is one.
        deadline_seconds: virtual seconds from now, or None to wait for ever.
    """
    if deadline_seconds is None:
        return poll_for(None)
    assert HELD.keeper is not None
    waker = _Waker()
    deadline = HELD.keeper.at(HELD.keeper.now() + deadline_seconds, waker.ring)
    try:
        return poll_for(waker)
    finally:
        deadline.cancelled = True
        waker.close()


def poll(events: dict[int, int], seconds: float | None) -> list[tuple[int, int]]:
    """`select.poll` over descriptors with a virtual timeout."""
    poller = _real_poll()
    for descriptor, mask in events.items():
        poller.register(descriptor, mask)
    ready = poller.poll(0)
    if ready or HELD.keeper is None or (seconds is not None and seconds <= 0):
        return (
            ready
            if HELD.keeper is not None or ready
            else poller.poll(None if seconds is None else seconds * 1000)
        )

    def wait(waker: _Waker | None) -> list[tuple[int, int]]:
        if waker is None:
            return poller.poll()
        poller.register(waker.fileno(), select.POLLIN)
        return [(fd, event) for fd, event in poller.poll() if fd != waker.fileno()]

    return _wait_readable(wait, seconds)


class _Poll:
    """`select.poll()` with virtual timeouts."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(
        self, fd: Any, eventmask: int = select.POLLIN | select.POLLPRI | select.POLLOUT
    ) -> None:
        self._events[fd if isinstance(fd, int) else fd.fileno()] = eventmask

    modify = register

    def unregister(self, fd: Any) -> None:
        del self._events[fd if isinstance(fd, int) else fd.fileno()]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        seconds = None if timeout is None or timeout < 0 else timeout / 1000
        return poll(self._events, seconds)


def _select(r: Any, w: Any, x: Any, timeout: float | None = None) -> tuple[list[Any], ...]:
    if HELD.keeper is None:
        return _real_select(r, w, x, timeout)
    ready = _real_select(r, w, x, 0)
    if any(ready) or (timeout is not None and timeout <= 0):
        return ready

    def wait(waker: _Waker | None) -> tuple[list[Any], ...]:
        if waker is None:
            return _real_select(r, w, x)
        found = _real_select([*r, waker], w, x)
        return [item for item in found[0] if item is not waker], found[1], found[2]

    return _wait_readable(wait, timeout)


def _condition_wait(self: Any, timeout: float | None = None) -> bool:
    """threading.Condition.wait with a virtual timeout."""
    if HELD.keeper is None or timeout is None or timeout <= 0:
        return _real_condition_wait(self, timeout)
    if not self._is_owned():
        raise RuntimeError("cannot wait on un-acquired lock")
    waiter = _thread.allocate_lock()
    waiter.acquire()
    waiters: collections.deque[Any] = self._waiters
    waiters.append(waiter)
    saved = self._release_save()

    def wake() -> None:
        try:
            waiter.release()
        except RuntimeError:
            return  # notified in the same moment

    deadline = HELD.keeper.at(HELD.keeper.now() + max(0.0, timeout), wake)
    try:
        waiter.acquire()
    finally:
        deadline.cancelled = True
        self._acquire_restore(saved)
    if waiter in waiters:  # nobody notified us: the time is over
        waiters.remove(waiter)
        return False
    return True


def _join(self: threading.Thread, timeout: float | None = None) -> None:
    if HELD.keeper is None or timeout is None:
        _real_join(self, timeout)
        return
    end = HELD.keeper.now() + timeout
    while self.is_alive() and HELD.keeper.now() < end:
        _sleep(min(0.05, max(0.0, end - HELD.keeper.now())))
