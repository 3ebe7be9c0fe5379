"""The runs that the sides judge: each exercise on the straight path, and led off it by faults.

What the source side cannot follow counts as watched once a run has reached it: the wire and the
state then show what it does, whatever it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static import CLOSING, OPENING, Derived, Top
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun, Place
from flows_registry.lab.faults import Fault

__all__ = ["NAME", "Seen", "Unreached", "alone", "looked_at", "only_reads", "unreached"]

NAME = "effects"

Unreached = Mapping[str, Sequence[Top]]
"""Per operation, what is neither understood nor watched."""

_DETOURS = (
    Fault("status", status=404), Fault("status", status=429), Fault("status", status=500),
    Fault("status", status=401), Fault("reset before commit"), Fault("truncated body"),
    Fault("stall"), Fault("refused"),
)  # fmt: skip
"""Faults that lead an operation down its error paths, where a hidden write may wait."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run of one exercise, on the straight path or on a detour."""

    base: Baseline
    run: CaseRun
    path: str

    @property
    def operation(self) -> str:
        """The operation under test."""
        return self.base.exercise.call.operation


def only_reads(base: Baseline) -> bool:
    """Whether the operation claims to change nothing by itself."""
    return base.claim.effects <= Effects.READ_ONLY or bool(base.claim.delegates)


def unreached(derived: Mapping[str, Derived], seen: Sequence[Seen]) -> Unreached:
    """What no run of its own operation reached of the places that the source side cannot follow.

    Every run opens and closes the provider: what is met there, or in any call, was watched.
    """
    left: dict[str, Sequence[Top]] = {}
    everywhere = {p for one in seen for p in one.run.reached | one.run.reached_around}
    for name, its in derived.items():
        ran = {place for one in seen if one.operation == name for place in one.run.reached}
        ran = everywhere if name in (OPENING, CLOSING) else ran
        if tops := [top for top in its.top if _place(top) not in ran]:
            left[name] = tops
    return left


def looked_at(
    plan: Plan, backend: str, usable: Sequence[Baseline], derived: Mapping[str, Derived]
) -> list[Seen]:
    """Every exercise on its straight path, again while there are places to reach, and off it."""
    seen = [Seen(base, base.run, "on the straight path") for base in usable]
    for exercises in _of_each_operation(usable):
        left = unreached(derived, seen)
        sought = [(base, replace(base.run.case, places=_places(left, base))) for base in exercises]
        seen += _run(plan, backend, [(base, case) for base, case in sought if case.places])
    seen += _run(plan, backend, [(base, _followed(base)) for base in usable])
    return seen + _run(plan, backend, _detours(backend, usable, unreached(derived, seen)))


def alone(plan: Plan, seen: Sequence[Seen]) -> list[Seen]:
    """The same, what ran in a process that others had used run again in one of its own."""
    cases = [replace(one.run.case, together=False) for one in seen if one.run.case.together]
    again = iter(plan.run_again(NAME, cases))
    runs = [next(again) if one.run.case.together else one.run for one in seen]
    return [
        replace(one, run=run)
        for one, run in zip(seen, runs, strict=True)
        if run is one.run or run.trouble is None
    ]


def _followed(base: Baseline) -> Case:
    """An exercise on its straight path once more, every line of it told of."""
    return replace(base.run.case, followed=True, listening=False, together=True)


def _of_each_operation(usable: Sequence[Baseline]) -> Iterator[list[Baseline]]:
    """The first exercise of each operation, then the second of each that has one, and so on."""
    apart: dict[str, list[Baseline]] = {}
    for base in usable:
        apart.setdefault(base.exercise.call.operation, []).append(base)
    for row in zip_longest(*apart.values()):
        yield [base for base in row if base is not None]


def _detours(
    backend: str, usable: Sequence[Baseline], left: Unreached
) -> list[tuple[Baseline, Case]]:
    """Every exercise that only reads once more for each fault, at its first request; one that
    writes too, where there are places that it has not reached, and so is the first of each
    operation, every line of it told of. Places are watched for in a process from its start on."""
    first = {base.exercise.call.operation: base for base in reversed(usable)}
    return [
        (
            base,
            Case(
                f"{base.name}/{fault.name}",
                base.capability.contract,
                backend,
                (base.exercise.call,),
                setup=base.exercise.setup,
                faults=(fault,),
                places=_places(left, base),
                followed=base is first[base.exercise.call.operation] and not _places(left, base),
                together=not _places(left, base),
            ),
        )
        for base in usable
        if base.run.exchanges
        and (only_reads(base) or _places(left, base) or base is first[base.exercise.call.operation])
        for fault in _DETOURS
    ]


def _run(plan: Plan, backend: str, chosen: Sequence[tuple[Baseline, Case]]) -> list[Seen]:
    """The runs that came to their end."""
    runs = plan.run(NAME, backend, [case for _, case in chosen]) if chosen else []
    return [
        Seen(base, run, _path(run.case))
        for (base, _), run in zip(chosen, runs, strict=True)
        if run.trouble is None
    ]


def _path(case: Case) -> str:
    return f"when it meets {case.faults[0].name!r}" if case.faults else "on the straight path"


def _places(left: Unreached, base: Baseline) -> tuple[Place, ...]:
    """The places that a run of this exercise may still reach."""
    names = (base.exercise.call.operation, OPENING, CLOSING)
    tops = [top for name in names for top in left.get(name, ())]
    return tuple(sorted({place for top in tops if (place := _place(top)) is not None}))


def _place(top: Top) -> Place | None:
    return None if top.span is None else Place(top.location.file, *top.span)
