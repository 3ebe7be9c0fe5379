"""A case as a picture: time goes down, one lane for each client and one for the service.

A call is a bar on its client's lane from its beginning to its answer. A request is an arrow to the
service: filled where it was applied, ringed where the service's state is another afterwards, with
a flash where it met a fault, cut where nobody answered. A call whose answer was lost is open at its
end, a client that dies is crossed out, and what nobody explains is red, with what a perfect service
answers below it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flows_registry.evidence.lines import (
    SERVICE,
    TEXT_MAX,
    in_words,
    is_applied,
    lane_of,
    seconds_of,
)
from flows_registry.evidence.page.markup import Child, Markup, join, tag
from flows_registry.evidence.page.shown import amount, seconds
from flows_registry.verdict import CaseRecord

__all__ = ["story"]

_LINES_MAX = 120
_LANES_MAX = 24
_LINE, _LANE, _LEFT, _TOP = 26, 26, 74, 34
_LETTER = 7.3


@dataclass(frozen=True, slots=True)
class _Paper:
    """Where things stand: the lanes of the clients, then the service's, then the words."""

    clients: Sequence[int]
    lines: int

    def across(self, lane: int) -> float:
        if lane == SERVICE or lane not in self.clients:
            return _LEFT + len(self.clients) * _LANE + _LANE
        return _LEFT + self.clients.index(lane) * _LANE

    @property
    def words(self) -> float:
        return self.across(SERVICE) + 22

    @property
    def bottom(self) -> float:
        return _TOP + self.lines * _LINE

    @staticmethod
    def down(line: int) -> float:
        return _TOP + line * _LINE + _LINE / 2


def story(record: CaseRecord) -> Markup:
    """The picture of a case, and beside it the same in words for who cannot see it."""
    lines = record.timeline[:_LINES_MAX]
    lanes = sorted({lane_of(line) for line in lines} - {SERVICE})[:_LANES_MAX] or [1]
    paper = _Paper(lanes, len(lines))
    longest = max((len(in_words(line)) for line in lines), default=0)
    width = round(paper.words + max(longest * _LETTER, 220) + 16)
    height = round(paper.bottom + 10)
    picture = tag(
        "svg",
        tag("title", f"Timeline of {record.name}"),
        tag("desc", _summary(lines, len(lanes))),
        list(_lanes(paper)),
        list(_bars(paper, lines)),
        list(_marks(paper, lines)),
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"Timeline of {record.name}; the same in words follows",
    )
    left = len(record.timeline) - len(lines)
    return join(
        tag("div", picture, class_="wide", tabindex=0, role="region", aria_label="Timeline"),
        tag("p", f"and {amount(left, 'more line')}", class_="quiet") if left else None,
        tag("ol", [tag("li", _sentence(line)) for line in lines], class_="unseen"),
    )


def _summary(lines: Sequence[Mapping[str, Any]], clients: int) -> str:
    """What the picture is about, in a sentence."""
    calls = sum(line.get("kind") == "begin" for line in lines)
    faults = sum(bool(line.get("fault")) for line in lines)
    told = [amount(clients, "client"), amount(calls, "call"), amount(faults, "fault")]
    riddle = next((line for line in lines if line.get("riddle")), None)
    asked = "" if riddle is None else f"; nobody explains: {in_words(riddle)}"
    return f"{', '.join(told)}{asked}"


def _lanes(paper: _Paper) -> Iterator[Markup]:
    for number, lane in enumerate((*paper.clients, SERVICE), 1):
        across = paper.across(lane)
        client = f"c{number}" if len(paper.clients) > 1 else "client"
        name = "service" if lane == SERVICE else client
        anchor = "start" if lane == SERVICE else "middle"
        shift = -6 if lane == SERVICE else 0
        yield tag("text", name, x=across + shift, y=16, class_="lane", text_anchor=anchor)
        kind = "line service" if lane == SERVICE else "line"
        yield tag("line", x1=across, y1=24, x2=across, y2=paper.bottom, class_=kind)


