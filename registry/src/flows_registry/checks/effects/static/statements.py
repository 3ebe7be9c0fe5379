"""What every kind of statement does to the names and to the machine."""

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.classes import is_error, lineage, special
from flows_registry.checks.effects.static.containers import elements, flattened
from flows_registry.checks.effects.static.definitions import (
    define_class,
    define_function,
    imports,
    imports_from,
)
from flows_registry.checks.effects.static.expressions import (
    annotate,
    bind_target,
    evaluate,
    test,
)
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.invoking import FIELDS
from flows_registry.checks.effects.static.machine import RETURN, Machine
from flows_registry.checks.effects.static.operators import combine, order_of
from flows_registry.checks.effects.static.outside.rules import Call
from flows_registry.checks.effects.static.patterns import fits
from flows_registry.checks.effects.static.program import Function
from flows_registry.checks.effects.static.reflection import entered
from flows_registry.checks.effects.static.values import (
    EMPTY,
    NONE,
    UNKNOWN_DATA,
    Args,
    Klass,
    Obj,
    Value,
)

__all__ = ["interpret"]

LOOP_ROUNDS_MAX = 4

_RAISED = "(raised)"

Env = dict[str, Value]


def interpret(machine: Machine, activation: Activation) -> None:
    """Run an activation: a function, a module's body, or the steps of an entry."""
    if activation.steps is not None:
        activation.steps()
        return
    node = activation.code.node
    frame = Frame(machine, activation, activation.code, activation.func and activation.func.cls)
    if isinstance(node, ast.Module):
        _module(frame, node)
        return
    assert isinstance(node, Function)
    for name in _parameter_names(node):
        frame.env[name] = machine.read(activation, name)
    if isinstance(node, ast.Lambda):
        machine.write(activation, RETURN, evaluate(frame, node.body))
    elif run(frame, node.body):
        machine.write(activation, RETURN, NONE)


def _parameter_names(node: Function) -> list[str]:
    every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    extra = [argument for argument in (node.args.vararg, node.args.kwarg) if argument]
    return [argument.arg for argument in (*every, *extra)]


def _module(frame: Frame, node: ast.Module) -> None:
    if frame.code.module.problem:
        frame.machine.top(frame.code.module.problem, node)
    run(frame, node.body)


def run(frame: Frame, body: Sequence[ast.stmt]) -> bool:
    """Run statements in order; False when what follows them is not reached."""
    for statement in body:
        if not frame.machine.work():
            return False
        handler = _STATEMENTS.get(type(statement))
        if handler is not None and handler(frame, statement) is False:
            return False
    return True


def _merge(frame: Frame, states: Sequence[Env]) -> None:
    """The names after several ways through: each may have gone any of them."""
    merged: Env = {}
    for state in states:
        for name, value in state.items():
            merged[name] = merged.get(name, EMPTY) | value
    frame.env = merged


def _branches(frame: Frame, bodies: Sequence[Sequence[ast.stmt]], before: Env) -> bool:
    """Run each of several bodies from the same state; go on with those that end."""
    ends: list[Env] = []
    for body in bodies:
        frame.env = dict(before)
        if run(frame, body):
            ends.append(frame.env)
    _merge(frame, ends)
    return bool(ends)


def _expression(frame: Frame, node: ast.Expr) -> None:
    evaluate(frame, node.value)


def _assign(frame: Frame, node: ast.Assign) -> None:
    value = evaluate(frame, node.value)
    for target in node.targets:
        bind_target(frame, target, value)


def _annotated(frame: Frame, node: ast.AnnAssign) -> None:
    annotate(frame, node.annotation)
    if frame.in_class and isinstance(node.target, ast.Name):
        shown = ast.unparse(node.annotation)
        if "ClassVar" not in shown and "KW_ONLY" not in shown and frame.cls is not None:
            frame.machine.write((frame.cls, FIELDS), node.target.id, UNKNOWN_DATA)
            frame.machine.annotations[frame.cls, node.target.id] = node.annotation
    if node.value is not None:
        bind_target(frame, node.target, evaluate(frame, node.value))


def _augmented(frame: Frame, node: ast.AugAssign) -> None:
    held = ast.copy_location(ast.parse(ast.unparse(node.target), mode="eval").body, node.target)
    before = evaluate(frame, held)
    value = combine(frame, before, evaluate(frame, node.value), node.op, node)
    bind_target(frame, node.target, value)


def _if(frame: Frame, node: ast.If) -> bool:
    holds = test(frame, node.test)
    before = frame.env
    bodies = [node.body] if holds is not False else []
    if holds is not True:
        bodies.append(node.orelse)
    return _branches(frame, bodies, before)


def _loop(frame: Frame, node: ast.For | ast.AsyncFor | ast.While) -> bool:
    """Run a body until its names settle; it may also run not at all."""
    forever = False
    frame.breaks.append([])
    exits: list[Env] = []
    for _ in range(LOOP_ROUNDS_MAX):
        before = dict(frame.env)
        if isinstance(node, ast.While):
            holds = test(frame, node.test)
            forever = holds is True
            if holds is False:
                break
        else:
            source = evaluate(frame, node.iter)
            order_of(frame, source, node.iter)
            items = elements(frame.machine, source, node.iter)
            bind_target(frame, node.target, items)
        exits = [] if forever else [before]
        ended = run(frame, node.body)
        continued = [state for state in frame.breaks[-1] if state.get("(continue)")]
        _merge(frame, [before, *([frame.env] if ended else []), *continued])
        frame.env.pop("(continue)", None)
        if frame.env == before:
            break
    broken = [state for state in frame.breaks.pop() if not state.get("(continue)")]
    after = [] if forever else [*exits, frame.env]
    reached = True
    if after:
        _merge(frame, after)
        reached = run(frame, node.orelse)
        after = [frame.env] if reached else []
    _merge(frame, [*after, *broken])
    return bool(after or broken)


