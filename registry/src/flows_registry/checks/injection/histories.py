"""Histories as a network makes them: repeated, answered too late, all at once.

Every history comes from the contract's own generator and a seed; the model says what a perfect
service would have answered.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from core_caps.claims.manifest import OperationClaim
from core_caps.claims.operation import Repeat
from core_caps.contract.suite import Call, Contract, Follower, Model, Result
from core_caps.errors import ProviderError

from flows_registry.checks.injection.keys import keys_of
from flows_registry.lab.case import Step

__all__ = [
    "Answer",
    "answer_of",
    "apply",
    "conditional",
    "duplicated",
    "followed",
    "refers",
    "rekeyed",
    "renumbered",
    "reordered",
    "repeatable",
    "spread",
]

Answer = tuple[str, object]
"""("value", the comparable result) or ("error", the error's name)."""


def repeatable(call: Call, claims: Mapping[str, OperationClaim]) -> bool:
    """Whether a call may be delivered twice: by nature, or under its idempotency key.

    Conditional calls are left alone, since their first delivery may spoil the condition of the
    second.
    """
    claim = claims.get(call.operation)
    if claim is None or conditional(call):
        return False
    keyed = claim.repeat is Repeat.KEYED and bool(keys_of(claim, call))
    return claim.repeat is Repeat.SAFE or keyed


def duplicated(
    calls: Sequence[Call], claims: Mapping[str, OperationClaim], source: random.Random
) -> list[Call]:
    """The history with some calls delivered twice in a row, as an at-least-once caller does.

    Only what is safe to repeat is repeated.
    """
    return _redelivered(calls, claims, source, lambda: 0)


def reordered(
    calls: Sequence[Call], claims: Mapping[str, OperationClaim], source: random.Random
) -> list[Call]:
    """The history with some calls delivered again after later ones, as a queue without order does.

    The service ends as the deliveries say, in the order in which they came: whoever remembers
    what it did before, and skips it, ends elsewhere.
    """
    return _redelivered(calls, claims, source, lambda: source.randint(1, LATE_MAX))


def _redelivered(
    calls: Sequence[Call],
    claims: Mapping[str, OperationClaim],
    source: random.Random,
    later: Callable[[], int],
) -> list[Call]:
    """Every call, some of them a second time `later()` calls after the first."""
    given: list[Call] = []
    moved: dict[int, int] = {}
    waiting: dict[int, list[Call]] = {}
    for number, call in enumerate(calls):
        call = renumbered(call, moved)  # noqa: PLW2901 (the same call)
        moved[number] = len(given)
        given.append(call)
        if repeatable(call, claims) and source.random() < DUPLICATE_SHARE:
            waiting.setdefault(number + later(), []).append(call)
        given += waiting.pop(number, ())
    return given + [call for late in waiting.values() for call in late]


DUPLICATE_SHARE = 0.5
LATE_MAX = 4


def renumbered(call: Call, moved: Mapping[int, int]) -> Call:
    """The same call where the results that it refers to have other numbers."""
    kwargs = {name: _moved(value, moved) for name, value in call.kwargs.items()}
    return replace(call, args=tuple(_moved(value, moved) for value in call.args), kwargs=kwargs)


def spread(writes: Sequence[Call]) -> list[Call]:
    """Writes, each moved to a key of its own: made at once, none may undo another."""
    plain = [call for call in writes if not (conditional(call) or refers(call))]
    return [rekeyed(call, f"apart-{number}") for number, call in enumerate(plain)]


def rekeyed(call: Call, key: str) -> Call:
    """The same call on another key, which is its first argument; of a URL it is the path."""
    first = call.args[0] if call.args else ""
    if isinstance(first, str) and "://" in first:
        key = "/".join([*first.split("/", 3)[:3], key])
    return replace(call, args=(key, *call.args[1:]))


def followed(model: Model, call: Call, given: Answer) -> Answer:
    """What a perfect service answers; as given, where that is one of several that it may give."""
    if isinstance(model, Follower):
        kind, what = given
        error = str(what) if kind == "error" else ""
        if model.accepts(call, None if error else what, error):
            return given
    return apply(model, call)


def apply(model: Model, call: Call) -> Answer:
    """One answer of the model."""
    try:
        return "value", model.apply(call)
    except ProviderError as error:
        return "error", type(error).__name__


def answer_of(contract: Contract, call: Call, step: Step) -> Answer:
    """What a provider answered, in the same terms."""
    if step.error is not None:
        return "error", step.error.kind
    return "value", contract.comparable(call, step.value)


def conditional(call: Call) -> bool:
    """Whether a call's meaning depends on the state it meets."""
    return any(value is not None for name, value in call.kwargs.items() if name.startswith("if_"))


def refers(call: Call) -> bool:
    """Whether a call uses an earlier result."""
    return any(isinstance(value, Result) for value in (*call.args, *call.kwargs.values()))


def _moved(value: object, moved: Mapping[int, int]) -> object:
    if isinstance(value, Result):
        return Result(moved.get(value.step, value.step), value.attribute)
    return value
