"""Calls that act on names, classes and callables: getattr, super, partial, import_module, …"""

from flows_registry.checks.effects.static.attributes import assign, load, load_any, type_of
from flows_registry.checks.effects.static.builders import builds, gathers, iterates, zips
from flows_registry.checks.effects.static.classes import SETTER
from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.containers import (
    SENT,
    YIELDED,
    collection,
    elements,
)
from flows_registry.checks.effects.static.importing import import_name
from flows_registry.checks.effects.static.machine import RETURN
from flows_registry.checks.effects.static.outside.rules import (
    Call,
    Rule,
    harmless,
    passes,
)
from flows_registry.checks.effects.static.program import Function, positional
from flows_registry.checks.effects.static.values import (
    EMPTY,
    NO_ARGS,
    UNKNOWN_DATA,
    Args,
    Atom,
    Bound,
    Cap,
    Coll,
    Const,
    Ext,
    Func,
    Gen,
    Klass,
    Method,
    ModuleRef,
    Obj,
    Partial,
    Super,
    Text,
    Unknown,
    Value,
    Wrapped,
    join,
)

__all__ = ["REFLECTIVE", "generator_method"]

REDUCTIONS_MAX = 4
COMPUTED = "getattr with a computed name"


def _by_name(call: Call, target: Value, names: Value, default: Value) -> Value:
    """`getattr(target, name)`: exact where the name is, and Top where it matters."""
    found = EMPTY
    for name in texts(names) or [Text("\ufffc")]:
        if name.exact:
            found |= load(call.machine, target, name.pattern, call.node)
            continue
        candidates = load_any(call.machine, target, name.prefix, call.node)
        found |= candidates
        if _matters(call, target, candidates):
            call.machine.top(COMPUTED, call.node)
            found |= {Unknown(COMPUTED)}
        else:
            found |= UNKNOWN_DATA
    return found | default


def _matters(call: Call, target: Value, candidates: Value) -> bool:
    """Whether a computed name could reach a function or a handle."""
    powerful = Func | Bound | Klass | Partial | Wrapped
    if any(isinstance(atom, powerful) or call.machine.is_handle(atom) for atom in candidates):
        return True
    return any(
        isinstance(atom, Ext | ModuleRef | Super | Unknown) or call.machine.is_handle(atom)
        for atom in target
    )


def _getattr(call: Call) -> Value:
    args = call.args
    return _by_name(call, args.at(0), args.at(1), args.at(2) if len(args.positional) > 2 else EMPTY)


def _getattribute(call: Call) -> Value:
    if call.receiver is not None:
        return _by_name(call, frozenset({call.receiver}), call.args.at(0), EMPTY)
    return _by_name(call, call.args.at(0), call.args.at(1), EMPTY)


def _setattr(call: Call) -> Value:
    args = call.args
    target, names, value = args.at(0), args.at(1), args.at(2)
    if call.receiver is not None:
        target, names, value = frozenset({call.receiver}), args.at(0), args.at(1)
    for name in texts(names) or [Text("\ufffc")]:
        if name.exact:
            assign(call.machine, target, name.pattern, value, call.node)
        else:
            for atom in target:
                if isinstance(atom, Ext | ModuleRef):
                    call.machine.top("setattr with a computed name", call.node)
                call.machine.write(atom, "*", value)
    return UNKNOWN_DATA


def _vars(call: Call) -> Value:
    if not call.args.values():
        return _namespace(call)
    return load(call.machine, call.args.at(0), "__dict__", call.node)


def _namespace(call: Call) -> Value:
    reason = f"{call.name}() gives every name in scope"
    call.machine.top(reason, call.node)
    return frozenset({Unknown(reason)})


def _super(call: Call) -> Value:
    """`super()`, and `super(Class, self)`."""
    if call.args.positional:
        return frozenset(
            Super(klass, receiver)
            for klass in call.args.at(0)
            for receiver in call.args.at(1)
            if isinstance(klass, Klass)
        )
    activation = call.machine.current
    while activation.func is None or activation.func.cls is None:
        if activation.owner is None:
            return UNKNOWN_DATA
        activation = activation.owner
    node = activation.code.node
    first = positional(node) if isinstance(node, Function) else []
    receivers = call.machine.read(activation, first[0].arg) if first else EMPTY
    return frozenset(Super(activation.func.cls, receiver) for receiver in receivers)


