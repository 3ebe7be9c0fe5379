"""Operations: the methods of a capability, each carrying its hint and what a repeat does.

    @capability("kv", version=1)
    class KeyValue(Protocol):
        @operation("resource::kv::read")
        async def get(self, key: str) -> bytes | None: ...

Hints are declared per operation on the protocol, never guessed from names.
"""

import enum
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

from core_caps.claims.hints import HINTS
from core_caps.claims.lattice import Claim, join

__all__ = [
    "CapabilitySpec",
    "Operation",
    "Repeat",
    "capability",
    "declared_as",
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
        key: the keyword argument that takes the idempotency key, or "".
        conditions: the keyword arguments that take a precondition: those called `if_…`.
    """

    name: str
    hints: tuple[str, ...]
    repeat: Repeat = Repeat.SAFE
    delegates: tuple[str, ...] = ()
    optional: bool = False
    streams: bool = False
    key: str = ""
    conditions: tuple[str, ...] = ()

    @property
    def hint(self) -> str:
        """The first hint: the one an error message names."""
        return self.hints[0]

    @property
    def floor(self) -> Claim:
        """The join of its hints' floors, delegated ones included."""
        return join(HINTS[hint].floor for hint in (*self.hints, *self.delegates))


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
) -> Callable[[_Method], _Method]:
    """Declare a protocol method as an operation with these hints.

    What is `Repeat.KEYED` names the keyword argument that takes the idempotency key, or has
    preconditions, which are called `if_…`; certification refuses it otherwise (IDEM020).

    Raises:
        ValueError: no hint was given, or the method has no keyword argument of the key's name.
    """
    if not hints:
        raise ValueError("an operation needs at least one hint")

    def mark(method: _Method) -> _Method:
        named = _named(method)
        if key and key not in named:
            raise ValueError(f"{method.__name__} has no keyword argument {key!r}")
        conditions = tuple(name for name in named if name.startswith("if_"))
        declared = Operation(
            method.__name__, hints, repeat, delegates, optional, streams, key, conditions
        )
        return declared_as(declared, method)

    return mark


def declared_as(declared: Operation, method: _Method) -> _Method:
    """The method, declared as that operation."""
    setattr(method, _OPERATION, declared)
    return method


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


def _named(method: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments of a method that are given by name alone."""
    code = method.__code__
    return code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount]


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
