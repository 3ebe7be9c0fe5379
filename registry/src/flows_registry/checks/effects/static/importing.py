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
    parts = name.split(".")
    if machine.program.find(parts[0]) is None:
        return frozenset({Ext(parts[0] if top_only else canonical(name))})
    for length in range(1, len(parts) + 1):
        body = module_activation(machine, ".".join(parts[:length]))
        if body is None:
            return EMPTY
        machine.enter(body, node)
    return frozenset({ModuleRef(parts[0] if top_only else name)})


def import_from(machine: Machine, source: str, name: str, node: ast.AST) -> Value:
    """`from source import name`."""
    if machine.program.find(source.split(".")[0]) is None:
        return frozenset({Ext(canonical(f"{source}.{name}"))})
    import_name(machine, source, node)
    if machine.program.find(f"{source}.{name}") is not None:
        return import_name(machine, f"{source}.{name}", node) | machine.read(
            ModuleRef(source), name
        )
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
