"""The abstract values: what an expression can be, as a set of atoms.

An atom names a function, a class, an object by where it was made, a handle on the world, a
constant, or plain data. What objects and containers hold is kept in the machine's cells, so atoms
stay small and hash fast.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows_registry.checks.effects.static.activations import Activation
    from flows_registry.checks.effects.static.program import Code

__all__ = [
    "DATA",
    "EMPTY",
    "HOLE",
    "NONE",
    "NO_ARGS",
    "UNKNOWN_DATA",
    "UNSET",
    "Args",
    "Atom",
    "AttributeTable",
    "Bound",
    "Cap",
    "Coll",
    "Const",
    "Data",
    "Ext",
    "Func",
    "Gen",
    "Inst",
    "Klass",
    "Method",
    "ModuleRef",
    "Obj",
    "Partial",
    "Super",
    "Text",
    "Unknown",
    "Value",
    "Wrapped",
    "join",
    "text",
    "widen",
]

HOLE = "\ufffc"
"""Stands in a Text for a part that is not constant."""

TEXT_LENGTH_MAX = 400
CONSTANTS_MAX = 24
"""So many constants in one value; beyond it they become plain data."""


@dataclass(frozen=True, slots=True)
class Data:
    """Plain data: numbers, bytes, what a caller passed. It cannot reach the world by itself."""


@dataclass(frozen=True, slots=True)
class Const:
    """None, a boolean or a number; `kind` keeps True and 1 apart.

    The kind `unset` is an attribute that may still be None: it decides no branch.
    """

    kind: str
    value: Any

    @property
    def nothing(self) -> bool:
        """Whether it is None."""
        return self.kind in ("None", "unset")


@dataclass(frozen=True, slots=True)
class Text:
    """Text or bytes with holes."""

    pattern: str
    binary: bool = False

    @property
    def exact(self) -> bool:
        """Whether every character is known."""
        return HOLE not in self.pattern

    @property
    def prefix(self) -> str:
        """What it certainly starts with."""
        return self.pattern.split(HOLE, 1)[0]

    @property
    def shown(self) -> str:
        """For people: `*` for each hole."""
        return self.pattern.replace(HOLE, "*")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that may be anything, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ext:
    """Something outside the analysed source, by its dotted path: `httpx.AsyncClient`."""

    path: str


@dataclass(frozen=True, slots=True)
class Inst:
    """An object of an outside type, by where it was made."""

    type: str
    site: int
    made_in: Activation | None


@dataclass(frozen=True, slots=True)
class Method:
    """An attribute of an object, of an outside type, that may be called."""

    receiver: Atom
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Cap:
    """A handle on a capability, by its protocol's name."""

    protocol: str


@dataclass(frozen=True, slots=True)
class ModuleRef:
    """A module of the analysed source."""

    name: str


@dataclass(frozen=True, slots=True)
class Func:
    """A function of the analysed source: its code, the call that defined it, its class."""

    code: Code
    owner: Activation | None
    cls: Klass | None


@dataclass(frozen=True, slots=True)
class Klass:
    """A class of the analysed source."""

    code: Code
    owner: Activation | None


@dataclass(frozen=True, slots=True)
class Obj:
    """An object of a class of the analysed source, by where it was made."""

    cls: Klass
    site: int
    made_in: Activation | None


@dataclass(frozen=True, slots=True)
class Coll:
    """A list, tuple, set, dict or other container, by where it was made."""

    kind: str
    site: int
    made_in: Activation | None


@dataclass(frozen=True, slots=True)
class AttributeTable:
    """The `__dict__` of an object."""

    target: Atom


@dataclass(frozen=True, slots=True)
class Gen:
    """What calling a generator function gives."""

    activation: Activation