def _type(call: Call) -> Value:
    """`type(value)`, and `type(name, bases, namespace)`."""
    if len(call.args.positional) >= 3:
        call.machine.top("a class is built at run time with type()", call.node)
        return frozenset({Unknown("a class built at run time")})
    return join(type_of(atom) for atom in call.args.at(0))


def _new(call: Call) -> Value:
    """`object.__new__(cls)`: a bare object."""
    classes = call.args.everything()
    return frozenset(
        Obj(atom, id(call.node), call.machine.current)
        for atom in classes
        if isinstance(atom, Klass)
    )


def _partial(call: Call) -> Value:
    rest = call.args.shifted()
    return frozenset(Partial(atom, rest) for atom in call.args.at(0))


def _partialmethod(call: Call) -> Value:
    rest = call.args.shifted()
    return frozenset(Wrapped("partialmethod", Partial(atom, rest)) for atom in call.args.at(0))


def _wraps_in(kind: str) -> Rule:
    def apply(call: Call) -> Value:
        return frozenset(Wrapped(kind, atom) for atom in call.args.at(0, "fget"))

    return apply


def _property(call: Call) -> Value:
    made = frozenset(Wrapped("property", atom) for atom in call.args.at(0, "fget"))
    for atom in made:
        call.machine.write(atom, SETTER, call.args.at(1, "fset"))
    return made


def _field(call: Call) -> Value:
    factory = call.args.named("default_factory")
    return call.args.named("default") | {Wrapped("factory", atom) for atom in factory}


def _operator(call: Call) -> Value:
    """`attrgetter`, `methodcaller`, `itemgetter`: kept with what they were made of."""
    return frozenset({Partial(Ext(f"{call.path}()"), call.args)})


def _attrgetter(call: Call) -> Value:
    """The getter applied: the names first, the object last."""
    *names, target = call.args.positional or (EMPTY,)
    found = EMPTY
    for name in names:
        for path in texts(name):
            value = target
            for part in path.pattern.split("."):
                part_name: Value = frozenset({Text(part)})
                value = _by_name(call, value, part_name, EMPTY)
            found |= value
    return found


def _methodcaller(call: Call) -> Value:
    name, *rest = call.args.positional
    if not rest:
        return UNKNOWN_DATA
    method = _by_name(call, rest[-1], name, EMPTY)
    args = Args(tuple(rest[:-1]), call.args.keywords, call.args.rest, call.args.named_rest)
    return call.machine.invoke(method, args, call.node)


def _itemgetter(call: Call) -> Value:
    return elements(call.machine, call.args.everything(), call.node) | join(
        call.machine.contents(atom) for atom in call.args.everything() if isinstance(atom, Coll)
    )


def _reduce(call: Call) -> Value:
    """`reduce(f, items, start)`: f gets what it gave before, and an item."""
    machine, items = call.machine, elements(call.machine, call.args.at(1), call.node)
    given = items | call.args.at(2, "initial")
    for _ in range(REDUCTIONS_MAX):
        given |= machine.invoke(call.args.at(0), Args((given, items)), call.node)
    return given


def _applies(call: Call) -> Value:
    """Calls its first argument with the others: `operator.call`, `Context.run`."""
    return call.machine.invoke(call.args.at(0), call.args.shifted(), call.node)


def _import(call: Call) -> Value:
    found = EMPTY
    for name in texts(call.args.at(0, "name")) or [Text("\ufffc")]:
        if not name.exact:
            reason = "a module imported by a name that is not constant"
            call.machine.top(reason, call.node)
            found |= {Unknown(reason)}
            continue
        full = name.pattern
        if full.startswith("."):
            package = texts(call.args.at(1, "package"))
            full = (package[0].pattern if package else call.machine.current.module.package) + full
        top_only = call.name == "__import__" and len(call.args.positional) < 4
        found |= import_name(call.machine, full, call.node, top_only=top_only)
    return found


def _enters(call: Call) -> Value:
    """`ExitStack.enter_context(x)`: x's own `__enter__`."""
    found = EMPTY
    for atom in call.args.at(0):
        found |= entered(call, atom)
    return found


def entered(call: Call, atom: Atom) -> Value:
    """What `with atom as x` gives x."""
    if isinstance(atom, Gen):
        return elements(call.machine, frozenset({atom}), call.node)
    if isinstance(atom, Obj):
        found = EMPTY
        for names, args in (
            (("__enter__", "__aenter__"), NO_ARGS),
            (("__exit__", "__aexit__"), Args(fill=UNKNOWN_DATA)),
        ):
            for name in names:
                method = load(call.machine, frozenset({atom}), name, call.node)
                given = call.machine.invoke(method, args, call.node)
                found |= given if args is NO_ARGS else EMPTY
        return found
    return frozenset({atom})


