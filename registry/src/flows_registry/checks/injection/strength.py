"""What a claim of consistency promises of a history, and where one goes apart from it.

linearizable: one order of all calls explains every answer; what ended before another began comes
before it. per_key: the same of the calls on each key; what reads several keys may show each as it
was. read_your_writes: and at least with what its own client has written. eventual: a read may be
late, and each part of it at another time, but no part is read that no writes lead to.

Whatever is claimed, also where nothing is: once all has settled, the service holds what some order
of the writes leads to, in which every client's own stand as they were answered.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace

from core_caps.claims.lattice import Effects
from core_caps.claims.manifest import OperationClaim
from core_caps.contract.suite import Call, Contract, Follower

from flows_registry.checks.injection.footprints import Footprints
from flows_registry.checks.injection.histories import apply
from flows_registry.checks.injection.keys import keys_of
from flows_registry.checks.injection.made import Made, referred
from flows_registry.checks.injection.orders import Budget, GaveUp, Question, Stuck, stuck
from flows_registry.checks.injection.parts import parts_of

__all__ = ["Strength", "writes_of"]

_Numbers = frozenset[int]


def writes_of(claims: Mapping[str, OperationClaim]) -> frozenset[str]:
    """The operations that change the service by themselves."""
    return frozenset(
        name
        for name, claim in claims.items()
        if claim.effects is Effects.EFFECTFUL and not claim.delegates
    )


@dataclass(frozen=True, slots=True)
class Strength:
    """What one provider claims.

    Attributes:
        contract: whose model says what a perfect service answers.
        claims: of its operations.
        promised: its guarantee of consistency.
        footprints: which keys calls touch.
    """

    contract: Contract
    claims: Mapping[str, OperationClaim]
    promised: str
    footprints: Footprints

    def broken_by(self, made: Sequence[Made], budget: Budget) -> Stuck | None:
        """The call that goes apart from what is claimed, or None.

        Raises:
            GaveUp: the budget is spent.
        """
        history = _History(self, list(made))
        for question in history.questions():
            found = stuck(self.contract, question, budget)
            if found is None or self._in_parts(question, budget):
                continue
            if not self._explained_otherwise(question):
                return found
        return None

    def _explained_otherwise(self, question: Question) -> bool:
        """Whether an order was passed over since a model remembers more than its state shows; one
        that is not found in as long a search is taken for none."""
        every = replace(question, remembered=frozenset(question.after))
        with suppress(GaveUp):
            return stuck(self.contract, every, Budget()) is None or self._in_parts(every, Budget())
        return False

    def _in_parts(self, question: Question, budget: Budget) -> bool:
        """Whether a read that may be late is explained part by part."""
        given = None if question.late is None else question.made[question.late].given
        parts = () if given is None else parts_of(given)
        asked = (replace(question, alike=part) for part in parts)
        return bool(parts) and all(stuck(self.contract, each, budget) is None for each in asked)


class _History:
    """The questions that a claim asks of one history, the quickest first."""

    def __init__(self, strength: Strength, made: list[Made]) -> None:
        self._promised = strength.promised
        self._made = made
        self._follows = isinstance(strength.contract.model(), Follower)
        writes = writes_of(strength.claims)
        self._writes = [number for number, one in enumerate(made) if one.call.operation in writes]
        used = {step for one in made for step in referred(one.call)}
        keys = {number: _keys_of(strength.claims, one.call) for number, one in enumerate(made)}
        self._remembered = frozenset(used | {number for number, found in keys.items() if found})
        touched = {n: strength.footprints.of(one.call) for n, one in enumerate(made)}
        touched = {n: prints and prints | keys[n] for n, prints in touched.items()}
        lasting = frozenset(n for n in self._lasting() if not made[n].failed)
        parts = [] if used else strength.footprints.parts(touched, lasting)
        self._keys = parts if _independent(strength.contract, made, parts) else []

    def questions(self) -> Iterator[Question]:
        everything = range(len(self._made))
        match self._promised:
            case "linearizable":
                yield from (self._in_order(part) for part in self._keys)
                yield self._in_order(everything)
            case "per_key" | "read_your_writes":
                yield from (self._in_order(part) for part in self._keys)
                within = frozenset(number for part in self._keys for number in part)
                own = self._promised == "read_your_writes"
                yield from self._own_reads(within) if own else self._reads(but=within)
                yield self._settled(everything)
            case "eventual":
                yield from (self._settled(part) for part in self._keys)
                yield from self._reads()
                yield self._settled(everything)
            case _:
                yield from (self._settled(part) for part in self._keys)
                yield self._settled(everything)

    def _in_order(self, numbers: Collection[int]) -> Question:
        """Every answer is explained, in an order that time allows."""
        made = self._made
        after = {
            n: frozenset(m for m in numbers if made[m].end < made[n].begin)
            for n in numbers
            if self._follows or not _came_to_nothing(made[n])
        }
        free = {n for n in after if (made[n].lost and made[n].applied is None) or self._gave_way(n)}
        needed = frozenset(after if self._follows else after.keys() - free)
        sure = frozenset(n for n in after if not made[n].prepares)
        return self._question(after, needed, sure)

    def _gave_way(self, number: int) -> bool:
        """Whether it was refused for another that was in progress: that one was there."""
        one = self._made[number]
        return one.gave_way and any(
            other.begin < one.end and one.begin < other.end
            for other in self._made
            if other is not one
        )

    def _settled(self, numbers: Collection[int]) -> Question:
        """What the service holds in the end is explained by some order of the writes."""
        made, lasting = self._made, self._lasting()
        looks = frozenset(n for n in numbers if made[n].looks)
        stand = {n for n in numbers if n in lasting or made[n].looks or made[n].prepares}
        stand |= {step for n in stand for step in referred(made[n].call)}
        needed = frozenset(n for n in stand if self._follows or not _may_be_left(made[n]))
        after = {n: self._own_before(n, needed) for n in stand}
        heard = frozenset(n for n in needed - looks if made[n].end < _EVER)
        after |= {n: heard | {m for m in looks if m < n} for n in looks}
        return self._question(after, needed, looks | self._refused(stand))

    def _reads(self, *, but: Set[int] = frozenset()) -> Iterator[Question]:
        """Each read by itself: the beginnings of what the service was given before, and of what
        every client has written by then, lead to its answer, or to each part of it."""
        for number, begun in self._read_after(but):
            sure = self._sure(begun)
            after = {n: self._own_before(n, sure) for n in begun} | {number: frozenset[int]()}
            stands = self._refused(begun) | {number}
            asked = self._question(after, frozenset({number}), stands)
            yield replace(asked, late=number)

    def _own_reads(self, but: Set[int]) -> Iterator[Question]:
        """Each read by itself: all that its own client has written, and some of what others have,
        lead to its answer."""
        made = self._made
        for number, begun in self._read_after(but):
            client = made[number].client
            own = {n for n in begun if made[n].client == client}
            mine = self._own_before(number, self._sure(own))
            after = {n: self._own_before(n, mine) if n in own else frozenset[int]() for n in begun}
            stands = self._refused(begun) | {number}
            yield self._question(after | {number: mine}, mine | {number}, stands)

    def _read_after(self, but: Set[int]) -> Iterator[tuple[int, set[int]]]:
        """The reads, each with the writes that had begun when it ended."""
        made = self._made
        for number, one in enumerate(made):
            if one.at is not None and not one.lost and number not in {*self._writes, *but}:
                yield number, {n for n in self._lasting() if made[n].begin < one.end}

    def _sure(self, numbers: Collection[int]) -> _Numbers:
        """Those that were surely applied."""
        return frozenset(n for n in numbers if not _may_be_left(self._made[n]))

    def _refused(self, numbers: Collection[int]) -> _Numbers:
        """Those that stand in an order only where a perfect service refuses them, too."""
        made = self._made
        refused = (n for n in numbers if made[n].failed and not made[n].prepares)
        return frozenset(() if self._follows else refused)

    def _own_before(self, number: int, among: Collection[int]) -> _Numbers:
        """What its client had been answered before, and what had been made before all."""
        one = self._made[number]
        return frozenset(
            n
            for n in among
            if self._made[n].end < one.begin
            and (self._made[n].client == one.client or self._made[n].prepares)
        )

    def _lasting(self) -> set[int]:
        """The writes that may have left something, also where they were refused; who follows
        answers is told of the others too."""
        made = self._made
        kept = (n for n in self._writes if self._follows or not _came_to_nothing(made[n]))
        return {n for n in kept if not made[n].looks}

    def _question(
        self, after: Mapping[int, _Numbers], needed: _Numbers, sure: _Numbers
    ) -> Question:
        return Question(self._made, after, needed, sure, self._remembered)


_EVER = float("inf")


def _came_to_nothing(made: Made) -> bool:
    """Whether its error says that it was not applied: where its answer was lost, the service never
    heard of it."""
    return made.lost and made.applied is False


def _may_be_left(made: Made) -> bool:
    """Whether the end may be explained without it: nobody knows of it, or it was refused."""
    return made.failed if not made.lost else made.applied is None


def _keys_of(claims: Mapping[str, OperationClaim], call: Call) -> frozenset[str]:
    """The idempotency keys that a call is given: what shares one is no longer apart."""
    claim = claims.get(call.operation)
    return frozenset() if claim is None else frozenset(f"key {k!r}" for k in keys_of(claim, call))


def _independent(contract: Contract, made: Sequence[Made], parts: Sequence[_Numbers]) -> bool:
    """Whether the model answers the calls of each part as if the others were never made: what
    numbers all it is given, whatever its key, has no parts."""
    inside = {number for part in parts for number in part}
    together = _answers(contract, made, inside)
    return all(_answers(contract, made, part).items() <= together.items() for part in parts)


def _answers(
    contract: Contract, made: Sequence[Made], numbers: Collection[int]
) -> Mapping[int, str]:
    """What the model answers to some of the calls, in the order in which they were answered; those
    that never were come before anybody looks."""
    model = contract.model()
    order = sorted(numbers, key=lambda number: (made[number].looks, made[number].end, number))
    return {number: repr(apply(model, made[number].call)) for number in order}
