"""The vendor's limits, each with its source, and the checks of what objects are called with.

Both backends check here, so that what the mock refuses is what the service would refuse and
nothing beyond a limit is ever sent. What only the bridge limits says so.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from core_caps.capabilities.arguments import checked_bytes, checked_list, checked_text
from core_caps.capabilities.durable_object import Item, ObjectRef
from core_caps.errors import InvalidArgument

__all__ = [
    "BATCH_KEYS_MAX",
    "ITEM_SIZE_BYTES_MAX",
    "KEY_SIZE_BYTES_MAX",
    "KV_BACKED_VALUE_SIZE_BYTES_MAX",
    "LIST_LIMIT_MAX",
    "PAGE_SIZE_BYTES_MAX",
    "PAYLOAD_SIZE_BYTES_MAX",
    "RESULT_SIZE_BYTES_MAX",
    "TRANSACTION_KEYS_MAX",
    "TRANSACTION_SIZE_BYTES_MAX",
    "Bounds",
    "checked_bounds",
    "checked_item",
    "checked_items",
    "checked_key",
    "checked_keys",
    "checked_ref",
    "checked_time",
    "to_ms",
]

_LIMITS = "https://developers.cloudflare.com/durable-objects/platform/limits/"

KEY_SIZE_BYTES_MAX = 2048
"""Where storage is key-value backed; kept everywhere, so that what fits one fits the other.
https://developers.cloudflare.com/durable-objects/platform/limits/"""

ITEM_SIZE_BYTES_MAX = 2_000_000
"""A key and its value together, where storage is SQLite backed.
https://developers.cloudflare.com/durable-objects/platform/limits/"""

KV_BACKED_VALUE_SIZE_BYTES_MAX = 131_072
"""A value alone, where storage is key-value backed.
https://developers.cloudflare.com/durable-objects/platform/limits/"""

TRANSACTION_KEYS_MAX = 128
"""Keys of one call, read or written.
https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/#put"""

TRANSACTION_SIZE_BYTES_MAX = 16_000_000
"""Keys and values of one call, either way: a Worker has 128 MB for all copies of them.
https://developers.cloudflare.com/workers/platform/limits/#memory"""

LIST_LIMIT_MAX = 1000
"""Items of a page. The bridge's own: storage has no limit but a Worker's memory.
https://developers.cloudflare.com/workers/platform/limits/#memory"""

PAGE_SIZE_BYTES_MAX = 4_000_000
"""Values of a page; one that alone is larger makes a page of its own. The bridge's own, too."""

BATCH_KEYS_MAX = 1000
"""Keys of a batch of reservations. The bridge's own: a batch is one turn of its object, which has
30 s of processor time. https://developers.cloudflare.com/durable-objects/platform/limits/"""

RESULT_SIZE_BYTES_MAX = 1_900_000
"""Of a result: it shares a row of 2 MB with its key, owner and payload.
https://developers.cloudflare.com/durable-objects/platform/limits/"""

PAYLOAD_SIZE_BYTES_MAX = 4096
"""Of the digest that a reservation compares; as for results."""

_TIME_MAX = 8.64e12
"""The last moment that a Date can be, in seconds."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a listing asks for, checked."""

    prefix: str
    start: str | None
    start_after: str | None
    end: str | None
    limit: int
    reverse: bool


def checked_ref(ref: ObjectRef) -> ObjectRef:
    """The object that is meant.

    Raises:
        InvalidArgument: it is no ObjectRef, or not exactly one of name and id; NOT_APPLIED.
    """
    given = cast("object", ref)
    if not isinstance(given, ObjectRef):
        raise InvalidArgument(
            f"an object is an ObjectRef, not {type(given).__name__}",
            hint="ObjectRef(name=…), or what new_id gave",
        )
    name = checked_text(given.name, "the name of an object")
    identity = checked_text(given.id, "an id")
    if bool(name) == bool(identity):
        raise InvalidArgument(
            "an ObjectRef has a name or an id, not both or neither", hint="ObjectRef(name=…)"
        )
    return given


