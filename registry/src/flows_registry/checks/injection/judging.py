"""The judge of a history: what is found in its run, and which call of it is the riddle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core_caps.contract.suite import Call, Contract

from flows_registry.checks.injection.explaining import mismatch_in_turn
from flows_registry.checks.injection.findings import disorder, gave_up, trouble, went_apart
from flows_registry.checks.injection.footprints import Footprints
from flows_registry.checks.injection.histories import Answer
from flows_registry.checks.injection.keys import NAME
from flows_registry.checks.injection.made import Made, made_of
from flows_registry.checks.injection.orders import Budget, GaveUp, Stuck
from flows_registry.checks.injection.strength import Strength, writes_of
from flows_registry.checks.plan import Plan
from flows_registry.checks.timeline import Riddle, shown_value
from flows_registry.lab.case import CaseRun
from flows_registry.subject import Capability
from flows_registry.verdict import Finding

__all__ = ["Judge"]


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges the histories of one capability."""

    plan: Plan
    capability: Capability
    contract: Contract
    footprints: Footprints

    @property
    def promised(self) -> str:
        """The consistency that is claimed."""
        return self.capability.declared.guarantees.get("consistency", "unknown")

    @property
    def writes(self) -> frozenset[str]:
        """The operations that change the service by themselves."""
        return writes_of(self.capability.claims)

    def looks(self, calls: Sequence[Call]) -> tuple[Call, ...]:
        """The calls that show what these left."""
        claims = self.capability.claims
        return tuple(look for look in self.contract.read_back(calls) if look.operation in claims)

    def key_of(self, call: Call) -> str | None:
        """The one key that a call touches, if it is one: the contract knows where to look."""
        key = call.args[0] if call.args else None
        looks = len(self.contract.read_back((call,))) - len(self.contract.read_back(()))
        return key if isinstance(key, str) and looks == 1 else None

    def in_turn(self, run: CaseRun) -> Iterator[Finding]:
        """A history of one client: the model answers each call as the backend does."""
        yield from trouble(self.plan, run)
        if run.trouble is None and run.opening is None:
            mismatch = mismatch_in_turn(self.contract, run)
            if mismatch is not None:
                number = mismatch.look if mismatch.at is None else mismatch.at
                self._point(run, number, looks=mismatch.at is None, wants=(mismatch.want,))
                yield went_apart(self.plan, run, mismatch)

    def together(self, run: CaseRun) -> Iterator[Finding]:
        """A history of calls at once: as strong as is claimed, some order explains it."""
        yield from trouble(self.plan, run)
        asked = len(run.case.calls) + len(run.case.probe)
        if run.trouble or run.opening or len(run.steps) + len(run.probe) < asked:
            return
        made = made_of(self.contract, run)
        strength = Strength(self.contract, self.capability.claims, self.promised, self.footprints)
        try:
            found = strength.broken_by(made, Budget())
        except GaveUp:
            yield gave_up(self.plan, run)
            return
        if found is not None:
            yield self._told(run, made, found)

    def _told(self, run: CaseRun, made: Sequence[Made], found: Stuck) -> Finding:
        one = made[found.number]
        looks = [number for number, each in enumerate(made) if each.looks]
        number = looks.index(found.number) if one.looks else one.at or 0
        self._point(run, number, looks=one.looks, wants=found.wants)
        return disorder(self.plan, run, made, found, self.promised)

    def _point(self, run: CaseRun, number: int, *, looks: bool, wants: Sequence[Answer]) -> None:
        perfect = " or ".join(dict.fromkeys(shown_value(what) for _, what in wants))
        riddle = Riddle("probe" if looks else "call", number, perfect)
        self.plan.ledger.point(NAME, run, riddle)
