"""What a parameter may be that outside code fills: its annotation says."""

import ast

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.attributes import load
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.outside.lookup import canonical, matters
from flows_registry.checks.effects.static.values import (
    EMPTY,
    Args,
    Cap,
    Ext,
    Func,
    Inst,
    Klass,
    ModuleRef,
    Value,
    join,
)

__all__ = ["instances", "typed"]


def typed(machine: Machine, annotation: ast.expr | None, scope: Func | Klass) -> Value:
    """The objects that an annotation admits: handles, capabilities, objects of the source."""
    if annotation is None:
        return EMPTY
    return instances(machine, _classes(machine, annotation, scope), annotation)


def _classes(machine: Machine, annotation: ast.expr, scope: Func | Klass) -> Value:
    """The classes that an annotation mentions."""
    match annotation:
        case ast.Constant(value=str(text)):
            try:
                return _classes(machine, ast.parse(text, mode="eval").body, scope)
            except (SyntaxError, ValueError):
                return EMPTY
        case ast.Name(id=name):
            return _named(machine, name, scope)
        case ast.Attribute(value=value, attr=attr):
            return load(machine, _classes(machine, value, scope), attr, annotation)
        case ast.BinOp(left=left, right=right):
            return _classes(machine, left, scope) | _classes(machine, right, scope)
        case ast.Subscript(value=value, slice=inner):
            if isinstance(value, ast.Name | ast.Attribute) and "Literal" in ast.unparse(value):
                return EMPTY
            return _classes(machine, value, scope) | _classes(machine, inner, scope)
        case ast.Tuple(elts=items):
            return join(_classes(machine, item, scope) for item in items)
        case _:
            return EMPTY


def _named(machine: Machine, name: str, scope: Func | Klass) -> Value:
    owner: Activation | None = scope.owner
    while owner is not None:
        if name in owner.code.locals:
            return machine.read(owner, name)
        owner = owner.owner
    return machine.read(ModuleRef(scope.code.module.name), name)


def instances(machine: Machine, classes: Value, node: ast.AST) -> Value:
    """Objects of these classes that were made elsewhere."""
    protocols = machine.protocols
    found: Value = EMPTY
    for atom in classes:
        match atom:
            case Ext(path=path):
                public = canonical(path)
                if public in protocols:
                    found |= {Cap(public)}
                elif "." in public and matters(public):
                    found |= {Inst(public, id(node), None)}
            case Klass(code=code) if f"{code.module.name}.{code.name}" in protocols:
                found |= {Cap(f"{code.module.name}.{code.name}")}
            case Klass():
                found |= machine.invoke(frozenset({atom}), Args(), node)
            case _:
                pass
    return found
