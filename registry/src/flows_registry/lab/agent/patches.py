"""Where a process meets time: every wait and every clock of the standard library, made virtual.

Installed in the forked case process before its calls begin, so names that the plugin imported
from these modules earlier must already be ours: `install` runs once at the agent's start with a
stand-in, and `follow` tells the stand-ins which timekeeper to obey.
"""

import _thread
import collections
import datetime as dt
import os
import queue
import select
import selectors
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from .timekeeper import Timekeeper

__all__ = ["follow", "install"]


class _Time:
    """What the stand-ins answer from."""

    keeper: Timekeeper | None = None
    origin = 0.0
    offset = 0.0


_held = _Time()

_real = {
    name: getattr(time, name)
    for name in (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "sleep", "localtime", "gmtime", "ctime", "asctime", "strftime",
    )
}  # fmt: skip
_real_select = select.select
_real_poll = select.poll
_real_condition_wait = threading.Condition.wait
_SAFETY_SECONDS = 20.0
"""The real timeout left on sockets, for the moments in which C code waits by itself."""


def install(*, offset_seconds: float = 0.0, origin: float | None = None) -> None:
    """Replace the clocks and waits; until `follow` is called they answer a frozen time.

    Args:
        offset_seconds: shift of the wall clock, for perturbation.
        origin: the wall clock while no timekeeper is followed; None is the real one's.
    """
    _held.origin = _real["time"]() if origin is None else origin
    _held.offset = offset_seconds
    _install_clocks()
    _install_datetime()
    _install_waits()
    _install_sockets()


def follow(keeper: Timekeeper) -> None:
    """From now on every clock and wait obeys this timekeeper."""
    _held.keeper = keeper


def _now() -> float:
    return _held.origin if _held.keeper is None else _held.keeper.now()


def _wall() -> float:
    return _now() + _held.offset


def _monotonic() -> float:
    return _now() - _held.origin + 1000.0 + _held.offset % 977.0


def _install_clocks() -> None:
    time.time = _wall
    time.time_ns = lambda: int(_wall() * 1e9)
    time.monotonic = time.perf_counter = _monotonic
    time.monotonic_ns = time.perf_counter_ns = lambda: int(_monotonic() * 1e9)
    time.sleep = _sleep
    time.localtime = lambda seconds=None: _real["localtime"](
        _wall() if seconds is None else seconds
    )
    time.gmtime = lambda seconds=None: _real["gmtime"](_wall() if seconds is None else seconds)
    time.ctime = lambda seconds=None: _real["ctime"](_wall() if seconds is None else seconds)
    time.asctime = lambda moment=None: _real["asctime"](moment or time.localtime())
    time.strftime = lambda form, moment=None: _real["strftime"](form, moment or time.localtime())
    # Modules of the standard library that took a copy of the name before us.
    threading._time = queue.time = _monotonic  # type: ignore[attr-defined]


