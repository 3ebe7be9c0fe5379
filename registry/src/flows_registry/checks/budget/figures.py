"""What the calls of each operation took: at most when all is well, and at most under any fault."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flows_registry.checks.observed import Costs
from flows_registry.checks.plan import Plan
from flows_registry.policy.policy import UNITS
from flows_registry.subject import Capability

__all__ = ["Figures", "Most", "figures_of"]

_NOTHING = 0.0


@dataclass(frozen=True, slots=True, order=True)
class Most:
    """The most that a call took of something, and in which case."""

    value: float = _NOTHING
    case: str = ""


@dataclass(slots=True)
class Figures:
    """The figures of one operation, by unit.

    Attributes:
        estimate: the most that a call costs by the manifest: `requests_max`, or `requests` where
            every call costs the same.
        ceiling: what the policy lets a call cost.
        healthy: the most that a call took when all was well.
        worst: the most that a call took at all.
    """

    estimate: Mapping[str, float]
    ceiling: Mapping[str, float]
    healthy: dict[str, Most] = field(default_factory=dict[str, Most])
    worst: dict[str, Most] = field(default_factory=dict[str, Most])

    def add(self, costs: Costs) -> None:
        """A call took so much."""
        for unit, value in costs.figures.items():
            most = Most(value, costs.case)
            self.worst[unit] = max(most, self.worst.get(unit, Most()))
            if costs.healthy:
                self.healthy[unit] = max(most, self.healthy.get(unit, Most()))

    def as_json(self) -> dict[str, Any]:
        """By unit `{"estimate", "healthy", "worst", "ceiling"}`; null where nobody says."""
        return {
            unit: {
                "estimate": self.estimate.get(unit),
                "healthy": self.healthy[unit].value if unit in self.healthy else None,
                "worst": self.worst[unit].value,
                "ceiling": self.ceiling.get(unit),
            }
            for unit in UNITS
            if unit in self.worst
        }


def figures_of(
    plan: Plan, capability: Capability, costs: Iterable[Costs], measured: Sequence[Costs]
) -> dict[str, Figures]:
    """The figures of every operation of a capability that was called.

    Args:
        plan: the plan.
        capability: the capability.
        costs: what calls took, memory aside.
        measured: the memory that they took.
    """
    name = capability.declared.name
    known = {**plan.subject.manifest.costs, **capability.declared.costs}
    found: defaultdict[str, list[Costs]] = defaultdict(list)
    for each in (*costs, *measured):
        found[each.operation].append(each)
    figures: dict[str, Figures] = {}
    for operation, its in sorted(found.items()):
        figures[operation] = Figures(
            _at_most(known.get(operation, {})), plan.policy.ceilings(name, operation)
        )
        for each in its:
            figures[operation].add(each)
    return figures


def _at_most(costs: Mapping[str, float]) -> Mapping[str, float]:
    """The most that a call costs, by unit."""
    return {
        unit.removesuffix("_max"): cost
        for unit, cost in sorted(costs.items(), key=lambda item: item[0].endswith("_max"))
    }
