"""What the sides of the effects check judge: the derived source, and runs on and off the path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flows_registry.checks.effects.bounded import derive_bounded
from flows_registry.checks.effects.coverage import Coverage, coverage
from flows_registry.checks.effects.seen import NAME, Seen, Unreached, alone, looked_at, unreached
from flows_registry.checks.effects.static import Derived
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.ran import all_of
from flows_registry.verdict import Reproduction

__all__ = ["Evidence", "gathered"]


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

    @property
    def unreached(self) -> Unreached:
        """What is neither understood nor watched; who asked for some cases only is not told what
        the others would have reached."""
        return {} if self.plan.only else unreached(self.derived, self.seen)

    @property
    def coverage(self) -> Coverage | None:
        """How much of the backend's own source ran; None where there is no source to read."""
        sources = self.plan.sources
        ran = all_of(one.run.ran for one in self.seen)
        return coverage(sources, ran) if sources is not None and ran.files else None

    def alone(self) -> "Evidence":
        """The same, no case of it having run where others had."""
        return replace(self, seen=alone(self.plan, self.seen))

    def reproduce(self, case: str) -> Reproduction:
        """The command that runs an exercise again, from every side; or the whole check."""
        return self.plan.reproduce(NAME, case)


def gathered(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> Evidence:
    """Read the source, then run every exercise where it leads and where faults lead it."""
    usable = [base for base in baselines if base.problem is None]
    derived = _derived(plan, backend)
    seen = looked_at(plan, backend, usable, derived)
    return Evidence(plan, backend, derived, usable, seen)


def _derived(plan: Plan, backend: str) -> Mapping[str, Derived]:
    providers = plan.backend(backend).providers
    derived: dict[str, Derived] = {}
    for capability in plan.subject.capabilities.values():
        provider = providers.get(capability.declared.name)
        if provider is not None and plan.sources is not None:
            derived |= derive_bounded(plan.sources, provider, tuple(capability.claims))
    return derived
