"""Calling a value: functions of the source by their code, everything else by the tables."""

import ast

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.annotations import typed
from flows_registry.checks.effects.static.attributes import load
from flows_registry.checks.effects.static.classes import (
    bind,
    find,
    is_enum,
    is_error,
    lineage,
    outside_bases,
    special,
)
from flows_registry.checks.effects.static.collections_of import container_method
from flows_registry.checks.effects.static.constants import constant, text_method
from flows_registry.checks.effects.static.containers import ordered, store
from flows_registry.checks.effects.static.machine import RETURN, Machine
from flows_registry.checks.effects.static.outside.lookup import (
    canonical,
    model_of,
    rule_of,
)
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    forwards,
    harmless,
    passes,
    plainly,
    tainted,
)
from flows_registry.checks.effects.static.program import Function, positional
from flows_registry.checks.effects.static.reflection import REFLECTIVE, generator_method
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    Args,
    Atom,
    AttributeTable,
    Bound,
    Cap,
    Coll,
    Const,
    Ext,
    Func,
    Gen,
    Inst,
    Klass,
    Method,
    Obj,
    Partial,
    Text,
    Unknown,
    Value,
    Wrapped,
    join,
)

__all__ = ["DEFAULTS", "FIELDS", "invoke"]

DEFAULTS = "(defaults)"
FIELDS = "(fields)"
ALTERNATIVES = "(alternatives)"


def invoke(machine: Machine, callee: Value, args: Args, node: ast.AST) -> Value:
    """What calling any of these with these arguments gives; its effects are recorded."""
    if not machine.work(len(callee)):
        return EMPTY
    return join(_invoke(machine, atom, args, node) for atom in callee)


def _invoke(  # noqa: C901 (one arm for each kind of value)
    machine: Machine, atom: Atom, args: Args, node: ast.AST
) -> Value:
    match atom:
        case Func():
            return _call(machine, atom, args, node)
        case Bound(func=func, receiver=receiver):
            return _invoke(machine, func, args.preceded(frozenset({receiver})), node)
        case Partial(func=func, args=kept):
            return _invoke(machine, func, kept.over(args), node)
        case Wrapped(func=func):
            return _invoke(machine, func, args, node)
        case Klass():
            return _instantiate(machine, atom, args, node)
        case Obj():
            return _call_object(machine, atom, args, node)
        case Ext(path=path):
            return _call_outside(machine, path, args, node)
        case Method():
            return _call_method(machine, atom, args, node)
        case Inst(type=path):
            return _call_method(machine, Method(atom, path, "__call__"), args, node)
        case Unknown(reason=reason):
            machine.top(reason, node)
            return harmless(Call(machine, node, "unknown", args)) | {atom}
        case Cap():
            machine.top("a capability is called as a function", node)
            return UNKNOWN_DATA
        case Const(kind="None" | "unset"):
            return EMPTY
        case _:
            return _call_data(machine, args, node)


def _call_data(machine: Machine, args: Args, node: ast.AST) -> Value:
    """Something nothing is known of: harmless, unless it is given a handle."""
    if tainted(machine, args.everything()):
        machine.top("a handle is given to a callee that is not known", node)
    return harmless(Call(machine, node, "unknown.call", args))


def _call_object(machine: Machine, atom: Obj, args: Args, node: ast.AST) -> Value:
    if find(machine, atom.cls, "__call__"):
        return special(machine, atom, ("__call__",), args, node)
    bases = outside_bases(machine, atom.cls)
    return join(_call_method(machine, Method(atom, path, "__call__"), args, node) for path in bases)


# Functions of the source


def _call(machine: Machine, func: Func, args: Args, node: ast.AST) -> Value:
    activation = machine.activate(func, args, node)
    _bind(machine, activation, func, args)
    machine.enter(activation, node)
    others = machine.read(func, ALTERNATIVES)
    found = invoke(machine, others, args, node) if others else EMPTY
    if func.code.generator:
        return found | {Gen(activation)}
    return found | machine.read(activation, RETURN)


