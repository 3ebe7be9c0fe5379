"""The histories that parity compares: every exercise, the vendor's edges, and generated ones."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from core_caps.contract.suite import Call, Contract, Result

from flows_registry.lab.simulators.showing import show_call

__all__ = ["History", "gather", "shown", "without"]


@dataclass(frozen=True, slots=True)
class History:
    """Calls on an empty service, in order.

    Attributes:
        name: what it is, unique among those of one comparison.
        calls: its calls; their `Result`s count from its first.
    """

    name: str
    calls: tuple[Call, ...]


def gather(
    contract: Contract,
    operations: frozenset[str],
    *,
    boundaries: Mapping[str, tuple[Call, ...]],
    asked: Callable[[Call], Call],
    seed: int,
    count: int,
    length: int,
) -> tuple[History, ...]:
    """All histories for a provider of these operations.

    Exercises and generated ones are followed by calls that read the state they left.

    Args:
        contract: its exercises become one history each.
        operations: what the provider has; other calls are left out.
        boundaries: histories at the vendor's documented edges, by name.
        asked: the call that is made in the place of each.
        seed: the same seed gives the same histories.
        count: how many are generated.
        length: how many calls a generated one has, its reading calls not counted.
    """
    edges = [(f"edge: {name}", calls) for name, calls in boundaries.items()]
    found = [
        (f"exercise: {exercise.name}", (*exercise.setup, exercise.call, *exercise.probe))
        for exercise in contract.exercises
    ]
    for number in range(count):
        # The contract's generator is handed its own source: one history never moves another.
        source = random.Random(f"{seed}:{number}")  # noqa: S311 (repeatable on purpose)
        calls = tuple(contract.generate(source, length, operations))
        found.append((f"generated: seed {seed} number {number}", calls))
    kept = [(name, _provided(calls, operations)) for name, calls in edges]
    for name, calls in found:
        own = _provided(calls, operations)
        kept.append((name, _provided((*own, *contract.read_back(own)), operations)))
    return tuple(History(name, tuple(map(asked, calls))) for name, calls in kept if calls)


def _provided(calls: Sequence[Call], operations: frozenset[str]) -> tuple[Call, ...]:
    return without(calls, {at for at, call in enumerate(calls) if call.operation not in operations})


def without(calls: Sequence[Call], dropped: set[int]) -> tuple[Call, ...]:
    """The calls without some of them and without those that need a result of one of them."""
    dropped = set(dropped)
    for at, call in enumerate(calls):
        if any(step in dropped for step in _needed(call)):
            dropped.add(at)
    places: dict[int, int] = {}
    kept: list[Call] = []
    for at, call in enumerate(calls):
        if at not in dropped:
            places[at] = len(kept)
            kept.append(_moved(call, places))
    return tuple(kept)


def shown(calls: Sequence[Call]) -> str:
    """The calls as lines a person can read and type again; `r0` is the first one's result."""
    needed = {step for call in calls for step in _needed(call)}
    return "\n".join(
        f"{f'r{at} = ' if at in needed else ''}{show_call(call)}" for at, call in enumerate(calls)
    )


def _needed(call: Call) -> list[int]:
    values = (*call.args, *call.kwargs.values())
    return [value.step for value in values if isinstance(value, Result)]


def _moved(call: Call, places: Mapping[int, int]) -> Call:
    def moved(value: object) -> object:
        return replace(value, step=places[value.step]) if isinstance(value, Result) else value

    return Call(
        call.operation,
        tuple(moved(value) for value in call.args),
        {name: moved(value) for name, value in call.kwargs.items()},
    )
