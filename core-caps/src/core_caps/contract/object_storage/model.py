"""What a perfect service would answer: histories, a sequential model, and what may be compared."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef
from core_caps.contract.suite import Call
from core_caps.errors import InvalidArgument, PreconditionFailed

__all__ = ["ObjectModel", "comparable", "generate", "read_back"]

_REFS = (ObjectRef(name="a"), ObjectRef(name="a"), ObjectRef(name="a/b%2F"))
_KEYS = ("a", "a/b", "é%2F", "b")
_VALUES = (b"", b"v", b"w", bytes(range(256)), b"x" * 5000)
_TIMES = (4_102_444_800.0, 4_102_444_860.5, 1.25)
"""Long after any history, and long before."""


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over two objects with four keys each, with conditions and a few refused calls."""
    makers = {
        "get": _get,
        "get_many": _get_many,
        "list": _list,
        "get_alarm": _of_object,
        "put": _put,
        "delete": _get,
        "delete_all": _of_object,
        "transaction": _transaction,
        "set_alarm": _set_alarm,
        "delete_alarm": _delete_alarm,
    }
    weights = {"put": 5, "get": 3, "transaction": 5, "list": 2, "delete": 2}
    names = [name for name in makers if name in operations]
    if not names:
        return []
    chosen = source.choices(names, [weights.get(name, 1) for name in names], k=length)
    return [makers[name](source, name) for name in chosen]


@dataclass(slots=True)
class _Object:
    values: dict[str, bytes] = field(default_factory=dict[str, bytes])
    alarm: float | None = None


