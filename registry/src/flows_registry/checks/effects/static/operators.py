"""Operators on values, with the special methods that objects of the source bring."""

import ast
from collections.abc import Mapping

from flows_registry.checks.effects.static import constants
from flows_registry.checks.effects.static.classes import dunders, special
from flows_registry.checks.effects.static.constants import constant, plain
from flows_registry.checks.effects.static.containers import ordered
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.values import (
    EMPTY,
    HOLE,
    NO_ARGS,
    UNKNOWN_DATA,
    Args,
    Coll,
    Ext,
    Inst,
    Klass,
    Obj,
    Text,
    Unknown,
    Value,
    join,
)

__all__ = ["combine", "hashed", "membership", "negate", "order_of"]

_OPERATORS: Mapping[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "truediv",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.BitOr: "or",
    ast.BitAnd: "and",
    ast.BitXor: "xor",
    ast.MatMult: "matmul",
}


def combine(
    frame: Frame, left: Value, right: Value, operator: ast.operator, node: ast.AST
) -> Value:
    """`left OP right`, with the special methods that either side defines."""
    machine, word = frame.machine, _OPERATORS[type(operator)]
    found = EMPTY
    for side, other, names in (
        (left, right, (f"__{word}__", f"__i{word}__")),
        (right, left, (f"__r{word}__",)),
    ):
        for atom in side:
            if isinstance(atom, Obj):
                found |= special(machine, atom, names, Args((other,)), node)
    kept = frozenset(
        atom for atom in left | right if isinstance(atom, Inst | Coll | Unknown | Klass | Ext)
    )
    if isinstance(operator, ast.Add):
        sum_of = constants.add(left, right)
        return found | (kept | sum_of if kept else sum_of)
    if isinstance(operator, ast.Mod):
        templates = [atom for atom in left if isinstance(atom, Text)]
        filled = join(constants.percent(template, _spread(frame, right)) for template in templates)
        return found | filled | (UNKNOWN_DATA if len(templates) < len(left) else EMPTY)
    return found | kept | UNKNOWN_DATA


def _spread(frame: Frame, value: Value) -> Value:
    """The single item of a one-item tuple, or the value itself."""
    items = ordered(frame.machine, next(iter(value))) if len(value) == 1 else None
    return items[0] if items is not None and len(items) == 1 else value


_UNARY: Mapping[type[ast.unaryop], str] = {
    ast.USub: "__neg__",
    ast.UAdd: "__pos__",
    ast.Invert: "__invert__",
    ast.Not: "__bool__",
}


def negate(frame: Frame, value: Value, node: ast.UnaryOp) -> Value:
    """`not value`, `-value`, `~value`."""
    for atom in value:
        if isinstance(atom, Obj):
            special(frame.machine, atom, (_UNARY[type(node.op)],), NO_ARGS, node)
    return constants.unary(node.op, value)


def membership(frame: Frame, left: Value, right: Value, *, negated: bool) -> Value:
    """`x in (…)` where everything is known."""
    if len(left) != 1 or len(right) != 1:
        return UNKNOWN_DATA
    wanted, holder = plain(next(iter(left))), next(iter(right))
    if not isinstance(holder, Coll) or wanted is HOLE or holder.made_in is None:
        return UNKNOWN_DATA
    owner = ("keys", holder) if holder.kind == "dict" else holder
    held = frame.machine.contents(owner)
    known = [plain(atom) for atom in held]
    if HOLE in known or not known:
        return UNKNOWN_DATA
    if wanted not in known:
        return frozenset({constant(negated)})
    return (
        UNKNOWN_DATA
        if len(known) > len(frame.machine.fields(owner))
        else (frozenset({constant(not negated)}))
    )


def hashed(frame: Frame, key: Value, node: ast.AST) -> None:
    """A key's own `__hash__` and `__eq__` run when it is looked up."""
    for atom in key:
        if isinstance(atom, Obj):
            dunders(frame.machine, atom, node)


def order_of(frame: Frame, source: Value, node: ast.AST) -> None:
    """Walking through a set depends on hashes."""
    if any(isinstance(atom, Coll) and atom.kind == "set" for atom in source):
        frame.machine.ambient(node, "hash", "the order of a set")
