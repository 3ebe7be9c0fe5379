"""What containers hold: storing, fetching and iterating, with constant keys kept apart."""

import ast
from collections.abc import Hashable

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.classes import find, is_enum, special
from flows_registry.checks.effects.static.constants import plain
from flows_registry.checks.effects.static.machine import RETURN, Machine
from flows_registry.checks.effects.static.values import (
    DATA,
    EMPTY,
    HOLE,
    NO_ARGS,
    UNKNOWN_DATA,
    Args,
    Atom,
    AttributeTable,
    Bound,
    Cap,
    Coll,
    Data,
    Ext,
    Gen,
    Inst,
    Klass,
    Obj,
    Partial,
    Unknown,
    Value,
    Wrapped,
    join,
)

__all__ = [
    "SENT",
    "YIELDED",
    "collection",
    "elements",
    "fetch",
    "flattened",
    "known_keywords",
    "ordered",
    "store",
    "unpacked",
]

YIELDED = "(yielded)"
SENT = "(sent)"
_ANY = "*"

DEPTH_MAX = 4


def collection(
    machine: Machine, kind: str, node: ast.AST, items: Value | list[Value] = EMPTY
) -> Coll:
    """A new container, made here, that holds these items (in order, when they are a list)."""
    made = Coll(kind, id(node), machine.current)
    if isinstance(items, list):
        for index, item in enumerate(items):
            machine.write(made, ("int", index), item)
    elif items:
        machine.write(made, _ANY, items)
    return made


def _keys(container: Coll) -> Hashable:
    return ("keys", container)


def _names(key: Value) -> list[Hashable] | None:
    """The cells that a key chooses, or None when it may be any."""
    names: list[Hashable] = []
    for atom in key:
        known = plain(atom)
        if known is HOLE or (isinstance(known, int) and known < 0):
            return None
        names.append((type(known).__name__, known))
    return names


def store(machine: Machine, container: Atom, key: Value, value: Value) -> None:
    """`container[key] = value`."""
    if isinstance(container, Coll):
        for name in _names(key) or [_ANY]:
            machine.write(container, name, value)
        if container.kind == "dict":
            machine.write(_keys(container), _ANY, key)
    elif isinstance(container, AttributeTable):
        names = [known for atom in key if isinstance(known := plain(atom), str)]
        for name in names or [_ANY]:
            machine.write(container.target, name, value)
    else:
        machine.write(container, _ANY, value)


def fetch(machine: Machine, container: Coll | AttributeTable, key: Value) -> Value:
    """`container[key]`: what stands under a known key, or everything it holds."""
    owner = container.target if isinstance(container, AttributeTable) else container
    names = _names(key)
    if names is None or not names:
        return machine.contents(owner)
    if isinstance(container, AttributeTable):
        names = [str(word) for atom in key if isinstance(word := plain(atom), str)]
    found = join(machine.read(owner, name) for name in names)
    return found | machine.read(owner, _ANY)


def ordered(machine: Machine, container: Atom) -> list[Value] | None:
    """The items of a list or tuple in order, or None when their order is not known."""
    if not isinstance(container, Coll) or container.kind not in ("list", "tuple"):
        return None
    fields = machine.fields(container)
    if _ANY in fields:
        return None
    indexes = sorted(_index(field) for field in fields)
    if indexes != list(range(len(indexes))):
        return None
    return [machine.read(container, ("int", index)) for index in indexes]


def _index(field: Hashable) -> int:
    """The position that a cell of a sequence stands for."""
    match field:
        case ("int", int(position)):
            return position
        case _:
            return -1


def known_keywords(machine: Machine, container: Atom) -> dict[str, Value] | None:
    """The entries of a dict whose keys are all known text, or None."""
    if not isinstance(container, Coll) or container.kind != "dict":
        return None
    entries: dict[str, Value] = {}
    for field in machine.fields(container):
        match field:
            case ("str", str(name)):
                entries[name] = machine.read(container, ("str", name))
            case _:
                return None
    return entries


def unpacked(machine: Machine, atom: Atom) -> Value:
    """What `**atom` brings, under names that are not known."""
    if isinstance(atom, Coll):
        return machine.contents(atom) | UNKNOWN_DATA
    if isinstance(atom, AttributeTable):
        return machine.contents(atom.target) | UNKNOWN_DATA
    return frozenset({atom})


def elements(machine: Machine, value: Value, node: ast.AST) -> Value:
    """What a `for` over a value yields, running its iterator where the source defines one."""
    return join(_elements(machine, atom, node) for atom in value)


def _elements(machine: Machine, atom: Atom, node: ast.AST) -> Value:
    match atom:
        case Coll(kind="dict"):
            return machine.read(_keys(atom), _ANY)
        case Coll():
            return machine.contents(atom)
        case Gen(activation):
            return yielded(machine, activation)
        case Obj():
            return _of_object(machine, atom, node)
        case Klass() if is_enum(machine, atom):
            return machine.contents(atom)
        case Inst():
            return machine.contents(atom) | {atom, DATA}
        case Unknown() | Cap():
            return frozenset({atom})
        case Ext():
            return machine.contents(atom) | UNKNOWN_DATA
        case _:
            return UNKNOWN_DATA


def yielded(machine: Machine, activation: Activation) -> Value:
    """What a generator yields."""
    return machine.read(activation, YIELDED)


def _of_object(machine: Machine, atom: Obj, node: ast.AST) -> Value:
    started = special(machine, atom, ("__iter__", "__aiter__"), NO_ARGS, node) | {atom}
    found = machine.read(atom, _ANY)
    for iterator in started:
        if isinstance(iterator, Obj):
            found |= special(machine, iterator, ("__next__", "__anext__"), NO_ARGS, node)
        else:
            found |= _elements(machine, iterator, node)
    if find(machine, atom.cls, "__getitem__"):
        found |= special(machine, atom, ("__getitem__",), Args((UNKNOWN_DATA,)), node)
    return found


def flattened(machine: Machine, value: Value, depth: int = DEPTH_MAX) -> Value:
    """The value with what containers, partials and bound methods in it hold, a few levels deep."""
    found: set[Atom] = set(value)
    pending = set(value)
    for _ in range(depth):
        inner: set[Atom] = set()
        for atom in pending:
            match atom:
                case Coll():
                    inner |= machine.contents(atom)
                case Partial(func=func, args=args):
                    inner |= {func, *args.everything()}
                case Bound(func=func, receiver=receiver):
                    inner |= {func, receiver}
                case Wrapped(func=func):
                    inner.add(func)
                case Gen(activation):
                    inner |= machine.read(activation, YIELDED) | machine.read(activation, RETURN)
                case _:
                    pass
        pending = inner - found
        found |= pending
    return frozenset(atom for atom in found if not isinstance(atom, Data)) | (
        UNKNOWN_DATA if DATA in found else EMPTY
    )
