"""What a case says where nobody of the registry reads: its log records, its warnings, what it
prints, its errors and reprs. Only what was sighted in them is reported, never what they said."""

import _thread
import contextlib
import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from .canaries import Canaries

__all__ = ["HEARING", "UNASKED"]

UNASKED = ", a library's, which nobody has turned on"
"""How a place ends that only those see who ask for more than is said by default."""

_TEXT_MAX = 256 * 1024
_FILES_MAX = 20
_OVERLAP = 512
_END_SECONDS = 2.0
_FRAMES_MAX = 6

_Sighting = tuple[str, str, str]
"""`secret` or `personal`, which, and where."""

_start_thread = _thread.start_new_thread
_read, _write = os.read, os.write
_monotonic, _sleep = time.monotonic, time.sleep


class Hearing:
    """The ear of one process; `open` makes it hear, `begin` starts a case.

    Attributes:
        sightings: what was sighted in the case.
    """

    def __init__(self) -> None:
        self.sightings: list[_Sighting] = []
        self._secrets = self._personal = Canaries({})
        self._packages: frozenset[str] = frozenset()
        self._all = False
        self._writing = -1
        self._ends = 0
        self._rest = b""

    def open(self) -> None:
        """From now on this process's output, log records and warnings are heard, and go nowhere
        else."""
        reading, writing = os.pipe()
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        os.close(null)
        for descriptor in (1, 2):
            os.dup2(writing, descriptor)
        self._writing = writing
        _start_thread(self._drain, (reading,))
        warnings.showwarning = self._warned
        _hear_records(self)

    def begin(self, case: Mapping[str, Any]) -> None:
        """A case begins: what is its credentials' and nobody else's to know.

        Args:
            case: its `secrets`, the `personal` data among its contents, its plugin's `packages`,
                and `listening`: hear what every library says at every level.
        """
        self.sightings = []
        self._secrets = Canaries(case["secrets"])
        self._personal = Canaries(case["personal"], parts=False)
        self._packages = frozenset(case["packages"])
        self._all = case["listening"]

    def end(self, written: Iterable[str]) -> list[_Sighting]:
        """What was sighted, once all that was printed has been heard and the files that were
        written are looked at."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        self._hear_out()
        for path in list(written)[:_FILES_MAX]:
            with contextlib.suppress(OSError, ValueError), open(path, "rb") as file:  # noqa: PTH123
                self.hear("a file that it wrote", file.read(_TEXT_MAX), personal=False)
        return self.sightings

    def hear(self, place: str, text: str | bytes, *, personal: bool = True) -> None:
        """Note which canaries stand in a text that is seen at this place."""
        for name in self._secrets.seen_in(text):
            self._sighted(("secret", name, place))
        for name in self._personal.seen_in(text) if personal else ():
            self._sighted(("personal", name, place))

    def hear_value(self, operation: str, value: object) -> None:
        """What a result shows of the credentials: contents are what it is for."""
        if not self._secrets:
            return
        with contextlib.suppress(Exception):
            text = value if isinstance(value, str | bytes) else repr(value)
            self.hear(f"the result of {operation}", text[:_TEXT_MAX], personal=False)

    def hear_repr(self, provider: object) -> None:
        """What the provider and its settings look like when somebody prints them."""
        kind = getattr(type(provider), "Config", None)
        given = [each for each in _held(provider) if kind and isinstance(each, kind)]
        for name, shown in (("provider", [provider]), ("settings", given)):
            for each in shown:
                with contextlib.suppress(Exception):
                    self.hear(f"the repr of its {name}", f"{each!r} {each}")

    def wants(self, level: int) -> bool:
        """Whether a record is heard that nobody else asked for: every one of the plugin's own."""
        return bool(level) and (self._all or self._is_own())

    def hear_record(self, record: logging.LogRecord, *, asked: bool) -> None:
        """What a log record shows to whoever formats it; where nobody asked for it and it is not
        the plugin's own, that is said."""
        with contextlib.suppress(Exception):
            shown = [record.getMessage(), repr(vars(record))]
            if record.exc_info and record.exc_info[1]:
                shown += traceback.format_exception(record.exc_info[1])
            place = f"a log line of {record.name!r} at {record.levelname}"
            self.hear(place if asked or self._is_own() else place + UNASKED, "\n".join(shown))

    def _sighted(self, sighting: _Sighting) -> None:
        if sighting not in self.sightings:
            self.sightings.append(sighting)

    def _is_own(self) -> bool:
        """Whether the plugin itself is about to log."""
        frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
        for _ in range(_FRAMES_MAX):
            name = str(frame.f_globals.get("__name__", ""))
            if name != "logging" and name != __name__:
                return name.partition(".")[0] in self._packages
            if frame.f_back is None:
                return False
            frame = frame.f_back
        return False

    def _warned(self, message: Warning | str, *where: Any, **named: Any) -> None:
        del where, named
        self.hear("a warning", str(message))

    def _drain(self, reading: int) -> None:
        """Hear what is printed, for as long as the process lives."""
        while chunk := _read(reading, 1 << 16):
            text = self._rest + chunk
            self.hear("what it prints", text)
            over = _mark(self._ends + 1) in text
            self._rest = b"" if over else text[-_OVERLAP:]
            self._ends += over

    def _hear_out(self) -> None:
        """Wait until everything that has been printed is heard."""
        wanted, until = self._ends + 1, _monotonic() + _END_SECONDS
        with contextlib.suppress(OSError):
            _write(self._writing, _mark(wanted))
        while self._ends < wanted and _monotonic() < until:
            _sleep(0.0001)


def _mark(number: int) -> bytes:
    return b"\0heard %d\0" % number


def _held(provider: object) -> list[object]:
    fields = list(vars(provider).values()) if hasattr(provider, "__dict__") else []
    names = [name for cls in type(provider).__mro__ for name in getattr(cls, "__slots__", ())]
    return fields + [getattr(provider, name, None) for name in names]


def _hear_records(hearing: Hearing) -> None:
    """Every logger makes the records that are wanted, and handles those that it would make."""
    enabled, handle = logging.Logger.isEnabledFor, logging.Logger.handle

    def is_enabled(self: logging.Logger, level: int) -> bool:
        return enabled(self, level) or hearing.wants(level)

    def handled(self: logging.Logger, record: logging.LogRecord) -> None:
        asked = enabled(self, record.levelno)
        hearing.hear_record(record, asked=asked)
        if asked:
            handle(self, record)

    logging.Logger.isEnabledFor = is_enabled
    logging.Logger.handle = handled


HEARING = Hearing()
"""The ear of this process."""
