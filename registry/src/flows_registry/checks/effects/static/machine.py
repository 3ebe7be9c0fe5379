"""The state of a derivation: cells, activations, and the queue that runs them until nothing grows.

A cell holds what a variable, attribute, element or result can be; it only grows, and when it
does, whoever read it runs again. An activation is a function analysed for one binding of its
arguments; it records the sinks it reaches and the activations it calls, so that what an operation
can do is what is reachable from it.
"""

import ast
from collections import deque
from collections.abc import Callable, Hashable, Mapping

from core_caps.claims.lattice import Effects
from core_caps.claims.operation import Operation

from flows_registry.checks.effects.static.activations import Activation, Cell
from flows_registry.checks.effects.static.program import Program
from flows_registry.checks.effects.static.report import Ambient, Location, Sink, Top
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    Args,
    Atom,
    Bound,
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
    Value,
    join,
    widen,
)

__all__ = ["RETURN", "Machine"]

RETURN = "(return)"
_ALL = "(all)"

CONTEXTS_MAX = 48
"""A function is analysed for so many bindings apart; further ones share a single analysis."""

NESTING_MAX = 8
"""Objects made in so many nested contexts are kept apart; deeper ones share theirs."""

INLINE_DEPTH_MAX = 14
"""Calls nested deeper are queued instead of run at once, to spare Python's own stack."""

WORK_MAX = 2_500_000
"""Values looked at in all; beyond it every entry is Top. A plugin takes a fifth of it at most."""


