"""Canonical JSON (RFC 8785): the same facts are the same bytes, whoever writes them.

Its numbers are IEEE doubles and its texts are Unicode, so what is neither is written as a text, or,
where it must come back as it was, under a tag: `$int`, `$float` and `$text`.
"""

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import rfc8785

__all__ = ["canonical", "plain", "portable"]

_INTEGER_MAX = 2**53 - 1


def canonical(value: object) -> bytes:
    """The canonical form of a JSON-shaped value; what JSON cannot hold becomes a readable text."""
    return rfc8785.dumps(_shown(value))


def portable(value: Any) -> Any:
    """The value with tags where canonical JSON would change it: `1.0`, 2**64, a lone surrogate."""
    match value:
        case bool():
            return value
        case int() if abs(value) > _INTEGER_MAX:
            return {"$int": str(value)}
        case float() if not math.isfinite(value) or value.is_integer():
            return {"$float": repr(value)}
        case str() if not _is_unicode(value):
            return {"$text": base64.b64encode(value.encode("utf-16-le", "surrogatepass")).decode()}
        case Mapping():
            entries = cast("Mapping[str, Any]", value)
            return {key: portable(item) for key, item in entries.items()}
        case list() | tuple():
            return [portable(item) for item in cast("Sequence[Any]", value)]
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


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _shown(value: object) -> Any:
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) <= _INTEGER_MAX else str(value)
        case float():
            return value if math.isfinite(value) else repr(value)
        case str():
            return value if _is_unicode(value) else _replaced(value)
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
