"""What a call into outside code does: the rules that the tables are made of."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.static.classes import dunders, find, lent, own_methods
from flows_registry.checks.effects.static.constants import texts
from flows_registry.checks.effects.static.containers import elements, flattened, ordered
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    DATA,
    EMPTY,
    HOLE,
    UNKNOWN_DATA,
    Args,
    Atom,
    Bound,
    Coll,
    Const,
    Data,
    Ext,
    Func,
    Inst,
    Klass,
    Method,
    Obj,
    Partial,
    Text,
    Value,
    Wrapped,
    join,
)

__all__ = [
    "Call",
    "Rule",
    "TypeModel",
    "ambient",
    "argument",
    "both",
    "constructs",
    "does",
    "forwards",
    "given",
    "harmless",
    "itself",
    "makes",
    "passes",
    "plainly",
    "run_attached",
    "tainted",
    "unknowable",
]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something outside the source.

    Attributes:
        machine: the state of the derivation.
        node: where it stands.
        path: what is called: `os.remove`, `httpx.Client.get`.
        args: its arguments, without the receiver.
        receiver: the object whose method is called, where there is one.
    """

    machine: Machine
    node: ast.AST
    path: str
    args: Args
    receiver: Atom | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition(".")[2]


Rule = Callable[[Call], Value]

PATH_PARTS_MAX = 6
"""So many parts of a path name the type of what a call makes."""


@dataclass(frozen=True, slots=True)
class TypeModel:
    """What the methods of an outside type do.

    Attributes:
        methods: the rules, by method name.
        fallback: the rule of a method that is not listed.
        attributes: the types of attributes that are objects of their own.
        handle: whether holding one gives power over the world.
    """

    methods: Mapping[str, Rule]
    fallback: Rule
    attributes: Mapping[str, str] = field(default_factory=dict[str, str])
    handle: bool = True


def argument(name: str | int) -> tuple[str, str | int]:
    """The cell that keeps an argument of the call that made an object."""
    return ("argument", name)


def given(call: Call, receiver: Atom, position: int, name: str) -> Value:
    """An argument of the call that made `receiver`, or the attribute set since."""
    read = call.machine.read
    return (
        read(receiver, argument(name)) | read(receiver, argument(position)) | read(receiver, name)
    )


def constructs(made: str = "", *, rule: Rule | None = None) -> Rule:
    """Makes an object of a type (the called path by default) and keeps the arguments with it."""

    def apply(call: Call) -> Value:
        if rule is not None:
            rule(call)
        target = call.receiver
        if not isinstance(target, Obj):
            path = made or ".".join(call.path.split(".")[:PATH_PARTS_MAX])
            target = Inst(path, id(call.node), call.machine.current)
        for index, value in enumerate(call.args.positional):
            call.machine.write(target, argument(index), value)
        for name, value in call.args.keywords:
            call.machine.write(target, argument(name), value)
        for value in (call.args.rest, call.args.named_rest):
            if value:
                call.machine.write(target, argument("*"), value)
        return frozenset({target})

    return apply


def makes(made: str) -> Rule:
    """Makes an object of a type that shares nothing with the arguments."""
    return lambda call: frozenset({Inst(made, id(call.node), call.machine.current)})


def does(kind: str, effects: Effects, made: str = "") -> Rule:
    """Reaches the world in one known way; gives plain data, or an object of a type."""

    def apply(call: Call) -> Value:
        shown = next((text for text in texts(call.args.at(0)) if text.pattern != HOLE), None)
        detail = f"{call.path} {shown.shown}" if shown else call.path
        call.machine.sink(call.node, kind, detail, effects, method=call.name)
        harmless(call)
        return makes(made)(call) if made else UNKNOWN_DATA

    return apply


def ambient(kind: str) -> Rule:
    """Reads something that is not an input."""

    def apply(call: Call) -> Value:
        call.machine.ambient(call.node, kind, call.path)
        return harmless(call)

    return apply


