"""Imports: modules of the source run when they are first named, everything else is outside."""

import ast

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.outside.lookup import canonical
from flows_registry.checks.effects.static.program import Module
from flows_registry.checks.effects.static.values import (
    EMPTY,
    Args,
    Ext,
    ModuleRef,
    Text,
    Value,
)

__all__ = ["absolute", "import_from", "import_name", "module_activation"]


def absolute(module: Module, name: str | None, level: int) -> str:
    """The dotted name that a `from` statement means in a module."""
    if not level:
        return name or ""
    parts = module.package.split(".")
    base = ".".join(parts[: len(parts) - level + 1])
    return ".".join(part for part in (base, name) if part)


def module_activation(machine: Machine, name: str) -> Activation | None:
    """The activation that is a module's body, or None when the source does not hold it."""
    module = machine.program.find(name)
    if module is None:
        return None
    return machine.activation(("module", name), lambda: Activation(module.scope, f"import {name}"))


def import_name(machine: Machine, name: str, node: ast.AST, *, top_only: bool = False) -> Value:
    """`import name`: runs every package on the way."""
    bound, top = name.partition(".")[0], machine.program.top(name)
    if top is None:
        return frozenset({Ext(bound if top_only else canonical(name))})
    parts = name.split(".")
    for length in range(top.count(".") + 1, len(parts) + 1):
        body = module_activation(machine, ".".join(parts[:length]))
        if body is None:
            return EMPTY
        machine.enter(body, node)
    if top_only:
        return frozenset({ModuleRef(bound) if top == bound else Ext(bound)})
    return frozenset({ModuleRef(name)})


def import_from(machine: Machine, source: str, name: str, node: ast.AST) -> Value:
    """`from source import name`."""
    whole = f"{source}.{name}"
    if machine.program.top(source) is None:
        followed = machine.program.top(whole) is not None
        return import_name(machine, whole, node) if followed else frozenset({Ext(canonical(whole))})
    import_name(machine, source, node)
    if machine.program.find(whole) is not None:
        return import_name(machine, whole, node) | machine.read(ModuleRef(source), name)
    found = machine.read(ModuleRef(source), name)
    module = machine.program.find(source)
    if not found and module is not None:
        for outside in module.star_imports:
            found |= {Ext(canonical(f"{outside}.{name}"))}
        getter = machine.read(ModuleRef(source), "__getattr__")
        if getter:
            from_name: Value = frozenset({Text(name)})
            found |= machine.invoke(getter, Args((from_name,)), node)
    return found
