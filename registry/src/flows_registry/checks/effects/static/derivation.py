"""Deriving what a provider's operations, or a function given capabilities, can do."""

import functools
import importlib
import inspect
import pkgutil
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import core_caps.capabilities
from core_caps.claims.lattice import Effects
from core_caps.claims.operation import Operation, operations_of

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.annotations import instances, typed
from flows_registry.checks.effects.static.attributes import load
from flows_registry.checks.effects.static.importing import import_name
from flows_registry.checks.effects.static.invoking import DEFAULTS, invoke
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.outside.lookup import is_handle
from flows_registry.checks.effects.static.program import Function, Program
from flows_registry.checks.effects.static.report import (
    CLOSING,
    OPENING,
    Ambient,
    Derived,
    Location,
    Sink,
    Span,
    Top,
)
from flows_registry.checks.effects.static.statements import interpret
from flows_registry.checks.effects.static.values import (
    UNKNOWN_DATA,
    Args,
    Atom,
    Bound,
    Cap,
    Func,
    Klass,
    Value,
    Wrapped,
    join,
)

__all__ = ["derive", "derive_capability_calls"]

Protocols = Mapping[str, Mapping[str, Operation]]

_ENTERING = ("__enter__", "__aenter__")
_LEAVING = ("__exit__", "__aexit__", "close", "aclose", "__del__")


def derive(source: Path, provider: str, operations: Sequence[str]) -> Mapping[str, Derived]:
    """What each operation of a provider can do to the world, from its source alone.

    Args:
        source: a folder of unpacked packages (a wheel's content), or one file.
        provider: `package.module:Class`.
        operations: the names of the methods to derive.

    Returns:
        One entry per operation, and those of `OPENING` (imports, constructor, entering) and
        `CLOSING`. An operation that does not exist, or a source that cannot be read, is Top.
    """
    machine = _machine(source, ())
    module, _, name = provider.partition(":")
    entries = _Entries(machine)
    opening = entries.add(OPENING, lambda: None)

    def open_provider() -> None:
        node = opening.code.node
        found = import_name(machine, module, node)
        for part in name.split("."):
            found = load(machine, found, part, node)
        if not any(isinstance(atom, Klass) for atom in found) and machine.miss():
            machine.top(f"no class {provider} in the source", node)
        made = instances(machine, frozenset(a for a in found if isinstance(a, Klass)), node)
        for method in _ENTERING:
            made |= _own(made, entries.call(made, method))
        machine.write("(provider)", "(self)", made)

    opening.steps = open_provider
    for operation in operations:
        entries.add(operation, _operation_steps(entries, operation))
    entries.add(CLOSING, _closing_steps(entries))
    entries.add("(others)", _other_steps(entries, operations))
    machine.settle()
    names = [OPENING, *operations, CLOSING]
    return MappingProxyType({name: entries.derived(name) for name in names})


def _own(made: Value, entered: Value) -> Value:
    """What entering gives, where it is an object of the same class."""
    classes = {atom.cls for atom in made if hasattr(atom, "cls")}  # type: ignore[union-attr]
    return frozenset(atom for atom in entered if getattr(atom, "cls", None) in classes)


def _operation_steps(entries: "_Entries", operation: str) -> Callable[[], None]:
    machine = entries.machine

    def steps() -> None:
        made = machine.read("(provider)", "(self)")
        entries.call(made, operation, required=True)
        if not made and machine.miss():
            machine.top("the provider could not be made", machine.current.code.node)

    return steps


def _closing_steps(entries: "_Entries") -> Callable[[], None]:
    def steps() -> None:
        for name in _LEAVING:
            entries.call(entries.machine.read("(provider)", "(self)"), name)

    return steps


def _other_steps(entries: "_Entries", operations: Sequence[str]) -> Callable[[], None]:
    """Public methods that are no operations may still prepare what operations use."""
    machine = entries.machine

    def steps() -> None:
        for made in machine.read("(provider)", "(self)"):
            for name in machine.fields(getattr(made, "cls", made)):
                public = isinstance(name, str) and not name.startswith(("_", "("))
                if public and name not in operations:
                    entries.call(frozenset({made}), str(name))

    return steps


def derive_capability_calls(
    source: Path,
    entry: str,
    handles: Mapping[str, type | str] = MappingProxyType({}),
    protocols: Iterable[type] = (),
) -> Derived:
    """What a function does through the capabilities it is given, and by itself.

    Args:
        source: a folder of unpacked packages, or one file.
        entry: `package.module:function` or `package.module:Class.method`.
        handles: parameters that are capabilities, by name, where no annotation says it.
        protocols: capability protocols that are not part of core_caps.

    Returns:
        Uses of a capability are sinks of kind `capability`; `hints` is their union.
    """
    machine = _machine(source, protocols)
    module, _, name = entry.partition(":")
    entries = _Entries(machine)
    given = {key: _capability(machine, value) for key, value in handles.items()}

    def steps() -> None:
        node = machine.current.code.node
        found = import_name(machine, module, node)
        *owners, last = name.split(".")
        for part in owners:
            found = load(machine, found, part, node)
        if owners:
            found = instances(machine, found, node)
        found = load(machine, found, last, node)
        if not found or found == UNKNOWN_DATA:
            machine.top(f"no function {entry} in the source", node)
        entries.invoke_outside(found, given)

    entries.add(entry, steps)
    machine.settle()
    return entries.derived(entry)


def _capability(machine: Machine, protocol: type | str) -> Value:
    name = protocol if isinstance(protocol, str) else _path(protocol)
    matches = [path for path in machine.protocols if path == name or path.endswith(f".{name}")]
    return frozenset(Cap(path) for path in matches[:1])


def _path(protocol: type) -> str:
    return f"{protocol.__module__}.{protocol.__qualname__}"


