"""What happened in one case, in order: calls, what reached the service, answers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core_caps.contract.suite import Call

from flows_registry.lab.case import CaseRun, Exchange, Step

__all__ = ["LOST", "Riddle", "course_of", "shown_call", "shown_value", "timeline_of"]

LOST = ("Unavailable", "ProtocolViolation", "TimedOut")
"""The errors of a call whose answer was lost on purpose: they say that the line broke."""

_VALUE_MAX = 200
_ARGUMENT_MAX = 40


@dataclass(frozen=True, slots=True)
class Riddle:
    """The call of a case that nobody explains.

    Attributes:
        phase: "call" or "probe".
        number: its number among those.
        perfect: what a perfect service answers instead, or "".
    """

    phase: str
    number: int
    perfect: str = ""


def timeline_of(run: CaseRun, riddle: Riddle | None = None) -> Iterator[Mapping[str, Any]]:
    """Every call, request and answer of a case as a line of its story, in the case's time.

    Each is `{"at_seconds", "lane", "kind", "text"}` and what belongs to its kind. Lane 0 is the
    service's, the calls of one client share a lane. The end of a call says where its answer was
    `lost`, and where it is the `riddle`: what a perfect service answers instead comes after it.
    """
    case = run.case
    if run.opening is not None:
        yield _line(0.0, "opening", f"opening: {run.opening.name}: {run.opening.message}", lane=1)
    yield from _calls("setup", case.setup, run.setup, [1] * len(case.setup))
    yield from _armed(run, riddle)
    lanes = [_looker(run)] * len(case.probe)
    yield from _calls("probe", case.probe, run.probe, lanes, riddle=riddle)
    if run.trouble is not None:
        yield _line(_end(run), "trouble", run.trouble.strip()[:_VALUE_MAX], lane=1)


def course_of(run: CaseRun) -> Iterator[str]:
    """What became of every call and every request, in short: without times, values and texts, so
    that it is the same whenever the case goes the same way."""
    if run.opening is not None:
        yield f"opening → {run.opening.name}"
    case = run.case
    for calls, steps in ((case.setup, run.setup), (case.calls, run.steps), (case.probe, run.probe)):
        for call, step in zip(calls, steps, strict=False):
            yield f"{call.operation} → {_ended(step)}"
    asked = [_asked(exchange) for exchange in run.exchanges]
    yield from sorted(asked) if case.concurrent or case.turns else asked
    if case.victim:
        yield "died" if run.died else "lived on"
    if run.kept is not None:
        yield "kept" if run.kept else "broken"
    if run.trouble is not None:
        yield f"trouble: {run.trouble.split()[0]}"


def shown_call(call: Call) -> str:
    """A call as one writes it, long arguments cut."""
    parts = [_cut(value, _ARGUMENT_MAX) for value in call.args]
    parts += [f"{name}={_cut(value, _ARGUMENT_MAX)}" for name, value in call.kwargs.items()]
    return f"{call.operation}({', '.join(parts)})"


def shown_value(value: object) -> str:
    """A value, cut to a readable size."""
    return _cut(value, _VALUE_MAX)


def _armed(run: CaseRun, riddle: Riddle | None) -> Iterator[Mapping[str, Any]]:
    """The calls under test and their requests; where no time goes by between two lines, the number
    of requests that had come tells their order, and of two calls their moments."""
    case, steps = run.case, run.steps
    told = _calls("call", case.calls, steps, _lanes(run), riddle=riddle, lossy=bool(case.faults))
    places = [_counts(step) for step in steps]
    lines = [
        *(((exchange.number + 0.5, 0), _request(exchange)) for exchange in run.exchanges),
        *_victim(run),
        *_placed(places, told),
    ]
    return (line for _, line in sorted(lines, key=_when))


def _placed(
    places: "Sequence[tuple[_Place, _Place]]", told: Iterator[Mapping[str, Any]]
) -> "Iterator[tuple[_Place, Mapping[str, Any]]]":
    """Each call's lines where it began and where it ended."""
    number = -1
    for line in told:
        begins = line["kind"] == "begin"
        number += begins
        yield places[number][not begins], line


_Place = tuple[float, float]
"""How many requests had come, and the moment."""


