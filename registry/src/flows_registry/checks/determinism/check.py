"""Replaying every exercise under changed surroundings and naming what mattered."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core_caps.claims.lattice import Determinism
from core_caps.contract.codec import encode

from flows_registry.checks.contract.check import comparable_of
from flows_registry.checks.determinism.axes import AXES, REPEAT, all_axes
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.lab import Profile
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_determinism"]

NAME = "determinism"

_DECLARED_AXES = {"clock": "resource::clock", "random numbers": "resource::rng"}
"""An operation that declares such a hint says that it depends on it."""


@dataclass(frozen=True, slots=True)
class _Difference:
    base: Baseline
    profile: Profile
    place: str
    first: bytes
    second: bytes

    @property
    def shown(self) -> str:
        """The first differing byte with what surrounds it."""
        at = next(
            (i for i, (a, b) in enumerate(zip(self.first, self.second, strict=False)) if a != b),
            min(len(self.first), len(self.second)),
        )
        start = max(0, at - 30)
        left, right = self.first[start : at + 40], self.second[start : at + 40]
        return f"{self.place} differs at byte {at}: …{left!r}… against …{right!r}…"


def check_determinism(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether each operation repeats itself as it claims, on one backend."""
    usable = [
        base
        for base in baselines
        if base.problem is None and base.claim.determinism is not Determinism.NONDETERMINISTIC
    ]
    findings: list[tuple[str, Finding]] = []
    compared = 0
    suspects: list[_Difference] = []
    for base, difference in _replayed(plan, backend, usable, REPEAT):
        compared += 1
        if difference is not None:
            findings.append((base.exercise.call.operation, _finding(plan, difference)))
    for axes, bases in _by_declared(usable).items():
        for _, difference in _replayed(plan, backend, bases, all_axes(without=axes)):
            compared += 1
            if difference is not None:
                suspects.append(difference)
    findings += _culprits(plan, backend, suspects)
    verdict = Verdict.REFUSED if findings else Verdict.PASSED
    found = list(collapsed(findings))
    missing = plan.unproven(backend, baselines)
    if verdict is Verdict.PASSED and (missing or not compared):
        verdict = Verdict.INCONCLUSIVE
        found = [
            Finding(
                "CONTRACT003",
                f"not replayed: {', '.join(missing) or 'anything'}",
                "every operation is replayed at least once",
                "no exercise of it ran on a healthy service",
            )
        ]
    facts = {"axes": [*AXES, REPEAT.name], "nondeterministic": len(baselines) - len(usable)}
    return CheckResult(NAME, backend, verdict, compared, tuple(found), plan.lab.level, facts)


def _cases(backend: str, bases: Sequence[Baseline]) -> list[Case]:
    return [
        Case(
            f"{backend}/{base.exercise.name}",
            base.capability.contract,
            backend,
            (base.exercise.call,),
            setup=base.exercise.setup,
            probe=base.exercise.probe,
        )
        for base in bases
    ]


def _replayed(
    plan: Plan, backend: str, bases: Sequence[Baseline], profile: Profile
) -> Iterator[tuple[Baseline, _Difference | None]]:
    runs = plan.run(NAME, backend, _cases(backend, bases), profile=profile)
    for base, run in zip(bases, runs, strict=True):
        yield base, _difference(base, run, profile)


def _by_declared(bases: Sequence[Baseline]) -> Mapping[frozenset[str], list[Baseline]]:
    """The exercises by the axes that their operations declare to depend on."""
    groups: dict[frozenset[str], list[Baseline]] = {}
    for base in bases:
        declared = {axis for axis, hint in _DECLARED_AXES.items() if hint in base.claim.hints}
        groups.setdefault(frozenset(declared), []).append(base)
    return groups


def _culprits(
    plan: Plan, backend: str, suspects: Sequence[_Difference]
) -> Iterator[tuple[str, Finding]]:
    """Which axis alone makes each difference; several together where none does."""
    found: dict[int, _Difference] = {}
    bases = [suspect.base for suspect in suspects]
    for profile in AXES.values() if suspects else ():
        replayed = _replayed(plan, backend, bases, profile)
        for number, (base, difference) in enumerate(replayed):
            if _DECLARED_AXES.get(profile.name) in base.claim.hints:
                continue
            if difference is not None:
                found.setdefault(number, difference)
    for number, suspect in enumerate(suspects):
        difference = found.get(number, suspect)
        yield suspect.base.exercise.call.operation, _finding(plan, difference)


def _difference(base: Baseline, run: CaseRun, profile: Profile) -> _Difference | None:
    """How a replay differs from the first run, or None."""
    states = base.run.state_text_after.encode(), run.state_text_after.encode()
    for place, first, second in (
        ("the result", _signature(base, base.run), _signature(base, run)),
        ("what reached the service", *states),
    ):
        if first != second:
            return _Difference(base, profile, place, first, second)
    return None


def _signature(base: Baseline, run: CaseRun) -> bytes:
    """Everything an operation gave back, as bytes that are equal exactly when it is."""
    comparable = comparable_of(base.capability)
    calls = (base.exercise.call, *base.exercise.probe)
    given: list[object] = []
    for call, step in zip(calls, (*run.steps, *run.probe), strict=False):
        if step.error is not None:
            given.append([step.error.name, step.error.outcome, step.error.message])
        else:
            given.append(encode(comparable(call, step.value)))
    return json.dumps([given, run.trouble], ensure_ascii=False).encode()


def _finding(plan: Plan, difference: _Difference) -> Finding:
    operation = difference.base.exercise.call.operation
    axis = difference.profile.name
    several = axis not in AXES and axis != REPEAT.name
    cause = "several of its surroundings together" if several else f"the {axis}"
    return Finding(
        "DET301",
        f"{operation} depends on {cause}",
        f"determinism = {difference.base.claim.determinism}: with the service standing still, "
        "the same call gives the same bytes",
        difference.shown,
        plan.reproduce(NAME, difference.base.run.case.name),
        _FIXES.get(axis, "remove the dependency, or declare determinism = 'nondeterministic'"),
    )


_FIXES = {
    "clock": "take the time from the injected clock and keep it out of results, or declare "
    "resource::clock",
    "random numbers": "take randomness from the injected rng and keep it out of results, or "
    "declare resource::rng",
    "hash seed": "sort what comes out of a set or a hash before it is written",
    "memory addresses": "keep id() and default reprs out of keys and results",
    "answer order": "combine concurrent answers in the order of the calls, not of their arrival",
    "directory listing order": "sort directory listings",
    "locale": "name the encoding; never rely on the locale's",
    "time zone": "use UTC",
}
