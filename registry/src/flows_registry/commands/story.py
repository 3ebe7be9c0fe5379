"""A case's timeline on a terminal: when, who, what; the beginning and, above all, the end.

Each client has a column, in which its calls stand from their beginning to their end, and the
service has one to which the arrows of the requests lead.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from flows_registry.commands.output import coloured
from flows_registry.evidence.lines import SERVICE, in_words, lane_of, seconds_of
from flows_registry.evidence.words import safe
from flows_registry.verdict import CaseRecord

__all__ = ["story"]

_FIRST, _LAST = 3, 12
_WIDTH = 75
"""With what a report puts before it, a line fits in 80 columns."""

_LANES_MAX = 8


def story(record: CaseRecord, *, whole: bool = False) -> Iterator[str]:
    """The lines of a case; the middle of a long one is left out, unless the whole is asked for."""
    lines = list(_drawn(record.timeline))
    if not whole and len(lines) > _FIRST + _LAST + 1:
        more = len(lines) - _FIRST - _LAST
        lines[_FIRST:-_LAST] = [coloured(f"{'':>10}  … {more} more lines", "dim")]
    if lines:
        yield _heading(_clients(record.timeline))
    yield from lines


def _clients(timeline: Sequence[Mapping[str, Any]]) -> list[int]:
    """The lanes that have a column; the calls of further ones are told in words alone."""
    return sorted({lane_of(line) for line in timeline} - {SERVICE})[:_LANES_MAX] or [1]


def _heading(clients: Sequence[int]) -> str:
    names = "".join(f"c{number:<2}" for number, _ in enumerate(clients, 1))
    return coloured(f"{'':>10}  {names}service", "dim")


def _drawn(timeline: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    clients, working = _clients(timeline), set[int]()
    for line in timeline:
        marks = "".join(_mark(line, lane, working) for lane in clients)
        kind, lane = line.get("kind"), lane_of(line)
        if kind == "begin":
            working.add(lane)
        elif kind in ("end", "died"):
            working.discard(lane)
        arrow = "─▶" if kind == "request" else "  "
        head = f"{seconds_of(line):>8.3f} s  {marks}{arrow} "
        text, colour = safe(in_words(line, _WIDTH - len(head))), _colour(line)
        yield head + (coloured(text, colour) if colour else text)


def _mark(line: Mapping[str, Any], lane: int, working: set[int]) -> str:
    """What a client's column shows beside a line."""
    kind = line.get("kind")
    if lane_of(line) == lane and kind != "request":
        end = "✗" if line.get("riddle") else "╎" if line.get("lost") else "┗"
        own = {"begin": "┏", "end": end, "died": "✗", "perfect": " "}
        return f"{own.get(str(kind), '!')}  "
    rest = "──" if kind == "request" else "  "
    return f"{'┃' if lane in working else rest[:1]}{rest}"


def _colour(line: Mapping[str, Any]) -> str:
    if line.get("kind") == "perfect":
        return "green"
    wrong = line.get("fault") or line.get("riddle") or line.get("kind") in ("trouble", "died")
    return "red" if wrong else ""