def checked_key(key: str) -> str:
    """A key of storage.

    Raises:
        InvalidArgument: it is no text, empty, or too long; NOT_APPLIED.
    """
    size_bytes = len(checked_text(key, "a key").encode())
    if not 0 < size_bytes <= KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"a key has {size_bytes} bytes; it has 1 to {KEY_SIZE_BYTES_MAX}",
            hint=f"use a digest of what is too long; see {_LIMITS}",
        )
    return key


def checked_keys(keys: Sequence[str]) -> list[str]:
    """The keys of a read.

    Raises:
        InvalidArgument: it is no sequence of keys, or they are too many; NOT_APPLIED.
    """
    return [checked_key(key) for key in checked_list(keys, str, "keys", TRANSACTION_KEYS_MAX)]


def checked_item(key: str, value: bytes, value_size_bytes_max: int | None) -> bytes:
    """The value, as bytes of its own, if it may be stored under the key.

    Raises:
        InvalidArgument: it is no bytes, or both together are too large; NOT_APPLIED.
    """
    checked = checked_bytes(value, "a value")
    size_bytes = len(key.encode()) + len(checked)
    if size_bytes > ITEM_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"a key and its value have {size_bytes} bytes; the limit is {ITEM_SIZE_BYTES_MAX}",
            hint=f"keep it in a blob store and its name here; see {_LIMITS}",
        )
    if value_size_bytes_max is not None and len(checked) > value_size_bytes_max:
        raise InvalidArgument(
            f"a value has {len(checked)} bytes; the limit is {value_size_bytes_max}",
            hint=f"use a class with SQLite storage; see {_LIMITS}",
        )
    return checked


def checked_items(
    items: Sequence[Item], what: str, value_size_bytes_max: int | None = None
) -> dict[str, bytes | None]:
    """The items of a transaction, by key.

    Raises:
        InvalidArgument: it is no sequence of Items, a key is given twice, or a limit is broken;
            NOT_APPLIED.
    """
    checked: dict[str, bytes | None] = {}
    size_bytes = 0
    for item in checked_list(items, Item, what, TRANSACTION_KEYS_MAX):
        key = checked_key(item.key)
        if key in checked:
            raise InvalidArgument(f"{what} have a key twice", hint="give each key once")
        given = item.value
        checked[key] = None if given is None else checked_item(key, given, value_size_bytes_max)
        size_bytes += len(key.encode()) + len(checked[key] or b"")
    if size_bytes > TRANSACTION_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"{what} have {size_bytes} bytes; the limit is {TRANSACTION_SIZE_BYTES_MAX}",
            hint="keep what is large in a blob store and its name here",
        )
    return checked


def checked_bounds(
    prefix: str,
    start: str | None,
    start_after: str | None,
    end: str | None,
    limit: int,
    reverse: bool,
) -> Bounds:
    """What a listing asks for.

    Raises:
        InvalidArgument: a bound is no text, there are two beginnings, or the limit is out of
            range; NOT_APPLIED.
    """
    checked_text(prefix, "prefix")
    for name, bound in (("start", start), ("start_after", start_after), ("end", end)):
        if bound is not None:
            checked_text(bound, name)
    if start is not None and start_after is not None:
        raise InvalidArgument("start and start_after are two beginnings", hint="give one")
    if type(limit) is not int or not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(
            f"limit is {limit!r}; it is a whole number from 1 to {LIST_LIMIT_MAX}",
            hint="go on with start_after the last key",
        )
    if type(reverse) is not bool:
        raise InvalidArgument(f"reverse is {reverse!r}; it is True or False", hint="give a bool")
    return Bounds(prefix, start, start_after, end, limit, reverse)


def checked_time(at: float) -> float:
    """A time at which an alarm can be, to the millisecond.

    Raises:
        InvalidArgument: it is no number of seconds after 1970; NOT_APPLIED.
    """
    given = cast("object", at)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(at) or not 0.001 <= at < _TIME_MAX:
        raise InvalidArgument(
            f"an alarm is at {given!r}; it is at a number of seconds after 1970",
            hint="clock.now() + 60 is in a minute",
        )
    return to_ms(at) / 1000


def to_ms(at: float) -> int:
    """The time in whole milliseconds, as the service keeps it."""
    return round(at * 1000)
