"""What turns a contract's calls into calls on a vendor's binding, and runs histories of them.

An operation is a generator: it yields the bridge calls it needs and returns the result that a
faithful provider would return. Many histories then advance in step, one batch of bridge calls a
round, so that a call costs far less than a round trip.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core_caps.contract.suite import Call, Result, StreamBroken
from core_caps.errors import InvalidArgument, ProviderError

from flows_registry.lab.case import ErrorFacts, Step
from flows_registry.lab.simulators.bridge import BridgeCall, BridgeError
from flows_registry.lab.simulators.miniflare import Miniflare

__all__ = ["NOT_SIMULATED", "Binding", "BindingAdapter", "Operation", "Steps", "as_it_is", "replay"]

NOT_SIMULATED = "NotSimulated"
"""The error name of a step whose operation the binding does not have."""

_CURSOR_MARK = "binding:"
Steps = Generator[BridgeCall, Any, object]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where an operation acts.

    Attributes:
        name: the binding's name in the Worker.
        ahead_seconds: how far the simulator's clock is ahead of the history's; absolute times
            are moved by so much.
    """

    name: str
    ahead_seconds: float = 0.0

    def call(self, method: str, *args: object) -> BridgeCall:
        """A call on this binding."""
        return BridgeCall(self.name, method, args)

    def seal(self, cursor: str) -> str:
        """A cursor as a provider gives it out, recognisable as one of its own."""
        return f"{_CURSOR_MARK}{cursor}"

    def unseal(self, cursor: str) -> str:
        """The vendor's cursor.

        Raises:
            InvalidArgument: it is not one of ours, which the contract wants refused; the binding
                would take it for the beginning or the end.
        """
        if not cursor.startswith(_CURSOR_MARK):
            raise InvalidArgument(f"{cursor!r} is not a cursor of this store")
        return cursor.removeprefix(_CURSOR_MARK)


Operation = Callable[..., Steps]


def as_it_is(call: Call) -> Call:
    """The call itself."""
    return call


@dataclass(frozen=True, slots=True)
class BindingAdapter:
    """One capability over one kind of Workers binding.

    Attributes:
        contract: the contract's id, `kv/1`.
        surface: what it is called in a report.
        pool: which kind of binding it needs: "kv", "r2", "queue" or "d1".
        operations: `(binding, *args, **kwargs) → Steps` by the operation's name.
        error: the error that a faithful provider raises where the binding throws this.
        boundaries: histories at the edges of the vendor's documented limits, by name.
        asked: the call that is compared in the place of each: one whose answer leaves no choice.
        traits: `(call, result) → value`: what two answers share besides what the contract
            compares, or None where the binding itself says nothing; see `plugin_traits`.
        plugin_traits: the same between two backends of one plugin, which share more.
    """

    contract: str
    surface: str
    pool: Literal["kv", "r2", "queue", "d1"]
    operations: Mapping[str, Operation]
    error: Callable[[BridgeError], Exception]
    boundaries: Mapping[str, tuple[Call, ...]] = field(default_factory=dict[str, tuple[Call, ...]])
    asked: Callable[[Call], Call] = as_it_is
    traits: Callable[[Call, object], object] | None = None
    plugin_traits: Callable[[Call, object], object] | None = None


@dataclass(slots=True)
class _Player:
    """One history on its way."""

    binding: Binding
    calls: Sequence[Call]
    steps: list[Step] = field(default_factory=list[Step])
    results: list[object] = field(default_factory=list[object])
    running: Steps | None = None


def replay(
    simulator: Miniflare,
    adapter: BindingAdapter,
    histories: Sequence[Sequence[Call]],
    bindings: Sequence[str],
    *,
    started_at: float | None = None,
) -> list[list[Step]]:
    """Run each history on an empty binding of its own; the steps in the order of the calls.

    Args:
        simulator: a running instance that has the bindings.
        adapter: the capability.
        histories: calls whose `Result`s count within their own history.
        bindings: the pool of bindings; so many histories run at once. They are emptied before use.
        started_at: the time, in seconds since 1970, at which the histories believe to start;
            None is now.

    Raises:
        SimulatorFailed: the simulator died or stopped answering.
    """
    ahead = 0.0 if started_at is None else time.time() - started_at
    done: list[list[Step]] = []
    for first in range(0, len(histories), len(bindings)):
        wave = histories[first : first + len(bindings)]
        names = bindings[: len(wave)]
        simulator.purge(names)
        players = [
            _Player(Binding(name, ahead), calls) for name, calls in zip(names, wave, strict=True)
        ]
        _play(simulator, adapter, players)
        done += [player.steps for player in players]
    return done


def _play(simulator: Miniflare, adapter: BindingAdapter, players: Sequence[_Player]) -> None:
    wanted = [(player, call) for player in players if (call := _next(player, adapter, None))]
    while wanted:
        answers = simulator.call([call for _, call in wanted])
        moved: list[tuple[_Player, BridgeCall]] = []
        for (player, _), answer in zip(wanted, answers, strict=True):
            call = _next(player, adapter, answer)
            if call is not None:
                moved.append((player, call))
        wanted = moved


def _next(player: _Player, adapter: BindingAdapter, answer: object) -> BridgeCall | None:
    """Hand an answer to the running operation and go on to the next bridge call, if any."""
    while True:
        try:
            if player.running is None:
                if len(player.steps) == len(player.calls):
                    return None
                player.running = _begin(player, adapter)
                return next(player.running)
            if isinstance(answer, BridgeError):
                return player.running.throw(adapter.error(answer))
            return player.running.send(answer)
        except StopIteration as finished:
            _record(player, Step(value=finished.value), finished.value)
        except (ProviderError, StreamBroken, AttributeError, _NotSimulatedError) as error:
            _record(player, Step(error=_facts(error)), None)
        answer = None


def _record(player: _Player, step: Step, result: object) -> None:
    player.running = None
    player.steps.append(step)
    player.results.append(result)


class _NotSimulatedError(Exception):
    pass


def _begin(player: _Player, adapter: BindingAdapter) -> Steps:
    call = player.calls[len(player.steps)]
    operation = adapter.operations.get(call.operation)
    if operation is None:
        raise _NotSimulatedError(f"{adapter.surface} has no {call.operation}")
    arguments = [_resolved(item, player.results) for item in call.args]
    named = {name: _resolved(item, player.results) for name, item in call.kwargs.items()}
    return operation(player.binding, *arguments, **named)


def _resolved(value: object, results: Sequence[object]) -> object:
    return value.of(results) if isinstance(value, Result) else value


def _facts(error: Exception) -> ErrorFacts:
    outcome = getattr(error, "outcome", None)
    simulated = not isinstance(error, _NotSimulatedError)
    return ErrorFacts(
        name=type(error).__name__ if simulated else NOT_SIMULATED,
        code=getattr(error, "code", None),
        outcome=getattr(outcome, "value", None),
        message=str(error),
        ancestors=tuple(
            f"{cls.__module__}:{cls.__qualname__}"
            for cls in type(error).__mro__
            if cls.__module__.startswith("core_caps")
        ),
    )