@functools.cache
def _known_protocols() -> Protocols:
    """The protocols of core_caps with their operations, by path; also as core_caps shows them."""
    found: dict[str, Mapping[str, Operation]] = {}
    package = core_caps.capabilities
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = importlib.import_module(info.name)
        for name, member in vars(module).items():
            if inspect.isclass(member) and (operations := operations_of(member)):
                found[_path(member)] = operations
                for shown in ("core_caps", "core_caps.capabilities"):
                    found[f"{shown}.{name}"] = operations
    return MappingProxyType(found)


def _machine(source: Path, protocols: Iterable[type]) -> Machine:
    known = dict(_known_protocols())
    known.update((_path(protocol), operations_of(protocol)) for protocol in protocols)
    machine = Machine(Program(source), known)
    machine.interpret = functools.partial(interpret, machine)
    machine.is_handle = is_handle
    machine.invoke = functools.partial(invoke, machine)
    return machine


class _Entries:
    """The places where outside code calls in, and what is reachable from each."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._entries: dict[str, Activation] = {}

    def add(self, name: str, steps: Callable[[], None]) -> Activation:
        """An entry that runs these steps."""
        code = self.machine.program.outside
        made = self._entries[name] = Activation(code, name)
        made.steps = steps
        self.machine.start(made)
        return made

    def call(self, receivers: Value, name: str, *, required: bool = False) -> Value:
        """Call a method of these objects as outside code does."""
        machine, node = self.machine, self.machine.current.code.node
        found = load(machine, receivers, name, node)
        found = frozenset(atom for atom in found if atom not in UNKNOWN_DATA)
        if required and receivers and not found and machine.miss():
            machine.top(f"no method {name!r} on the provider", node)
        if not required:  # what a base outside the source does when it is entered is its own
            found = frozenset(a for a in found if isinstance(a, Bound | Func | Wrapped))
        return self.invoke_outside(found, {})

    def invoke_outside(self, callee: Value, given: Mapping[str, Value]) -> Value:
        """Call functions with arguments that come from outside."""
        machine = self.machine
        return join(
            invoke(
                machine, frozenset({atom}), self._arguments(atom, given), machine.current.code.node
            )
            for atom in callee
        )

    def _arguments(self, atom: Atom, given: Mapping[str, Value]) -> Args:
        """Plain data, what the annotations admit, and what is given by name."""
        func = _function(atom)
        if func is None or not isinstance(func.code.node, Function):
            return Args(fill=UNKNOWN_DATA)
        keywords: dict[str, Value] = {}
        node = func.code.node
        parameters = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for parameter in parameters[1 if isinstance(atom, Bound) else 0 :]:
            default = self.machine.read((func, DEFAULTS), parameter.arg)
            admitted = typed(self.machine, parameter.annotation, func)
            keywords[parameter.arg] = given.get(parameter.arg, admitted | default | UNKNOWN_DATA)
        return Args(keywords=tuple(sorted(keywords.items())), fill=UNKNOWN_DATA)

    def derived(self, name: str) -> Derived:
        """Everything reachable from an entry, each with the shortest way there."""
        start = self._entries[name]
        ways: dict[Activation, tuple[str, ...]] = {start: (start.label,)}
        pending = deque([start])
        while pending:
            current = pending.popleft()
            for called, _ in sorted(current.edges.items(), key=_by_place):
                if called not in ways:
                    step = () if called.label == current.label else (called.label,)
                    ways[called] = ways[current] + step
                    pending.append(called)
        sinks: dict[tuple[str, str, Location], Sink] = {}
        ambient: dict[tuple[str, str, Location], Ambient] = {}
        tops: dict[tuple[str, Location, Span | tuple[()]], Top] = {}
        for activation, way in ways.items():
            for sink in activation.sinks.values():
                key = (sink.kind, sink.detail, sink.location)
                sinks.setdefault(key, _on(sink, way))
            for read in activation.ambient.values():
                key = (read.kind, read.detail, read.location)
                ambient.setdefault(key, Ambient(read.kind, read.detail, read.location, way))
            for top in activation.tops.values():
                key = (top.reason, top.location, top.span or ())
                tops.setdefault(key, replace(top, path=way))
        if self.machine.exhausted:
            reason = "the source is too large to be derived within the bound"
            where = Location(str(start.code.module.file), 1)
            tops[reason, where, ()] = Top(reason, where, (name,))
        found = tuple(sinks[key] for key in sorted(sinks))
        effects = max((sink.effects for sink in found), default=Effects.PURE)
        return Derived(
            effects,
            found,
            tuple(ambient[key] for key in sorted(ambient)),
            _hosts(found),
            tuple(tops[key] for key in sorted(tops)),
        )


def _by_place(edge: tuple[Activation, Location]) -> tuple[Location, str]:
    called, place = edge
    return place, called.label


def _on(sink: Sink, way: tuple[str, ...]) -> Sink:
    return Sink(
        sink.kind,
        sink.detail,
        sink.effects,
        sink.location,
        way + sink.path,
        sink.method,
        sink.url,
        sink.hints,
    )


def _hosts(sinks: Iterable[Sink]) -> tuple[str, ...]:
    found: set[str] = set()
    for sink in sinks:
        if sink.kind == "capability":
            continue
        address = sink.url if "://" in sink.url else f"//{sink.url}" * (sink.kind == "socket")
        host = urlsplit(address.split("*")[0] if address.startswith("//") else address).netloc
        host = host.rpartition("@")[2]
        if host and "*" not in host:
            found.add(host)
    return tuple(sorted(found))


def _function(atom: Atom) -> Func | None:
    while isinstance(atom, Bound | Wrapped):
        atom = atom.func
    return atom if isinstance(atom, Func) else None
