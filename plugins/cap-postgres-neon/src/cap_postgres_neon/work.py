"""The one place where Dedupe's arguments are held against the protocol's types.

Every backend calls these checks before anything is sent, so a wrong argument is the same error in
memory and in the database.
"""

import math
from collections.abc import Sequence
from typing import TypeVar, cast

from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.errors import InvalidArgument

__all__ = [
    "BATCH_KEYS_MAX",
    "checked_commits",
    "checked_given_back",
    "checked_owner",
    "checked_reservations",
    "checked_seconds",
]

BATCH_KEYS_MAX = 10_000
"""Keys of one transaction; others wait for it."""

_ITEM = TypeVar("_ITEM")


def checked_seconds(given: object, name: str) -> float:
    """A length of time above zero, of at most a thousand years."""
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not 0 < given < math.inf
        or given > 3.2e10
    ):
        raise InvalidArgument(f"{name} is {given!r}, not a number of seconds above 0")
    return float(given)


def checked_owner(owner: object) -> bytes:
    """An owner's UTF-8 form."""
    return _named(owner, "an owner", "name the attempt: a UUID for each worker and message")


def checked_reservations(reservations: object) -> dict[bytes, bytes]:
    """Payloads by the keys that are to be reserved, in order."""
    given = _items(reservations, Reservation, "reservations")
    return _by_key([(each.key, _bytes(each.payload, "a payload")) for each in given])


def checked_commits(commits: object) -> dict[bytes, bytes]:
    """Results by the keys that are to be committed, in order."""
    given = _items(commits, Commit, "commits")
    return _by_key([(each.key, _bytes(each.result, "a result")) for each in given])


def checked_given_back(keys: object) -> list[bytes]:
    """The keys to release, each once."""
    return list(dict.fromkeys(_key(key) for key in _items(keys, str, "keys")))


def _key(key: object) -> bytes:
    return _named(key, "a key", "give it a name")


def _named(given: object, what: str, hint: str) -> bytes:
    if not isinstance(given, str):
        raise InvalidArgument(f"{what} is text, not {type(given).__name__}", hint="give a str")
    try:
        found = given.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgument(f"{what} has no UTF-8 form") from error
    if not found:
        raise InvalidArgument(f"{what} is empty", hint=hint)
    return found


def _bytes(given: object, what: str) -> bytes:
    if isinstance(given, bytes):
        return given
    if not isinstance(given, bytearray | memoryview):
        raise InvalidArgument(
            f"{what} is bytes, not {type(given).__name__}", hint="encode it: text.encode()"
        )
    return bytes(cast("bytearray", given))


def _items(given: object, kind: type[_ITEM], name: str) -> list[_ITEM]:
    if isinstance(given, str | bytes | bytearray | memoryview) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"{name} is a sequence, not {type(cast('object', given)).__name__}", hint="give a list"
        )
    items = list(cast("Sequence[_ITEM]", given))
    if len(items) > BATCH_KEYS_MAX:
        raise InvalidArgument(
            f"{len(items)} {name} in one batch; the limit is {BATCH_KEYS_MAX}", hint="split them"
        )
    for item in items:
        if not isinstance(item, kind):
            raise InvalidArgument(f"{name} holds {kind.__name__}, not {type(item).__name__}")
    return items


def _by_key(pairs: Sequence[tuple[str, bytes]]) -> dict[bytes, bytes]:
    found = {_key(key): value for key, value in pairs}
    if len(found) < len(pairs):
        raise InvalidArgument("a key is given twice", hint="one batch has one answer for a key")
    return found
