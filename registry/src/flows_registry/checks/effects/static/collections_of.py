"""Methods of the built-in containers: what goes in comes out."""

from flows_registry.checks.effects.static.constants import constant
from flows_registry.checks.effects.static.containers import (
    collection,
    elements,
    fetch,
    known_keywords,
    store,
)
from flows_registry.checks.effects.static.outside.rules import Call, harmless
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    AttributeTable,
    Coll,
    Value,
)

__all__ = ["container_method"]

_PUTS = frozenset(words("append add appendleft insert push put put_nowait"))
_TAKES = frozenset(words("pop popleft popitem get_nowait __getitem__"))


def container_method(call: Call) -> Value:  # noqa: C901 (one arm for each kind of method)
    """A method of a list, dict, set, tuple or `__dict__`."""
    holder, machine, name, args = call.receiver, call.machine, call.name, call.args
    assert isinstance(holder, Coll | AttributeTable)
    table = isinstance(holder, AttributeTable) or holder.kind == "dict"
    if name in _PUTS:
        store(machine, holder, UNKNOWN_DATA, args.everything())
        return UNKNOWN_DATA
    if name == "__setitem__":
        store(machine, holder, args.at(0), args.at(1))
        return UNKNOWN_DATA
    if table and name in ("get", "pop", "setdefault", "__getitem__"):
        if name == "setdefault":
            store(machine, holder, args.at(0), args.at(1))
        absent = args.at(1) or (frozenset({constant(None)}) if name == "get" else EMPTY)
        return fetch(machine, holder, args.at(0)) | absent
    if name in ("extend", "update", "__init__", "__ior__", "extendleft"):
        _extend(call, holder)
        return UNKNOWN_DATA
    everything = machine.contents(holder.target if isinstance(holder, AttributeTable) else holder)
    if name in _TAKES:
        return everything
    if name == "values":
        return frozenset({collection(machine, "list", call.node, everything)})
    if name == "items":
        keys = elements(machine, frozenset({holder}), call.node)
        pair = Coll("tuple", id(call.node) + 1, machine.current)
        machine.write(pair, ("int", 0), keys)
        machine.write(pair, ("int", 1), everything)
        return frozenset({collection(machine, "list", call.node, frozenset({pair}))})
    if name == "keys":
        keys = elements(machine, frozenset({holder}), call.node)
        return frozenset({collection(machine, "list", call.node, keys)})
    if name in ("copy", "__iter__", "__copy__", "union", "__or__", "difference", "intersection"):
        return frozenset({holder}) | args.everything()
    return harmless(call)


def _extend(call: Call, holder: Coll | AttributeTable) -> None:
    machine = call.machine
    for value in call.args.positional:
        for atom in value:
            entries = known_keywords(machine, atom)
            if entries is not None:
                for name, held in entries.items():
                    store(machine, holder, frozenset({constant(name)}), held)
            elif isinstance(atom, Coll) and atom.kind == "dict":
                keys = elements(machine, frozenset({atom}), call.node)
                store(machine, holder, keys | UNKNOWN_DATA, machine.contents(atom))
            else:
                inner = elements(machine, frozenset({atom}), call.node)
                store(machine, holder, UNKNOWN_DATA, inner)
    for name, value in call.args.keywords:
        store(machine, holder, frozenset({constant(name)}), value)
    if call.args.named_rest:
        store(machine, holder, UNKNOWN_DATA, call.args.named_rest)
