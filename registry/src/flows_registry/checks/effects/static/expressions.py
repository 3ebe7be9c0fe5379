"""What every kind of expression comes to."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from flows_registry.checks.effects.static import constants
from flows_registry.checks.effects.static.attributes import assign, load
from flows_registry.checks.effects.static.classes import dunders, special
from flows_registry.checks.effects.static.constants import constant
from flows_registry.checks.effects.static.containers import (
    SENT,
    YIELDED,
    collection,
    elements,
    known_keywords,
    ordered,
    store,
    unpacked,
)
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.indexing import bind_item, item, part
from flows_registry.checks.effects.static.invoking import DEFAULTS
from flows_registry.checks.effects.static.operators import (
    combine,
    hashed,
    membership,
    negate,
    order_of,
)
from flows_registry.checks.effects.static.program import positional
from flows_registry.checks.effects.static.values import (
    EMPTY,
    NO_ARGS,
    NONE,
    UNKNOWN_DATA,
    Args,
    Func,
    Gen,
    Obj,
    Value,
    join,
)

__all__ = ["annotate", "bind_target", "evaluate", "function", "test"]


def evaluate(frame: Frame, node: ast.expr) -> Value:
    """Everything the expression can be."""
    return _EVALUATORS.get(type(node), _parts)(frame, node)


def test(frame: Frame, node: ast.expr) -> bool | None:
    """Whether a condition certainly holds or certainly fails; its `__bool__` is run."""
    value = evaluate(frame, node)
    for atom in value:
        if isinstance(atom, Obj):
            special(frame.machine, atom, ("__bool__", "__len__"), NO_ARGS, node)
    return constants.truth(value)


def _parts(frame: Frame, node: ast.AST) -> Value:
    """An expression without a rule of its own: its parts are evaluated, the result is data."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            evaluate(frame, child)
    return UNKNOWN_DATA


def _constant(frame: Frame, node: ast.Constant) -> Value:
    return frozenset({constant(node.value)})


def _name(frame: Frame, node: ast.Name) -> Value:
    return frame.lookup(node.id)


def _attribute(frame: Frame, node: ast.Attribute) -> Value:
    return load(frame.machine, evaluate(frame, node.value), node.attr, node)


def _call(frame: Frame, node: ast.Call) -> Value:
    callee = evaluate(frame, node.func)
    return frame.machine.invoke(callee, _arguments(frame, node), node)


def _arguments(frame: Frame, node: ast.Call) -> Args:
    machine = frame.machine
    given: list[Value] = []
    keywords: dict[str, Value] = {}
    rest = named_rest = EMPTY
    for argument in node.args:
        if not isinstance(argument, ast.Starred):
            value = evaluate(frame, argument)
            if rest:  # behind a spread of unknown length every position is possible
                rest |= value
            else:
                given.append(value)
            continue
        value = evaluate(frame, argument.value)
        items = ordered(machine, next(iter(value))) if len(value) == 1 else None
        if items is not None and not rest:
            given += items
        else:
            rest |= elements(machine, value, node)
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
            continue
        entries = known_keywords(machine, next(iter(value))) if len(value) == 1 else None
        if entries is not None:
            keywords |= entries
        else:
            named_rest |= join(unpacked(frame.machine, atom) for atom in value)
    return Args(tuple(given), tuple(sorted(keywords.items())), rest, named_rest)


def _joined(frame: Frame, node: ast.JoinedStr) -> Value:
    parts: list[Value] = []
    for piece in node.values:
        if isinstance(piece, ast.FormattedValue):
            value = _formatted(frame, piece)
            exotic = piece.conversion not in (-1, 115) or piece.format_spec is not None
            parts.append(UNKNOWN_DATA if exotic else value)
        else:
            parts.append(evaluate(frame, piece))
    return constants.concatenated(parts)


def _formatted(frame: Frame, node: ast.FormattedValue) -> Value:
    value = evaluate(frame, node.value)
    if node.format_spec is not None:
        evaluate(frame, node.format_spec)
    for atom in value:
        if isinstance(atom, Obj):
            names = ("__format__", "__str__", "__repr__")
            special(frame.machine, atom, names, Args(fill=UNKNOWN_DATA), node)
    return value


def _binary(frame: Frame, node: ast.BinOp) -> Value:
    left, right = evaluate(frame, node.left), evaluate(frame, node.right)
    return combine(frame, left, right, node.op, node)


