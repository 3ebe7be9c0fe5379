"""Operations: the methods of a capability, each carrying its hint and what a repeat does.

    @capability("kv", version=1)
    class KeyValue(Protocol):
        @operation("resource::kv::read")
        async def get(self, key: str) -> bytes | None: ...

Hints are declared per operation on the protocol, never guessed from names.
"""

import enum
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast

from core_caps.claims.hints import HINTS
from core_caps.claims.lattice import Claim, Determinism, join

__all__ = [
    "CapabilitySpec",
    "Operation",
    "Repeat",
    "capability",
    "declared_as",
    "keys_given",
    "operation",
    "operations_of",
    "part_of",
    "required_of",
    "spec_of",
]

_OPERATION = "__flows_operation__"
_CAPABILITY = "__flows_capability__"

_Method = TypeVar("_Method", bound=Callable[..., Any])
_Class = TypeVar("_Class", bound=type)


class Repeat(enum.Enum):
    """What the same call made twice does: the question every retry asks."""

    SAFE = "safe"
    """Reads, and writes that converge: twice is once."""

    KEYED = "keyed"
    """Twice is once only under one idempotency key or precondition; the operation says which."""

    UNSAFE = "unsafe"
    """Twice is twice."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a capability.

    Attributes:
        name: the method's name.
        hints: what it touches; usually one.
        repeat: what the same call made twice does.
        delegates: the hint of the call that a minted credential permits (a presigned URL).
        optional: a provider may leave it out; its manifest then says so.
        streams: the method returns an async iterator instead of a coroutine.
        key: the argument that takes the idempotency key, `messages.key` where each item of an
            argument has a key of its own, or "".
        key_at: where that argument stands among those given by position, from 0; None where it is
            given by name alone.
        travels: the key travels with what is sent, and whoever receives it knows a repeat by it;
            the service itself takes what comes twice twice.
        conditions: the keyword arguments that take a precondition: those called `if_…`.
        determinism: how repeatable it is at most, whatever its hints would allow.
    """

    name: str
    hints: tuple[str, ...]
    repeat: Repeat = Repeat.SAFE
    delegates: tuple[str, ...] = ()
    optional: bool = False
    streams: bool = False
    key: str = ""
    key_at: int | None = None
    travels: bool = False
    conditions: tuple[str, ...] = ()
    determinism: Determinism = Determinism.STRICT

    @property
    def hint(self) -> str:
        """The first hint: the one an error message names."""
        return self.hints[0]

    @property
    def floor(self) -> Claim:
        """The join of its hints' floors, delegated ones included, and of its own determinism."""
        hints = join(HINTS[hint].floor for hint in (*self.hints, *self.delegates))
        return Claim(hints.effects, hints.determinism | self.determinism)


@dataclass(frozen=True, slots=True)
class CapabilitySpec:
    """A capability protocol as data.

    Attributes:
        name: its short name, `kv`.
        version: its contract's version.
        operations: every operation by name.
        halves: the protocols it is put together from, each with its operations' names. A provider
            may leave out a half as a whole.
    """

    name: str
    version: int
    operations: Mapping[str, Operation]
    halves: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    @property
    def contract(self) -> str:
        """The contract's id as manifests write it: `kv/1`."""
        return f"{self.name}/{self.version}"

    def missing(self, provided: Collection[str]) -> Iterator[tuple[str, str]]:
        """The operations that a provider of these must have, too, and who requires each.

        Nobody requires an optional operation, nor one of a half that is left out as a whole.
        """
        begun = {half for half, names in self.halves.items() if not names.isdisjoint(provided)}
        for name, declared in self.operations.items():
            if declared.optional or name in provided:
                continue
            homes = {half for half, names in self.halves.items() if name in names}
            if not homes or not begun:
                yield name, self.contract
            elif homes & begun:
                yield name, min(homes & begun)


