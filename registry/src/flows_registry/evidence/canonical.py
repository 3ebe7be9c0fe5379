"""Canonical JSON (RFC 8785): the same facts are the same bytes, whoever writes them.

Its numbers are IEEE doubles and its texts are Unicode, so what is neither is written as a text, or,
where it must come back as it was, under a tag: `$int`, `$float` and `$text`.
"""

import base64
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import rfc8785

__all__ = ["canonical", "plain", "portable"]

_INTEGER_MAX = 2**53 - 1
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def canonical(value: object) -> bytes:
    """The canonical form of a JSON-shaped value; what JSON cannot hold becomes a readable text."""
    try:
        return _ENCODER.encode(_plainly(value)).encode()
    except _Unusual:
        return rfc8785.dumps(_shown(value))


def portable(value: Any) -> Any:
    """The value with tags where canonical JSON would change it: `1.0`, 2**64, a lone surrogate."""
    match value:
        case str() if value.isascii():
            return value
        case bool():
            return value
        case int() if abs(value) > _INTEGER_MAX:
            return {"$int": str(value)}
        case float() if not math.isfinite(value) or value.is_integer():
            return {"$float": repr(value)}
        case str() if not _is_unicode(value):
            return {"$text": base64.b64encode(value.encode("utf-16-le", "surrogatepass")).decode()}
        case list() | tuple():
            return [portable(item) for item in cast("Sequence[Any]", value)]
        case Mapping():
            entries = cast("Mapping[str, Any]", value)
            return {key: portable(item) for key, item in entries.items()}
        case _:
            return value


def plain(value: Any) -> Any:
    """What `portable` was given.

    Raises:
        ValueError: a tag holds something else than it says.
    """
    match value:
        case {"$int": str(text)}:
            return int(text)
        case {"$float": str(text)}:
            return float(text)
        case {"$text": str(text)}:
            return base64.b64decode(text, validate=True).decode("utf-16-le", "surrogatepass")
        case dict():
            entries = cast("dict[str, Any]", value)
            return {key: plain(item) for key, item in entries.items()}
        case list():
            return [plain(item) for item in cast("list[Any]", value)]
        case _:
            return value


class _Unusual(Exception):
    """A value that the standard library would write otherwise than RFC 8785, or not at all."""


def _plainly(value: Any) -> Any:
    """The value such that the standard library's encoder, which is far quicker, writes it as RFC
    8785 does.

    Raises:
        _Unusual: it would not: another order of keys, another form of a number, no JSON.
    """
    written = _WRITTEN.get(cast("type[object]", type(value)))
    if written is None:
        raise _Unusual
    return written(value)


def _text(value: str) -> str:
    if not _is_unicode(value):
        raise _Unusual
    return value


def _table(value: dict[Any, Any]) -> dict[str, Any]:
    if not all(type(key) is str and key.isascii() for key in value):
        raise _Unusual
    return {key: _plainly(item) for key, item in value.items()}


def _items(value: Sequence[Any]) -> list[Any]:
    return [_plainly(item) for item in value]


def _whole(value: int) -> int:
    if abs(value) > _INTEGER_MAX:
        raise _Unusual
    return value


def _broken(value: float) -> float | int:
    if value.is_integer():
        return _whole(int(value))
    if "e" in repr(value) or not math.isfinite(value):
        raise _Unusual
    return value


def _as_it_is(value: Any) -> Any:
    return value


_WRITTEN: Mapping[type[object], Callable[[Any], Any]] = {
    str: _text,
    dict: _table,
    list: _items,
    tuple: _items,
    int: _whole,
    float: _broken,
    bool: _as_it_is,
    type(None): _as_it_is,
}


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _shown(value: object) -> Any:
    match value:
        case str():
            return value if _is_unicode(value) else _replaced(value)
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _INTEGER_MAX else str(value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case Mapping():
            entries = cast("Mapping[object, object]", value)
            return {_replaced(str(key)): _shown(item) for key, item in entries.items()}
        case list() | tuple():
            return [_shown(item) for item in cast("Sequence[object]", value)]
        case set() | frozenset():
            return [_shown(item) for item in sorted(cast("set[Any]", value))]
        case _:
            return _replaced(str(value))


def _replaced(text: str) -> str:
    return text if _is_unicode(text) else text.encode("utf-8", "backslashreplace").decode()
