"""One run of a scope: the names it binds so far, and where the others are found."""

import builtins

from flows_registry.checks.effects.static.activations import Activation
from flows_registry.checks.effects.static.machine import Machine
from flows_registry.checks.effects.static.outside.lookup import canonical
from flows_registry.checks.effects.static.program import Code
from flows_registry.checks.effects.static.values import (
    EMPTY,
    UNKNOWN_DATA,
    Ext,
    Func,
    Klass,
    ModuleRef,
    Text,
    Value,
)

__all__ = ["Frame"]

_BUILTINS = frozenset(dir(builtins))


class Frame:
    """The local names of one activation (or class body) while it is interpreted.

    Attributes:
        env: the local names bound so far.
        cls: the class whose body this is, or whose method defines what is made here.
        rescues: what names were bound to inside the `try` blocks that are open.
    """

    def __init__(
        self, machine: Machine, activation: Activation, code: Code, cls: Klass | None = None
    ) -> None:
        self.machine = machine
        self.activation = activation
        self.code = code
        self.cls = cls
        self.env: dict[str, Value] = {}
        self.rescues: list[dict[str, Value]] = []
        self.breaks: list[list[dict[str, Value]]] = []
        self.in_class = code is not activation.code

    @property
    def at_module(self) -> bool:
        """Whether functions made here belong to the module itself."""
        return self.activation.code is self.activation.module.scope

    @property
    def globals(self) -> ModuleRef:
        """The module whose names are global here."""
        return ModuleRef(self.code.module.name)

    def bind(self, name: str, value: Value) -> None:
        """`name = value`."""
        if name in self.code.globals or (self.at_module and not self.in_class):
            self.machine.write(self.globals, name, value)
            return
        if name in self.code.nonlocals:
            owner = self._owner_of(name)
            if owner is not None:
                self.machine.write(owner, name, value)
            return
        self.env[name] = value
        for rescue in self.rescues:
            rescue[name] = rescue.get(name, EMPTY) | value
        if not self.in_class and name in self.code.captured:
            self.machine.write(self.activation, name, value)

    def lookup(self, name: str) -> Value:
        """What a name is here."""
        value = self.env.get(name)
        if value is not None:
            if name in self.code.reassigned:
                value |= self.machine.read(self.activation, name)
            return value
        owner = self._owner_of(name)
        if owner is not None:
            return self.machine.read(owner, name)
        if name == "__class__" and self.activation.func and self.activation.func.cls:
            return frozenset({self.activation.func.cls})
        return self._global(name)

    def _owner_of(self, name: str) -> Activation | None:
        if name in self.code.globals:
            return None
        owner: Activation | None = self.activation
        while owner is not None:
            inside_itself = owner is self.activation and not self.in_class
            local = name in owner.code.locals and not (
                inside_itself and name in self.code.nonlocals
            )
            if local and owner.code is not owner.module.scope:
                return owner
            owner = owner.owner
        return None

    def _global(self, name: str) -> Value:
        module = self.code.module
        found = self.machine.read(self.globals, name)
        if found:
            return found
        if name in module.scope.locals:
            return self.machine.miss()
        for outside in module.star_imports:
            found |= {Ext(canonical(f"{outside}.{name}"))}
        if name == "__name__":
            return frozenset({Text(module.name)})
        if name == "__package__":
            return frozenset({Text(module.package)})
        if name in _BUILTINS:
            return found | {Ext(f"builtins.{name}")}
        return found or UNKNOWN_DATA

    def method_of(self) -> Func | None:
        """The function being interpreted."""
        return self.activation.func
