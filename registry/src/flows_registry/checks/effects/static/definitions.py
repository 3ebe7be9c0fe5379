"""Statements that bring names in: imports, functions, classes."""

import ast
from collections.abc import Callable, Sequence

from flows_registry.checks.effects.static.classes import add_base, find, special
from flows_registry.checks.effects.static.constants import constant
from flows_registry.checks.effects.static.expressions import evaluate, function
from flows_registry.checks.effects.static.frame import Frame
from flows_registry.checks.effects.static.importing import absolute, import_from, import_name
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    Args,
    Ext,
    Klass,
    ModuleRef,
    Obj,
    Value,
)

__all__ = ["define_class", "define_function", "imports", "imports_from"]

Run = Callable[[Frame, Sequence[ast.stmt]], bool]


def imports(frame: Frame, node: ast.Import) -> None:
    """`import a, b.c as d`."""
    for alias in node.names:
        value = import_name(frame.machine, alias.name, node, top_only=not alias.asname)
        frame.bind(alias.asname or alias.name.split(".")[0], value)


def imports_from(frame: Frame, node: ast.ImportFrom) -> None:
    """`from a import b`, `from . import c`, `from d import *`."""
    source = absolute(frame.code.module, node.module, node.level)
    for alias in node.names:
        if alias.name != "*":
            value = import_from(frame.machine, source, alias.name, node)
            frame.bind(alias.asname or alias.name, value)
        elif frame.machine.program.top(source) is None:
            if source not in frame.code.module.star_imports:
                frame.code.module.star_imports.append(source)
        else:
            import_name(frame.machine, source, node)
            origin = ModuleRef(source)
            for name in frame.machine.fields(origin):
                if isinstance(name, str) and not name.startswith("__"):
                    frame.machine.write(frame.globals, name, frame.machine.read(origin, name))


def define_function(frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """`def name(…)` with its decorators."""
    value: Value = frozenset({function(frame, node)})
    for decorator in reversed(node.decorator_list):
        value = frame.machine.invoke(evaluate(frame, decorator), Args((value,)), decorator)
    frame.bind(node.name, value)


def define_class(frame: Frame, node: ast.ClassDef, run: Run) -> None:
    """`class name(…)` with its bases, body, decorators and hooks."""
    machine = frame.machine
    code = machine.program.code(node, frame.code.module)
    klass = Klass(code, None if frame.at_module else frame.activation)
    for base_node in node.bases:
        for base in evaluate(frame, base_node):
            if isinstance(base, Klass | Ext):
                add_base(machine, klass, base)
            elif not isinstance(base, Obj) and base not in UNKNOWN_DATA:
                machine.top("a base class that is not known", base_node)
    options = [(option.arg, evaluate(frame, option.value)) for option in node.keywords]
    body = Frame(machine, frame.activation, code, klass)
    run(body, node.body)
    for name, value in body.env.items():
        machine.write(klass, name, value)
    _finish(frame, node, klass, options)
    value: Value = frozenset({klass})
    for decorator in reversed(node.decorator_list):
        given = machine.invoke(evaluate(frame, decorator), Args((value,)), decorator)
        value = given | value if not given & value else given
    frame.bind(node.name, value)


def _finish(
    frame: Frame, node: ast.ClassDef, klass: Klass, options: list[tuple[str | None, Value]]
) -> None:
    """What defining a class runs: its metaclass, its bases' hooks, its descriptors' hooks."""
    machine = frame.machine
    metas = [value for name, value in options if name == "metaclass"]
    given: Value = frozenset({klass})
    for atom in metas[0] if metas else EMPTY:
        machine.write(klass, "(metaclass)", frozenset({atom}))
        if isinstance(atom, Klass):
            for name in ("__new__", "__init__", "__prepare__"):
                made = find(machine, atom, name)
                machine.invoke(made, Args((given,), fill=UNKNOWN_DATA), node)
    hook = find(machine, klass, "__init_subclass__", klass)
    machine.invoke(hook, Args((given,), fill=UNKNOWN_DATA), node)
    for name in machine.fields(klass):
        for atom in machine.read(klass, name):
            if isinstance(atom, Obj):
                args = Args((given, frozenset({constant(name)})))
                special(machine, atom, ("__set_name__",), args, node)
