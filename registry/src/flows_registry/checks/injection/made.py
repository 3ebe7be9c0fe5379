"""The calls of a history as they were made: by whom, when, and what is known of each."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from core_caps.contract.suite import Call, Contract, Result

from flows_registry.checks.injection.histories import Answer, answer_of, renumbered
from flows_registry.checks.timeline import LOST
from flows_registry.lab.case import CaseRun, Step

__all__ = ["Made", "is_lost", "made_of", "referred"]

_SETUP, _LOOK = -1, -2


@dataclass(frozen=True, slots=True)
class Made:
    """One call of a history.

    Attributes:
        call: the call; its `Result`s count the calls of the whole history.
        client: who made it.
        begin, end: its moments among those of all; `end` is infinite where nobody knows when it
            was applied.
        given: what was answered; None where nobody knows.
        lost: whether its answer was lost: it may be applied at any time after its beginning.
        applied: of a lost one whether its error says that it was applied; None says nothing.
        gave_way: whether it was refused, nothing applied, since another was in progress.
        at: its number among the calls under test; None of those before and after them.
        looks: whether it looks at what the others left.
    """

    call: Call
    client: int
    begin: float
    end: float
    given: Answer | None = None
    lost: bool = False
    applied: bool | None = None
    gave_way: bool = False
    at: int | None = None
    looks: bool = False

    @property
    def failed(self) -> bool:
        """Whether it was refused, so that it changed nothing."""
        refused = not self.lost and self.given is not None and self.given[0] == "error"
        return refused or (self.lost and self.applied is False)

    @property
    def prepares(self) -> bool:
        """Whether it was made before those under test."""
        return self.at is None and not self.looks and self.client == _SETUP


def made_of(contract: Contract, run: CaseRun) -> list[Made]:
    """Every call of a case, in the order in which results are counted."""
    return list(_made(contract, run))


def referred(call: Call) -> set[int]:
    """The calls whose results a call uses."""
    values = (*call.args, *call.kwargs.values())
    return {value.step for value in values if isinstance(value, Result)}


def is_lost(run: CaseRun, step: Step) -> bool:
    """Whether the answer was lost on purpose."""
    return bool(run.case.faults) and step.error is not None and step.error.kind in LOST


def _made(contract: Contract, run: CaseRun) -> Iterator[Made]:
    case = run.case
    if not case.victim:
        for call, step in zip(case.setup, run.setup, strict=False):
            yield _of(contract, run, call, step, client=_SETUP)
    else:  # what it was answered died with it
        yield from (Made(call, _SETUP, -2, -2) for call in case.setup)
        yield from (Made(call, _SETUP, -2, -2) for call in case.victim[:-1])
        yield Made(case.victim[-1], 0, -1, math.inf, lost=True)
    first = len(case.setup) + len(case.victim) if case.victim else 0
    moved = {number: number + first for number in range(len(case.calls) + len(case.probe))}
    for number, (call, step) in enumerate(zip(case.calls, run.steps, strict=False)):
        client = _client(run, number) + bool(case.victim)
        yield _of(contract, run, renumbered(call, moved), step, client=client, at=number)
    for call, step in zip(case.probe, run.probe, strict=False):
        yield _of(contract, run, renumbered(call, moved), step, client=_LOOK)


def _client(run: CaseRun, number: int) -> int:
    if run.case.turns:
        return run.case.turns[number].client
    return number if run.case.concurrent else 0


def _of(
    contract: Contract, run: CaseRun, call: Call, step: Step, *, client: int, at: int | None = None
) -> Made:
    begin, end = step.moments
    looks = client == _LOOK
    if at is not None and is_lost(run, step):
        outcome = step.error.outcome if step.error else None
        applied = {"applied": True, "not_applied": False}.get(outcome or "")
        until = end if applied else math.inf
        return Made(call, client, begin, until, lost=True, applied=applied, at=at)
    given, way = answer_of(contract, call, step), _gave_way(step)
    return Made(call, client, begin, end, given, gave_way=way, at=at, looks=looks)


def _gave_way(step: Step) -> bool:
    error = step.error
    return error is not None and (error.kind, error.outcome) == ("Conflict", "not_applied")
