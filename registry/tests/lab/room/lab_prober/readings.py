"""Every common way to read what is not an argument, by the axis along which it is perturbed."""

# ruff: noqa: DTZ003, DTZ005, DTZ006, DTZ011, PTH100, PTH109, PTH111, PTH116 (these are the ways)
# ruff: noqa: PTH123, PTH204, PTH207, PTH208
# pyright: reportDeprecated=false

import datetime as dt
import email.utils
import functools
import getpass
import glob
import locale
import os
import platform
import random
import secrets
import socket
import ssl
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

__all__ = ["READINGS"]

HERE = Path(__file__).parent


def _fresh() -> str:
    """A file that has just been written."""
    path = Path(tempfile.gettempdir(), "fresh")
    path.write_text("fresh")
    return str(path)


def _entry_time() -> float:
    fresh = Path(_fresh())
    with os.scandir(fresh.parent) as entries:
        return next(entry.stat().st_mtime for entry in entries if entry.name == fresh.name)


def _file_time() -> float:
    with open(_fresh(), "rb") as file:
        return os.fstat(file.fileno()).st_mtime


def _written() -> bytes:
    path = Path(tempfile.gettempdir(), "letter")
    with path.open("w", errors="replace") as file:  # whatever the locale's encoding is
        file.write("é")
    return path.read_bytes()


def _temporary() -> str:
    with tempfile.NamedTemporaryFile() as file:
        return Path(file.name).name


def _worked(number: int) -> int:
    return sum(1 for _ in range(2000)) and number


def _as_completed() -> list[int]:
    with ThreadPoolExecutor(8) as pool:
        tasks = {pool.submit(_worked, number): number for number in range(8)}
        return [tasks[task] for task in as_completed(tasks)]


def _append(order: list[int], number: int) -> None:
    order.append(_worked(number) and number)


def _appended() -> list[int]:
    order: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(_append, order, number)
    return order


READINGS: Mapping[str, Mapping[str, Callable[[], Any]]] = {
    "hash seed": {
        "hash": lambda: hash("a text"),
        "set": lambda: list({"red", "green", "blue", "grey", "pink", "black"}),
        "frozenset": lambda: list(frozenset(map(str, range(20)))),
    },
    "clock": {
        "time.time": lambda: time.time(),
        "time.time_ns": lambda: time.time_ns(),
        "time.monotonic": lambda: time.monotonic(),
        "time.perf_counter": lambda: time.perf_counter(),
        "time.clock_gettime": lambda: time.clock_gettime(time.CLOCK_REALTIME),
        "time.clock_gettime_ns": lambda: time.clock_gettime_ns(time.CLOCK_MONOTONIC),
        "time.gmtime": lambda: time.gmtime(),
        "time.localtime": lambda: time.localtime(),
        "time.strftime": lambda: time.strftime("%Y-%m-%d"),
        "time.ctime": lambda: time.ctime(),
        "datetime.now": lambda: dt.datetime.now(),
        "datetime.now in UTC": lambda: dt.datetime.now(dt.UTC),
        "datetime.utcnow": lambda: dt.datetime.utcnow(),
        "date.today": lambda: dt.date.today(),
        "partial": lambda: functools.partial(time.time)(),
        "partial of now": lambda: functools.partial(dt.datetime.now, dt.UTC)(),
        "map": lambda: list(map(time.localtime, [None])),
        "formatdate": lambda: email.utils.formatdate(),
        "uuid1": lambda: uuid.uuid1().time,
        "os.stat": lambda: os.stat(_fresh()).st_mtime,
        "os.stat in ns": lambda: os.stat(_fresh()).st_mtime_ns,
        "os.path.getmtime": lambda: os.path.getmtime(_fresh()),
        "Path.stat": lambda: Path(_fresh()).stat().st_mtime,
        "os.fstat": _file_time,
        "os.scandir": _entry_time,
    },
    "random numbers": {
        "random.random": lambda: random.random(),
        "random.Random": lambda: random.Random().random(),
        "random.sample": lambda: random.sample(range(1000), 5),
        "SystemRandom": lambda: random.SystemRandom().random(),
        "secrets": lambda: secrets.token_hex(),
        "os.urandom": lambda: os.urandom(8),
        "os.getrandom": lambda: os.getrandom(8),
        "ssl.RAND_bytes": lambda: ssl.RAND_bytes(8),
        "uuid4": lambda: uuid.uuid4(),
        "uuid1": lambda: uuid.uuid1().clock_seq,
        "tempfile.mktemp": lambda: Path(tempfile.mktemp()).name,
        "tempfile.mkdtemp": lambda: Path(tempfile.mkdtemp()).name,
        "NamedTemporaryFile": _temporary,
    },
    "time zone": {
        "time.localtime": lambda: time.localtime(0),
        "time.mktime": lambda: time.mktime((2030, 1, 1, 0, 0, 0, 0, 1, 0)),
        "time.tzname": lambda: time.tzname,
        "time.timezone": lambda: time.timezone,
        "time.strftime": lambda: time.strftime("%H", time.localtime(0)),
        "fromtimestamp": lambda: dt.datetime.fromtimestamp(0),
        "astimezone": lambda: dt.datetime(2030, 1, 1, tzinfo=dt.UTC).astimezone().isoformat(),
    },
    "locale": {
        "getencoding": lambda: locale.getencoding(),
        "getpreferredencoding": lambda: locale.getpreferredencoding(),
        "setlocale": lambda: locale.setlocale(locale.LC_ALL, ""),
        "getlocale": lambda: locale.getlocale(),
        "localeconv": lambda: locale.localeconv()["decimal_point"],
        "format_string": lambda: locale.format_string("%.2f", 1234.5, grouping=True),
        "open": _written,
        "file names": lambda: sys.getfilesystemencoding(),
    },
    "environment": {
        "os.environ": lambda: os.environ.get("USER"),
        "os.getenv": lambda: os.getenv("LANG"),
        "a name of its own": lambda: os.environ.get("PROBER_REGION", "nowhere"),
        "a name that is there": lambda: "PROBER_DEBUG" in os.environ,
        "all names": lambda: sorted(os.environ),
        "os.getlogin": lambda: os.getlogin(),
        "getpass.getuser": lambda: getpass.getuser(),
        "socket.gethostname": lambda: socket.gethostname(),
        "socket.getfqdn": lambda: socket.getfqdn(),
        "os.uname": lambda: os.uname().nodename,
        "platform.node": lambda: platform.node(),
        "platform.platform": lambda: platform.platform(),
        "os.cpu_count": lambda: os.cpu_count(),
        "uuid.getnode": lambda: uuid.getnode(),
        "Path.home": lambda: Path.home(),
        "expanduser": lambda: os.path.expanduser("~"),
        "gettempdir": lambda: tempfile.gettempdir(),
    },
    "working directory": {
        "os.getcwd": lambda: os.getcwd(),
        "Path.cwd": lambda: Path.cwd(),
        "resolve": lambda: Path().resolve(),
        "abspath": lambda: os.path.abspath("file"),
    },
    "directory listing order": {
        "os.listdir": lambda: os.listdir(HERE),
        "os.scandir": lambda: [entry.name for entry in os.scandir(HERE)],
        "os.walk": lambda: next(os.walk(HERE))[2],
        "glob": lambda: glob.glob(f"{HERE}/*.py"),
        "Path.iterdir": lambda: list(HERE.iterdir()),
        "Path.glob": lambda: list(HERE.glob("*.py")),
        "Path.rglob": lambda: list(HERE.rglob("*.py")),
    },
    "thread schedule": {
        "as_completed": _as_completed,
        "appended": _appended,
    },
}