def _unary(frame: Frame, node: ast.UnaryOp) -> Value:
    return negate(frame, evaluate(frame, node.operand), node)


def _boolean(frame: Frame, node: ast.BoolOp) -> Value:
    """`a and b`, `a or b`: what may be left, skipping what is certainly not reached."""
    found = EMPTY
    stops_at = isinstance(node.op, ast.Or)
    for operand in node.values:
        value = evaluate(frame, operand)
        for atom in value:
            if isinstance(atom, Obj):
                special(frame.machine, atom, ("__bool__", "__len__"), NO_ARGS, node)
        known = constants.truth(value)
        if known is None or known == stops_at or operand is node.values[-1]:
            found |= value
        if known is stops_at:
            return found
    return found


def _compare(frame: Frame, node: ast.Compare) -> Value:
    left = evaluate(frame, node.left)
    found: list[Value] = []
    for operator, operand in zip(node.ops, node.comparators, strict=True):
        right = evaluate(frame, operand)
        if not isinstance(operator, ast.Is | ast.IsNot):
            for atom in left | right:
                if isinstance(atom, Obj):
                    dunders(frame.machine, atom, node)
        if isinstance(operator, ast.In | ast.NotIn):
            found.append(membership(frame, left, right, negated=isinstance(operator, ast.NotIn)))
        else:
            found.append(constants.compare(operator, left, right))
        left = right
    return found[0] if len(found) == 1 else UNKNOWN_DATA


def _conditional(frame: Frame, node: ast.IfExp) -> Value:
    holds = test(frame, node.test)
    found = EMPTY
    if holds is not False:
        found |= evaluate(frame, node.body)
    if holds is not True:
        found |= evaluate(frame, node.orelse)
    return found


def _sequence(frame: Frame, node: ast.List | ast.Tuple | ast.Set) -> Value:
    kind = type(node).__name__.lower()
    machine = frame.machine
    if any(isinstance(each, ast.Starred) for each in node.elts):
        made = collection(machine, kind, node)
        for each in node.elts:
            if isinstance(each, ast.Starred):
                machine.write(made, "*", elements(machine, evaluate(frame, each.value), node))
            else:
                machine.write(made, "*", evaluate(frame, each))
        return frozenset({made})
    items = [evaluate(frame, each) for each in node.elts]
    if kind == "set":
        hashed(frame, join(items), node)
    return frozenset({collection(machine, kind, node, items)})


def _dict(frame: Frame, node: ast.Dict) -> Value:
    machine = frame.machine
    made = collection(machine, "dict", node)
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        value = evaluate(frame, value_node)
        if key_node is not None:
            key = evaluate(frame, key_node)
            hashed(frame, key, key_node)
            store(machine, made, key, value)
            continue
        for atom in value:
            entries = known_keywords(machine, atom)
            if entries is None:
                store(machine, made, UNKNOWN_DATA, unpacked(frame.machine, atom))
            for name, held in (entries or {}).items():
                store(machine, made, frozenset({constant(name)}), held)
    return frozenset({made})


def _comprehension(
    frame: Frame, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
) -> Value:
    machine = frame.machine
    kind = "dict" if isinstance(node, ast.DictComp) else "list"
    kind = "set" if isinstance(node, ast.SetComp) else kind
    kept = dict(frame.env)
    for clause in node.generators:
        source = evaluate(frame, clause.iter)
        if kind != "set":
            order_of(frame, source, clause.iter)
        bind_target(frame, clause.target, elements(machine, source, clause.iter))
        for condition in clause.ifs:
            test(frame, condition)
    made = collection(machine, kind, node)
    if isinstance(node, ast.DictComp):
        store(machine, made, evaluate(frame, node.key), evaluate(frame, node.value))
    else:
        machine.write(made, "*", evaluate(frame, node.elt))
    targets = {
        name.id
        for clause in node.generators
        for name in ast.walk(clause.target)
        if isinstance(name, ast.Name)
    }
    for name in targets:
        frame.env.pop(name, None)
        if name in kept:
            frame.env[name] = kept[name]
    return frozenset({made})