def _when(placed: tuple[_Place, Mapping[str, Any]]) -> tuple[float, float, float]:
    (count, moment), line = placed
    return count, line["at_seconds"], moment


def _counts(step: Step) -> tuple[_Place, _Place]:
    """When it began and when it ended; what is cancelled is measured from there on."""
    before, after = step.requests
    begin, end = step.moments
    return (-1 if step.cancelled else before, begin), (after, end)


def _lanes(run: CaseRun) -> Sequence[int]:
    case = run.case
    if case.turns:
        return [1 + turn.client for turn in case.turns]
    if case.victim:
        return [2] * len(case.calls)
    return [1 + number if case.concurrent else 1 for number in range(len(case.calls))]


def _looker(run: CaseRun) -> int:
    """The lane of who looks at what was left: of several clients it is one more."""
    if run.case.turns:
        return 2 + max(turn.client for turn in run.case.turns)
    return 2 if run.case.victim else 1


def _victim(run: CaseRun) -> Iterator[tuple[_Place, Mapping[str, Any]]]:
    """The calls of a client that died, and its death, before anybody else was there."""
    for call in run.case.victim:
        yield (-1, -1), _line(0.0, "begin", shown_call(call), lane=1, phase="call")
    if run.died:
        first = run.steps[0] if run.steps else Step()
        line = _line(first.at_seconds, "died", "the client dies", lane=1)
        yield (first.requests[0], -1), line


def _calls(
    phase: str,
    calls: Sequence[Call],
    steps: Sequence[Step],
    lanes: Sequence[int],
    *,
    riddle: Riddle | None = None,
    lossy: bool = False,
) -> Iterator[Mapping[str, Any]]:
    for number, (call, step) in enumerate(zip(calls, steps, strict=False)):
        text, lane = shown_call(call), lanes[number]
        yield _line(step.at_seconds, "begin", text, lane=lane, phase=phase)
        more: dict[str, Any] = {}
        if lossy and step.error is not None and step.error.kind in LOST:
            more["lost"] = True
        asked = riddle is not None and (phase, number) == (riddle.phase, riddle.number)
        if asked:
            more["riddle"] = True
        end = step.at_seconds + step.seconds
        yield _line(end, "end", _came_of(step), lane=lane, phase=phase, **more)
        if asked and riddle is not None and riddle.perfect:
            yield _line(end, "perfect", riddle.perfect, lane=lane, phase=phase)


def _came_of(step: Step) -> str:
    if step.cancelled:
        return "cancelled"
    if step.error is None:
        return shown_value(step.value)
    outcome = f" ({step.error.outcome})" if step.error.outcome else ""
    return f"{step.error.name}{outcome}: {_cut_text(step.error.message)}"


def _ended(step: Step) -> str:
    if step.cancelled:
        return "cancelled"
    if step.error is None:
        return "nothing" if step.value is None else "a value"
    return " ".join(filter(None, (step.error.name, step.error.outcome)))


def _asked(exchange: Exchange) -> str:
    met = f" meets {exchange.fault}" if exchange.fault else ""
    did = " changed" if exchange.changed else " applied" if exchange.committed else ""
    return f"{exchange.method}{met} → {exchange.status or 'no answer'}{did}"


def _request(exchange: Exchange) -> Mapping[str, Any]:
    text = f"{exchange.method} {exchange.target}"
    return _line(
        exchange.at_seconds,
        "request",
        text,
        lane=0,
        status=exchange.status,
        fault=exchange.fault,
        committed=exchange.committed,
        changed=exchange.changed,
    )


def _line(at_seconds: float, kind: str, text: str, *, lane: int, **more: object) -> dict[str, Any]:
    return {"at_seconds": round(at_seconds, 6), "lane": lane, "kind": kind, "text": text, **more}


def _end(run: CaseRun) -> float:
    steps = (*run.setup, *run.steps, *run.probe)
    ends = [step.at_seconds + step.seconds for step in steps]
    return max([*ends, *(exchange.at_seconds for exchange in run.exchanges)], default=0.0)


def _cut(value: object, size: int) -> str:
    text = repr(value)
    return text if len(text) <= size else f"{text[:size]}…"


def _cut_text(text: str) -> str:
    return text if len(text) <= _VALUE_MAX else f"{text[:_VALUE_MAX]}…"
