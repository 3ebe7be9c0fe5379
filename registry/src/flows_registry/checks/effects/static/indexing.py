"""Fetching from and storing into whatever stands before the brackets."""

import ast
from collections.abc import Sequence

from flows_registry.checks.effects.static import constants
from flows_registry.checks.effects.static.classes import find, special
from flows_registry.checks.effects.static.constants import plain
from flows_registry.checks.effects.static.containers import collection, elements, fetch, store
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.operators import hashed
from flows_registry.checks.effects.static.values import (
    HOLE,
    UNKNOWN_DATA,
    Args,
    Atom,
    AttributeTable,
    Cap,
    Coll,
    Const,
    Data,
    Ext,
    Func,
    Gen,
    Inst,
    Klass,
    Obj,
    Text,
    Unknown,
    Value,
    join,
)

__all__ = ["bind_item", "item", "part"]


def item(frame: Frame, holder: Value, key: Value, node: ast.AST) -> Value:
    """`holder[key]` for every holder."""
    hashed(frame, key, node)
    return join(_item(frame, atom, key, node) for atom in holder)


def _item(frame: Frame, atom: Atom, key: Value, node: ast.AST) -> Value:
    machine = frame.machine
    match atom:
        case Coll() | AttributeTable():
            return fetch(machine, atom, key)
        case Obj():
            names = ("__getitem__", "__missing__")
            found = special(machine, atom, names, Args((key,)), node)
            return found | machine.read(atom, "*") | machine.miss()
        case Inst():
            return machine.contents(atom) | UNKNOWN_DATA
        case Gen():
            return elements(machine, frozenset({atom}), node)
        case Klass():
            hook = find(machine, atom, "__class_getitem__")
            given = machine.invoke(hook, Args((frozenset({atom}), key)), node)
            return machine.contents(atom) | {atom} | given
        case Unknown() | Cap() | Func():
            return frozenset({atom})
        case Ext(path=path):
            return _outside_item(frame, path, key, node)
        case Text():
            return _indexed(atom, key)
        case _:
            return UNKNOWN_DATA


def _outside_item(frame: Frame, path: str, key: Value, node: ast.AST) -> Value:
    """`sys.modules[name]`, `os.environ[name]`, and generic types such as `Queue[bytes]`."""
    if path == "sys.modules":
        imports: Value = frozenset({Ext("importlib.import_module")})
        return frame.machine.invoke(imports, Args((key,)), node)
    if path.startswith(("os.environ", "sys.argv")):
        frame.machine.ambient(node, "env", path)
        return UNKNOWN_DATA
    return frozenset({Ext(path)})


def _indexed(atom: Text, key: Value) -> Value:
    at = plain(next(iter(key))) if len(key) == 1 else None
    if not isinstance(at, int) or atom.binary:
        return UNKNOWN_DATA
    return constants.sliced(atom, at, at + 1 or None, None)


def part(frame: Frame, holder: Value, bounds: Sequence[Value], node: ast.AST) -> Value:
    """`holder[lower:upper:step]` for every holder."""
    known = [plain(next(iter(bound))) if len(bound) == 1 else HOLE for bound in bounds]
    found: set[Atom] = set()
    for atom in holder:
        if isinstance(atom, Text):
            found |= constants.sliced(atom, known[0], known[1], known[2])
        elif isinstance(atom, Coll):
            everything = frame.machine.contents(atom)
            found.add(collection(frame.machine, atom.kind, node, everything))
        elif isinstance(atom, Data | Const):
            found |= UNKNOWN_DATA
        else:
            found |= {atom} | UNKNOWN_DATA
    return frozenset(found)


def bind_item(frame: Frame, holders: Value, key: Value, value: Value, node: ast.AST) -> None:
    """`holder[key] = value` for every holder."""
    machine = frame.machine
    hashed(frame, key, node)
    for atom in holders:
        match atom:
            case Coll() | AttributeTable():
                store(machine, atom, key, value)
            case Obj():
                special(machine, atom, ("__setitem__",), Args((key, value)), node)
                machine.write(atom, "*", value)
            case Inst() | Klass():
                machine.write(atom, "*", value)
            case Ext(path="sys.modules"):
                machine.top("the import system is changed", node)
            case Ext(path=path) if path.startswith("os.environ"):
                machine.ambient(node, "env", path)
            case Unknown(reason=reason):
                machine.top(reason, node)
            case _:
                pass