def itself(call: Call) -> Value:
    """Gives the object whose method it is."""
    return frozenset({call.receiver}) if call.receiver else UNKNOWN_DATA


def both(*rules: Rule) -> Rule:
    """Does several things; gives what any of them gives."""
    return lambda call: join(rule(call) for rule in rules)


def unknowable(reason: str) -> Rule:
    """Nothing can be said of it; `{path}` and `{library}` are filled in."""

    def apply(call: Call) -> Value:
        library = call.path.partition(".")[0]
        call.machine.top(reason.format(path=call.path, library=library), call.node)
        kept = frozenset(
            atom for atom in call.args.everything() if not isinstance(atom, Data | Const | Text)
        )
        # What it gives is as unknown as it is itself: one object stands for all of them.
        return _gives(call) | kept | {Inst(".".join(call.path.split(".")[:2]), 0, None)}

    return apply


def plainly(call: Call) -> Value:
    """Looks at its arguments (their `__str__`, `__eq__`, …) and gives plain data."""
    machine = call.machine
    for atom in call.args.everything():
        if isinstance(atom, Obj):
            dunders(machine, atom, call.node)
        elif isinstance(atom, Klass):  # isinstance(x, Class): its metaclass may answer
            for meta in machine.read(atom, "(metaclass)"):
                if isinstance(meta, Klass):
                    for name in ("__instancecheck__", "__subclasscheck__"):
                        machine.invoke(
                            find(machine, meta, name), Args(fill=UNKNOWN_DATA), call.node
                        )
    if call.path == "builtins.print":
        for atom in call.args.named("file"):
            if isinstance(atom, Obj):
                lent(machine, atom, call.node)
    return UNKNOWN_DATA


def passes(call: Call) -> Value:
    """Gives back what it was given and calls nothing: decorators, casts, copies."""
    everything = call.args.everything()
    found = frozenset(atom for atom in everything if not isinstance(atom, Data | Const | Text))
    for atom in found:
        if isinstance(atom, Obj):
            dunders(call.machine, atom, call.node)
    decorates = not found and DATA not in everything and call.receiver is None
    if call.path == "functools.wraps" or decorates:
        return frozenset({Inst(call.path, id(call.node), call.machine.current)})
    return found | (everything & UNKNOWN_DATA)


_ITERATES = frozenset(
    words(
        "map filter filterfalse reduce accumulate takewhile dropwhile groupby sorted min "
        "max imap imap_unordered map_async starmap_async nlargest nsmallest sort merge"
    )
)
"""Functions that call their argument with the items of the other arguments."""


def forwards(call: Call) -> Value:
    """Calls back and gives the results, and keeps nothing: executors and event loops."""
    return _gives(call) | UNKNOWN_DATA


def _gives(call: Call) -> Value:
    """What the arguments give when outside code calls those that can be called."""
    found: set[Atom] = set()
    for index, value in enumerate(call.args.positional):
        for atom in value:
            found |= _meets(call, atom, index)
    for value in [value for _, value in call.args.keywords] + [call.args.rest, call.args.fill]:
        for atom in value:
            found |= _meets(call, atom, None)
    for atom in call.args.named_rest:
        found |= _meets(call, atom, None)
    return frozenset(found)


def harmless(call: Call) -> Value:
    """Does nothing by itself, but may call back, keep and give back what it is given."""
    machine, receiver = call.machine, call.receiver
    if receiver is None and call.name[:1].isupper():
        made = constructs()(call)
        given = frozenset(atom for atom in _gives(call) if not isinstance(atom, Data | Const))
        for atom in made:
            machine.write(atom, "*", given)
        return made
    given = call.args.everything()
    kept = frozenset(atom for atom in given if not isinstance(atom, Data | Const | Text))
    found = _gives(call) | kept | UNKNOWN_DATA
    if isinstance(receiver, Inst) and not machine.is_handle(receiver):
        machine.write(receiver, "*", found - UNKNOWN_DATA)
        found |= machine.contents(receiver)
    return found


