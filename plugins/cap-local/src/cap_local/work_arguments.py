"""The one place where arguments of Queue, Dedupe and Cache are held against the protocols' types.

Both backends call these checks before anything is touched, so a wrong argument is the same error
in memory and on the disk.
"""

import math
from collections.abc import Sequence
from typing import TypeVar, cast

from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.capabilities.queue import Message
from core_caps.errors import InvalidArgument

from cap_local.arguments import checked_key, utf8

__all__ = [
    "BATCH_MESSAGES_MAX", "DELAY_SECONDS_MAX", "MESSAGE_SIZE_BYTES_MAX", "PULL_LIMIT_MAX",
    "VISIBILITY_SECONDS_MAX", "checked_bytes", "checked_commits", "checked_delay",
    "checked_given_back", "checked_leases", "checked_messages", "checked_owner",
    "checked_pull_limit", "checked_reservations", "checked_seconds", "checked_visibility",
]  # fmt: skip

MESSAGE_SIZE_BYTES_MAX = 16_777_216
"""A pull holds its messages in memory: what is larger belongs into a blob store."""

BATCH_MESSAGES_MAX = 1000
"""Messages of one transaction; others wait for it."""

PULL_LIMIT_MAX = 1000
"""Messages of one transaction; others wait for it."""

DELAY_SECONDS_MAX = 31_536_000
"""A year."""

VISIBILITY_SECONDS_MAX = 43_200
"""Twelve hours."""

_ITEM = TypeVar("_ITEM")


def checked_bytes(given: object, what: str) -> bytes:
    """Bytes of their own."""
    if isinstance(given, bytes):
        return given
    if not isinstance(given, bytearray | memoryview):
        raise InvalidArgument(
            f"{what} is bytes, not {type(given).__name__}", hint="encode it: text.encode()"
        )
    return bytes(cast("bytearray", given))


def checked_seconds(given: object, name: str) -> float:
    """A length of time above zero."""
    if (
        isinstance(given, bool)
        or not isinstance(given, int | float)
        or not 0 < given < math.inf
        or given > 2**62
    ):
        raise InvalidArgument(f"{name} is {given!r}, not a number of seconds above 0")
    return float(given)


def checked_owner(owner: object) -> bytes:
    """An owner's UTF-8 form."""
    found = utf8(owner, "an owner")
    if not found:
        raise InvalidArgument(
            "the owner is empty", hint="name the attempt: a UUID for each worker and message"
        )
    return found


def checked_reservations(reservations: object) -> dict[bytes, bytes]:
    """Payloads by the keys that are to be reserved, in order."""
    given = _items(reservations, Reservation, "reservations")
    return _by_key([(each.key, checked_bytes(each.payload, "a payload")) for each in given])


def checked_commits(commits: object) -> dict[bytes, bytes]:
    """Results by the keys that are to be committed, in order."""
    given = _items(commits, Commit, "commits")
    return _by_key([(each.key, checked_bytes(each.result, "a result")) for each in given])


def checked_given_back(keys: object) -> list[bytes]:
    """The keys to release, each once."""
    return list(dict.fromkeys(checked_key(key) for key in _items(keys, str, "keys")))


def checked_messages(messages: object) -> list[Message]:
    """The messages of a batch."""
    given = _items(messages, Message, "messages")
    if len(given) > BATCH_MESSAGES_MAX:
        raise InvalidArgument(
            f"{len(given)} messages in one batch; the limit is {BATCH_MESSAGES_MAX}",
            hint="split them",
        )
    return [_checked_message(each) for each in given]


def checked_delay(delay_seconds: object) -> int | None:
    """How long a message is to be hidden, or None where that is left to the queue."""
    if delay_seconds is None:
        return None
    return _whole("delay_seconds", delay_seconds, 0, DELAY_SECONDS_MAX)


def checked_pull_limit(limit: object) -> int:
    """How many messages are asked for."""
    return _whole("limit", limit, 1, PULL_LIMIT_MAX)


def checked_visibility(visibility_seconds: object) -> int | None:
    """How long the leases of a pull hold, or None where that is left to the queue."""
    if visibility_seconds is None:
        return None
    return _whole("visibility_seconds", visibility_seconds, 1, VISIBILITY_SECONDS_MAX)


def checked_leases(leases: object) -> list[str]:
    """The leases, each once, in order."""
    return list(dict.fromkeys(_items(leases, str, "leases")))


def _checked_message(message: Message) -> Message:
    body = checked_bytes(message.body, "a body")
    if len(body) > MESSAGE_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the message has {len(body)} bytes; the limit is {MESSAGE_SIZE_BYTES_MAX}",
            hint="keep it in a blob store and send its name",
        )
    utf8(message.key, "a key")
    return Message(body, message.key, checked_delay(message.delay_seconds))


def _items(given: object, kind: type[_ITEM], name: str) -> list[_ITEM]:
    if isinstance(given, str | bytes | bytearray | memoryview) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"{name} is a sequence, not {type(cast('object', given)).__name__}", hint="give a list"
        )
    items = list(cast("Sequence[_ITEM]", given))
    for item in items:
        if not isinstance(item, kind):
            raise InvalidArgument(f"{name} holds {kind.__name__}, not {type(item).__name__}")
    return items


def _by_key(pairs: Sequence[tuple[str, bytes]]) -> dict[bytes, bytes]:
    found = {checked_key(key): value for key, value in pairs}
    if len(found) < len(pairs):
        raise InvalidArgument("a key is given twice", hint="one batch has one answer for a key")
    return found


def _whole(name: str, given: object, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise InvalidArgument(f"{name} is {given!r}; it is a whole number from {least} to {most}")
    return given
