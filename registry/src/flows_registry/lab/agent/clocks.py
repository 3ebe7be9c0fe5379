"""The clocks of the standard library, made virtual."""

import datetime as dt
import queue
import threading
import time

from .followed import monotonic, wall

__all__ = ["install", "real"]

real = {
    name: getattr(time, name)
    for name in (
        "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
        "clock_gettime", "clock_gettime_ns", "sleep", "localtime", "gmtime", "ctime", "asctime",
        "strftime",
    )
}  # fmt: skip
"""The clocks themselves, by name."""

_CLOCKS = {
    getattr(time, name): reading
    for reading, names in {
        wall: ("CLOCK_REALTIME", "CLOCK_TAI"),
        monotonic: ("CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME"),
    }.items()
    for name in names
    if hasattr(time, name)
}
"""The kernel's clocks that go with the time of the case; those of the processor do not."""


def install() -> None:
    """Replace every clock."""
    _install_time()
    _install_datetime()


def _install_time() -> None:
    time.time = wall
    time.time_ns = lambda: int(wall() * 1e9)
    time.monotonic = time.perf_counter = monotonic
    time.monotonic_ns = time.perf_counter_ns = lambda: int(monotonic() * 1e9)
    time.clock_gettime = _clock_gettime
    time.clock_gettime_ns = lambda clk_id: (
        int(_clock_gettime(clk_id) * 1e9) if clk_id in _CLOCKS else real["clock_gettime_ns"](clk_id)
    )
    time.localtime = lambda seconds=None: real["localtime"](wall() if seconds is None else seconds)
    time.gmtime = lambda seconds=None: real["gmtime"](wall() if seconds is None else seconds)
    time.ctime = lambda seconds=None: real["ctime"](wall() if seconds is None else seconds)
    time.asctime = lambda moment=None: real["asctime"](moment or time.localtime())
    time.strftime = lambda form, moment=None: real["strftime"](form, moment or time.localtime())
    # Modules of the standard library that took a copy of the name before us.
    threading._time = queue.time = monotonic  # type: ignore[attr-defined]


def _clock_gettime(clk_id: int) -> float:
    reading = _CLOCKS.get(clk_id)
    return real["clock_gettime"](clk_id) if reading is None else reading()


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
            return real_datetime.fromtimestamp(wall(), tz)

        @classmethod
        def utcnow(cls) -> dt.datetime:
            return real_datetime.fromtimestamp(wall(), dt.UTC).replace(tzinfo=None)

        @classmethod
        def today(cls) -> dt.datetime:
            return real_datetime.fromtimestamp(wall())

    class Date(real_date, metaclass=_AnyDate):
        @classmethod
        def today(cls) -> dt.date:
            return real_datetime.fromtimestamp(wall()).date()

    Datetime.__name__ = Datetime.__qualname__ = "datetime"
    Date.__name__ = Date.__qualname__ = "date"
    dt.datetime, dt.date = Datetime, Date  # type: ignore[misc]
