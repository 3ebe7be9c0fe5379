"""Which results of a plan's checks are carried, and what every other one stands on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flows_registry.certify.before import Before, Place, stamped
from flows_registry.certify.keys import Parts, parts_of_check
from flows_registry.certify.sample import sampled
from flows_registry.checks.plan import Plan
from flows_registry.lab.simulators.sides import SimulatorAccess
from flows_registry.verdict import CheckResult

__all__ = ["Delta", "delta_of"]

_COMPARISON = "parity"
_JUDGES = "policy"


@dataclass(frozen=True, slots=True)
class Delta:
    """What is carried of what the checks of a plan say.

    Attributes:
        before: what the last certification left.
        parts: by check and backend, what a result stands on; a comparison has no backend.
        carried: the results that are not found out again.
        again: how many of their cases ran again.
    """

    before: Before
    parts: Mapping[Place, Parts] = field(default_factory=dict[Place, Parts])
    carried: Mapping[Place, CheckResult] = field(default_factory=dict[Place, CheckResult])
    again: int = 0

    def stamped(self, result: CheckResult) -> CheckResult:
        """A fresh result, fit to be carried the next time."""
        backend = "" if result.check == _COMPARISON else result.backend
        parts = self.parts.get((result.check, backend))
        if parts is None:
            return result
        changed = self.before.changed(result.check, result.backend, parts)
        return stamped(result, parts, self.before.today, changed)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What a certification says of it, where there is something to say."""
        told: dict[str, Any] = {"told": self.before.told} if self.before.told else {}
        if self.carried:
            told["again"] = self.again
        return {"delta": told} if told else {}

    def compared(self) -> list[CheckResult]:
        """The carried results of what compares backends."""
        return [each for (check, _), each in self.carried.items() if check == _COMPARISON]


def delta_of(
    plan: Plan, plugin: Parts, checks: Sequence[str], before: Before, access: SimulatorAccess
) -> Delta:
    """What may be carried of these checks.

    Args:
        plan: what would be run.
        plugin: what every check stands on that runs the plugin.
        checks: the checks that are asked for.
        before: what the last certification left.
        access: where simulators come from.

    Raises:
        WentOtherwise: a case that ran again went another way than before.
    """
    places = [(c, b) for b in plan.subject.manifest.backends for c in checks if c != _COMPARISON]
    places += [(_COMPARISON, "")] if _COMPARISON in checks else []
    parts = {place: parts_of_check(*place, plan, plugin, access) for place in places}
    delta = Delta(before, parts, dict(_carried(before, parts)))
    for backend in plan.subject.manifest.backends:
        _recall(plan, delta, backend)
    watched = [each for each in delta.carried.values() if each.check != _COMPARISON]
    return replace(delta, again=sampled(plan, watched)) if watched else delta


def _carried(before: Before, parts: Mapping[Place, Parts]) -> Iterator[tuple[Place, CheckResult]]:
    for (check, backend), its in parts.items():
        known = [
            place for place in before.results if place[0] == check and backend in ("", place[1])
        ]
        found = {place: before.carried(*place, its) for place in known}
        if None not in found.values():  # of a comparison all or nothing
            yield from ((place, each) for place, each in found.items() if each is not None)


def _recall(plan: Plan, delta: Delta, backend: str) -> None:
    """Where only some checks of a backend are carried, let those that judge what all cases show
    know what theirs have shown."""
    then = delta.before.results.get((_JUDGES, backend))
    carried = any(its == backend for _, its in delta.carried)
    if then is not None and carried and (_JUDGES, backend) not in delta.carried:
        plan.observations.recall(
            backend, then.facts.get("reached", ()), then.facts.get("scopes", ())
        )
