"""Two runs of the same histories, step by step: where they part, and what is known of it."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from core_caps.claims.lattice import Effects
from core_caps.contract.codec import encode
from core_caps.contract.suite import Call, Contract

from flows_registry.lab.case import ErrorFacts, Step
from flows_registry.lab.simulators.divergences import Divergence
from flows_registry.lab.simulators.histories import History
from flows_registry.lab.simulators.showing import first_difference, show_value

__all__ = [
    "NO_ANSWER",
    "Comparison",
    "Mismatch",
    "Rules",
    "answer_of",
    "compare",
    "parting_of",
]

NO_ANSWER = Step(error=ErrorFacts("NoAnswer", message="the run ended before this call"))
_ANSWER_MAX = 400
_CORE_ERRORS = "core_caps.errors:"

Traits = Callable[[Call, object], object]


@dataclass(frozen=True, slots=True)
class Rules:
    """How two answers are compared.

    Attributes:
        contract: gives what two honest providers share of a result.
        surface: what the other side is, for the patterns of the divergences.
        divergences: known differences.
        today: rows that expired before this day excuse nothing.
        not_simulated: operations that the other side does not have; their steps are passed over.
        traits: what two answers must share besides, or None; it gives None where it knows
            nothing, which agrees with everything.
    """

    contract: Contract
    surface: str
    divergences: tuple[Divergence, ...] = ()
    today: dt.date = dt.date.max
    not_simulated: frozenset[str] = frozenset()
    traits: Traits | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first step of a history on which the two sides part.

    Attributes:
        history: the history.
        step: which call.
        plugin: the plugin's answer.
        other: what it is compared with.
        expired: a divergence that would explain it, had it not expired.
    """

    history: History
    step: int
    plugin: Step
    other: Step
    expired: Divergence | None = None

    @property
    def call(self) -> Call:
        """The call on which they part."""
        return self.history.calls[self.step]

    @property
    def signature(self) -> tuple[str, str, str]:
        """What makes two mismatches one defect: the operation and both kinds of answer."""
        return self.call.operation, _kind(self.plugin), _kind(self.other)


@dataclass(slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        histories: how many were compared to their end.
        steps: how many steps were compared, by operation.
        mismatches: the first of each history that has one.
        excused: how many steps each divergence explained.
    """

    histories: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    mismatches: list[Mismatch] = field(default_factory=list[Mismatch])
    excused: Counter[str] = field(default_factory=Counter[str])


def compare(
    rules: Rules,
    histories: Sequence[History],
    plugin: Sequence[Sequence[Step]],
    other: Sequence[Sequence[Step]],
) -> Comparison:
    """Compare two runs; a history ends at its first mismatch, for what follows stands on it."""
    comparison = Comparison()
    for history, left, right in zip(histories, plugin, other, strict=True):
        mismatch = _compare_one(rules, history, left, right, comparison)
        if mismatch is None:
            comparison.histories += 1
        else:
            comparison.mismatches.append(mismatch)
    return comparison


def answer_of(rules: Rules, call: Call, step: Step) -> str:
    """An answer as one line, without what changes from run to run: "value: …", or the error's
    class and message."""
    if step.error is not None:
        message = step.error.message.splitlines()[0] if step.error.message else ""
        return _cut(f"{_kind(step)}: {message}")
    return _cut(f"value: {show_value(_comparable(rules, call, step.value))}")


def parting_of(rules: Rules, mismatch: Mismatch) -> tuple[str, str, str] | None:
    """Where inside two values they part (path, the plugin's side, the other's), or None."""
    steps = (mismatch.plugin, mismatch.other)
    if any(step.error is not None for step in steps):
        return None
    plugin, other = (encode(_comparable(rules, mismatch.call, step.value)) for step in steps)
    found = first_difference(plugin, other)
    return found if found is not None and found[0] else None


def _compare_one(
    rules: Rules,
    history: History,
    plugin: Sequence[Step],
    other: Sequence[Step],
    comparison: Comparison,
) -> Mismatch | None:
    for at, call in enumerate(history.calls):
        left, right = _step(plugin, at), _step(other, at)
        if call.operation in rules.not_simulated:
            continue
        comparison.steps[call.operation] += 1
        if _agree(rules, call, left, right):
            continue
        row = _covering(rules, history, call, left, right)
        if row is None or row.expires < rules.today:
            return Mismatch(history, at, left, right, row)
        comparison.excused[row.name] += 1
        if _writes(rules.contract, call):
            return None  # the two states differ from here on, as the row says
    return None


def _step(steps: Sequence[Step], at: int) -> Step:
    return steps[at] if at < len(steps) else NO_ANSWER


def _agree(rules: Rules, call: Call, plugin: Step, other: Step) -> bool:
    if _kind(plugin) != _kind(other):
        return False
    if plugin.error is not None and other.error is not None:
        # What a failed read did to the world is no question; what a failed write did is.
        same = plugin.error.outcome == other.error.outcome
        return same or not _writes(rules.contract, call)
    # Encoded, because what came from another process has lists where ours has tuples.
    shared = [encode(_comparable(rules, call, step.value)) for step in (plugin, other)]
    if shared[0] != shared[1]:
        return False
    if rules.traits is None:
        return True
    left, right = rules.traits(call, plugin.value), rules.traits(call, other.value)
    return left is None or right is None or left == right


def _comparable(rules: Rules, call: Call, value: object) -> object:
    try:
        return rules.contract.comparable(call, value)
    except Exception as error:  # a result of another shape than the protocol's
        return {"not a result": f"{type(error).__name__}: {error}", "value": value}


def _covering(
    rules: Rules, history: History, call: Call, plugin: Step, other: Step
) -> Divergence | None:
    case = f"{rules.contract.spec.contract} {rules.surface} {history.name}"
    left, right = answer_of(rules, call, plugin), answer_of(rules, call, other)
    rows: Iterable[Divergence] = (
        row for row in rules.divergences if row.covers(case, call.operation, left, right)
    )
    return max(rows, key=lambda row: row.expires, default=None)


def _kind(step: Step) -> str:
    """ "value", or the error's class: the nearest one that the vocabulary of errors has."""
    if step.error is None:
        return "value"
    for ancestor in step.error.ancestors:
        if ancestor.startswith(_CORE_ERRORS):
            return ancestor.removeprefix(_CORE_ERRORS)
    return step.error.name


def _writes(contract: Contract, call: Call) -> bool:
    operation = contract.spec.operations.get(call.operation)
    return operation is None or operation.floor.effects is Effects.EFFECTFUL


def _cut(text: str) -> str:
    return text if len(text) <= _ANSWER_MAX else f"{text[:_ANSWER_MAX]}…"
