"""Seeded histories of one capability, as a network makes them, and how each is judged."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from core_caps.contract.suite import Call

from flows_registry.checks.injection.clients import CLIENTS, Clients
from flows_registry.checks.injection.deaths import deaths, survived
from flows_registry.checks.injection.histories import (
    conditional,
    duplicated,
    refers,
    rekeyed,
    reordered,
    spread,
)
from flows_registry.checks.injection.judging import Judge
from flows_registry.checks.injection.keys import NAME, UNPROVEN
from flows_registry.checks.plan import Baseline
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.verdict import Finding

__all__ = ["KINDS", "LENGTH", "Maker", "Trial"]

HISTORIES = 12
LENGTH = 14
GROUP = 3
LOST = 4
ONE_KEY_SHARE = 0.7
KINDS = (
    "duplicate", "reorder", "at once", "apart at once", "lost answer",
    f"{CLIENTS} clients, answers delayed, held back and lost", "death of a client",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trial:
    """One case and how to judge it: the findings of its run.

    Attributes:
        case: the case.
        judge: gives the findings of a run of it, or of a smaller one.
        looks: for the calls of a history those that show what it left; None where it is no
            history, and has to stay as it is.
    """

    case: Case
    judge: Callable[[CaseRun], Iterator[Finding]]
    looks: Callable[[Sequence[Call]], tuple[Call, ...]] | None = None


class Maker:
    """Makes the trials of one capability on one backend."""

    def __init__(self, judge: Judge, backend: str) -> None:
        self._judge = judge
        self._plan = judge.plan
        self._backend = backend
        self._capability = judge.capability
        self._contract = judge.contract
        self._made: list[Call] = []
        self._wired = judge.plan.backend(backend).wire is not None
        self._writes = judge.writes

    def trials(self, baselines: Sequence[Baseline]) -> Iterator[Trial]:
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
            if self._wired:
                yield self._lost_answers(number, calls, source)
        for case in Clients(self._judge, self._backend, self._wired).together():
            yield Trial(case, self._judge.together, self._judge.looks)
        if self._wired:
            survives = partial(survived, self._judge)
            for case in deaths(self._judge, baselines):
                yield Trial(case, survives, self._judge.looks)

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
        key_of = self._judge.key_of
        keys = [key for call in group if (key := key_of(call))]
        if keys and source.random() < ONE_KEY_SHARE:
            group = [rekeyed(call, keys[0]) if key_of(call) else call for call in group]
        return self._at_once(f"at once {number}", before, group)

    def _apart(self, number: int, calls: Sequence[Call]) -> Iterator[Trial]:
        """Writes to several keys all at once: a shared index must not lose any of them."""
        key_of = self._judge.key_of
        writes = [call for call in calls if call.operation in self._writes and key_of(call)]
        group = spread(writes)[: GROUP + 1]
        if len(group) > 1:
            yield self._at_once(f"apart at once {number}", (), group)

    def _in_turn(self, name: str, history: Sequence[Call], faults: Sequence[Fault]) -> Trial:
        """A history made one call after the other: the model answers each as the backend does."""
        case = self._case(name, (), history, faults)
        return Trial(case, self._judge.in_turn, self._judge.looks)

    def _at_once(self, name: str, before: Sequence[Call], group: Sequence[Call]) -> Trial:
        """A group of calls made all at once: some order of them explains every answer."""
        case = self._case(name, before, group, (), at_once=True)
        return Trial(case, self._judge.together, self._judge.looks)

    def _case(
        self,
        name: str,
        before: Sequence[Call],
        calls: Sequence[Call],
        faults: Sequence[Fault],
        *,
        at_once: bool = False,
    ) -> Case:
        return Case(
            f"{self._plan.place(self._capability, self._backend)}/{name}",
            self._capability.contract,
            self._backend,
            tuple(calls),
            setup=tuple(before),
            probe=self._judge.looks((*before, *calls)),
            faults=tuple(faults),
            perturbation={"delay_seed": name} if at_once else {},
            concurrent=at_once,
        )
