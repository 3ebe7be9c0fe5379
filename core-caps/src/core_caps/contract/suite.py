"""The shapes of a contract: cases to run, exercises to perturb, a model to compare with.

A third party that brings a capability of its own fills the same shapes in its own package and
names them in the manifest (`suite = "cap_mail.contract:CONTRACT"`).
"""

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NoReturn, Protocol, TypeVar, runtime_checkable

from core_caps.claims.guarantees import GUARANTEES, UNKNOWN, AtLeast, satisfies
from core_caps.claims.operation import CapabilitySpec
from core_caps.clock import Clock
from core_caps.errors import ProviderError

__all__ = [
    "PERSONAL",
    "PERSONAL_CONTENT",
    "Call",
    "Contract",
    "ContractCase",
    "ContractViolation",
    "Exercise",
    "Follower",
    "Grant",
    "Model",
    "NoModel",
    "Result",
    "Stream",
    "StreamBroken",
    "World",
    "expect",
    "expect_error",
    "promise",
    "selected",
    "unchecked",
    "violated",
]

_Error = TypeVar("_Error", bound=ProviderError)

PERSONAL: Mapping[str, str] = MappingProxyType(
    {
        "name": "Quilla Featherstone",
        "email": "quilla.featherstone@example.net",
        "phone": "+44 20 7946 0958",
    }
)
"""A made-up person. Exercises put this into what their calls store, and the certifier looks for it
where no content belongs: in errors, logs, output and URLs."""

PERSONAL_CONTENT = "{name} <{email}> {phone}".format_map(PERSONAL).encode()
"""The same as content."""


class ContractViolation(AssertionError):
    """A provider broke a promise of its contract: what was promised and what was observed."""

    def __init__(self, promised: str, observed: object) -> None:
        super().__init__(f"promised: {promised}; observed: {observed!r}")
        self.promised = promised
        self.observed = repr(observed)


class StreamBroken(Exception):
    """What a `Stream` argument raises where its case wants the source to fail."""


def violated(promised: str, observed: object) -> NoReturn:
    """Say that a promise was broken."""
    raise ContractViolation(promised, observed)


def expect(promised: str, condition: bool, observed: object) -> None:
    """Check one promise."""
    if not condition:
        violated(promised, observed)


async def expect_error(error: type[_Error], promised: str, call: Awaitable[object]) -> _Error:
    """Check that a call fails with this error, and return it."""
    try:
        result = await call
    except error as raised:
        return raised
    except ProviderError as raised:
        violated(promised, f"{type(raised).__name__}: {raised.message}")
    violated(promised, result)


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream argument as data: the provider is given an async iterator over the chunks.

    Attributes:
        chunks: the chunks, in order.
        breaks_after: raise StreamBroken after so many chunks; None never.
    """

    chunks: tuple[bytes, ...]
    breaks_after: int | None = None

    async def open(self) -> AsyncIterator[bytes]:
        """A fresh iterator over the chunks."""
        for index, chunk in enumerate(self.chunks):
            if index == self.breaks_after:
                raise StreamBroken("the source of the stream failed, as the case wants")
            yield chunk
        if self.breaks_after is not None and self.breaks_after >= len(self.chunks):
            raise StreamBroken("the source of the stream failed, as the case wants")


@dataclass(frozen=True, slots=True)
class Result:
    """A stand-in for part of an earlier call's result.

    `Result(0, "etag")` is an attribute of it, `Result(0, "*.lease")` a list of that attribute of
    each of its items, which is empty where the call gave nothing, and `Result(0, "")` all of it.
    """

    step: int
    attribute: str

    def of(self, results: Sequence[Any]) -> Any:
        """What it stands for, once the earlier calls were made."""
        result, each = results[self.step], self.attribute.removeprefix("*.")
        if each == self.attribute:
            return getattr(result, each) if each else result
        return [getattr(item, each) for item in result or ()]


@dataclass(frozen=True, slots=True)
class Call:
    """One call as data. Arguments may be `Stream`s and `Result`s."""

    operation: str
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Grant:
    """What the URL that a call mints permits: one request, for so long, and nothing else.

    Attributes:
        method: the HTTP method that it is good for.
        seconds: its life.
        same_as: the call that does the same with the binding's own rights.
        content: what to send with it.
        answer: the content that it is answered with, or None where that does not matter.
    """

    method: str
    seconds: int
    same_as: Call
    content: bytes | None = None
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Exercise:
    """A named way to use one operation; the certifier meets it with faults and perturbations.

    Attributes:
        name: what is special about it, `"put with ttl"`; unique in the contract.
        call: the call under test; it succeeds on a healthy service after `setup`.
        setup: calls that bring the service into the state that `call` needs.
        probe: reads that show what `call` did, where its own result does not.
        grant: where `call` mints a URL, what that permits; the certifier uses it.
    """

    name: str
    call: Call
    setup: tuple[Call, ...] = ()
    probe: tuple[Call, ...] = ()
    grant: Grant | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What surrounds a case.

    Attributes:
        backend: the backend's name.
        clock: the provider's clock; on `mock` it is virtual and `advance` moves it.
        advance: let so many seconds pass, or None where time cannot be moved.
        limits: the manifest's limits by name.
        guarantees: the manifest's guarantees, complete.
        operations: the operations that the manifest provides.
        reopen: a second, independent client on the same service; an async context manager.
        prefix: put it before every key: cases on a shared service must not meet.
    """

    backend: str
    clock: Clock
    advance: Callable[[float], Awaitable[None]] | None
    limits: Mapping[str, int]
    guarantees: Mapping[str, str]
    operations: frozenset[str]
    reopen: Callable[[], Any]
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ContractCase:
    """One promise of a contract.

    Attributes:
        name: the function's name.
        run: `async def case(provider, world)`; it returns, or raises ContractViolation.
        operations: what a provider must have for the case to apply.
        needs: guarantees it must claim for the case to apply, as (guarantee, least value).
        needs_time: the case moves the clock, so it applies only where time can be moved.
        limits: limits the manifest must state for the case to apply.
        lacks: guarantees of which it must claim nothing (unknown or the least value) for the
            case to apply: what is not promised is refused loudly.
        courtesy: kindness to whoever calls it wrongly: a plugin's own tests hold it to that, and
            no certificate asks for it.
    """

    name: str
    run: Callable[[Any, World], Awaitable[None]]
    operations: frozenset[str]
    needs: tuple[tuple[str, str], ...] = ()
    needs_time: bool = False
    limits: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    courtesy: bool = False


