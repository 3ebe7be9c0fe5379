"""Classes of the analysed source: their order of bases, lookup, and binding to an object."""

import ast
import functools
from collections.abc import Iterable

from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    DATA,
    EMPTY,
    Args,
    Atom,
    Bound,
    Ext,
    Func,
    Klass,
    Obj,
    Partial,
    Value,
    Wrapped,
    join,
)

__all__ = [
    "BASES",
    "SETTER",
    "add_base",
    "bind",
    "dunders",
    "find",
    "is_enum",
    "is_error",
    "lent",
    "lineage",
    "outside_bases",
    "own_methods",
    "special",
]

BASES = "(bases)"
SETTER = "(setter)"

LINEAGE_MAX = 64

_LIFECYCLE = frozenset(
    words(
        "__init__ __new__ __call__ __enter__ __exit__ __aenter__ __aexit__ "
        "__init_subclass__ __set_name__ __class_getitem__ __getattr__ __getattribute__ "
        "__setattr__ __delattr__ __get__ __set__ __delete__ __post_init__ __prepare__ "
        "__subclasshook__ __await__"
    )
)
"""Special methods that a mere look at an object does not run."""

_DUCK = words(
    "write writelines flush read readline readlines readinto emit handle format filter default "
    "utcoffset dst tzname acquire release send"
)
"""What the standard library calls on files, handlers, encoders and locks of others."""


def lineage(machine: Machine, klass: Klass, after: Klass | None = None) -> list[Klass | Ext]:
    """The class and its bases in lookup order; those behind `after` when it is given."""
    known = machine.lineages.get(klass)
    if known is None:
        known = machine.lineages[klass] = _lineage(machine, klass)
    for base in known:
        if isinstance(base, Klass):
            machine.read((base, BASES), BASES)  # whoever asks runs again when a base appears
    if after is not None and after in known:
        return known[known.index(after) + 1 :]
    return known


def _lineage(machine: Machine, klass: Klass) -> list[Klass | Ext]:
    found: list[Klass | Ext] = []
    pending: list[Klass | Ext] = [klass]
    while pending and len(found) < LINEAGE_MAX:
        current = pending.pop(0)
        if current in found:  # the later position wins: a shared base stands behind its heirs
            found.remove(current)
        found.append(current)
        if isinstance(current, Klass):
            bases = machine.read((current, BASES), BASES)
            ordered = sorted(
                (base for base in bases if isinstance(base, Klass | Ext)),
                key=functools.partial(_position, machine, current),
            )
            pending = [base for base in ordered if base != klass] + pending
    return found


def add_base(machine: Machine, klass: Klass, base: Klass | Ext) -> None:
    """Let a class have this base too."""
    owner = (klass, BASES)
    if base not in machine.read(owner, BASES):
        machine.lineages.clear()
        machine.write(owner, base, frozenset({base}))
        machine.write(owner, BASES, frozenset({base}))


def _position(machine: Machine, klass: Klass, base: Atom) -> int:
    fields = machine.fields((klass, BASES))
    return fields.index(base) if base in fields else len(fields)


def find(machine: Machine, klass: Klass, name: str, after: Klass | None = None) -> Value:
    """What the first class in order that has the attribute holds under it."""
    for base in lineage(machine, klass, after):
        if isinstance(base, Klass):
            value = machine.read(base, name)
            if value:
                return value
    return EMPTY


def outside_bases(machine: Machine, klass: Klass, after: Klass | None = None) -> list[str]:
    """The bases that are not part of the source, by path."""
    return [base.path for base in lineage(machine, klass, after) if isinstance(base, Ext)]


def is_enum(machine: Machine, klass: Klass) -> bool:
    """Whether its attributes are the members of an enumeration."""
    return any(path.startswith("enum.") for path in outside_bases(machine, klass))


def is_error(machine: Machine, klass: Klass) -> bool:
    """Whether its objects can be raised."""
    return any(
        path.rpartition(".")[2].endswith(("Error", "Exception", "Warning", "Interrupt"))
        or path.startswith("core_caps.errors.")
        for path in outside_bases(machine, klass)
    )


def bind(machine: Machine, value: Value, receiver: Atom, klass: Klass, node: ast.AST) -> Value:
    """What a class attribute is when it is read from an object (or, for None, from its class)."""
    return join(_bound(machine, atom, receiver, klass, node) for atom in value)


def _bound(machine: Machine, atom: Atom, receiver: Atom, klass: Klass, node: ast.AST) -> Value:
    from_class = receiver == klass
    match atom:
        case Func() if not from_class:
            return frozenset({Bound(atom, receiver)})
        case Wrapped("staticmethod", func):
            return frozenset({func})
        case Wrapped("classmethod", func):
            return frozenset({Bound(func, klass)})
        case Wrapped("property", func) if not from_class:
            return machine.invoke(frozenset({func}), Args((frozenset({receiver}),)), node)
        case Wrapped("partialmethod", Partial(func=func, args=args)) if not from_class:
            return frozenset({Partial(Bound(func, receiver), args)})
        case Wrapped("factory", func):
            return machine.invoke(frozenset({func}), Args(), node)
        case Obj(cls=cls):
            getter = find(machine, cls, "__get__")
            if getter:
                args = Args((frozenset({atom}), frozenset({receiver}), frozenset({klass})))
                return machine.invoke(getter, args, node)
            return frozenset({atom})
        case _:
            return frozenset({atom})


def special(
    machine: Machine, receiver: Obj, names: Iterable[str], args: Args, node: ast.AST
) -> Value:
    """The result of the special methods of these names that the object's class defines."""
    return join(
        machine.invoke(bind(machine, found, receiver, receiver.cls, node), args, node)
        for name in names
        if (found := find(machine, receiver.cls, name))
    )


def dunders(machine: Machine, receiver: Obj, node: ast.AST) -> None:
    """Run what a look at an object may run: its `__str__`, `__eq__`, `__iter__` and so on."""

    def steps() -> None:
        names = [
            name
            for name in _names(machine, receiver.cls)
            if name.startswith("__") and name.endswith("__") and name not in _LIFECYCLE
        ]
        special(machine, receiver, names, Args(fill=frozenset({receiver, DATA})), node)

    machine.once(("looked at", receiver), receiver.cls.code.name, node, steps)


def lent(machine: Machine, receiver: Obj, node: ast.AST) -> None:
    """Run what the standard library calls on an object it is given: a look, `write`, `read`, …"""
    dunders(machine, receiver, node)

    def steps() -> None:
        special(machine, receiver, _DUCK, Args(fill=frozenset({DATA})), node)

    machine.once(("lent", receiver), receiver.cls.code.name, node, steps)


def own_methods(machine: Machine, receiver: Obj, node: ast.AST) -> Value:
    """Every method that outside code which was given the object may call on it."""
    methods = EMPTY
    for name in _names(machine, receiver.cls):
        found = find(machine, receiver.cls, name)
        callables = frozenset(atom for atom in found if isinstance(atom, Func | Wrapped))
        if callables and name not in ("__init__", "__new__", "__init_subclass__"):
            methods |= bind(machine, callables, receiver, receiver.cls, node)
    return methods


def _names(machine: Machine, klass: Klass) -> list[str]:
    names = [
        name
        for base in lineage(machine, klass)
        if isinstance(base, Klass)
        for name in machine.fields(base)
    ]
    return [name for name in dict.fromkeys(names) if isinstance(name, str)]
