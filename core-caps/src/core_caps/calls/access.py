"""Views: objects whose only reachable operations are the declared ones.

A view guards against mistakes: code that holds `read` cannot come by `put` through an attribute,
`__wrapped__`, `__self__`, `vars` or a copy, and is told which hint to declare. It does not guard
against malice; code that inspects closures, frames or the garbage collector finds the provider.
Malice is met by the sandbox in which plugins and nodes run.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, TypeVar, cast

from core_caps.claims.hints import HINTS, canonical
from core_caps.claims.manifest_shape import OperationClaim
from core_caps.claims.operation import Operation, declared_as, operations_of
from core_caps.errors import AccessDenied

__all__ = ["Calls", "granted", "limited", "view_of", "whole_of"]

Calls = dict[str, Callable[..., Any]]
"""Operation name → what a call of it does."""

_Protocol = TypeVar("_Protocol")
_Claim = TypeVar("_Claim", Operation, OperationClaim)
_Needs = frozenset[tuple[str, frozenset[str]]]


def limited(
    provider: object, protocol: type[_Protocol], *, hints: Iterable[str] | None = None
) -> _Protocol:
    """A view of `provider` that offers only what the protocol, and the hints, allow.

    Args:
        provider: a provider, or another view of one.
        protocol: a capability or a half of one, such as KeyValueReader.
        hints: where given, an operation also needs every hint of its own among them; a family
            grants nothing.

    Raises:
        TypeError: the protocol declares no operations, or the hints are no list of texts.
        UnknownHint: a known family has no such hint (EFFECT202).
    """
    offered = operations_of(protocol)
    if not offered:
        raise TypeError(f"{protocol.__qualname__} declares no operations: mark them @operation")
    present = {name: operation for name, operation in offered.items() if hasattr(provider, name)}
    names = granted(protocol, present, hints)
    return view_of(protocol, {name: getattr(provider, name) for name in names})


def granted(
    protocol: type, claims: Mapping[str, _Claim], hints: Iterable[str] | None
) -> Mapping[str, _Claim]:
    """Of these operations, those that the protocol has and whose hints are all declared."""
    declared = None if hints is None else HINTS.declared(hints)
    return {
        name: claims[name]
        for name in operations_of(protocol)
        if name in claims and (declared is None or declared.issuperset(_needed(claims[name])))
    }


def view_of(
    protocol: type[_Protocol],
    calls: Calls,
    provided: Mapping[str, OperationClaim] | None = None,
    *,
    blocking: bool = False,
) -> _Protocol:
    """A view with these calls.

    Args:
        protocol: what the view stands for.
        calls: what each operation does; the table stays the caller's, who may exchange entries.
        provided: everything that the provider has, where that is known: refusals name its hints,
            and what it does not have no hint can give.
        blocking: the calls are plain calls. Such a view's methods are not marked as operations:
            whatever wraps operations awaits them.
    """
    needs = None
    if provided is not None:
        needs = frozenset((name, _needed(claim)) for name, claim in provided.items())
    view_class, install = _view_class(protocol, frozenset(calls), needs, blocking)
    view = view_class()
    install(view, calls)
    return cast("_Protocol", view)


def whole_of(protocol: type) -> tuple[type, ...]:
    """The capabilities that a protocol is, or is a half of."""
    if "__flows_capability__" in vars(protocol):
        return (protocol,)
    found: dict[type, None] = {}
    for below in type.__subclasses__(protocol):
        found.update(dict.fromkeys(whole_of(below)))
    return tuple(found)


def _needed(claim: Operation | OperationClaim) -> frozenset[str]:
    return frozenset(map(canonical, (*claim.hints, *claim.delegates)))


@cache
def _view_class(
    protocol: type, names: frozenset[str], needs: _Needs | None, blocking: bool
) -> tuple[type, Callable[[object, Calls], None]]:
    """The one view class for a protocol and a set of its operations, and how a view is filled."""
    title = f"Sync{protocol.__name__}" if blocking else protocol.__name__
    operations = {n: op for whole in whole_of(protocol) for n, op in operations_of(whole).items()}
    operations |= operations_of(protocol)
    needed: dict[str, frozenset[str] | None] = {n: _needed(op) for n, op in operations.items()}
    if needs is not None:
        needed = {name: dict(needs).get(name) for name in needed}

    def refuse(self: object, name: str) -> object:
        raise _denied(title, name, needed, names)

    def refuse_change(self: object, name: str, value: object = None) -> None:
        raise AccessDenied(f"{name} cannot be set: a view of {title} is fixed")

    def refuse_copy(self: object, form: object = None) -> object:
        raise TypeError(f"a view of {title} can be neither copied nor pickled: pass it along")

    def listed(self: object) -> list[str]:
        return sorted(names)

    def shown(self: object) -> str:
        return f"<view of {title}: {', '.join(sorted(names))}>"

    view_class = type(
        f"{title}View",
        (),
        {
            "__slots__": ("_calls", "__weakref__"),
            "__module__": protocol.__module__,
            "__doc__": protocol.__doc__,
            "__getattr__": refuse,
            "__setattr__": refuse_change,
            "__delattr__": refuse_change,
            "__reduce_ex__": refuse_copy,
            "__copy__": refuse_copy,
            "__deepcopy__": refuse_copy,
            "__dir__": listed,
            "__repr__": shown,
        },
    )
    # Taken off the class, the slot is out of every attribute's reach; only the methods keep it.
    slot: Any = vars(view_class)["_calls"]
    del view_class._calls  # pyright: ignore[reportAttributeAccessIssue]
    for name in names:
        method = _method(name, slot.__get__, protocol)
        setattr(view_class, name, method if blocking else declared_as(operations[name], method))
    return view_class, slot.__set__


def _method(name: str, calls_of: Callable[[object], Calls], protocol: type) -> Callable[..., Any]:
    def call(self: object, /, *args: Any, **kwargs: Any) -> Any:
        return calls_of(self)[name](*args, **kwargs)

    # Not functools.wraps: `__wrapped__` would lead around the view.
    original = getattr(protocol, name)
    call.__name__, call.__qualname__ = name, f"{protocol.__name__}View.{name}"
    call.__doc__ = original.__doc__
    return call


def _denied(
    title: str, name: str, needed: Mapping[str, frozenset[str] | None], names: frozenset[str]
) -> AccessDenied:
    offered = f"this view offers: {', '.join(sorted(names)) or 'nothing'}"
    if name not in needed:
        return AccessDenied(f"a view of {title} has no {name!r}", hint=offered)
    hints = needed[name]
    if hints is None:
        return AccessDenied(f"this provider of {title} does not have {name}", hint=offered)
    listed = ", ".join(sorted(hints))
    return AccessDenied(
        f"{name} is not among the declared operations of this {title}: it needs {listed}",
        hint=f"add {listed} to the node's hints; {offered}",
    )
