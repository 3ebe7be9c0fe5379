"""Histories of several clients: each has its own calls in its own order, and all work at once."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core_caps.contract.suite import Call

from flows_registry.checks.injection.footprints import Footprints
from flows_registry.checks.injection.histories import conditional, refers, rekeyed
from flows_registry.checks.injection.judging import Judge
from flows_registry.checks.injection.made import referred
from flows_registry.lab.case import Case, Turn
from flows_registry.lab.faults import Fault
from flows_registry.lab.simulators.histories import without

__all__ = ["CLIENTS", "Clients"]

HISTORIES = 6
HISTORIES_WITHIN = 20
"""So many on a backend without a service of the lab's: they take no time, and chance has less to
work with, since nothing delays what its clients do."""

CLIENTS = 3
LENGTH = 14
BEFORE = 3
HOT_KEYS = 2
HOT_SHARE = 0.7
WATCHED_SHARE = 0.4
LOST = 2
LOSSES = ("reset after commit", "closed after commit", "reset before commit")
WAITS_SECONDS = (0.0, 0.0, 0.0, 0.1, 0.3, 0.6)
WAITS_WITHIN_SECONDS = (*[0.0] * 7, 0.3)
SETTLED_SECONDS = 30.0
"""How long after the last call the service is looked at, by a client that remembers nothing."""


@dataclass(frozen=True, slots=True)
class Clients:
    """Makes the histories of several clients on one backend.

    Attributes:
        judge: of the capability.
        backend: the backend's name.
        wired: whether it has a service in the lab, that can lose answers.
    """

    judge: Judge
    backend: str
    wired: bool

    def together(self) -> Iterator[Case]:
        """Several clients on few keys, answers delayed and held back; in every second history some
        are lost."""
        judge = self.judge
        for number in range(HISTORIES if self.wired else HISTORIES_WITHIN):
            seed = f"{judge.plan.seed}/{judge.capability.contract}/clients/{number}"
            source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
            loses = self.wired and number % 2 == 1
            calls = self._drawn(source, loses=loses)
            case = self._case(f"clients {number}", source, calls)
            if loses:
                lost = sorted(source.sample(range(len(case.calls)), min(LOST, len(case.calls))))
                faults = tuple(Fault(source.choice(LOSSES), at) for at in lost)
                case = replace(case, faults=faults)
            if case.calls:
                yield case

    def _drawn(self, source: random.Random, *, loses: bool) -> Sequence[Call]:
        judge = self.judge
        calls = judge.contract.generate(source, LENGTH, frozenset(judge.capability.claims))
        calls = without(calls, set(self._spoiling(calls, loses=loses)))
        hot = list(dict.fromkeys(filter(None, map(judge.key_of, calls))))[:HOT_KEYS]
        return list(self._watched(source, [self._heated(source, call, hot) for call in calls]))

    def _spoiling(self, calls: Sequence[Call], *, loses: bool) -> Iterator[int]:
        """Those that have no place in such a history: they depend on what may have been lost, or
        write several keys where nobody promises that this is one deed."""
        judge = self.judge
        several = Footprints.bridges([judge.footprints.of(call) for call in calls])
        for number, call in enumerate(calls):
            weak = judge.promised != "linearizable" and call.operation in judge.writes
            if (refers(call) and (loses or conditional(call))) or (
                weak and several(judge.footprints.of(call))
            ):
                yield number

    def _heated(self, source: random.Random, call: Call, hot: Sequence[str]) -> Call:
        """The call, mostly on a key that others are at, too."""
        moves = self.judge.key_of(call) and source.random() < HOT_SHARE
        return rekeyed(call, source.choice(hot)) if moves else call

    def _watched(self, source: random.Random, calls: Sequence[Call]) -> Iterator[Call]:
        """The calls, in the place of some a look at what one before it left."""
        judge, writes = self.judge, self.judge.writes
        used = {step for call in calls for step in referred(call)}
        looks: list[Call] = []
        for number, call in enumerate(calls):
            kept = number in used or refers(call) or not looks
            if not kept and source.random() < WATCHED_SHARE:
                yield source.choice(looks)
                continue
            yield call
            if call.operation in writes and judge.key_of(call):
                looks = [look for look in judge.looks((call,)) if look.operation not in writes]

    def _case(self, name: str, source: random.Random, calls: Sequence[Call]) -> Case:
        judge = self.judge
        before, under_test = calls[:BEFORE], calls[BEFORE:]
        place = f"{judge.plan.place(judge.capability, self.backend)}/{name}"
        return Case(
            place,
            judge.capability.contract,
            self.backend,
            tuple(under_test),
            setup=tuple(before),
            probe=judge.looks(calls),
            turns=tuple(self._turns(source, under_test, len(before))),
            settle_seconds=SETTLED_SECONDS,
            perturbation={"pace_seed": name} if self.wired else {},
        )

    def _turns(self, source: random.Random, calls: Sequence[Call], first: int) -> Iterator[Turn]:
        """Whose turn each call is; who uses a result has made the call that gave it."""
        waits = WAITS_SECONDS if self.wired else WAITS_WITHIN_SECONDS
        seats: list[int] = []
        for call in calls:
            made = [step - first for step in referred(call) if step >= first]
            seat = source.randrange(CLIENTS)
            seats.append(seats[made[0]] if made else seat)
            yield Turn(seats[-1], source.choice(waits))
