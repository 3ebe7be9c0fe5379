"""Activations and the cells they depend on."""

from collections.abc import Callable, Hashable

from flows_registry.checks.effects.static.program import Code, Module
from flows_registry.checks.effects.static.report import Ambient, Location, Sink, Top
from flows_registry.checks.effects.static.values import EMPTY, Args, Func, Value

__all__ = ["Activation", "Cell"]


class Cell:
    """What something can be, and who depends on it."""

    __slots__ = ("readers", "value")

    def __init__(self) -> None:
        self.value: Value = EMPTY
        self.readers: set[Activation] = set()


class Activation:
    """A function analysed for one binding of its arguments. Compared by identity."""

    __slots__ = (
        "ambient",
        "args",
        "callers",
        "code",
        "done",
        "edges",
        "func",
        "label",
        "nesting",
        "owner",
        "queued",
        "running",
        "sinks",
        "steps",
        "tops",
    )

    def __init__(self, code: Code, label: str, func: Func | None = None) -> None:
        self.code = code
        self.label = label
        self.func = func
        self.owner: Activation | None = func.owner if func else None
        self.nesting = 0
        self.args: Args | None = None
        self.callers = 0
        self.steps: Callable[[], None] | None = None
        self.queued = self.running = self.done = False
        self.sinks: dict[Hashable, Sink] = {}
        self.ambient: dict[Hashable, Ambient] = {}
        self.tops: dict[Hashable, Top] = {}
        self.edges: dict[Activation, Location] = {}

    @property
    def module(self) -> Module:
        """The module whose lines it interprets."""
        return self.code.module

    def __repr__(self) -> str:
        return f"<{self.label}>"