def _break(frame: Frame, node: ast.Break) -> bool:
    if frame.breaks:
        frame.breaks[-1].append(dict(frame.env))
    return False


def _continue(frame: Frame, node: ast.Continue) -> bool:
    if frame.breaks:
        frame.breaks[-1].append({**frame.env, "(continue)": UNKNOWN_DATA})
    return False


def _try(frame: Frame, node: ast.Try | ast.TryStar) -> bool:
    before = dict(frame.env)
    frame.rescues.append({})
    ended = run(frame, node.body)
    rescue = frame.rescues.pop()
    ends: list[Env] = []
    if ended and run(frame, node.orelse):
        ends.append(frame.env)
    anywhere = dict(before)
    for name, value in rescue.items():
        anywhere[name] = anywhere.get(name, EMPTY) | value
    for handler in node.handlers:
        frame.env = dict(anywhere)
        classes = evaluate(frame, handler.type) if handler.type else EMPTY
        if handler.name:
            frame.bind(handler.name, _caught(frame, classes))
        if run(frame, handler.body):
            ends.append(frame.env)
    if not node.finalbody:
        _merge(frame, ends)
        return bool(ends)
    _merge(frame, [*ends, anywhere])
    return run(frame, node.finalbody) and bool(ends)


def _caught(frame: Frame, classes: Value) -> Value:
    """What an except clause may catch: errors of the source that were raised somewhere."""
    machine = frame.machine
    wanted = {atom for atom in flattened(machine, classes) if isinstance(atom, Klass)}
    raised = machine.contents(_RAISED)
    caught = {
        atom
        for atom in raised
        if isinstance(atom, Obj) and (not wanted or wanted & set(lineage(machine, atom.cls)))
    }
    return frozenset(caught) | UNKNOWN_DATA


def _raise(frame: Frame, node: ast.Raise) -> bool:
    if node.exc is not None:
        value = evaluate(frame, node.exc)
        for atom in value:
            if isinstance(atom, Klass):
                value |= frame.machine.invoke(frozenset({atom}), Args(), node)
        machine = frame.machine
        carried = frozenset(
            atom for atom in value if isinstance(atom, Obj) and is_error(machine, atom.cls)
        )
        frame.machine.write(_RAISED, "*", carried)
    if node.cause is not None:
        evaluate(frame, node.cause)
    return False


def _return(frame: Frame, node: ast.Return) -> bool:
    value = evaluate(frame, node.value) if node.value else NONE
    frame.machine.write(frame.activation, RETURN, value)
    return False


def _with(frame: Frame, node: ast.With | ast.AsyncWith) -> bool:
    """Enter the managers, run the body; a manager may swallow what the body raises."""
    frame.rescues.append({})
    for item in node.items:
        value = evaluate(frame, item.context_expr)
        given = EMPTY
        call = Call(frame.machine, item.context_expr, "with", Args())
        for atom in value:
            given |= entered(call, atom)
        if item.optional_vars is not None:
            bind_target(frame, item.optional_vars, given)
    before = dict(frame.env)
    ended = run(frame, node.body)
    rescue = frame.rescues.pop()
    if not ended and _swallows(node):
        for name, value in rescue.items():
            before[name] = before.get(name, EMPTY) | value
        frame.env = before
        return True
    return ended


def _swallows(node: ast.With | ast.AsyncWith) -> bool:
    """Whether what follows may be reached though the body always leaves."""
    return any(isinstance(inner, ast.Raise) for inner in ast.walk(node))


def _match(frame: Frame, node: ast.Match) -> bool:
    subject = evaluate(frame, node.subject)
    parts = subject | flattened(frame.machine, subject, 3) | UNKNOWN_DATA
    before = dict(frame.env)
    ends: list[Env] = []
    exhaustive = False
    for case in node.cases:
        frame.env = dict(before)
        matches = fits(frame, case.pattern, subject, parts)
        if matches is False:
            continue
        holds = test(frame, case.guard) if case.guard else True
        if holds is False:
            continue
        if run(frame, case.body):
            ends.append(frame.env)
        if matches is True and holds is True:
            exhaustive = True
            break
    _merge(frame, ends if exhaustive else [*ends, before])
    return bool(ends) or not exhaustive


def _class(frame: Frame, node: ast.ClassDef) -> None:
    define_class(frame, node, run)


def _delete(frame: Frame, node: ast.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ast.Name):
            frame.env.pop(target.id, None)
        elif isinstance(target, ast.Subscript | ast.Attribute):
            for atom in evaluate(frame, target.value):
                if isinstance(atom, Obj):
                    names = ("__delitem__", "__delattr__")
                    special(frame.machine, atom, names, Args(fill=UNKNOWN_DATA), node)


def _assert(frame: Frame, node: ast.Assert) -> None:
    test(frame, node.test)
    if node.msg is not None:
        evaluate(frame, node.msg)


_STATEMENTS: Mapping[type[ast.stmt], Callable[[Frame, Any], bool | None]] = {
    ast.Expr: _expression,
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.If: _if,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.While: _loop,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Try: _try,
    ast.TryStar: _try,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.With: _with,
    ast.AsyncWith: _with,
    ast.Match: _match,
    ast.Import: imports,
    ast.ImportFrom: imports_from,
    ast.FunctionDef: define_function,
    ast.AsyncFunctionDef: define_function,
    ast.ClassDef: _class,
    ast.Delete: _delete,
    ast.Assert: _assert,
}
