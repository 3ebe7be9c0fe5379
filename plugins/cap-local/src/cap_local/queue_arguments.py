"""The one place where arguments of Queue are held against the protocol's types.

Both backends call these checks before anything is touched, so a wrong argument is the same error
in memory and on the disk.
"""

from core_caps.capabilities.arguments import checked_bytes, checked_list, checked_text
from core_caps.capabilities.queue import Message
from core_caps.errors import InvalidArgument

__all__ = [
    "BATCH_MESSAGES_MAX", "DELAY_SECONDS_MAX", "MESSAGE_SIZE_BYTES_MAX", "PULL_LIMIT_MAX",
    "VISIBILITY_SECONDS_MAX", "checked_delay", "checked_leases", "checked_messages",
    "checked_pull_limit", "checked_visibility",
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


def checked_messages(messages: object) -> list[Message]:
    """The messages of a batch."""
    given = checked_list(messages, Message, "messages", BATCH_MESSAGES_MAX)
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
    return list(dict.fromkeys(checked_list(leases, str, "leases")))


def _checked_message(message: Message) -> Message:
    body = checked_bytes(message.body, "a body")
    if len(body) > MESSAGE_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the message has {len(body)} bytes; the limit is {MESSAGE_SIZE_BYTES_MAX}",
            hint="keep it in a blob store and send its name",
        )
    checked_text(message.key, "a key")
    return Message(body, message.key, checked_delay(message.delay_seconds))


def _whole(name: str, given: object, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise InvalidArgument(
            f"{name} is {given!r}; it is a whole number from {least} to {most}",
            hint=f"give a whole number from {least} to {most}",
        )
    return given