@dataclass(frozen=True, slots=True)
class Bound:
    """A callable with its first argument: a method of an object."""

    func: Atom
    receiver: Atom


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A staticmethod, classmethod or property around a function."""

    kind: str
    func: Atom


@dataclass(frozen=True, slots=True)
class Super:
    """`super()` in a method of `cls`, on `receiver`."""

    cls: Klass
    receiver: Atom


@dataclass(frozen=True, slots=True)
class Partial:
    """A callable with some of its arguments."""

    func: Atom
    args: Args


Atom = (
    Data
    | Const
    | Text
    | Unknown
    | Ext
    | Inst
    | Method
    | Cap
    | ModuleRef
    | Func
    | Klass
    | Obj
    | Coll
    | AttributeTable
    | Gen
    | Bound
    | Wrapped
    | Super
    | Partial
)

Value = frozenset[Atom]

EMPTY: Value = frozenset()
DATA = Data()
UNKNOWN_DATA: Value = frozenset({DATA})
UNSET = Const("unset", HOLE)
NONE: Value = frozenset({Const("None", None)})


@dataclass(frozen=True, slots=True)
class Args:
    """The arguments of a call.

    Attributes:
        positional: those whose position is known.
        keywords: those given by name, in name order.
        rest: what any further position may hold (`*args` of unknown length).
        named_rest: what any further keyword may hold (`**kwargs` with unknown names).
        fill: what a parameter without default gets when outside code makes the call.
    """

    positional: tuple[Value, ...] = ()
    keywords: tuple[tuple[str, Value], ...] = ()
    rest: Value = EMPTY
    named_rest: Value = EMPTY
    fill: Value = EMPTY

    def at(self, position: int, name: str = "") -> Value:
        """The argument that stands at a position or bears a name; EMPTY when it is not given."""
        for keyword, value in self.keywords:
            if keyword == name:
                return value
        if 0 <= position < len(self.positional):
            return self.positional[position]
        return self.rest | self.named_rest

    def named(self, name: str) -> Value:
        """The argument given by that name; EMPTY when it is not given."""
        return self.at(-1, name)

    def shifted(self, count: int = 1) -> Args:
        """Without the first positional arguments."""
        return replace(self, positional=self.positional[count:])

    def preceded(self, *values: Value) -> Args:
        """With these positional arguments in front."""
        return replace(self, positional=(*values, *self.positional))

    def over(self, later: Args) -> Args:
        """These, as kept by a partial, followed by those of the call itself."""
        keywords: Mapping[str, Value] = dict(self.keywords) | dict(later.keywords)
        return Args(
            self.positional + later.positional,
            tuple(sorted(keywords.items())),
            self.rest | later.rest,
            self.named_rest | later.named_rest,
            later.fill,
        )

    def joined(self, other: Args) -> Args | None:
        """What either may be, or None when they do not have the same form."""
        if len(self.positional) != len(other.positional):
            return None
        if [name for name, _ in self.keywords] != [name for name, _ in other.keywords]:
            return None
        pairs = zip(self.positional, other.positional, strict=True)
        named = zip(self.keywords, other.keywords, strict=True)
        return Args(
            tuple(one | another for one, another in pairs),
            tuple((name, one | another) for (name, one), (_, another) in named),
            self.rest | other.rest,
            self.named_rest | other.named_rest,
            self.fill | other.fill,
        )

    def values(self) -> list[Value]:
        """Every argument."""
        found = [*self.positional, *(value for _, value in self.keywords)]
        return [*found, *(value for value in (self.rest, self.named_rest) if value)]

    def everything(self) -> Value:
        """The join of every argument."""
        return join(self.values())


NO_ARGS = Args()


def join(values: Iterable[Value]) -> Value:
    """What any of these may be."""
    return EMPTY.union(*values)


def text(pattern: str, *, binary: bool = False) -> Text:
    """A Text of bounded length: what is too long ends in a hole."""
    if len(pattern) > TEXT_LENGTH_MAX:
        pattern = pattern[:TEXT_LENGTH_MAX] + HOLE
    while HOLE + HOLE in pattern:
        pattern = pattern.replace(HOLE + HOLE, HOLE)
    return Text(pattern, binary)


def widen(value: Value) -> Value:
    """The value with few enough constants: loops that build text must end."""
    if len(value) <= CONSTANTS_MAX:
        return value
    constants = [atom for atom in value if isinstance(atom, Text | Const)]
    if len(constants) <= CONSTANTS_MAX:
        return value
    return (value - frozenset(constants)) | UNKNOWN_DATA