def _replaced(call: Call) -> Value:
    """`dataclasses.replace(x, a=1)`: the same record, with these fields too."""
    records = call.args.at(0) if call.receiver is None else frozenset({call.receiver})
    for record in records:
        for name, value in call.args.keywords:
            call.machine.write(record, name, value)
        if call.args.named_rest:
            call.machine.write(record, "*", call.args.named_rest)
    return records


def _spelled_out(call: Call) -> Value:
    """`dataclasses.asdict(x)`: a dict of what the record holds."""
    records = call.args.at(0) if call.receiver is None else frozenset({call.receiver})
    held = join(call.machine.contents(record) for record in records)
    return frozenset({collection(call.machine, "dict", call.node, held)})


def generator_method(call: Call) -> Value:
    """Methods of generators, functions, properties and capabilities."""
    machine, receiver, name = call.machine, call.receiver, call.name
    match receiver:
        case Gen(activation):
            if name in ("send", "asend", "throw", "athrow"):
                machine.write(activation, SENT, call.args.everything())
            return machine.read(activation, YIELDED) | machine.read(activation, RETURN)
        case Cap(protocol):
            return machine.use(protocol, call.path.removeprefix("capability."), call.node) | (
                harmless(Call(machine, call.node, call.path, call.args))
            )
        case Wrapped("property", _) if name in ("setter", "getter", "deleter"):
            if name == "setter":
                machine.write(receiver, SETTER, call.args.at(0))
            return frozenset({receiver})
        case Func() if name == "register":
            machine.write(receiver, "(alternatives)", call.args.everything() - UNKNOWN_DATA)
            return call.args.everything() | {Method(receiver, "builtins.function", "register")}
        case Func() | Bound() | Partial() | Ext() if name == "__get__":
            owners = call.args.at(0)
            return frozenset(
                Bound(receiver, owner) for owner in owners if not isinstance(owner, Const)
            )
        case _:
            return passes(call)


REFLECTIVE: dict[str, Rule] = {
    "builtins.getattr": _getattr,
    "builtins.setattr": _setattr,
    "builtins.object.__setattr__": _setattr,
    "builtins.object.__getattribute__": _getattribute,
    "builtins.type.__getattribute__": _getattribute,
    "builtins.vars": _vars,
    "builtins.locals": _namespace,
    "builtins.globals": _namespace,
    "builtins.super": _super,
    "builtins.type": _type,
    "builtins.object.__new__": _new,
    "builtins.property": _property,
    "functools.cached_property": _property,
    "builtins.staticmethod": _wraps_in("staticmethod"),
    "builtins.classmethod": _wraps_in("classmethod"),
    "builtins.next": iterates,
    "builtins.anext": iterates,
    "builtins.list": builds("list"),
    "builtins.tuple": builds("tuple"),
    "builtins.set": builds("set"),
    "builtins.frozenset": builds("set"),
    "builtins.dict": builds("dict"),
    "collections.OrderedDict": builds("dict"),
    "collections.deque": builds("list"),
    "types.MappingProxyType": passes,
    "builtins.zip": zips,
    "builtins.enumerate": zips,
    "functools.partial": _partial,
    "functools.partialmethod": _partialmethod,
    "dataclasses.field": _field,
    "operator.attrgetter": _operator,
    "operator.methodcaller": _operator,
    "operator.itemgetter": _operator,
    "operator.attrgetter()": _attrgetter,
    "operator.methodcaller()": _methodcaller,
    "operator.itemgetter()": _itemgetter,
    "dataclasses.replace": _replaced,
    "attrs.evolve": _replaced,
    "attr.evolve": _replaced,
    "typing.NamedTuple._replace": _replaced,
    "dataclasses.asdict": _spelled_out,
    "dataclasses.astuple": _spelled_out,
    "typing.NamedTuple._asdict": _spelled_out,
    "functools.reduce": _reduce,
    "operator.call": _applies,
    "contextvars.Context.run": _applies,
    "types.MethodType": lambda call: frozenset(
        Bound(func, receiver) for func in call.args.at(0) for receiver in call.args.at(1)
    ),
    "importlib.import_module": _import,
    "importlib.__import__": _import,
    "asyncio.gather": gathers,
    "contextlib.ExitStack.enter_context": _enters,
    "contextlib.AsyncExitStack.enter_context": _enters,
    "contextlib.AsyncExitStack.enter_async_context": _enters,
}