def operation(
    *hints: str,
    repeat: Repeat = Repeat.SAFE,
    delegates: tuple[str, ...] = (),
    optional: bool = False,
    streams: bool = False,
    key: str = "",
    travels: bool = False,
    determinism: Determinism = Determinism.STRICT,
) -> Callable[[_Method], _Method]:
    """Declare a protocol method as an operation with these hints.

    What is `Repeat.KEYED` names the argument that takes the idempotency key, `key="once"`, or the
    one whose items have keys, `key="messages.key"`; or else it has preconditions, which are called
    `if_…`. Certification refuses it otherwise (IDEM020).

    Raises:
        ValueError: no hint was given, or the method has no argument of the key's name.
    """
    if not hints:
        raise ValueError("an operation needs at least one hint")

    def mark(method: _Method) -> _Method:
        placed, named = _arguments(method)
        argument = key.partition(".")[0]
        if argument and argument not in (*placed, *named):
            raise ValueError(f"{method.__name__} has no argument {argument!r}")
        declared = Operation(
            method.__name__,
            hints,
            repeat,
            delegates,
            optional,
            streams,
            key,
            placed.index(argument) if argument in placed else None,
            travels,
            tuple(name for name in named if name.startswith("if_")),
            determinism,
        )
        return declared_as(declared, method)

    return mark


def declared_as(declared: Operation, method: _Method) -> _Method:
    """The method, declared as that operation."""
    setattr(method, _OPERATION, declared)
    return method


class _Keyed(Protocol):
    """What says where a key is given: an Operation, or what a manifest claims of one."""

    @property
    def key(self) -> str: ...
    @property
    def key_at(self) -> int | None: ...


def keys_given(
    operation: _Keyed, args: Sequence[object], kwargs: Mapping[str, object]
) -> tuple[object, ...]:
    """The idempotency keys that a call is given, one for each thing that it writes.

    There are none where one is missing: such a call must not be repeated. Empty text is no key.
    """
    argument, _, attribute = operation.key.partition(".")
    if not argument:
        return ()
    given = kwargs.get(argument)
    if given is None and operation.key_at is not None and operation.key_at < len(args):
        given = args[operation.key_at]
    keys: list[object] = [given]
    if attribute:
        items = cast("Sequence[object]", given) if isinstance(given, Sequence) else ()
        keys = [_read(item, attribute) for item in items]
    return tuple(keys) if all(map(_is_key, keys)) else ()


def capability(name: str, *, version: int) -> Callable[[_Class], _Class]:
    """Declare a Protocol class as a capability; its operations are found on it and its bases."""

    def mark(cls: _Class) -> _Class:
        setattr(cls, _CAPABILITY, CapabilitySpec(name, version, _collect(cls), _halves(cls)))
        return cls

    return mark


def spec_of(protocol: type) -> CapabilitySpec:
    """The specification of a capability protocol.

    Raises:
        TypeError: the class is not marked with `@capability`.
    """
    spec = protocol.__dict__.get(_CAPABILITY)
    if spec is None:
        raise TypeError(f"{protocol.__qualname__} is not a capability: mark it with @capability")
    return spec


def operations_of(protocol: type) -> Mapping[str, Operation]:
    """The operations declared on a protocol and its bases, by name; also for partial protocols."""
    return _collect(protocol)


def required_of(protocol: type) -> frozenset[str]:
    """The operations that every provider of a protocol, or of a half, has."""
    return frozenset(name for name, each in _collect(protocol).items() if not each.optional)


def part_of(protocol: type, provided: Collection[str]) -> type | None:
    """The protocol, or else the half of it, that a provider of these operations is; or None."""
    for part in (protocol, *protocol.__bases__):
        if _collect(part) and required_of(part) <= set(provided):
            return part
    return None


def _arguments(method: Callable[..., Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The arguments of a method after `self`: by position, and by name alone."""
    code = method.__code__
    placed, others = code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount :]
    return placed[1:], others[: code.co_kwonlyargcount]


def _is_key(given: object) -> bool:
    return given is not None and (bool(given) or not isinstance(given, str | bytes))


def _read(item: object, attribute: str) -> object:
    if isinstance(item, Mapping):
        return cast("Mapping[object, object]", item).get(attribute)
    return getattr(item, attribute, None)


def _halves(cls: type) -> Mapping[str, frozenset[str]]:
    found = {base.__name__: frozenset(_collect(base)) for base in cls.__bases__}
    return MappingProxyType({half: names for half, names in found.items() if names})


def _collect(cls: type) -> Mapping[str, Operation]:
    found: dict[str, Operation] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            declared = getattr(member, _OPERATION, None)
            if declared is not None:
                found[name] = declared
    return MappingProxyType(found)
