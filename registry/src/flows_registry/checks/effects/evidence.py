"""What the sides of the effects check judge: the derived source, and runs on and off the path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.bounded import derive_bounded
from flows_registry.checks.effects.static import Derived
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.verdict import Finding

__all__ = ["NAME", "Evidence", "Seen", "gathered", "only_reads", "over_declared"]

NAME = "effects"

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


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known of one backend.

    Attributes:
        plan: what every check is given.
        backend: the backend's name.
        derived: per operation, what its source can do.
        usable: the exercises that reached success.
        seen: their runs, and those on detours.
    """

    plan: Plan
    backend: str
    derived: Mapping[str, Derived]
    usable: Sequence[Baseline]
    seen: Sequence[Seen]

    def reproduce(self, case: str) -> str:
        """The command that runs one case again."""
        return self.plan.reproduce(NAME, case)


def only_reads(base: Baseline) -> bool:
    """Whether the operation claims to change nothing by itself."""
    return base.claim.effects <= Effects.READ_ONLY or bool(base.claim.delegates)


def gathered(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> Evidence:
    """Read the source, and run every exercise on its detours."""
    usable = [base for base in baselines if base.problem is None]
    seen = [Seen(base, base.run, "on the straight path") for base in usable]
    seen += _detours(plan, backend, usable)
    return Evidence(plan, backend, _derived(plan, backend), usable, seen)


def over_declared(evidence: Evidence, base: Baseline, what: str) -> Finding:
    """An effect that is declared and never happens, although the cases reached success."""
    operation = base.exercise.call.operation
    return Finding(
        "EFFECT204",
        f"{operation} never {what}",
        f"{operation} declares effects {base.claim.effects}",
        "its cases succeeded without any such effect",
        evidence.reproduce(base.run.case.name),
        "declare the smaller effect, or make the operation do what it says",
    )


def _derived(plan: Plan, backend: str) -> Mapping[str, Derived]:
    providers = plan.backend(backend).providers
    derived: dict[str, Derived] = {}
    for capability in plan.subject.capabilities.values():
        provider = providers.get(capability.declared.name)
        if provider is not None and plan.sources is not None:
            derived |= derive_bounded(plan.sources, provider, tuple(capability.claims))
    return derived


def _detours(plan: Plan, backend: str, usable: Sequence[Baseline]) -> list[Seen]:
    """Every exercise that only reads once more for each detour, at its first request."""
    chosen = [
        (base, fault)
        for base in usable
        if only_reads(base) and base.run.exchanges
        for fault in _DETOURS
    ]
    cases = [
        Case(
            f"{backend}/{base.exercise.name}/{fault.name}",
            base.capability.contract,
            backend,
            (base.exercise.call,),
            setup=base.exercise.setup,
            faults=(fault,),
        )
        for base, fault in chosen
    ]
    runs = plan.run(NAME, backend, cases)
    return [
        Seen(base, run, f"when it meets {fault.name!r}")
        for (base, fault), run in zip(chosen, runs, strict=True)
        if run.trouble is None
    ]