def _install_datetime() -> None:
    real_datetime, real_date = dt.datetime, dt.date

    class _AnyDatetime(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real_datetime)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real_datetime)

    class _AnyDate(type):
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, real_date)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real_date)

    class Datetime(real_datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
            return real_datetime.fromtimestamp(_wall(), tz)

        @classmethod
        def utcnow(cls) -> dt.datetime:
            return real_datetime.fromtimestamp(_wall(), dt.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> dt.datetime:
            return real_datetime.fromtimestamp(_wall())

    class Date(real_date, metaclass=_AnyDate):
        @classmethod
        def today(cls) -> dt.date:
            return real_datetime.fromtimestamp(_wall()).date()

    Datetime.__name__ = Datetime.__qualname__ = "datetime"
    Date.__name__ = Date.__qualname__ = "date"
    dt.datetime, dt.date = Datetime, Date  # type: ignore[misc]


def _sleep(seconds: float) -> None:
    if _held.keeper is None:
        _real["sleep"](seconds)
        return
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    waiter = _thread.allocate_lock()
    waiter.acquire()
    _held.keeper.at(_held.keeper.now() + seconds, waiter.release)
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
    assert _held.keeper is not None
    waker = _Waker()
    deadline = _held.keeper.at(_held.keeper.now() + deadline_seconds, waker.ring)
    try:
        return poll_for(waker)
    finally:
        deadline.cancelled = True
        waker.close()


def _poll(events: dict[int, int], seconds: float | None) -> list[tuple[int, int]]:
    """`select.poll` over descriptors with a virtual timeout."""
    poller = _real_poll()
    for descriptor, mask in events.items():
        poller.register(descriptor, mask)
    ready = poller.poll(0)
    if ready or _held.keeper is None or (seconds is not None and seconds <= 0):
        return (
            ready
            if _held.keeper is not None or ready
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
        return _poll(self._events, seconds)


def _select(r: Any, w: Any, x: Any, timeout: float | None = None) -> tuple[list[Any], ...]:
    if _held.keeper is None:
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


def _install_waits() -> None:
    select.select = _select
    select.poll = _Poll  # type: ignore[assignment]
    real_epoll_select = selectors.EpollSelector.select

    def epoll_select(self: Any, timeout: float | None = None) -> Any:
        if _held.keeper is None:
            return real_epoll_select(self, timeout)
        ready = real_epoll_select(self, 0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        _poll({self.fileno(): select.POLLIN}, timeout)
        return real_epoll_select(self, 0)

    selectors.EpollSelector.select = epoll_select  # type: ignore[method-assign]
    selectors._PollLikeSelector._selector_cls = None  # type: ignore[attr-defined]
    selectors.PollSelector._selector_cls = _Poll  # type: ignore[attr-defined]
    threading.Condition.wait = _condition_wait  # type: ignore[method-assign]
    threading.Thread.join = _join  # type: ignore[method-assign]
    queue.SimpleQueue = queue._PySimpleQueue  # type: ignore[attr-defined,misc]


def _condition_wait(self: Any, timeout: float | None = None) -> bool:
    """threading.Condition.wait with a virtual timeout."""
    if _held.keeper is None or timeout is None:
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

    deadline = _held.keeper.at(_held.keeper.now() + max(0.0, timeout), wake)
    try:
        waiter.acquire()
    finally:
        deadline.cancelled = True
        self._acquire_restore(saved)
    if waiter in waiters:  # nobody notified us: the time is over
        waiters.remove(waiter)
        return False
    return True


_real_join = threading.Thread.join


def _join(self: threading.Thread, timeout: float | None = None) -> None:
    if _held.keeper is None or timeout is None:
        _real_join(self, timeout)
        return
    end = _held.keeper.now() + timeout
    while self.is_alive() and _held.keeper.now() < end:
        _sleep(min(0.05, max(0.0, end - _held.keeper.now())))


def _install_sockets() -> None:
    _install_timeouts()
    for name in ("recv", "recv_into", "recvfrom", "recvfrom_into", "recvmsg", "accept"):
        _guard(socket.socket, name, select.POLLIN)
    for name in ("send", "sendall", "sendto", "sendmsg"):
        _guard(socket.socket, name, select.POLLOUT)
    for name in ("read", "recv", "recv_into"):
        _guard(ssl.SSLSocket, name, select.POLLIN)
    _guard(ssl.SSLSocket, "do_handshake", 0)


_virtual_timeouts: dict[int, float] = {}


def _install_timeouts() -> None:
    real_settimeout = socket.socket.settimeout
    real_gettimeout = socket.socket.gettimeout

    def settimeout(self: socket.socket, value: float | None) -> None:
        if value is None or value == 0:
            _virtual_timeouts.pop(self.fileno(), None)
            real_settimeout(self, value)
        else:
            _virtual_timeouts[self.fileno()] = float(value)
            real_settimeout(self, max(float(value), _SAFETY_SECONDS))

    def gettimeout(self: socket.socket) -> float | None:
        real = real_gettimeout(self)
        return _virtual_timeouts.get(self.fileno(), real) if real else real

    socket.socket.settimeout = settimeout  # type: ignore[method-assign]
    socket.socket.gettimeout = gettimeout  # type: ignore[method-assign]
    socket.socket.timeout = property(gettimeout)  # type: ignore[attr-defined]


def _guard(cls: type, name: str, mask: int) -> None:
    """Let a blocking socket method wait in virtual time before its C code waits in real time."""
    real = getattr(cls, name)

    def guarded(self: Any, *args: Any, **kwargs: Any) -> Any:
        if _held.keeper is not None and mask:
            timeout = self.gettimeout()
            pending = getattr(self, "pending", None)
            blocking = timeout is None or timeout > 0
            if blocking and not (pending and getattr(self, "_sslobj", None) and pending()):
                ready = _poll({self.fileno(): mask}, timeout)
                if not ready and timeout is not None:
                    raise TimeoutError("timed out")
        return real(self, *args, **kwargs)

    guarded.__name__ = name
    setattr(cls, name, guarded)