def _bind(machine: Machine, activation: Activation, func: Func, args: Args) -> None:
    """Let the parameters hold the arguments."""
    node = func.code.node
    if not isinstance(node, Function):
        return
    by_position = positional(node)
    keywords = dict(args.keywords)
    for index, parameter in enumerate(by_position):
        given = args.positional[index] if index < len(args.positional) else None
        given = keywords.pop(parameter.arg, given)
        _bind_one(machine, activation, func, parameter, given, args.rest | args.named_rest, args)
    for parameter in node.args.kwonlyargs:
        given = keywords.pop(parameter.arg, None)
        _bind_one(machine, activation, func, parameter, given, args.named_rest, args)
    if extra := node.args.vararg:
        packed = Coll("tuple", id(extra), activation)
        for index, value in enumerate(args.positional[len(by_position) :]):
            machine.write(packed, ("int", index), value)
        if args.rest | args.fill:
            machine.write(packed, "*", args.rest | args.fill)
        machine.write(activation, extra.arg, frozenset({packed}))
    if extra := node.args.kwarg:
        table = Coll("dict", id(extra), activation)
        for name, value in keywords.items():
            store(machine, table, frozenset({constant(name)}), value)
        if args.named_rest | args.fill:
            store(machine, table, UNKNOWN_DATA, args.named_rest | args.fill)
        machine.write(activation, extra.arg, frozenset({table}))


def _bind_one(
    machine: Machine,
    activation: Activation,
    func: Func,
    parameter: ast.arg,
    given: Value | None,
    rest: Value,
    args: Args,
) -> None:
    """Let one parameter hold what it is given; what nothing has been put into yet may be later."""
    value = given
    if not given and (given is None or machine.miss()):
        default = machine.read((func, DEFAULTS), parameter.arg)
        value = default | rest
        if not default and (args.fill or not rest):
            value |= args.fill | UNKNOWN_DATA | typed(machine, parameter.annotation, func)
    machine.write(activation, parameter.arg, value or EMPTY)


# Classes of the source


def _instantiate(machine: Machine, klass: Klass, args: Args, node: ast.AST) -> Value:
    if is_enum(machine, klass):
        return machine.contents(klass) | UNKNOWN_DATA
    # Errors travel everywhere: those made in one place are one object, whoever asked.
    made = Obj(klass, id(node), None if is_error(machine, klass) else machine.current)
    found: Value = frozenset({made})
    for meta in machine.read(klass, "(metaclass)"):
        if isinstance(meta, Klass):
            caller = find(machine, meta, "__call__")
            found |= invoke(machine, caller, args.preceded(frozenset({klass})), node)
    maker = find(machine, klass, "__new__")
    if maker:
        plain = frozenset(atom.func if isinstance(atom, Wrapped) else atom for atom in maker)
        found |= invoke(machine, plain, args.preceded(frozenset({klass})), node)
    for atom in found:
        if isinstance(atom, Obj):
            _initialise(machine, atom, args, node)
    return found


def _initialise(machine: Machine, made: Obj, args: Args, node: ast.AST) -> None:
    initialiser = find(machine, made.cls, "__init__")
    if initialiser:
        bound = bind(machine, initialiser, made, made.cls, node)
        invoke(machine, bound, args, node)
    else:
        _fill_fields(machine, made, args, node)
        for path in outside_bases(machine, made.cls):
            if model_of(canonical(path)) is not None:
                _call_method(machine, Method(made, canonical(path), "__init__"), args, node)
    special(machine, made, ("__post_init__",), Args(fill=UNKNOWN_DATA), node)
    special(machine, made, ("__del__",), Args(), node)


def _fill_fields(machine: Machine, made: Obj, args: Args, node: ast.AST) -> None:
    """A record: arguments go to the annotated names of the class, in order."""
    names: list[str] = []
    for base in reversed(lineage(machine, made.cls)):
        if isinstance(base, Klass):
            fields = [name for name in machine.fields((base, FIELDS)) if isinstance(name, str)]
            names += [name for name in fields if name not in names]
    for index, name in enumerate(names):
        given = args.at(index, name)
        if not given:
            given = bind(machine, find(machine, made.cls, name), made, made.cls, node)
            outside = typed(machine, machine.annotations.get((made.cls, name)), made.cls)
            if not given or outside:
                given |= args.fill | UNKNOWN_DATA | outside
        machine.write(made, name, given)
    extra = join(value for name, value in args.keywords if name not in names)
    if extra:
        for name, value in args.keywords:
            machine.write(made, name, value)
    if not names:
        for value in args.positional:
            machine.write(made, "*", value - UNKNOWN_DATA)


