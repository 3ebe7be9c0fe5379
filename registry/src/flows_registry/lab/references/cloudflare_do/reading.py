"""What the bridge takes: JSON of the documented shapes, within the limits of a Durable Object.

https://developers.cloudflare.com/durable-objects/platform/limits/
"""

import base64
import binascii
import json
import math
from typing import Any, Final, cast

from flows_registry.lab.references.cloudflare_do.refusal import invalid

__all__ = [
    "ANSWER_BYTES_MAX",
    "BATCH_MAX",
    "KEYS_MAX",
    "LIST_LIMIT_MAX",
    "PAGE_BYTES_MAX",
    "content",
    "key",
    "keys_of",
    "pairs_of",
    "seconds",
    "stored_bytes",
    "text",
    "time_ms",
]

KEY_BYTES_MAX: Final = 2048
ITEM_BYTES_MAX: Final = 2_000_000
KEYS_MAX: Final = 128
BATCH_MAX: Final = 1000
LIST_LIMIT_MAX: Final = 1000
PAGE_BYTES_MAX: Final = 4_000_000
ANSWER_BYTES_MAX: Final = 16_000_000
_TIME_MS_MAX: Final = 8_640_000_000_000_000


def content(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("the body is no JSON") from None
    if not isinstance(found, dict):
        raise invalid("the body is no object")
    return cast("dict[str, Any]", found)


def text(given: object, what: str) -> str:
    """Text that is not empty and has a UTF-8 form."""
    if not isinstance(given, str) or not given:
        raise invalid(f"{what} is no text")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise invalid(f"{what} has no UTF-8 form") from None
    return given


def key(given: object) -> str:
    """A key of storage, or of a reservation."""
    found = text(given, "a key")
    if len(found.encode()) > KEY_BYTES_MAX:
        raise invalid(f"a key has 1 to {KEY_BYTES_MAX} bytes")
    return found


def stored_bytes(given: object) -> bytes:
    """Bytes from base64."""
    if not isinstance(given, str):
        raise invalid("what is base64 is text")
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise invalid("a value is no base64") from None


def keys_of(given: object, most: int) -> list[str]:
    """A list of keys."""
    return [key(each) for each in _list(given, most)]


def pairs_of(given: object, most: int) -> dict[str, bytes | None]:
    """Values by key; null is absence."""
    found: dict[str, bytes | None] = {}
    for pair in _list(given, most):
        match pair:
            case [name, value]:
                checked = None if value is None else stored_bytes(value)
            case _:
                raise invalid("a pair is a key and a value")
        if key(name) in found:
            raise invalid("a key is given twice")
        if len(name.encode()) + len(checked or b"") > ITEM_BYTES_MAX:
            raise invalid("a key and its value are too large")
        found[name] = checked
    return found


def seconds(given: object) -> float:
    """A length of time above zero."""
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not 0 < cast("float", given) < math.inf:
        raise invalid("seconds are above 0")
    return float(cast("float", given))


def time_ms(given: object) -> int:
    """A moment, in whole milliseconds since 1970."""
    if type(given) is not int or not 1 <= given <= _TIME_MS_MAX:
        raise invalid("at_ms is no time")
    return given


def _list(given: object, most: int) -> list[Any]:
    if not isinstance(given, list):
        raise invalid(f"a list has at most {most} items")
    found = cast("list[Any]", given)
    if len(found) > most:
        raise invalid(f"a list has at most {most} items")
    return found