class Machine:
    """Everything that grows while a source is derived.

    Attributes:
        program: the source.
        protocols: the operations of the capabilities, by the protocol's path.
        interpret: runs one activation's statements; set where the interpreter is assembled.
        invoke: calls a value; set there too.
        is_handle: whether an atom gives power over the world by itself; set there too.
        annotations: those of the fields that class bodies declare.
        lineages: classes with their bases in lookup order, until a base is added.
        final: whether attributes that nothing assigned are plain data by now.
        exhausted: whether the bound on work was met.
    """

    interpret: Callable[[Activation], None]
    invoke: Callable[[Value, Args, ast.AST], Value]
    is_handle: Callable[[Atom], bool]

    def __init__(self, program: Program, protocols: Mapping[str, Mapping[str, Operation]]) -> None:
        self.program = program
        self.protocols = protocols
        self.lineages: dict[Klass, list[Klass | Ext]] = {}
        self.annotations: dict[tuple[Klass, str], ast.expr] = {}
        self.final = False
        self.exhausted = False
        self._work = 0
        self._cells: dict[tuple[Hashable, Hashable], Cell] = {}
        self._fields: dict[Hashable, dict[Hashable, None]] = {}
        self._activations: dict[Hashable, Activation] = {}
        self._slots: dict[Hashable, Activation] = {}
        self._contexts: dict[Hashable, int] = {}
        self._queue: deque[Activation] = deque()
        self._stack: list[Activation] = []
        self._unread: set[Activation] = set()

    # Cells

    def read(self, owner: Hashable, field: Hashable) -> Value:
        """What a cell holds; the current activation runs again when it grows."""
        cell = self._cells.get((owner, field))
        if cell is None:
            cell = self._cells[owner, field] = Cell()
        if self._stack:
            cell.readers.add(self._stack[-1])
        self._work += 1 + len(cell.value)
        return cell.value

    def contents(self, owner: Hashable) -> Value:
        """The join of every cell of an owner."""
        return self.read(owner, _ALL)

    def fields(self, owner: Hashable) -> tuple[Hashable, ...]:
        """The names of an owner's cells, in the order they were first written."""
        self.read(owner, _ALL)
        return tuple(self._fields.get(owner, ()))

    def write(self, owner: Hashable, field: Hashable, value: Value) -> None:
        """Let a cell hold this value too."""
        fields = self._fields.setdefault(owner, {})
        if field not in fields:
            fields[field] = None
            self._wake(self._cells.get((owner, _ALL)))
        for name in (field, _ALL):
            cell = self._cells.get((owner, name))
            if cell is None:
                cell = self._cells[owner, name] = Cell()
            if not value <= cell.value:
                cell.value = widen(cell.value | value)
                self._wake(cell)

    def miss(self) -> Value:
        """What an attribute that nothing assigned is: nothing yet, and in the end plain data."""
        if self._stack:
            self._unread.add(self._stack[-1])
        return UNKNOWN_DATA if self.final else EMPTY

    def _wake(self, cell: Cell | None) -> None:
        for reader in cell.readers if cell else ():
            self._enqueue(reader)

    def _enqueue(self, activation: Activation) -> None:
        if not activation.queued:
            activation.queued = True
            self._queue.append(activation)

    # Activations

    @property
    def current(self) -> Activation:
        """The activation being interpreted."""
        return self._stack[-1]

    def activation(self, key: Hashable, make: Callable[[], Activation]) -> Activation:
        """The activation of that key, made on first use."""
        found = self._activations.get(key)
        if found is None:
            found = self._activations[key] = make()
        return found

    def activate(self, func: Func, args: Args, node: ast.AST) -> Activation:
        """The analysis of a function for a call's arguments, or the shared one beyond the bound.

        A call keeps its activation while its arguments grow; calls with equal arguments share.
        """
        first = args.positional[0] if func.cls is not None and args.positional else None
        slot = (self.current, id(node), func, first)
        held = self._slots.get(slot)
        if held is not None:
            merged = held.args.joined(args) if held.args is not None else args
            if merged == held.args or held.args is None:
                return held
            if merged is not None and held.callers == 1:
                if self._activations.get((func, held.args)) is held:
                    del self._activations[func, held.args]
                held.args = merged
                self._activations.setdefault((func, merged), held)
                return held
            held.callers -= 1
        found = self._activations.get((func, args)) or self._make(func, args)
        found.callers += 1
        self._slots[slot] = found
        return found

    def _make(self, func: Func, args: Args) -> Activation:
        nesting = 1 + max((_nesting(atom) for value in args.values() for atom in value), default=0)
        seen = self._contexts[func.code] = self._contexts.get(func.code, 0) + 1
        if seen > CONTEXTS_MAX or nesting > NESTING_MAX:
            return self._shared(func, args)
        made = self._activations[func, args] = Activation(func.code, func.code.name, func)
        made.args = args
        made.nesting = max(nesting, func.owner.nesting if func.owner else 0)
        return made

    def _shared(self, func: Func, args: Args) -> Activation:
        """The analysis that calls share which differ only in their objects, or in anything."""
        constants = tuple(
            frozenset(atom for atom in value if isinstance(atom, Text | Const))
            for value in args.positional
        ) + tuple(
            (name, frozenset(atom for atom in value if isinstance(atom, Text | Const)))
            for name, value in args.keywords
        )
        key: Hashable = (func, constants)
        if key not in self._activations:
            seen = self._contexts[func] = self._contexts.get(func, 0) + 1
            if seen > CONTEXTS_MAX:
                key = (func.code, "shared")
                func = Func(func.code, None, func.cls)
        return self.activation(key, lambda: Activation(func.code, func.code.name, func))

    def once(self, key: Hashable, label: str, node: ast.AST, steps: Callable[[], None]) -> None:
        """Take steps that do not depend on where they are taken, analysed once for all callers."""

        def make() -> Activation:
            made = Activation(self.current.code, label)
            made.steps = steps
            made.nesting = NESTING_MAX
            return made

        self.enter(self.activation(key, make), node)

    def start(self, activation: Activation) -> None:
        """Run an entry, now or when the queue reaches it."""
        self._enqueue(activation)

    def enter(self, activation: Activation, node: ast.AST) -> None:
        """Record that the current activation calls this one, and run it if it never ran."""
        if self._stack:
            self.current.edges.setdefault(activation, self.locate(node))
        if not activation.done and not activation.running:
            if len(self._stack) < INLINE_DEPTH_MAX:
                self._run(activation)
            else:
                self._enqueue(activation)

    def settle(self) -> None:
        """Run until nothing grows, then once more with unassigned attributes as plain data."""
        self._drain()
        self.final = True
        for activation in self._unread:
            self._enqueue(activation)
        self._drain()

    def _drain(self) -> None:
        while self._queue:
            activation = self._queue.popleft()
            activation.queued = False
            self._run(activation)

    def _run(self, activation: Activation) -> None:
        if self.exhausted:
            return
        activation.running = True
        activation.sinks.clear()
        activation.ambient.clear()
        activation.tops.clear()
        activation.edges.clear()
        self._stack.append(activation)
        try:
            self.interpret(activation)
        except RecursionError:
            self.top("an expression is nested too deeply", activation.code.node)
        finally:
            self._stack.pop()
            activation.running = False
            activation.done = True

    def work(self, amount: int = 1) -> bool:
        """Count what was looked at; False once the bound is met."""
        self._work += amount
        if self._work > WORK_MAX:
            self.exhausted = True
        return not self.exhausted

    @property
    def worked(self) -> int:
        """How much was looked at."""
        return self._work

    def use(self, protocol: str, operation: str, node: ast.AST) -> Value:
        """An operation of a capability is called through its handle."""
        known = self.protocols.get(protocol, {}).get(operation)
        if known is None:
            self.top(f"{protocol} has no operation {operation!r}", node)
            return UNKNOWN_DATA
        hints = (*known.hints, *known.delegates)
        name = protocol.rpartition(".")[2]
        detail = f"{name}.{operation} {', '.join(hints)}"
        effects = known.floor.effects
        self.sink(node, "capability", detail, effects, method=operation, url=name, hints=hints)
        return UNKNOWN_DATA

    # Findings

    def locate(self, node: ast.AST) -> Location:
        """Where a node of the current activation stands."""
        return self.program.locate(node, self.current.module)

    def sink(
        self,
        node: ast.AST,
        kind: str,
        detail: str,
        effects: Effects,
        *,
        method: str = "",
        url: str = "",
        hints: tuple[str, ...] = (),
    ) -> None:
        """Record that the world is reached here."""
        where = self.locate(node)
        sink = Sink(
            kind, detail, effects, where, (named(node),), method=method, url=url, hints=hints
        )
        self.current.sinks[kind, detail, where] = sink

    def ambient(self, node: ast.AST, kind: str, detail: str) -> None:
        """Record a read of something that is not an input."""
        where = self.locate(node)
        self.current.ambient[kind, detail, where] = Ambient(kind, detail, where)

    def top(self, reason: str, node: ast.AST) -> None:
        """Record that nothing can be said here."""
        where, span = self.locate(node), self.program.span(node)
        self.current.tops[reason, where, span] = Top(reason, where, span=span)


def named(node: ast.AST) -> str:
    """How a call names what it calls, for the end of a path."""
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(called, ast.Name | ast.Attribute):
        return ast.unparse(called)[-60:]
    return type(node).__name__.lower()


def _nesting(atom: Atom) -> int:
    match atom:
        case Obj(made_in=made) | Inst(made_in=made) | Coll(made_in=made):
            return made.nesting if made else 0
        case Func(owner=owner) | Klass(owner=owner):
            return owner.nesting if owner else 0
        case Gen(activation=activation):
            return activation.nesting
        case Bound(func=func, receiver=receiver):
            return max(_nesting(func), _nesting(receiver))
        case Method(receiver=receiver):
            return _nesting(receiver)
        case Partial(func=func, args=args):
            inner = max((_nesting(held) for held in join(args.values())), default=0)
            return 1 + max(_nesting(func), inner)
        case _:
            return 0
