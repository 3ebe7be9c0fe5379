"""Running exercises again under other circumstances, and finding the first byte that differs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from core_caps.contract.codec import encode
from core_caps.contract.suite import Call

from flows_registry.checks.contract.check import comparable_of
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun, Step
from flows_registry.lab.lab import Profile

__all__ = ["NAME", "Difference", "Replayed", "cases_of", "difference_of_results", "replayed"]

NAME = "determinism"


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay went apart from the first run.

    Attributes:
        base: the first run.
        causes: what was otherwise: the world, or the axes that make it; none where nobody knows.
        place: what differs, for people.
        first, second: its bytes in both runs.
        sources: the lines of the plugin's source that read what matters, as far as that is known.
        joint: it takes all of the axes together, and no single one of them does.
    """

    base: Baseline
    causes: tuple[str, ...]
    place: str
    first: bytes
    second: bytes
    joint: bool = False
    sources: tuple[str, ...] = ()

    @property
    def operation(self) -> str:
        """The operation under test."""
        return self.base.exercise.call.operation

    @property
    def cause(self) -> str:
        """What the operation depends on, as it follows "depends on"."""
        if not self.causes:
            return "several of its surroundings together"
        told = [f"the {cause}" for cause in self.causes]
        if self.joint:
            return f"{', '.join(told[:-1])} and {told[-1]} together"
        return ", and on ".join(told)

    @property
    def shown(self) -> str:
        """The first differing byte with what surrounds it, and where its cause is read."""
        read = f"; read at {', '.join(self.sources)}" if self.sources else ""
        return self._bytes + read

    @property
    def _bytes(self) -> str:
        """Long states are not kept whole."""
        if self.first == self.second:
            return f"{self.place} differs beyond the {len(self.first)} bytes that are kept of it"
        at = next(
            (i for i, (a, b) in enumerate(zip(self.first, self.second, strict=False)) if a != b),
            min(len(self.first), len(self.second)),
        )
        start = max(0, at - 30)
        left, right = self.first[start : at + 40], self.second[start : at + 40]
        return f"{self.place} differs at byte {at}: …{left!r}… against …{right!r}…"


Replayed = Sequence[tuple[Baseline, Difference | None]]
"""Exercises, and how each differs from its first run."""


def replayed(
    plan: Plan, backend: str, groups: Sequence[tuple[Profile, Sequence[Baseline]]]
) -> list[Replayed]:
    """Each group's exercises once more under its profile."""
    runs = plan.run_apart(
        NAME, backend, [(profile, cases_of(backend, bases)) for profile, bases in groups]
    )
    return [
        [
            (base, _difference(base, run, profile.name))
            for base, run in zip(bases, its_runs, strict=True)
        ]
        for (profile, bases), its_runs in zip(groups, runs, strict=True)
    ]


def cases_of(backend: str, bases: Sequence[Baseline]) -> list[Case]:
    """The exercises as cases of this check."""
    return [
        Case(
            base.name,
            base.capability.contract,
            backend,
            (base.exercise.call,),
            setup=base.exercise.setup,
            probe=base.exercise.probe,
        )
        for base in bases
    ]


def _difference(base: Baseline, run: CaseRun, cause: str) -> Difference | None:
    """How a replay differs from the first run in what came back or what reached the service."""
    calls = (base.exercise.call, *base.exercise.probe)
    given = difference_of_results(base, run, cause, calls)
    if given is None and base.run.state_after != run.state_after:
        first, second = base.run.state_text_after.encode(), run.state_text_after.encode()
        return Difference(base, (cause,), "what reached the service", first, second)
    return given


def difference_of_results(
    base: Baseline, run: CaseRun, cause: str, calls: Sequence[Call]
) -> Difference | None:
    """How a replay differs from the first run in what these calls gave back."""
    first, second = (_signature(base, one, calls) for one in (base.run, run))
    return None if first == second else Difference(base, (cause,), "the result", first, second)


def _signature(base: Baseline, run: CaseRun, calls: Sequence[Call]) -> bytes:
    """Everything that the calls gave back, as bytes that are equal exactly when it is."""
    comparable = comparable_of(base.capability)
    steps: Sequence[Step] = (*run.steps, *run.probe)
    given: list[object] = []
    for call, step in zip(calls, steps, strict=False):
        if step.error is not None:
            given.append([step.error.name, step.error.outcome, step.error.message])
        else:
            given.append(encode(comparable(call, step.value)))
    return json.dumps([given, run.trouble], ensure_ascii=False).encode()