def _subscript(frame: Frame, node: ast.Subscript) -> Value:
    holder = evaluate(frame, node.value)
    if not isinstance(node.slice, ast.Slice):
        return item(frame, holder, evaluate(frame, node.slice), node)
    bounds = [
        evaluate(frame, bound) if bound is not None else NONE
        for bound in (node.slice.lower, node.slice.upper, node.slice.step)
    ]
    return part(frame, holder, bounds, node.slice)


def _await(frame: Frame, node: ast.Await) -> Value:
    """Calling a coroutine function already ran it: awaiting gives its result."""
    value = evaluate(frame, node.value)
    found = EMPTY
    for atom in value:
        if isinstance(atom, Obj):
            iterator = special(frame.machine, atom, ("__await__",), NO_ARGS, node)
            for inner in iterator:
                if isinstance(inner, Gen):
                    found |= frame.machine.read(inner.activation, "(return)")
    return value | found


def _yield(frame: Frame, node: ast.Yield) -> Value:
    value = evaluate(frame, node.value) if node.value else frozenset({constant(None)})
    frame.machine.write(frame.activation, YIELDED, value)
    return frame.machine.read(frame.activation, SENT) | UNKNOWN_DATA


def _yield_from(frame: Frame, node: ast.YieldFrom) -> Value:
    value = evaluate(frame, node.value)
    frame.machine.write(frame.activation, YIELDED, elements(frame.machine, value, node))
    found = UNKNOWN_DATA
    for atom in value:
        if isinstance(atom, Gen):
            found |= frame.machine.read(atom.activation, "(return)")
    return found


def _lambda(frame: Frame, node: ast.Lambda) -> Value:
    return frozenset({function(frame, node)})


def function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Func:
    """The function that a definition makes, its defaults evaluated now."""
    code = frame.machine.program.code(node, frame.code.module)
    owner = None if frame.at_module else frame.activation
    made = Func(code, owner, frame.cls)
    by_position = positional(node)
    arguments = [*by_position, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
    for argument in arguments:
        annotate(frame, argument.annotation if argument else None)
    annotate(frame, getattr(node, "returns", None))
    with_default = by_position[len(by_position) - len(node.args.defaults) :]
    pairs = zip(with_default, node.args.defaults, strict=True)
    keyword_pairs = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
    for parameter, default in [*pairs, *keyword_pairs]:
        if default is not None:
            frame.machine.write((made, DEFAULTS), parameter.arg, evaluate(frame, default))
    return made


def annotate(frame: Frame, annotation: ast.expr | None) -> None:
    """An annotation that calls something is run where it stands."""
    if annotation is not None and any(isinstance(n, ast.Call) for n in ast.walk(annotation)):
        evaluate(frame, annotation)


def _walrus(frame: Frame, node: ast.NamedExpr) -> Value:
    value = evaluate(frame, node.value)
    bind_target(frame, node.target, value)
    return value


def bind_target(frame: Frame, target: ast.expr, value: Value) -> None:
    """`target = value` for every kind of target."""
    machine = frame.machine
    match target:
        case ast.Name(id=name):
            frame.bind(name, value)
        case ast.Attribute(value=holder, attr=attr):
            assign(machine, evaluate(frame, holder), attr, value, target)
        case ast.Subscript(value=holder, slice=key):
            bind_item(frame, evaluate(frame, holder), evaluate(frame, key), value, target)
        case ast.Starred(value=inner):
            packed = collection(machine, "list", target, value)
            bind_target(frame, inner, frozenset({packed}))
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            _unpack(frame, targets, value, target)
        case _:
            pass


def _unpack(frame: Frame, targets: list[ast.expr], value: Value, node: ast.AST) -> None:
    machine = frame.machine
    shares: list[Value] = [EMPTY] * len(targets)
    starred = any(isinstance(target, ast.Starred) for target in targets)
    for atom in value:
        items = ordered(machine, atom)
        if items is not None and len(items) == len(targets) and not starred:
            shares = [share | held for share, held in zip(shares, items, strict=True)]
        else:
            every = elements(machine, frozenset({atom}), node)
            shares = [share | every for share in shares]
    for target, share in zip(targets, shares, strict=True):
        bind_target(frame, target, share)


_EVALUATORS: Mapping[type[ast.expr], Callable[[Frame, Any], Value]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.JoinedStr: _joined,
    ast.FormattedValue: _formatted,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dict,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _comprehension,
    ast.Subscript: _subscript,
    ast.Await: _await,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
    ast.Lambda: _lambda,
    ast.NamedExpr: _walrus,
}
