"""Makes a failing history small: clients, faults and calls are left out while it goes on failing.

Every smaller one is a case that runs in the lab, so what is left really fails, and can be run
again by its own name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core_caps.contract.suite import Call

from flows_registry.checks.injection.keys import NAME
from flows_registry.checks.injection.made import referred
from flows_registry.checks.injection.trials import Trial
from flows_registry.checks.plan import Plan
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.lab.simulators.histories import without
from flows_registry.verdict import Finding, Reproduction

__all__ = ["RERUNS_MAX", "Shrinker"]

RERUNS_MAX = 40
"""So many smaller cases are run for one result."""

_AT_ONCE = 4
"""So many are tried together; the first that fails is gone on with."""


@dataclass(slots=True)
class Shrinker:
    """Shrinks the findings of one result, as long as it has runs left."""

    plan: Plan
    left: int = RERUNS_MAX

    def smallest(self, trial: Trial, run: CaseRun, finding: Finding) -> Finding:
        """The finding as it is seen in the smallest case that was found."""
        if trial.looks is None or self.left <= 1:
            return finding
        best, width = run, max(1, _size(run.case) // 2)
        while self.left > 1:
            smaller = self._failing(trial, _candidates(best, width), finding)
            if smaller is not None:
                best = smaller
            elif width > 1:
                width //= 2
            else:
                break
        return finding if best is run else self._told(trial, best.case, finding)

    def _failing(
        self, trial: Trial, candidates: Iterator["_Left"], finding: Finding
    ) -> CaseRun | None:
        """The first that fails in the same way."""
        cases = [left.of(trial) for left in candidates]
        for first in range(0, len(cases), _AT_ONCE):
            tried = cases[first : first + max(0, min(_AT_ONCE, self.left - 1))]
            self.left -= len(tried)
            for run in self.plan.lab.run(tried):
                if any(found.code == finding.code for found in trial.judge(run)):
                    return run
        return None

    def _told(self, trial: Trial, case: Case, finding: Finding) -> Finding:
        """The finding in that case, which is run once more to be kept."""
        self.left -= 1
        whole = finding.reproduce
        case = replace(case, name=f"{whole.case}, smallest")
        (run,) = self.plan.run_again(NAME, [case])
        for found in trial.judge(run):
            if found.code == finding.code:
                return replace(
                    found,
                    message=finding.message if finding.also else found.message,
                    reproduce=Reproduction(whole.command, case.name),
                    also=(whole.case, *finding.also),
                )
        return finding


@dataclass(frozen=True, slots=True)
class _Left:
    """A case without some of its calls or faults.

    Attributes:
        run: how it went before.
        calls: the calls to leave out, counted with those of its setup.
        faults: the faults to leave out.
    """

    run: CaseRun
    calls: frozenset[int] = frozenset()
    faults: frozenset[int] = frozenset()

    def of(self, trial: Trial) -> Case:
        """The smaller case; its faults meet the requests that they met before."""
        case = self.run.case
        whole = (*case.setup, *case.calls)
        kept = [n for n in range(len(whole)) if n not in _dependent(whole, self.calls)]
        smaller = without(whole, set(self.calls))
        before = sum(n < len(case.setup) for n in kept)
        setup, calls = smaller[:before], smaller[before:]
        taken = dict(enumerate(case.turns, len(case.setup)))
        assert trial.looks is not None
        return replace(
            case,
            setup=setup,
            calls=calls,
            turns=tuple(taken[n] for n in kept if n in taken),
            probe=trial.looks(smaller),
            faults=tuple(self._met()),
        )

    def _met(self) -> Iterator[Fault]:
        case = self.run.case
        gone = [
            self.run.steps[number - len(case.setup)].requests
            for number in self.calls
            if len(case.setup) <= number < len(case.setup) + len(self.run.steps)
        ]
        for number, fault in enumerate(case.faults):
            if number not in self.faults:
                earlier = sum(max(0, min(after, fault.at) - before) for before, after in gone)
                yield replace(fault, at=max(0, fault.at - earlier))


def _candidates(run: CaseRun, width: int) -> Iterator[_Left]:
    """Smaller by a client, by a fault, or by each stretch of so many calls."""
    case, first = run.case, len(run.case.setup)
    seats = [turn.client for turn in case.turns]
    for client in sorted(set(seats)) if len(set(seats)) > 1 else ():
        yield _Left(run, frozenset(first + n for n, seat in enumerate(seats) if seat == client))
    if not case.victim:
        for number in range(len(case.faults)):
            yield _Left(run, faults=frozenset({number}))
    size = _size(case)
    for start in range(0, size, width):
        stretch = frozenset(range(start, min(start + width, size)))
        if len(stretch) < size:
            yield _Left(run, stretch)


def _size(case: Case) -> int:
    return len(case.setup) + len(case.calls)


def _dependent(calls: Sequence[Call], dropped: frozenset[int]) -> set[int]:
    """Those that are left out, and those that use a result of one of them."""
    gone = set(dropped)
    for number, call in enumerate(calls):
        if referred(call) & gone:
            gone.add(number)
    return gone
