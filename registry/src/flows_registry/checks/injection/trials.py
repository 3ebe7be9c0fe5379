"""Seeded histories of one capability, as a network makes them, and how each is judged."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core_caps.claims.guarantees import AtLeast, satisfies
from core_caps.claims.lattice import Effects
from core_caps.contract.suite import Call, Contract

from flows_registry.checks.injection.explaining import (
    answers_of,
    explained_at_once,
    mismatch_in_turn,
)
from flows_registry.checks.injection.findings import disorder, trouble, went_apart
from flows_registry.checks.injection.histories import (
    conditional,
    duplicated,
    refers,
    rekeyed,
    reordered,
    spread,
)
from flows_registry.checks.injection.keys import NAME, UNPROVEN, Judge
from flows_registry.checks.plan import Plan
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.subject import Capability
from flows_registry.verdict import Finding

__all__ = ["KINDS", "LENGTH", "Maker", "Trial"]

HISTORIES = 12
LENGTH = 14
GROUP = 3
LOST = 4
ONE_KEY_SHARE = 0.7
KINDS = ("duplicate", "reorder", "at once", "apart at once", "lost answer")


@dataclass(frozen=True, slots=True)
class Trial:
    """One case and how to judge it: the findings of its run."""

    case: Case
    judge: Judge


class Maker:
    """Makes the trials of one capability on one backend."""

    def __init__(
        self, plan: Plan, backend: str, capability: Capability, contract: Contract
    ) -> None:
        self._plan = plan
        self._backend = backend
        self._capability = capability
        self._contract = contract
        self._made: list[Call] = []
        # What concurrent reads may answer is promised only from here on; the final state always is.
        promised = capability.declared.guarantees.get("consistency", "unknown")
        self._strong = satisfies(promised, AtLeast("per_key"), guarantee="consistency")
        self._writes = frozenset(
            name
            for name, claim in capability.claims.items()
            if claim.effects is Effects.EFFECTFUL and not claim.delegates
        )

    def trials(self) -> Iterator[Trial]:
        """Every trial, from seeds that follow the plan's."""
        for number in range(HISTORIES):
            seed = f"{self._plan.seed}/{self._capability.contract}/{number}"
            source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
            operations = frozenset(self._capability.claims)
            calls = list(self._contract.generate(source, LENGTH, operations))
            self._made += calls
            yield self._duplicates(number, calls, source)
            yield self._reordered(number, calls, source)
            yield self._contended(number, calls, source)
            yield from self._apart(number, calls)
            if self._plan.backend(self._backend).wire is not None:
                yield self._lost_answers(number, calls, source)

    def lacking(self) -> Iterator[Finding]:
        """What the trials, once made, prove nothing of."""
        made = {call.operation for call in self._made}
        missing = sorted(self._writes - made if made else self._capability.claims)
        if missing:
            yield Finding(
                UNPROVEN,
                f"no history calls {', '.join(missing)}",
                "histories make every write, and something at all",
                f"{HISTORIES} histories of {self._capability.contract} never do",
                self._plan.reproduce(NAME, ""),
                f"let generate of the contract's suite make calls of {', '.join(missing)}",
            )
        if made and not self._contract.read_back(self._made):
            yield Finding(
                UNPROVEN,
                f"nobody sees what a history of {self._capability.contract} left",
                "afterwards, all that a history can have touched is read back",
                "read_back of the contract's suite gives no call",
                self._plan.reproduce(NAME, ""),
                "let it give calls that together show the state",
            )

    def _duplicates(self, number: int, calls: Sequence[Call], source: random.Random) -> Trial:
        history = duplicated(calls, self._capability.claims, source)
        return self._in_turn(f"duplicate {number}", history, ())

    def _reordered(self, number: int, calls: Sequence[Call], source: random.Random) -> Trial:
        history = reordered(calls, self._capability.claims, source)
        return self._in_turn(f"reorder {number}", history, ())

    def _lost_answers(self, number: int, calls: Sequence[Call], source: random.Random) -> Trial:
        """Writes are applied and their answers lost: the error says UNKNOWN, the state is new."""
        lost = source.sample(range(len(calls)), k=min(LOST, len(calls)))
        faults = [Fault("reset after commit", at) for at in sorted(lost)]
        plain = [call for call in calls if not conditional(call) and not refers(call)]
        return self._in_turn(f"lost answer {number}", plain, faults)

    def _contended(self, number: int, calls: Sequence[Call], source: random.Random) -> Trial:
        """Calls made all at once, mostly on one key: contention reveals a check before an act."""
        plain = [call for call in calls if not refers(call)]
        before, group = plain[:-GROUP], plain[-GROUP:]
        keys = [key for call in group if (key := self._key(call))]
        if keys and source.random() < ONE_KEY_SHARE:
            group = [rekeyed(call, keys[0]) if self._key(call) else call for call in group]
        return self._at_once(f"at once {number}", before, group)

    def _apart(self, number: int, calls: Sequence[Call]) -> Iterator[Trial]:
        """Writes to several keys all at once: a shared index must not lose any of them."""
        writes = [call for call in calls if call.operation in self._writes and self._key(call)]
        group = spread(writes)[: GROUP + 1]
        if len(group) > 1:
            yield self._at_once(f"apart at once {number}", (), group)

    def _key(self, call: Call) -> str | None:
        """The one key that a call touches, if it is one: the contract knows where to look."""
        key = call.args[0] if call.args else None
        looks = len(self._contract.read_back((call,))) - len(self._contract.read_back(()))
        return key if isinstance(key, str) and looks == 1 else None

    def _in_turn(self, name: str, history: Sequence[Call], faults: Sequence[Fault]) -> Trial:
        """A history made one call after the other: the model answers each as the backend does."""

        def judge(run: CaseRun) -> Iterator[Finding]:
            yield from trouble(self._plan, run)
            if run.trouble is None and run.opening is None:
                mismatch = mismatch_in_turn(self._contract, run)
                if mismatch is not None:
                    yield went_apart(self._plan, run, mismatch)

        return Trial(self._case(name, (), history, faults), judge)

    def _at_once(self, name: str, before: Sequence[Call], group: Sequence[Call]) -> Trial:
        """A group of calls made all at once: some order of them explains every answer."""

        def judge(run: CaseRun) -> Iterator[Finding]:
            yield from trouble(self._plan, run)
            if run.steps and not explained_at_once(self._contract, run, strong=self._strong):
                given = answers_of(self._contract, group, run.steps)
                yield disorder(self._plan, run, given)

        return Trial(self._case(name, before, group, (), at_once=True), judge)

    def _case(
        self,
        name: str,
        before: Sequence[Call],
        calls: Sequence[Call],
        faults: Sequence[Fault],
        *,
        at_once: bool = False,
    ) -> Case:
        look = self._contract.read_back((*before, *calls))
        return Case(
            f"{self._plan.place(self._capability, self._backend)}/{name}",
            self._capability.contract,
            self._backend,
            tuple(calls),
            setup=tuple(before),
            probe=tuple(call for call in look if call.operation in self._capability.claims),
            faults=tuple(faults),
            perturbation={"delay_seed": name} if at_once else {},
            concurrent=at_once,
        )
