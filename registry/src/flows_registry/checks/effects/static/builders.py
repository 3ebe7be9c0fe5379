"""Calls that make containers out of others: `list(x)`, `zip`, `gather`."""

from flows_registry.checks.effects.static.constants import constant
from flows_registry.checks.effects.static.containers import (
    collection,
    elements,
    flattened,
    ordered,
    store,
)
from flows_registry.checks.effects.static.outside.rules import Call, Rule
from flows_registry.checks.effects.static.values import EMPTY, UNKNOWN_DATA, Atom, Coll, Value

__all__ = ["builds", "gathers", "iterates", "zips"]


def iterates(call: Call) -> Value:
    """`next(it)`, `iter(x)`: what the iterator yields."""
    found = elements(call.machine, call.args.at(0), call.node)
    return found | (call.args.at(1) if len(call.args.positional) > 1 else EMPTY)


def builds(kind: str) -> Rule:
    """`list(x)`, `dict(x, a=1)` and so on: a new container with the same items."""

    def apply(call: Call) -> Value:
        machine = call.machine
        made = collection(machine, kind, call.node)
        for atom in call.args.at(0):
            _fill(call, made, atom)
        for name, value in call.args.keywords:
            store(machine, made, frozenset({constant(name)}), value)
        if call.args.named_rest:
            machine.write(made, "*", call.args.named_rest)
        if kind == "dict":  # dict(pairs): the values are the pairs' second halves
            inner = flattened(machine, machine.read(made, "*"), 2)
            machine.write(made, "*", inner)
        return frozenset({made})

    return apply


def _fill(call: Call, made: Coll, source: Atom) -> None:
    """Let a new container hold the items of another."""
    machine, listing = call.machine, made.kind in ("list", "tuple")
    items = ordered(machine, source)
    if items is not None and listing:
        for index, item in enumerate(items):
            machine.write(made, ("int", index), item)
    elif isinstance(source, Coll) and source.kind == made.kind == "dict":
        for field in machine.fields(source):
            machine.write(made, field, machine.read(source, field))
        machine.write(("keys", made), "*", machine.contents(("keys", source)))
    else:
        if isinstance(source, Coll) and source.kind == "set" and listing:
            machine.ambient(call.node, "hash", "the order of a set")
        machine.write(made, "*", elements(machine, frozenset({source}), call.node))


def gathers(call: Call) -> Value:
    made = collection(call.machine, "list", call.node, list(call.args.positional))
    if call.args.rest:
        call.machine.write(made, "*", call.args.rest)
    return frozenset({made})


def zips(call: Call) -> Value:
    """`zip`, `enumerate`: tuples of the items."""
    machine = call.machine
    items = [elements(machine, value, call.node) for value in call.args.positional]
    if call.name == "enumerate":
        items = [UNKNOWN_DATA, *items[:1]]
    pair = Coll("tuple", id(call.node) + 1, machine.current)
    for index, item in enumerate(items):
        machine.write(pair, ("int", index), item)
    return frozenset({collection(machine, "list", call.node, frozenset({pair}))})
