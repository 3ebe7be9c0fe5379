"""Whether the model explains what a backend answered: in turn, or all at once in some order."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core_caps.contract.suite import Call, Contract, Follower, Model

from flows_registry.checks.injection.histories import (
    Answer,
    answer_of,
    apply,
    followed,
    renumbered,
)
from flows_registry.lab.case import CaseRun, Step

__all__ = ["Mismatch", "answers_of", "explained_at_once", "mismatch_in_turn"]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A call that was answered otherwise than by a perfect service.

    Attributes:
        call: the call.
        want: what a perfect service answers.
        given: what the backend answered.
        at: its number in the history, or None where it was made to look at the end.
    """

    call: Call
    want: Answer
    given: Answer
    at: int | None


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


def explained_at_once(contract: Contract, run: CaseRun, *, strong: bool) -> bool:
    """Whether some order of calls made all at once explains how the service ended.

    Args:
        contract: whose model is asked.
        run: the calls, made after its setup and looked at by its probe.
        strong: the order has to explain what each call answered, too.
    """
    before, group, look = run.case.setup, run.case.calls, run.case.probe
    started = answers_of(contract, before, run.setup)
    given, seen = answers_of(contract, group, run.steps), answers_of(contract, look, run.probe)
    if (len(started), len(given), len(seen)) != (len(before), len(group), len(look)):
        return False
    for order in itertools.permutations(range(len(group))):
        model = contract.model()
        for call, answer in zip(before, started, strict=True):
            followed(model, call, answer)
        answers = {number: followed(model, group[number], given[number]) for number in order}
        if strong and any(answers[number] != given[number] for number in order):
            continue
        places = {len(before) + number: len(before) + at for at, number in enumerate(order)}
        looked = [renumbered(call, places) for call in look]
        if all(followed(model, c, a) == a for c, a in zip(looked, seen, strict=True)):
            return True
    return False


def answers_of(
    contract: Contract, calls: Sequence[Call], steps: Sequence[Step]
) -> tuple[Answer, ...]:
    """What a provider answered to each call, in the model's terms."""
    return tuple(answer_of(contract, c, step) for c, step in zip(calls, steps, strict=False))


def _choices(run: CaseRun) -> Iterator[Mapping[int, bool]]:
    """For each call whose answer was lost, whether it was applied: every way it can have been."""
    lost = [at for at in range(len(run.case.calls)) if _lost(run, at)]
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
            return Mismatch(call, want, given, None)
    return None


def _lose(model: Model, call: Call, applied: bool, *, told: bool) -> None:
    """A call whose answer was lost was applied, or was not; who follows answers may not know."""
    if isinstance(model, Follower):
        model.lost(call, applied if told else None)
    elif applied:
        apply(model, call)


def _lost(run: CaseRun, at: int) -> bool:
    """Whether this step's answer was lost on purpose: its error says that the line broke."""
    error = run.steps[at].error
    return (
        bool(run.case.faults)
        and error is not None
        and error.kind in ("Unavailable", "ProtocolViolation", "TimedOut")
    )


def _outcome(run: CaseRun, at: int) -> str:
    error = run.steps[at].error
    return (error.outcome if error else None) or "unknown"