# Everything else


def _call_outside(machine: Machine, path: str, args: Args, node: ast.AST) -> Value:
    path = canonical(path)
    replaced = machine.read(Ext(path), "(replaced)")
    stem, _, name = path.rpartition(".")
    replaced |= machine.read(Ext(stem), name) if stem else EMPTY
    found = invoke(machine, replaced, args, node) if replaced else EMPTY
    special_rule = REFLECTIVE.get(path)
    if special_rule is not None:
        return found | special_rule(Call(machine, node, path, args))
    model = model_of(stem)
    if model is not None and args.positional:  # a method called through its class
        receivers = [atom for atom in args.positional[0] if isinstance(atom, Inst | Obj)]
        for receiver in receivers:
            method = Method(receiver, stem, name)
            found |= _call_method(machine, method, args.shifted(), node)
        if receivers:
            return found
    return found | rule_of(path)(Call(machine, node, path, args))


def _call_method(machine: Machine, method: Method, args: Args, node: ast.AST) -> Value:
    receiver, path, name = method.receiver, canonical(method.type), method.name
    if isinstance(receiver, Text):
        harmless(Call(machine, node, f"{path}.{name}", args))
        return text_method(receiver, name, args, lambda atom: ordered(machine, atom))
    if isinstance(receiver, Coll | AttributeTable):
        return container_method(Call(machine, node, f"{path}.{name}", args, receiver))
    if isinstance(receiver, Gen) or path in ("builtins.function", "capability"):
        return generator_method(Call(machine, node, f"{path}.{name}", args, receiver))
    replaced = machine.read(Ext(path), name)
    found = EMPTY
    if replaced:
        found = invoke(machine, replaced, args.preceded(frozenset({receiver})), node)
    call = Call(machine, node, f"{path}.{name}", args, receiver)
    special_rule = REFLECTIVE.get(call.path)
    if special_rule is not None:
        return found | special_rule(call)
    if name == "__call__" and rule_of(path) is passes:
        return found | passes(call)
    model = model_of(path)
    if model is None:
        return found | _unmodelled(call, path)
    rule = model.methods.get(name) or model.methods.get(name.partition(".")[0]) or model.fallback
    found |= rule(call)
    if isinstance(receiver, Obj):
        _call_overridden(machine, receiver, set(model.methods), name, node)
    return found


def _unmodelled(call: Call, path: str) -> Value:
    """A method of a type without a table: as harmless as its library."""
    rule = rule_of(call.path)
    if rule is rule_of(path) and rule not in (harmless, forwards, passes, plainly):
        top_level = rule_of(path.partition(".")[0])
        rule = harmless if top_level is harmless else rule
    found = rule(call)
    if call.name == "__call__" and isinstance(call.receiver, Inst):  # a wrapper calls what it holds
        held = call.machine.contents(call.receiver)
        callables = frozenset(a for a in held if isinstance(a, Func | Bound | Partial | Klass))
        found |= invoke(call.machine, callables, call.args, call.node)
    if isinstance(call.receiver, Obj):
        names = {"run", "emit", "handle", "write", "default", "send", "close", "flush"}
        if path.startswith(("threading.", "multiprocessing.", "logging.", "json.", "asyncio.")):
            _call_overridden(call.machine, call.receiver, names, call.name, call.node)
    return found


def _call_overridden(
    machine: Machine, receiver: Obj, names: set[str], called: str, node: ast.AST
) -> None:
    """The outside base's method calls those that the source's class overrides."""
    for name in sorted(names - {called, "__init__", "__enter__", "__exit__"}):
        found = find(machine, receiver.cls, name)
        if found:
            bound = load(machine, frozenset({receiver}), name, node)
            invoke(machine, bound, Args(fill=UNKNOWN_DATA), node)
