"""Which places of a plugin's source run while a case is watched.

A place is an expression, known by its lines and columns. The interpreter tells before each
instruction of the functions that hold one, in every thread; of all other functions it tells only
that they are called.
"""

import os
import sys
import threading
from types import CodeType, FrameType
from typing import Any

__all__ = ["Places"]

_Step = Any
"""What `sys.settrace` takes and gives; its type refers to itself."""


class Places:
    """Looks for places, each given as its file from where the package lies, line and column, and
    the line and column of its end.

    A plugin that traces itself ends the looking; it only loses what would have been found.
    """

    def __init__(self, places: list[list[Any]]) -> None:
        self._places: dict[str, dict[int, tuple[int, ...]]] = {}
        for number, (file, *span) in enumerate(places):
            for folder in sys.path:
                name = os.path.join(folder, file)  # noqa: PTH118 (as the import system joins them)
                self._places.setdefault(name, {})[number] = tuple(span)
        self._known: dict[CodeType, dict[int, set[int]]] = {}
        self._between: set[int] = set()
        self._around: set[int] = set()
        self._found = self._around

    @property
    def reached(self) -> list[int]:
        """The numbers of the places that ran between start and stop."""
        return sorted(self._between)

    @property
    def reached_around(self) -> list[int]:
        """Those of the places that ran before start or after stop."""
        return sorted(self._around)

    def follow(self) -> None:
        """Be told of what this thread calls from now on, and every thread that is yet to start."""
        if self._places:
            # Without this CPython 3.12 tells of no instruction at all.
            sys._getframe().f_trace_opcodes = True  # pyright: ignore[reportPrivateUsage]
            threading.settrace(self._entered)
            sys.settrace(self._entered)

    def start(self) -> None:
        """What runs from now on is part of the case."""
        self._found = self._between

    def stop(self) -> None:
        """What runs from now on only stands around it."""
        self._found = self._around

    def end(self) -> None:
        """This thread runs untold."""
        if self._places:
            sys.settrace(None)

    def _entered(self, frame: FrameType, event: str, argument: Any) -> _Step:
        code = frame.f_code
        if code.co_filename not in self._places:
            return None
        sought = self._known.get(code)
        if sought is None:
            sought = self._known[code] = _instructions(code, self._places[code.co_filename])
        if not sought:
            return None
        frame.f_trace_lines, frame.f_trace_opcodes = False, True

        def step(frame: FrameType, event: str, argument: Any) -> _Step:
            self._found.update(sought.get(frame.f_lasti, ()))
            return step

        return step


def _instructions(code: CodeType, places: dict[int, tuple[int, ...]]) -> dict[int, set[int]]:
    """Where a function's instructions belong to a place: they begin in it and end with it."""
    found: dict[int, set[int]] = {}
    for unit, (line, end_line, column, end_column) in enumerate(code.co_positions()):
        if line is None or column is None:
            continue
        for number, (*begin, last_line, last_column) in places.items():
            if [line, column] >= begin and (end_line, end_column) == (last_line, last_column):
                found.setdefault(2 * unit, set()).add(number)
    return found