def promise(
    *operations: str,
    needs: tuple[tuple[str, str], ...] = (),
    needs_time: bool = False,
    limits: tuple[str, ...] = (),
    lacks: tuple[str, ...] = (),
    courtesy: bool = False,
) -> Callable[[Callable[[Any, World], Awaitable[None]]], ContractCase]:
    """Make a case of the function below it; the arguments are those of ContractCase."""

    def make(run: Callable[[Any, World], Awaitable[None]]) -> ContractCase:
        name = getattr(run, "__name__", "")
        return ContractCase(
            name, run, frozenset(operations), needs, needs_time, limits, lacks, courtesy
        )

    return make


class Model(Protocol):
    """A sequential model of the capability: what a perfect service would answer."""

    def apply(self, call: Call) -> object:
        """The comparable result of the call (see Contract.comparable).

        Raises:
            ProviderError: the call is refused; the model did not change.
        """
        ...

    def state(self) -> object:
        """The comparable state."""
        ...


@runtime_checkable
class Follower(Model, Protocol):
    """The model of a service that may answer in several ways: it is told what was answered.

    It goes on from the answer that was given, and its `apply` gives one that it would accept.
    """

    def accepts(self, call: Call, answer: object, error: str = "") -> bool:
        """Whether a perfect service may answer so; where it may not, nothing changed.

        Args:
            call: the call.
            answer: its comparable result.
            error: the name of the error that it was refused with instead.
        """
        ...

    def lost(self, call: Call, applied: bool | None) -> None:
        """The call's answer was lost; `applied` says whether the call was, None is not known."""
        ...


class NoModel:
    """Stands where a contract brings no model: it answers nothing."""

    def apply(self, call: Call) -> object:
        """There is nothing to compare with."""
        raise NotImplementedError(f"no model answers {call.operation}")

    def state(self) -> object:
        """There is nothing to compare with."""
        raise NotImplementedError("no model holds a state")


def _no_history(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    return ()


def _as_it_is(call: Call, result: object) -> object:
    return result


def _nothing(calls: Sequence[Call]) -> Sequence[Call]:
    return ()


def _no_status(call: Call, result: object) -> int | None:
    return None


@dataclass(frozen=True, slots=True)
class Contract:
    """Everything that can be asked of a provider of one capability.

    Without model, histories and `read_back` nothing is proven: no duplicate and no lost answer can
    be judged, and without `read_back` no mock's state is seen.

    Attributes:
        protocol: the Protocol class.
        spec: its specification (name, version, operations).
        cases: the promises.
        exercises: at least one way to use each operation.
        generate: `(random, length, operations) → calls`: a seeded history over few keys.
        model: makes an empty sequential model.
        comparable: `(call, result) → value` without what may differ between honest providers
            (times, opaque cursors, version tags).
        read_back: `(calls) → calls` that together show the state that a history left.
        answered: `(call, result) → status` where results tell the status that a service answered
            with, whatever it is; None where a result says that the call did what it should.
    """

    protocol: type
    spec: CapabilitySpec
    cases: tuple[ContractCase, ...]
    exercises: tuple[Exercise, ...]
    generate: Callable[[random.Random, int, frozenset[str]], Sequence[Call]] = _no_history
    model: Callable[[], Model] = NoModel
    comparable: Callable[[Call, object], object] = _as_it_is
    read_back: Callable[[Sequence[Call]], Sequence[Call]] = _nothing
    answered: Callable[[Call, object], int | None] = _no_status

    @property
    def has_model(self) -> bool:
        """Whether histories can be generated and judged, and what they left be seen."""
        return (
            self.model is not NoModel
            and self.generate is not _no_history
            and self.read_back is not _nothing
        )


def selected(contract: Contract, world: World) -> tuple[ContractCase, ...]:
    """The cases that apply: by operations, claimed guarantees, limits and a movable clock."""
    return tuple(
        case
        for case in contract.cases
        if case.operations <= world.operations
        and all(limit in world.limits for limit in case.limits)
        and (world.advance is not None or not case.needs_time)
        and all(
            satisfies(world.guarantees.get(name, UNKNOWN), AtLeast(least), guarantee=name)
            for name, least in case.needs
        )
        and all(
            world.guarantees.get(name, UNKNOWN) in (UNKNOWN, GUARANTEES[name][0])
            for name in case.lacks
        )
    )


def unchecked(contract: Contract, world: World) -> Mapping[str, frozenset[str]]:
    """The promises that a provider made and nobody can check, each with what that would need.

    They are about provided operations and are set up, or looked at, by operations of the half
    that the provider leaves out. A promise that needs an optional operation is about that one.
    """
    every = contract.spec.operations
    wholly = selected(contract, replace(world, operations=frozenset(every)))
    needed = {case.name: case.operations - world.operations for case in wholly}
    return {
        case.name: needed[case.name]
        for case in wholly
        if needed[case.name]
        and case.operations & world.operations
        and not any(every[name].optional for name in needed[case.name])
    }
