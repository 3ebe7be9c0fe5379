"""Whether calls have an order in which a perfect service answers as they were answered.

The search is Wing and Gong's with Lowe's memory: a call may come next where none that had ended
before it began is still to come, and two ways to the same calls and the same state are one. A
model cannot be copied, so a way that was left is gone again from the start.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import eq

from core_caps.contract.suite import Call, Contract, Follower, Model

from flows_registry.checks.injection.histories import Answer, apply, followed, renumbered
from flows_registry.checks.injection.made import Made, referred

__all__ = ["MODEL_CALLS_MAX", "Budget", "GaveUp", "Question", "Stuck", "stuck"]

MODEL_CALLS_MAX = 20_000
"""So many calls of the model are spent on one history."""

_WANTS_MAX = 3


class GaveUp(Exception):
    """The search was longer than it may be: nothing is known."""


@dataclass(slots=True)
class Budget:
    """How many calls of the model are left."""

    left: int = MODEL_CALLS_MAX

    def spend(self) -> None:
        """One call.

        Raises:
            GaveUp: none is left.
        """
        if self.left <= 0:
            raise GaveUp
        self.left -= 1


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of some calls of a history.

    Attributes:
        made: all calls of the history.
        after: those that may stand in the order, each with those that come before it.
        needed: those that stand in it; the others may.
        sure: those whose answers it explains.
        remembered: those of which a model may remember in what order they came, besides its state.
        late: a read that may be late, each part of its answer by as much as it likes, or None.
        alike: whether what a perfect service answers to that read explains its answer.
    """

    made: list[Made]
    after: Mapping[int, frozenset[int]]
    needed: frozenset[int]
    sure: frozenset[int]
    remembered: frozenset[int] = frozenset()
    late: int | None = None
    alike: Callable[[Answer, Answer], bool] = eq


@dataclass(frozen=True, slots=True)
class Stuck:
    """The call that no order explains.

    Attributes:
        number: its number in the history.
        wants: what a perfect service answers there instead.
    """

    number: int
    wants: tuple[Answer, ...] = ()


def stuck(contract: Contract, question: Question, budget: Budget) -> Stuck | None:
    """Where the longest way ends that can be explained, or None where all of it can.

    Raises:
        GaveUp: the budget is spent.
    """
    search = _Search(contract, question, budget)
    return None if search.goes_on((), contract.model()) else search.end()


@dataclass(slots=True)
class _Search:
    contract: Contract
    question: Question
    budget: Budget
    _seen: set[object] = field(default_factory=set[object])
    _deepest: int = -1
    _wants: dict[int, dict[str, Answer]] = field(default_factory=dict[int, dict[str, Answer]])

    def goes_on(self, way: tuple[int, ...], model: Model) -> bool:
        """Whether what is still to come can follow this way in some order; `model` has gone it."""
        if self.question.needed <= set(way):
            return True
        for tried, number in enumerate(self._next(way)):
            here = self._again(way) if tried else model
            if not self._takes(here, number, way):
                continue
            place = self._place((*way, number), here)
            if place in self._seen:
                continue
            self._seen.add(place)
            if self.goes_on((*way, number), here):
                return True
        return False

    def end(self) -> Stuck:
        """The call at which the longest way ended: the one that was answered first."""
        left = self._wants or {number: {} for number in self.question.sure}
        number = min(left, key=lambda each: (self.question.made[each].end, each))
        return Stuck(number, tuple(left[number].values())[:_WANTS_MAX])

    def _next(self, way: tuple[int, ...]) -> list[int]:
        """What may come next: first what was answered first, last what nobody heard of."""
        question, gone = self.question, set(way)
        free = [n for n, before in question.after.items() if n not in gone and before <= gone]
        return sorted(free, key=lambda n: (question.made[n].end, n))

    def _takes(self, model: Model, number: int, way: tuple[int, ...]) -> bool:
        """Whether a perfect service that has gone this way answers the call as it was answered."""
        made = self.question.made[number]
        needs = referred(made.call)
        if not needs <= set(way):
            return False
        places = {number: place for place, number in enumerate(way)}
        call = renumbered(made.call, places) if needs else made.call
        self.budget.spend()
        if made.given is None:
            _unheard(model, call, made)
            return True
        want = followed(model, call, made.given)
        alike = self.question.alike if number == self.question.late else eq
        if number not in self.question.sure or alike(want, made.given):
            return True
        self._ended(number, len(way), want)
        return False

    def _ended(self, number: int, depth: int, want: Answer) -> None:
        if depth > self._deepest:
            self._deepest = depth
            self._wants.clear()
        if depth == self._deepest:
            self._wants.setdefault(number, {})[repr(want)] = want

    def _again(self, way: tuple[int, ...]) -> Model:
        model = self.contract.model()
        for at, number in enumerate(way):
            self._takes(model, number, way[:at])
        return model

    def _place(self, way: tuple[int, ...], model: Model) -> object:
        """What two ways have in common that go on alike; a model that follows answers may know
        more than it shows."""
        if isinstance(model, Follower):
            return way
        order = tuple(number for number in way if number in self.question.remembered)
        return frozenset(way), order, repr(model.state())


def _unheard(model: Model, call: Call, made: Made) -> None:
    """A call of which nobody heard an answer is applied; who follows answers may not know."""
    if made.lost and isinstance(model, Follower):
        model.lost(call, made.applied)
    else:
        apply(model, call)
