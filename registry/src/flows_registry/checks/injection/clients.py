"""Histories of several clients: each has its own calls in its own order, and all work at once."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from core_caps.contract.suite import Call

from flows_registry.checks.injection.histories import conditional, refers, rekeyed, repeatable
from flows_registry.checks.injection.judging import Judge
from flows_registry.checks.injection.made import referred
from flows_registry.checks.injection.strength import writes_of
from flows_registry.checks.plan import Baseline
from flows_registry.checks.reading import is_read
from flows_registry.lab.case import Case, CaseRun, Turn
from flows_registry.lab.faults import Fault
from flows_registry.lab.simulators.histories import without
from flows_registry.verdict import Finding

__all__ = ["LENGTH", "Clients"]

HISTORIES = 6
CLIENTS = 3
LENGTH = 14
BEFORE = 3
HOT_KEYS = 2
HOT_SHARE = 0.7
LOST = 2
LOSSES = ("reset after commit", "closed after commit", "reset before commit")
WAITS_SECONDS = (0.0, 0.0, 0.0, 0.1, 0.3, 0.6)
SETTLED_SECONDS = 30.0
"""How long after the last call the service is looked at, by a client that remembers nothing."""

DEATHS_MAX = 3
"""In so many of the requests that one call makes its client dies, the first and the last among
them."""


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
        for number in range(HISTORIES):
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

    def deaths(self, baselines: Sequence[Baseline]) -> Iterator[Case]:
        """A client dies in a write, after each request that it made and before its answer; another
        one looks, makes the write again, and everything is looked at."""
        for base in self._longest(baselines):
            writing = [e.number for e in base.run.exchanges if self._is_write(base, e.number)]
            for at in _some(writing):
                yield self._death(base, at)

    def survived(self, run: CaseRun) -> Iterator[Finding]:
        """What is found where a client died, if it did."""
        if run.died and all(run.consumed):
            yield from self.judge.together(run)

    def _drawn(self, source: random.Random, *, loses: bool) -> tuple[Call, ...]:
        judge = self.judge
        calls = judge.contract.generate(source, LENGTH, frozenset(judge.capability.claims))
        calls = without(calls, {n for n, call in enumerate(calls) if self._spoils(call, loses)})
        hot = list(dict.fromkeys(filter(None, map(self.key_of, calls))))[:HOT_KEYS]
        return tuple(
            rekeyed(call, source.choice(hot))
            if self.key_of(call) and source.random() < HOT_SHARE
            else call
            for call in calls
        )

    def _spoils(self, call: Call, loses: bool) -> bool:
        """Whether a call has no place in such a history: it depends on what may have been lost, or
        writes several keys where nobody promises that this is one deed."""
        if refers(call) and (loses or conditional(call)):
            return True
        prints = self.judge.footprints.of(call)
        writes = call.operation in writes_of(self.judge.capability.claims)
        return writes and self.judge.promised != "linearizable" and len(prints) > 1

    def key_of(self, call: Call) -> str | None:
        """The one key that a call touches, if it is one: the contract knows where to look."""
        contract, key = self.judge.contract, call.args[0] if call.args else None
        looks = len(contract.read_back((call,))) - len(contract.read_back(()))
        return key if isinstance(key, str) and looks == 1 else None

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
            probe=self.looks(calls),
            turns=tuple(_turns(source, under_test, len(before))),
            settle_seconds=SETTLED_SECONDS,
            perturbation={"delay_seed": name, "hold_seed": name} if self.wired else {},
        )

    def looks(self, calls: Sequence[Call]) -> tuple[Call, ...]:
        """The calls that show what these left."""
        claims = self.judge.capability.claims
        return tuple(c for c in self.judge.contract.read_back(calls) if c.operation in claims)

    def _longest(self, baselines: Sequence[Baseline]) -> Iterator[Baseline]:
        """Of each write that may be made again the exercise that takes most requests."""
        best: dict[str, Baseline] = {}
        for base in baselines:
            call = base.exercise.call
            ours = base.capability.contract == self.judge.capability.contract
            alone = not any(map(refers, (call, *base.exercise.setup)))
            if not (ours and alone and base.writes and base.problem is None):
                continue
            if repeatable(call, self.judge.capability.claims):
                known = best.get(call.operation, base)
                best[call.operation] = max(known, base, key=lambda each: len(each.run.exchanges))
        yield from best.values()

    def _is_write(self, base: Baseline, number: int) -> bool:
        exchange = base.run.exchanges[number]
        safe_posts = self.judge.plan.backend(self.backend).safe_posts
        return exchange.committed and not is_read(exchange, safe_posts)

    def _death(self, base: Baseline, at: int) -> Case:
        call, setup = base.exercise.call, base.exercise.setup
        looks = tuple(c for c in self.looks((*setup, call)) if not refers(c))
        calls = (*looks, call)
        return Case(
            f"{base.name}/dies in request {at}",
            self.judge.capability.contract,
            self.backend,
            calls,
            setup=setup,
            victim=(call,),
            probe=self.looks(calls),
            faults=(Fault("stall after commit", at),),
        )


def _some(numbers: Sequence[int]) -> Sequence[int]:
    """A few of them, the first and the last among them."""
    if len(numbers) <= DEATHS_MAX:
        return numbers
    step = (len(numbers) - 1) / (DEATHS_MAX - 1)
    return [numbers[round(index * step)] for index in range(DEATHS_MAX)]


def _turns(source: random.Random, calls: Sequence[Call], first: int) -> Iterator[Turn]:
    """Whose turn each call is; who uses a result has made the call that gave it."""
    seats: list[int] = []
    for call in calls:
        made = [step - first for step in referred(call) if step >= first]
        seat = source.randrange(CLIENTS)
        seats.append(seats[made[0]] if made else seat)
        yield Turn(seats[-1], source.choice(WAITS_SECONDS))
