"""A case's timeline on a terminal: when, who, what; the beginning and, above all, the end."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows_registry.commands.output import coloured
from flows_registry.evidence.lines import SERVICE, in_words, lane_of, seconds_of
from flows_registry.evidence.words import safe
from flows_registry.verdict import CaseRecord

__all__ = ["story"]

_FIRST, _LAST = 3, 12
_WIDTH = 84


def story(record: CaseRecord, *, whole: bool = False) -> Iterator[str]:
    """The lines of a case; the middle of a long one is left out, unless the whole is asked for."""
    lines = [_line(line) for line in record.timeline]
    if not whole and len(lines) > _FIRST + _LAST + 1:
        more = len(lines) - _FIRST - _LAST
        lines[_FIRST:-_LAST] = [coloured(f"{'':>10}  … {more} more lines", "dim")]
    yield from lines


def _line(line: Mapping[str, Any]) -> str:
    lane = lane_of(line)
    mark = "──▶" if lane == SERVICE else f"c{lane} " if lane > 1 else "   "
    text = safe(in_words(line, _WIDTH - 14))
    shown = coloured(text, "red") if line.get("fault") or line.get("kind") == "trouble" else text
    return f"{seconds_of(line):>8.3f} s  {mark} {shown}"
