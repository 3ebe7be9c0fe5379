"""Calls, results and errors as JSON, so that a case can be written in one process and run in
another. Tags: `$bytes` (base64), `$repeated` (long bytes of one short unit, and their size),
`$value` (a frozen dataclass by name), `$map` (keys that are no plain strings)."""

import base64
import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

from core_caps.contract.suite import Call, Exercise, Stream

__all__ = ["decode", "encode", "load"]

_REPEATED_BYTES_MIN = 64 * 1024
_UNIT_BYTES_MAX = 4096


def encode(value: object) -> Any:
    """The JSON form of a value; what has none is shown by its type's name and repr."""
    match value:
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


def decode(value: Any) -> Any:
    """The value of a JSON form; dataclasses are rebuilt, lists stay lists."""
    match value:
        case list():
            return [decode(item) for item in cast("list[Any]", value)]
        case {"$bytes": str(text)}:
            return base64.b64decode(text)
        case {"$repeated": [str(text), int(size)]}:
            unit = base64.b64decode(text)
            return (unit * (size // len(unit) + 1))[:size]
        case {"$map": entries}:
            return {decode(key): decode(item) for key, item in cast("list[Any]", entries)}
        case {"$value": str(name), **fields}:
            decoded = {key: decode(item) for key, item in cast("dict[str, Any]", fields).items()}
            return _rebuild(load(name), decoded)
        case dict():
            return {key: decode(item) for key, item in cast("dict[str, Any]", value).items()}
        case _:
            return value


def _encode_bytes(value: bytes) -> dict[str, Any]:
    """Base64; where long bytes repeat one short unit, the unit and how many bytes there are."""
    size = len(value)
    if size >= _REPEATED_BYTES_MIN:
        period = value.find(value[:64], 1, _UNIT_BYTES_MAX + 64)
        if period > 0 and value[period:] == value[:-period]:
            return {"$repeated": [base64.b64encode(value[:period]).decode(), size]}
    return {"$bytes": base64.b64encode(value).decode()}


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
    return cls(**fields)


def _tupled(item: Any) -> Any:
    return tuple(cast("list[Any]", item)) if isinstance(item, list) else item
