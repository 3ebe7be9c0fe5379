"""Whether the model explains what a backend answered to one client, call after call."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core_caps.contract.suite import Call, Contract, Follower, Model

from flows_registry.checks.injection.histories import (
    Answer,
    answer_of,
    apply,
    followed,
)
from flows_registry.checks.injection.made import is_lost
from flows_registry.lab.case import CaseRun

__all__ = ["Mismatch", "mismatch_in_turn"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A call that was answered otherwise than by a perfect service.

    Attributes:
        call: the call.
        want: what a perfect service answers.
        given: what the backend answered.
        at: its number in the history, or None where it was made to look at the end.
        look: its number among those that look.
    """

    call: Call
    want: Answer
    given: Answer
    at: int | None
    look: int = 0


def mismatch_in_turn(contract: Contract, run: CaseRun) -> Mismatch | None:
    """Where a history and the look at its end go apart from the model, or None.

    Some choice of what became of the calls whose answers were lost has to explain everything. An
    error that says NOT_APPLIED or APPLIED leaves no choice. A model that follows answers needs
    none: it is told which were lost.
    """
    choices = _choices(run)
    if isinstance(contract.model(), Follower):
        choices = itertools.islice(choices, 1)
    closest: Mismatch | None = None
    for applied in choices:
        mismatch = _mismatch(contract, run, applied)
        if mismatch is None:
            return None
        closest = closest or mismatch
    return closest


def _choices(run: CaseRun) -> Iterator[Mapping[int, bool]]:
    """For each call whose answer was lost, whether it was applied: every way it can have been."""
    lost = [at for at in range(len(run.case.calls)) if is_lost(run, run.steps[at])]
    open_to_choice = [at for at in lost if _outcome(run, at) == "unknown"]
    told = {at: _outcome(run, at) == "applied" for at in lost if at not in open_to_choice}
    for chosen in itertools.product((True, False), repeat=len(open_to_choice)):
        yield dict(zip(open_to_choice, chosen, strict=True)) | told


def _mismatch(contract: Contract, run: CaseRun, applied: Mapping[int, bool]) -> Mismatch | None:
    model = contract.model()
    for at, call in enumerate(run.case.calls):
        if at in applied:
            _lose(model, call, applied[at], told=_outcome(run, at) != "unknown")
            continue
        given = answer_of(contract, call, run.steps[at])
        want = followed(model, call, given)
        if want != given:
            return Mismatch(call, want, given, at)
    for at, call in enumerate(run.case.probe):
        given = answer_of(contract, call, run.probe[at])
        want = followed(model, call, given)
        if want != given:
            return Mismatch(call, want, given, None, at)
    return None


def _lose(model: Model, call: Call, applied: bool, *, told: bool) -> None:
    """A call whose answer was lost was applied, or was not; who follows answers may not know."""
    if isinstance(model, Follower):
        model.lost(call, applied if told else None)
    elif applied:
        apply(model, call)


def _outcome(run: CaseRun, at: int) -> str:
    error = run.steps[at].error
    return (error.outcome if error else None) or "unknown"