def _bars(paper: _Paper, lines: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    """How long each call was under way."""
    begun: dict[int, int] = {}
    for number, line in enumerate(lines):
        lane = lane_of(line)
        if line.get("kind") == "begin":
            begun[lane] = number
        elif line.get("kind") in ("end", "died") and lane in begun:
            top, end = paper.down(begun.pop(lane)), paper.down(number)
            yield _bar(paper, lane, top, end, _kind_of_bar(line))
    for lane, number in begun.items():
        yield _bar(paper, lane, paper.down(number), paper.bottom, "unended")


def _kind_of_bar(line: Mapping[str, Any]) -> str:
    """By the line that ends it."""
    if line.get("riddle"):
        return "riddle"
    if line.get("lost") or line.get("kind") == "died":
        return "unended"
    phase = str(line.get("phase", ""))
    return phase if phase in ("setup", "call", "probe") else "call"


def _bar(paper: _Paper, lane: int, top: float, end: float, kind: str) -> Markup:
    across = paper.across(lane) - 4
    return tag("rect", x=across, y=top, width=8, height=end - top, rx=4, class_=f"bar {kind}")


def _marks(paper: _Paper, lines: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    open_lanes: dict[int, None] = {}
    before: float | None = None
    for number, line in enumerate(lines):
        lane, down = lane_of(line), paper.down(number)
        kind = line.get("kind")
        if kind == "begin":
            open_lanes[lane] = None
        if before is None or seconds_of(line) != before:
            before = seconds_of(line)
            shown = seconds(before) if before else "0"
            yield tag("text", shown, x=_LEFT - 18, y=down + 4, class_="time", text_anchor="end")
        if kind == "request":
            yield from _request(paper, line, down, list(open_lanes))
        elif kind == "died":
            across = paper.across(lane)
            yield tag("path", d=f"M{across - 6:g} {down - 6:g}l12 12m0 -12l-12 12", class_="cut")
        elif kind != "perfect":
            yield tag("circle", cx=paper.across(lane), cy=down, r=4.5, class_=_kind_of_mark(line))
        if kind in ("end", "died"):
            open_lanes.pop(lane, None)
        yield _label(paper, line, down)


def _kind_of_mark(line: Mapping[str, Any]) -> str:
    kind = str(line.get("kind"))
    if kind == "end" and line.get("riddle"):
        return "trouble"
    if kind == "end" and line.get("lost"):
        return "lost"
    return kind if kind in ("begin", "end") else "trouble"


def _request(
    paper: _Paper, line: Mapping[str, Any], down: float, callers: Sequence[int]
) -> Iterator[Markup]:
    """The arrow begins at the client whose call is under way, where only one is."""
    service = paper.across(SERVICE)
    start = paper.across(callers[0]) + 5 if len(callers) == 1 else service - _LANE + 4
    kind = "faulty" if line.get("fault") else "sound"
    yield tag("line", x1=start, y1=down, x2=service - 8, y2=down, class_=f"arrow {kind}")
    head = f"M{service - 13:g} {down - 4:g}l6 4l-6 4z"
    yield tag("path", d=head, class_=f"head {kind}")
    if line.get("changed"):
        yield tag("circle", cx=service, cy=down, r=8, class_="changed")
    applied = "applied" if is_applied(line) else "answered"
    yield tag("circle", cx=service, cy=down, r=4.5, class_=f"met {applied} {kind}")
    if line.get("status") is None:
        middle = (start + service - 8) / 2
        yield tag("path", d=f"M{middle - 4:g} {down - 4:g}l8 8m0 -8l-8 8", class_="cut")


def _label(paper: _Paper, line: Mapping[str, Any], down: float) -> Markup:
    whole = in_words(line, size=1000)
    shown: list[Child] = [in_words(line)]
    if len(whole) > TEXT_MAX:
        shown.insert(0, tag("title", whole))
    kind = str(line.get("kind"))
    classes = ["words", kind if kind in ("begin", "end", "request", "perfect") else "trouble"]
    classes += ["faulty"] if line.get("fault") or line.get("riddle") else []
    return tag("text", shown, x=paper.words, y=down + 4, class_=" ".join(classes))


def _sentence(line: Mapping[str, Any]) -> str:
    lane = lane_of(line)
    who = "service" if lane == SERVICE else f"client {lane}"
    return f"{seconds(seconds_of(line))}, {who}: {in_words(line, size=300)}"
