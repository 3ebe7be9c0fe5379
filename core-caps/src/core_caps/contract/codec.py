"""Calls, results and errors as JSON, so that a case can be written in one process and run in
another. Tags: `$bytes` (base64), `$repeated` (long bytes of one short unit, and their size),
`$value` (a frozen dataclass by name), `$map` (keys that are no plain strings)."""

import base64
import dataclasses
import importlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, cast

from core_caps.contract.suite import Call, Exercise, Stream

__all__ = ["Foreign", "decode", "encode", "load"]

_REPEATED_BYTES_MIN = 64 * 1024
_REPEATED_BYTES_MAX = 1 << 30
_UNIT_BYTES_MAX = 4096
_LONG_KEPT = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Foreign:
    """A value whose class is not to be imported here: the class's name, and its fields.

    It encodes to what it came from, so it can travel on to where the class lives.
    """

    name: str
    fields: Mapping[str, object]


def encode(value: object) -> Any:
    """The JSON form of a value; what has none is shown by its type's name and repr."""
    match value:
        case Foreign(name=name, fields=fields):
            return {"$value": name, **{key: encode(item) for key, item in fields.items()}}
        case None | bool() | int() | float() | str():
            return value
        case bytes() | bytearray():
            return _encode_bytes(bytes(value))
        case Mapping():
            entries = cast("Mapping[object, object]", value)
            if all(isinstance(key, str) and not key.startswith("$") for key in entries):
                return {cast("str", key): encode(item) for key, item in entries.items()}
            return {"$map": [[encode(key), encode(item)] for key, item in entries.items()]}
        case list() | tuple():
            return [encode(item) for item in cast("Sequence[object]", value)]
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {
                item.name: encode(getattr(value, item.name)) for item in dataclasses.fields(value)
            }
            return {"$value": f"{type(value).__module__}:{type(value).__qualname__}", **fields}
        case _:
            return {"$unknown": f"{type(value).__qualname__}: {value!r}"}


def decode(value: Any, *, foreign: bool = True) -> Any:
    """The value of a JSON form; dataclasses are rebuilt, lists stay lists.

    Args:
        value: the JSON form.
        foreign: import whatever module holds a class. False is for what a plugin's process sends:
            it makes values of the capabilities' own dataclasses, and a `Foreign` of all else.

    Raises:
        ValueError: it is no form that `encode` gives.
    """

    def below(item: Any) -> Any:
        return decode(item, foreign=foreign)

    match value:
        case list():
            return [below(item) for item in cast("list[Any]", value)]
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$repeated": [str(text), int(size)]}:
            unit = base64.b64decode(text)
            if not unit or not 0 <= size <= _REPEATED_BYTES_MAX:
                raise ValueError(f"{len(unit)} bytes repeated to {size}")
            return (unit * (size // len(unit) + 1))[:size]
        case {"$map": list()}:
            pairs = cast("list[tuple[Any, Any]]", value["$map"])
            return {_hashable(below(key)): below(item) for key, item in pairs}
        case {"$value": str(name), **fields}:
            decoded = {key: below(item) for key, item in cast("dict[str, Any]", fields).items()}
            cls = load(name) if foreign else _value_class(name)
            return Foreign(name, decoded) if cls is None else _rebuild(cls, decoded)
        case dict():
            return {key: below(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


_long_forms: OrderedDict[int, tuple[bytes, dict[str, Any]]] = OrderedDict()
"""The forms of the last few long bytes, by identity: the same content goes into many cases."""


def _encode_bytes(value: bytes) -> dict[str, Any]:
    if len(value) < _REPEATED_BYTES_MIN:
        return {"$bytes": base64.b64encode(value).decode()}
    kept = _long_forms.get(id(value))
    if kept is not None and kept[0] is value:
        return kept[1]
    form = _encode_long(value)
    _long_forms[id(value)] = value, form
    while len(_long_forms) > _LONG_KEPT:
        _long_forms.popitem(last=False)
    return form


def _encode_long(value: bytes) -> dict[str, Any]:
    """Base64; where the bytes repeat one short unit, the unit and how many bytes there are."""
    period = value.find(value[:64], 1, _UNIT_BYTES_MAX + 64)
    if period > 0 and value[period:] == value[:-period]:
        return {"$repeated": [base64.b64encode(value[:period]).decode(), len(value)]}
    return {"$bytes": base64.b64encode(value).decode()}


_VALUES_OF = re.compile(
    r"(core_caps\.(?:capabilities\.\w+|contract\.suite|claims\.operation)):(\w+)"
)
"""Where the dataclasses live that calls and results are made of; their names have no dot."""


def _value_class(name: str) -> type | None:
    """The class of that name where it is a dataclass of ours, defined there and nowhere else."""
    found = _VALUES_OF.fullmatch(name)
    if found is None:
        return None
    try:
        cls: Any = getattr(importlib.import_module(found[1]), found[2], None)
    except ImportError:
        return None
    if not isinstance(cls, type) or not dataclasses.is_dataclass(cls):
        return None
    return cls if cls.__module__ == found[1] else None


def _hashable(key: Any) -> Any:
    """A key of a mapping: what was a tuple came as a list."""
    return tuple(map(_hashable, cast("list[Any]", key))) if isinstance(key, list) else key


def load(name: str) -> Any:
    """The object a lazy name `package.module:attribute` stands for."""
    module, _, attribute = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


def _rebuild(cls: type, fields: dict[str, Any]) -> Any:
    if cls in (Call, Stream, Exercise):  # their sequences are tuples
        fields = {name: _tupled(item) for name, item in fields.items()}
    try:
        return cls(**fields)
    except TypeError as error:
        raise ValueError(f"these are no fields of {cls.__qualname__}: {error}") from None


def _tupled(item: Any) -> Any:
    return tuple(cast("list[Any]", item)) if isinstance(item, list) else item