def _meets(call: Call, atom: Atom, index: int | None) -> Value:
    """What outside code may give back for one argument, having called it if it can be called."""
    machine = call.machine
    match atom:
        case Data() | Const() | Text():
            return EMPTY
        case Ext(path=path) if path.rpartition(".")[2].isupper():
            return EMPTY  # a constant of a library
        case Method(receiver=holder) if not machine.is_handle(atom):
            if isinstance(holder, Coll | Inst):  # an executor may be told to put things into it
                machine.write(holder, "*", call.args.everything() - {atom, DATA})
                return machine.contents(holder)
            return EMPTY
        case Func() | Bound() | Partial() | Wrapped() | Method() | Klass() | Ext():
            return machine.invoke(frozenset({atom}), _forwarded(call, index), call.node)
        case Obj():
            lent(machine, atom, call.node)
            if find(machine, atom.cls, "__call__"):
                return machine.invoke(frozenset({atom}), _forwarded(call, index), call.node)
            return EMPTY
        case _:
            return EMPTY


def _forwarded(call: Call, index: int | None) -> Args:
    """The arguments with which outside code calls a function that it was given.

    Executors, threads, timers, loops and finalizers all pass on what follows the function, or
    `args=` and `kwargs=`; what iterates passes on the items.
    """
    machine, args = call.machine, call.args
    if call.name in _ITERATES and index is not None:
        items = [elements(machine, value, call.node) for value in args.positional[index + 1 :]]
        return Args(tuple(items), fill=_others(call))
    if index is None:
        given = [value for atom in args.named("args") for value in ordered(machine, atom) or ()]
        return Args(tuple(given), fill=_others(call))
    keywords = tuple(item for item in args.keywords if item[0] not in ("context", "name"))
    following = args.positional[index + 1 :]
    if not following and not keywords:
        return Args(fill=_others(call))
    return Args(following, keywords, args.rest, args.named_rest, UNKNOWN_DATA)


def _others(call: Call) -> Value:
    """What stands beside a function among the arguments, and what that holds."""
    callables = Func | Bound | Partial | Wrapped | Klass | Ext | Method
    everything = flattened(call.machine, call.args.everything())
    return frozenset(atom for atom in everything if not isinstance(atom, callables)) | UNKNOWN_DATA


def run_attached(call: Call) -> None:
    """Run what an object was given when it was made: hooks, transports, handlers."""
    machine, receiver, node = call.machine, call.receiver, call.node
    if not isinstance(receiver, Inst | Obj):
        return

    def steps() -> None:
        args = Args(fill=UNKNOWN_DATA)
        held = attached(machine, receiver)
        inside = join(machine.contents(atom) for atom in held if isinstance(atom, Coll))
        for atom in held | inside:
            if isinstance(atom, Func | Bound | Partial):
                machine.invoke(frozenset({atom}), args, node)
            elif isinstance(atom, Obj) and atom != receiver:
                machine.invoke(own_methods(machine, atom, node), args, node)
            elif isinstance(atom, Coll):
                deeper = frozenset(
                    inner
                    for inner in machine.contents(atom)
                    if isinstance(inner, Func | Bound | Partial)
                )
                machine.invoke(deeper, args, node)

    machine.once(("attached", receiver), "attached", node, steps)


def attached(machine: Machine, receiver: Atom) -> Value:
    """What an object was given when it was made or by registering with it."""
    fields = [field for field in machine.fields(receiver) if field == "*" or _argued(field)]
    return join(machine.read(receiver, field) for field in fields)


def _argued(field: object) -> bool:
    return str(field).startswith("('argument'")


def tainted(machine: Machine, value: Value) -> bool:
    """Whether a value, or what it holds, gives power over the world."""
    return any(machine.is_handle(atom) for atom in flattened(machine, value))
