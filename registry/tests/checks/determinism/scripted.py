"""A plan whose lab answers from a script: what the check makes of runs, without any plugin."""

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from core_caps.claims.lattice import Determinism, Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.contract.suite import Exercise
from flows_registry.checks.determinism.check import check_determinism
from flows_registry.checks.plan import Plan
from flows_registry.lab.case import Case, CaseRun, Step
from flows_registry.lab.lab import Profile
from flows_registry.verdict import CheckResult, Level

__all__ = ["checked", "claim", "healthy"]

BACKEND = "remote"

Script = Callable[[Case, Profile], CaseRun]


def healthy(case: Case, _: Profile) -> CaseRun:
    """Every call succeeds, and the pinned content is the same."""
    done = tuple(Step(None) for _ in case.setup)
    return CaseRun(case, setup=done, steps=tuple(Step(b"content") for _ in case.calls))


def claim(determinism: Determinism, effects: Effects = Effects.READ_ONLY) -> Any:
    """What an operation claims, as far as this check asks."""
    return OperationClaim((), effects, determinism, repeat=None)  # type: ignore[arg-type]


def checked(
    script: Script, claims: Mapping[str, Any], exercises: Sequence[Exercise]
) -> CheckResult:
    """What the check says of one capability with these claims and exercises."""
    capability = SimpleNamespace(
        contract="store/1",
        declared=SimpleNamespace(name="store"),
        claims=claims,
        exercises=exercises,
        judge=SimpleNamespace(comparable=lambda _, value: value),
    )
    backend = SimpleNamespace(providers={"store": "pkg:Store"})
    subject: Any = SimpleNamespace(
        manifest=SimpleNamespace(backends={BACKEND: backend}, capabilities={"store": None}),
        capabilities={"store/1": capability},
    )
    lab: Any = _Lab(script)
    plan = Plan(subject, lab, "plugin")
    return check_determinism(plan, BACKEND, plan.baselines(BACKEND))


class _Lab:
    level = Level.STATIC

    def __init__(self, script: Script) -> None:
        self._script = script

    def run(self, cases: Sequence[Case], *, profile: Profile, on_case: object) -> list[CaseRun]:
        return [self._script(case, profile) for case in cases]

    def run_apart(
        self, groups: Sequence[tuple[Profile, Sequence[Case]]], *, on_case: object
    ) -> list[list[CaseRun]]:
        return [self.run(cases, profile=profile, on_case=on_case) for profile, cases in groups]