class ObjectModel:
    """Dictionaries that refuse what the protocol refuses. No time passes in it."""

    def __init__(self) -> None:
        self._objects: dict[ObjectRef, _Object] = {}

    def apply(self, call: Call) -> object:
        """The comparable result of a call.

        Raises:
            ProviderError: the protocol refuses it; nothing changed.
        """
        if call.operation == "new_id":
            return comparable(call, ObjectRef(id="new"))
        ref, *args = call.args
        one = self._objects.setdefault(cast("ObjectRef", ref), _Object())
        answer = getattr(self, f"_{call.operation}")(one, *args, **call.kwargs)
        return comparable(call, answer)

    def state(self) -> object:
        """Each object that holds something: its values and its alarm."""
        return {
            ref.name: (sorted(one.values.items()), one.alarm)
            for ref, one in self._objects.items()
            if one.values or one.alarm is not None
        }

    def _get(self, one: _Object, key: str) -> bytes | None:
        return one.values.get(_checked(key))

    def _get_many(self, one: _Object, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        return {key: self._get(one, key) for key in keys}

    def _list(
        self,
        one: _Object,
        *,
        prefix: str = "",
        start: str = "",
        start_after: str | None = None,
        end: str | None = None,
        limit: int = 100,
        reverse: bool = False,
    ) -> ItemPage:
        if limit < 1:
            raise InvalidArgument(f"limit is {limit}")
        within = sorted(
            (
                key
                for key in one.values
                if key.startswith(prefix)
                and key.encode() >= start.encode()
                and (start_after is None or key.encode() > start_after.encode())
                and (end is None or key.encode() < end.encode())
            ),
            key=str.encode,
            reverse=reverse,
        )
        items = tuple(Item(key, one.values[key]) for key in within[:limit])
        return ItemPage(items, len(within) > limit)

    def _get_alarm(self, one: _Object) -> Alarm | None:
        return None if one.alarm is None else Alarm(one.alarm, one.alarm < min(_TIMES[:2]))

    def _put(self, one: _Object, key: str, value: bytes) -> None:
        one.values[_checked(key)] = value

    def _delete(self, one: _Object, key: str) -> None:
        one.values.pop(_checked(key), None)

    def _delete_all(self, one: _Object) -> None:
        one.values.clear()
        one.alarm = None

    def _transaction(
        self, one: _Object, changes: Sequence[Item], *, if_values: Sequence[Item] | None = None
    ) -> None:
        for items in (changes, if_values or ()):
            keys = [_checked(item.key) for item in items]
            if len(set(keys)) < len(keys):
                raise InvalidArgument("a key is given twice")
        if any(one.values.get(item.key) != item.value for item in if_values or ()):
            raise PreconditionFailed("not as expected")
        for item in changes:
            if item.value is None:
                one.values.pop(item.key, None)
            else:
                one.values[item.key] = item.value

    def _set_alarm(self, one: _Object, at: float) -> None:
        if at <= 0:
            raise InvalidArgument(f"{at} is no time")
        one.alarm = at

    def _delete_alarm(self, one: _Object, *, at: float | None = None) -> None:
        if at is None or at == one.alarm:
            one.alarm = None


def comparable(call: Call, result: object) -> object:
    """A result as plain data; of a new id only that it is one."""
    match result:
        case ItemPage(items=items, more=more):
            return {"items": [(item.key, item.value) for item in items], "more": more}
        case Alarm(at=at, rang=rang):
            return {"at": at, "rang": rang}
        case ObjectRef(name=name, id=id_):
            return {"name": name, "id": bool(id_)}
        case Mapping():
            return dict(cast("Mapping[str, object]", result))
        case _:
            return result


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Everything that the named objects hold, and their alarms.

    Nothing lists the objects: for a call that names none, one of them stands for all.
    """
    refs = dict.fromkeys(
        ref if isinstance(ref, ObjectRef) else _REFS[0]
        for call in calls
        for ref in (call.args[:1] or (None,))
    )
    return [Call(name, (ref,)) for ref in refs for name in ("list", "get_alarm")]


def _of_object(source: random.Random, operation: str) -> Call:
    return Call(operation, (source.choice(_REFS),))


def _key(source: random.Random) -> str:
    return "" if source.random() < 0.02 else source.choice(_KEYS)


def _get(source: random.Random, operation: str) -> Call:
    return Call(operation, (source.choice(_REFS), _key(source)))


def _get_many(source: random.Random, operation: str) -> Call:
    keys = source.sample(_KEYS, source.randint(0, len(_KEYS)))
    return Call(operation, (source.choice(_REFS), keys))


def _list(source: random.Random, operation: str) -> Call:
    bounds: dict[str, object] = {}
    if source.random() < 0.4:
        bounds["prefix"] = source.choice(("", "a", "a/", "é", "zz"))
    if source.random() < 0.4:
        bounds[source.choice(("start", "start_after"))] = source.choice(_KEYS)
    if source.random() < 0.3:
        bounds["end"] = source.choice(_KEYS)
    if source.random() < 0.4:
        bounds["limit"] = source.choice((0, 1, 2, 3, 100))
    if source.random() < 0.3:
        bounds["reverse"] = True
    return Call(operation, (source.choice(_REFS),), bounds)


def _put(source: random.Random, operation: str) -> Call:
    return Call(operation, (source.choice(_REFS), _key(source), source.choice(_VALUES)))


def _transaction(source: random.Random, operation: str) -> Call:
    changes = [
        Item(key, None if source.random() < 0.3 else source.choice(_VALUES))
        for key in source.sample(_KEYS, source.randint(0, 3))
    ]
    if changes and source.random() < 0.05:
        changes.append(changes[0])
    conditions: dict[str, object] = {}
    if source.random() < 0.5:
        expected = source.choice((None, None, b"", b"v", b"w"))
        conditions["if_values"] = [Item(source.choice(_KEYS), expected)]
    return Call(operation, (source.choice(_REFS), changes), conditions)


def _set_alarm(source: random.Random, operation: str) -> Call:
    at = -1.0 if source.random() < 0.05 else source.choice(_TIMES)
    return Call(operation, (source.choice(_REFS), at))


def _delete_alarm(source: random.Random, operation: str) -> Call:
    named = {} if source.random() < 0.5 else {"at": source.choice(_TIMES)}
    return Call(operation, (source.choice(_REFS),), named)


def _checked(key: str) -> str:
    if not key:
        raise InvalidArgument("a key is not empty")
    return key
