"""Reading and writing attributes of every kind of value."""

import ast
from collections import Counter, OrderedDict, defaultdict, deque
from types import GeneratorType

from flows_registry.checks.effects.static.classes import (
    SETTER,
    bind,
    find,
    lineage,
    outside_bases,
    special,
)
from flows_registry.checks.effects.static.constants import constant
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.outside.lookup import (
    canonical,
    model_of,
)
from flows_registry.checks.effects.static.outside.rules import argument, tainted
from flows_registry.checks.effects.static.tables import words
from flows_registry.checks.effects.static.values import (
    DATA,
    EMPTY,
    UNKNOWN_DATA,
    UNSET,
    Args,
    Atom,
    AttributeTable,
    Bound,
    Cap,
    Coll,
    Const,
    Data,
    Ext,
    Func,
    Gen,
    Inst,
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

__all__ = ["assign", "load", "load_any", "type_of"]

_REFLECTION = frozenset(
    words(
        "__globals__ __builtins__ __closure__ __code__ __subclasses__ f_locals f_globals "
        "f_builtins gi_frame cr_frame ag_frame tb_frame f_back cell_contents __reduce__ "
        "__reduce_ex__ __loader__ __spec__ __mro__ __bases__ __base__"
    )
)
"""Attributes through which code reaches what it was not given."""

_NAMES = frozenset(words("__name__ __qualname__ __module__ __doc__ __file__ __package__"))

_CONTAINERS = (
    list, tuple, set, frozenset, dict, deque, Counter, OrderedDict, defaultdict, GeneratorType,
)  # fmt: skip
_OF_CONTAINERS = frozenset(name for kind in _CONTAINERS for name in dir(kind))

_NUMBERS = ("os.O_", "os.SEEK_", "fcntl.LOCK_", "sqlite3.SQLITE_", "sqlite3.PARSE_")
"""How the names of constants begin in modules that hold other things, too."""

METHOD_DEPTH_MAX = 3
PATH_DEPTH_MAX = 7
"""Attributes of attributes: what lies deeper is taken for what it lies in."""

LOST = "(attributes of unknown objects)"


def load(machine: Machine, value: Value, name: str, node: ast.AST) -> Value:
    """`value.name`, running properties, descriptors and `__getattr__` where they apply."""
    if name in _REFLECTION:
        machine.top(f"reflection through {name}", node)
        return frozenset({Unknown(f"reflection through {name}")})
    return join(_load(machine, atom, name, node) for atom in value)


def _load(  # noqa: C901 (one arm for each kind of value)
    machine: Machine, atom: Atom, name: str, node: ast.AST
) -> Value:
    if name == "__class__":
        return type_of(atom)
    if name == "__dict__":
        return frozenset({AttributeTable(atom)})
    if name in ("__getattribute__", "__setattr__") and not isinstance(atom, Obj | Super | Klass):
        return frozenset({Method(atom, "builtins.object", name)})
    match atom:
        case Obj():
            return _of_object(machine, atom, name, node)
        case Inst():
            return _of_instance(machine, atom, name)
        case Ext():
            return _of_outside(machine, atom, name, node)
        case Klass():
            return _of_class(machine, atom, name, node)
        case ModuleRef():
            return _of_module(machine, atom, name, node)
        case Super():
            return _of_super(machine, atom, name, node)
        case Func() | Bound() | Partial() | Wrapped():
            return _of_callable(machine, atom, name, node)
        case Text() if name == "value":  # of a member of an enumeration of texts
            return frozenset({atom})
        case Text(binary=binary):
            return frozenset({Method(atom, "builtins.bytes" if binary else "builtins.str", name)})
        case Coll():
            return _of_container(machine, atom, name)
        case AttributeTable():
            return frozenset({Method(atom, "builtins.dict", name)})
        case Gen():
            return frozenset({Method(atom, "builtins.generator", name)})
        case Cap():
            return frozenset({Method(atom, "capability", name)})
        case Method(receiver=receiver, type=path, name=outer):
            if outer.count(".") >= METHOD_DEPTH_MAX or isinstance(receiver, Text):
                return UNKNOWN_DATA
            return frozenset({Method(receiver, path, f"{outer}.{name}")})
        case Unknown():
            return frozenset({atom})
        case Const(kind="None" | "unset"):
            return EMPTY
        case Data() | Const():
            return machine.read(LOST, name) | UNKNOWN_DATA


def type_of(atom: Atom) -> Value:
    """`type(value)`."""
    match atom:
        case Obj(cls=cls):
            return frozenset({cls})
        case Inst(type=path):
            return frozenset({Ext(path)})
        case Coll(kind=kind):
            return frozenset({Ext(f"builtins.{kind}")})
        case Cap() | Unknown():
            return frozenset({atom})
        case Klass() | Func() | Ext():
            return frozenset({Ext("builtins.type")})
        case Const() if atom.nothing:
            return EMPTY
        case _:
            return UNKNOWN_DATA


def _of_object(machine: Machine, atom: Obj, name: str, node: ast.AST) -> Value:
    own, wild = machine.read(atom, name), machine.read(atom, "*")
    shared = find(machine, atom.cls, name)
    if own and shared and all(isinstance(item, Const | Text | Data) for item in shared):
        shared = EMPTY  # a default that the object itself replaces
    found = _open(own) | bind(machine, _open(shared), atom, atom.cls, node)
    word = frozenset({constant(name)})
    found |= special(machine, atom, ("__getattribute__",), Args((word,)), node)
    if found:
        return found | wild
    if find(machine, atom.cls, "__getattr__"):
        return wild | special(machine, atom, ("__getattr__",), Args((word,)), node)
    bases = [canonical(path) for path in outside_bases(machine, atom.cls)]
    methods = frozenset(
        Method(atom, path, name) for path in bases if path not in ("builtins.object", "abc.ABC")
    )
    return methods | wild | (EMPTY if wild else machine.miss())


def _open(value: Value) -> Value:
    """An attribute's flags may be set by whoever holds the object: they decide no branch."""
    flags = {item for item in value if isinstance(item, Const) and item.kind in ("bool", "None")}
    opened: set[Atom] = {UNSET if item.nothing else DATA for item in flags}
    return (value - flags) | opened


def _of_container(machine: Machine, atom: Coll, name: str) -> Value:
    """A method; of a tuple, whose items may have names, perhaps an item; of others nothing."""
    if name in _OF_CONTAINERS:
        return frozenset({Method(atom, f"builtins.{atom.kind}", name)})
    return machine.contents(atom) | UNKNOWN_DATA if atom.kind == "tuple" else EMPTY


def _of_instance(machine: Machine, atom: Inst, name: str) -> Value:
    assigned = machine.read(atom, name)
    model = model_of(atom.type)
    if model is not None and name in model.attributes:
        made = Inst(model.attributes[name], atom.site, atom.made_in)
        return assigned | {made}
    kept = machine.read(atom, argument(name)) if model is None or not model.handle else EMPTY
    return assigned | kept | {Method(atom, atom.type, name)}


def _of_outside(machine: Machine, atom: Ext, name: str, node: ast.AST) -> Value:
    if name == "__get__":
        return frozenset({Method(atom, "builtins.function", name)})
    if atom.path.count(".") >= PATH_DEPTH_MAX:
        return frozenset({atom})
    path = canonical(f"{atom.path}.{name}")
    if path.startswith("http.HTTPMethod."):
        return frozenset({constant(name)})
    if path == "typing.TYPE_CHECKING" or path.startswith(_NUMBERS):
        return UNKNOWN_DATA
    if path.startswith(("os.environ", "sys.argv", "sys.platform")) and atom.path.count(".") == 0:
        kind = "host" if path.endswith("platform") else "env"
        machine.ambient(node, kind, path)
    return machine.read(atom, name) | {Ext(path)}


def _of_class(machine: Machine, atom: Klass, name: str, node: ast.AST) -> Value:
    found = find(machine, atom, name)
    if found:
        return bind(machine, found, atom, atom, node)
    for base in lineage(machine, atom):
        if isinstance(base, Ext):
            found |= {Ext(canonical(f"{base.path}.{name}"))}
    if name in _NAMES:
        return frozenset({constant(atom.code.name)}) if "name" in name else UNKNOWN_DATA
    metaclass = machine.read(atom, "(metaclass)")
    for meta in metaclass:
        if isinstance(meta, Klass):
            found |= bind(machine, find(machine, meta, name), atom, meta, node)
            getter = find(machine, meta, "__getattr__")
            found |= machine.invoke(getter, Args((frozenset({atom}), UNKNOWN_DATA)), node)
    return found or machine.miss()


def _of_module(machine: Machine, atom: ModuleRef, name: str, node: ast.AST) -> Value:
    found = machine.read(atom, name)
    full = f"{atom.name}.{name}"
    if machine.program.find(full) is not None:
        found |= {ModuleRef(full)}
    if found:
        return found
    if name in _NAMES:
        return frozenset({constant(atom.name)}) if name == "__name__" else UNKNOWN_DATA
    module = machine.program.find(atom.name)
    for outside in module.star_imports if module else ():
        found |= {Ext(canonical(f"{outside}.{name}"))}
    getter = machine.read(atom, "__getattr__")
    found |= machine.invoke(getter, Args((frozenset({constant(name)}),)), node)
    return found or machine.miss()


def _of_super(machine: Machine, atom: Super, name: str, node: ast.AST) -> Value:
    receiver = atom.receiver
    klass = receiver.cls if isinstance(receiver, Obj) else receiver
    if not isinstance(klass, Klass):
        return UNKNOWN_DATA
    found = bind(machine, find(machine, klass, name, atom.cls), receiver, klass, node)
    if found:
        return found
    bases = outside_bases(machine, klass, atom.cls) or ["builtins.object"]
    return frozenset(Method(receiver, canonical(path), name) for path in bases)


def _of_callable(machine: Machine, atom: Atom, name: str, node: ast.AST) -> Value:
    assigned = machine.read(atom, name)
    match atom, name:
        case _, "__call__" | "__wrapped__" | "func" | "fget" | "__func__" if not assigned:
            inner = isinstance(atom, Bound | Wrapped) and name in ("__func__", "fget")
            inner = inner or (isinstance(atom, Partial) and name == "func")
            return frozenset({atom.func if inner else atom})  # type: ignore[union-attr]
        case Bound(receiver=receiver), "__self__":
            return frozenset({receiver})
        case Func(code=code), "__name__" | "__qualname__":
            return frozenset({constant(code.name)})
        case Bound(func=func), _ if not assigned:
            return load(machine, frozenset({func}), name, node)
        case _, "register" | "setter" | "getter" | "deleter" | "__get__" | "args" | "keywords":
            return assigned | {Method(atom, "builtins.function", name)}
        case _, _:
            return assigned or UNKNOWN_DATA


def load_any(machine: Machine, value: Value, prefix: str, node: ast.AST) -> Value:
    """`getattr(value, computed)`: every attribute whose name begins with what is known of it."""
    found = EMPTY
    for atom in value:
        names: set[str] = set()
        owners: list[Atom] = [atom]
        if isinstance(atom, Obj | Klass):
            owners += lineage(machine, atom.cls if isinstance(atom, Obj) else atom)
        for owner in owners:
            fields = machine.fields(owner) if not isinstance(owner, Ext) else ()
            names |= {field for field in fields if isinstance(field, str)}
        names -= {name for name in names if name.startswith(("__", "(", "*"))}
        for name in sorted(names):
            if name.startswith(prefix):
                found |= load(machine, frozenset({atom}), name, node)
    return found


def assign(machine: Machine, target: Value, name: str, value: Value, node: ast.AST) -> None:
    """`target.name = value`, running setters where they apply."""
    for atom in target:
        match atom:
            case Obj():
                _assign_object(machine, atom, name, value, node)
            case Super(receiver=receiver):
                machine.write(receiver, name, value)
            case Bound(func=func):
                machine.write(func, name, value)
            case Inst(type=path):
                machine.write(atom, name, value)
                model = model_of(path)
                if model is None or not model.handle:
                    machine.write(atom, argument(name), value)
            case Klass() | ModuleRef() | Ext() | Func() | Partial():
                machine.write(atom, name, value)
            case _:  # an object that is not known may be met again anywhere
                if tainted(machine, value):
                    machine.top("a handle is stored in an object that is not known", node)
                plain = (Data, Const, Text, Inst, Method)
                kept = frozenset(item for item in value if not isinstance(item, plain))
                machine.write(LOST, name, kept)


def _assign_object(machine: Machine, atom: Obj, name: str, value: Value, node: ast.AST) -> None:
    word = frozenset({constant(name)})
    special(machine, atom, ("__setattr__",), Args((word, value)), node)
    for held in find(machine, atom.cls, name):
        if isinstance(held, Wrapped) and held.kind == "property":
            setter = machine.read(held, SETTER)
            machine.invoke(setter, Args((frozenset({atom}), value)), node)
        elif isinstance(held, Obj):
            args = Args((frozenset({atom}), value))
            special(machine, held, ("__set__",), args, node)
    machine.write(atom, name, value)
