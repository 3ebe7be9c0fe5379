"""The vendor's limits, each with its source, and the checks that refuse an argument beyond them.

Both backends check here, so that what the mock refuses is what the service would refuse and
nothing beyond a limit is ever sent. 1 KB is 1000 bytes.
"""

from collections.abc import Sequence
from typing import cast

from core_caps.capabilities.queue import Message
from core_caps.errors import InvalidArgument

__all__ = [
    "BATCH_MESSAGES_MAX",
    "BATCH_SIZE_BYTES_MAX",
    "DELAY_SECONDS_MAX",
    "MAX_BATCH_SIZE_MAX",
    "MAX_BATCH_TIMEOUT_SECONDS_MAX",
    "MESSAGE_SIZE_BYTES_MAX",
    "PULL_LIMIT_MAX",
    "RETENTION_SECONDS_DEFAULT",
    "RETENTION_SECONDS_MAX",
    "RETENTION_SECONDS_MIN",
    "RETRIES_DEFAULT",
    "RETRIES_MAX",
    "VISIBILITY_SECONDS_DEFAULT",
    "VISIBILITY_SECONDS_MAX",
    "checked_body",
    "checked_delay",
    "checked_key",
    "checked_leases",
    "checked_limit",
    "checked_messages",
    "checked_sizes",
    "checked_visibility",
]

_LIMITS = "https://developers.cloudflare.com/queues/platform/limits/"
_DELAYS = "https://developers.cloudflare.com/queues/configuration/batching-retries/#delay-messages"
_PULLS = "https://developers.cloudflare.com/queues/configuration/pull-consumers/"

MESSAGE_SIZE_BYTES_MAX = 128_000
"""Of a message as it is stored. https://developers.cloudflare.com/queues/platform/limits/"""

BATCH_MESSAGES_MAX = 100
"""Sent together. https://developers.cloudflare.com/queues/platform/limits/"""

BATCH_SIZE_BYTES_MAX = 256_000
"""Of all messages sent together. https://developers.cloudflare.com/queues/platform/limits/"""

DELAY_SECONDS_MAX = 86_400
"""On sending and on retrying; 12 hours until February 2026.
https://github.com/cloudflare/cloudflare-docs/pull/28335
https://developers.cloudflare.com/queues/reference/error-codes/ (10202)"""

PULL_LIMIT_MAX = 100
"""https://developers.cloudflare.com/queues/configuration/pull-consumers/"""

VISIBILITY_SECONDS_DEFAULT = 30
"""https://developers.cloudflare.com/queues/configuration/pull-consumers/"""

VISIBILITY_SECONDS_MAX = 43_200
"""https://developers.cloudflare.com/queues/platform/limits/"""

RETRIES_DEFAULT = 3
"""https://developers.cloudflare.com/queues/configuration/batching-retries/#delivery-failure"""

RETRIES_MAX = 100
"""https://developers.cloudflare.com/queues/platform/limits/"""

RETENTION_SECONDS_MIN, RETENTION_SECONDS_DEFAULT, RETENTION_SECONDS_MAX = 60, 345_600, 1_209_600
"""https://developers.cloudflare.com/queues/configuration/configure-queues/#queue-configuration"""

MAX_BATCH_SIZE_MAX = 100
"""Of what a consumer is handed together.
https://developers.cloudflare.com/queues/configuration/batching-retries/#batch-settings"""

MAX_BATCH_TIMEOUT_SECONDS_MAX = 60
"""https://developers.cloudflare.com/queues/configuration/batching-retries/#batch-settings"""


def checked_body(body: bytes) -> bytes:
    """The body as bytes of its own.

    Raises:
        InvalidArgument: it is not bytes; NOT_APPLIED.
    """
    given = cast("object", body)
    if not isinstance(given, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"a body is bytes, not {type(given).__name__}", hint="encode it: text.encode()"
        )
    return given if isinstance(given, bytes) else bytes(memoryview(cast("bytes", given)))


def checked_key(key: str) -> str:
    """The idempotency key, if it can travel.

    Raises:
        InvalidArgument: it is not text, or has no UTF-8 form; NOT_APPLIED.
    """
    given = cast("object", key)
    if not isinstance(given, str):
        raise InvalidArgument(f"a key is text, not {type(given).__name__}", hint="give a str")
    if not _encodes(given):
        raise InvalidArgument(
            "the key holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        )
    return given


def checked_delay(delay_seconds: int | None) -> int | None:
    """The delay, if the service takes it.

    Raises:
        InvalidArgument: it is no whole number from 0 to 86 400; NOT_APPLIED.
    """
    if delay_seconds is not None:
        _refuse_outside("delay_seconds", delay_seconds, 0, DELAY_SECONDS_MAX, _DELAYS)
    return delay_seconds


def checked_limit(limit: int) -> int:
    """The limit of a pull.

    Raises:
        InvalidArgument: it is no whole number from 1 to 100; NOT_APPLIED.
    """
    _refuse_outside("limit", limit, 1, PULL_LIMIT_MAX, _PULLS)
    return limit


def checked_visibility(visibility_seconds: int | None) -> int | None:
    """How long the leases of a pull hold.

    Raises:
        InvalidArgument: it is no whole number from 1 to 43 200; NOT_APPLIED.
    """
    if visibility_seconds is not None:
        _refuse_outside("visibility_seconds", visibility_seconds, 1, VISIBILITY_SECONDS_MAX, _PULLS)
    return visibility_seconds


def checked_messages(messages: Sequence[Message]) -> list[Message]:
    """The messages of a batch, each with every argument checked but the size.

    Raises:
        InvalidArgument: it is no sequence of Messages, there are more than 100, or one is
            refused; NOT_APPLIED.
    """
    given = cast("object", messages)
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"messages is a sequence of Messages, not {type(given).__name__}", hint="give a list"
        )
    if len(messages) > BATCH_MESSAGES_MAX:
        raise InvalidArgument(
            f"{len(messages)} messages in one batch; the limit is {BATCH_MESSAGES_MAX}",
            hint=f"split them; see {_LIMITS}",
        )
    return [_checked_message(message) for message in messages]


def checked_sizes(sizes_bytes: Sequence[int]) -> None:
    """Nothing, if messages of these sizes, as they are stored, can be sent together.

    Raises:
        InvalidArgument: one of them, or all together, are too large; NOT_APPLIED.
    """
    largest = max(sizes_bytes, default=0)
    if largest > MESSAGE_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the message would be stored as {largest} bytes; the limit is "
            f"{MESSAGE_SIZE_BYTES_MAX}",
            hint="keep it in a blob store and send its name; bytes that are no text are stored as "
            f"base64, a third larger; see {_LIMITS}",
        )
    if sum(sizes_bytes) > BATCH_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the batch would be stored as {sum(sizes_bytes)} bytes; the limit is "
            f"{BATCH_SIZE_BYTES_MAX}",
            hint=f"split it; see {_LIMITS}",
        )


def checked_leases(leases: Sequence[str]) -> list[str]:
    """The leases, each once, in order.

    Raises:
        InvalidArgument: it is no sequence of texts; NOT_APPLIED.
    """
    given = cast("object", leases)
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"leases is a sequence of texts, not {type(given).__name__}", hint="give a list"
        )
    for lease in cast("Sequence[object]", given):
        if not isinstance(lease, str):
            raise InvalidArgument(
                f"a lease is text, not {type(lease).__name__}",
                hint="pass on what pull gave: delivery.lease",
            )
    return list(dict.fromkeys(leases))


def _checked_message(message: Message) -> Message:
    given = cast("object", message)
    if not isinstance(given, Message):
        raise InvalidArgument(
            f"a batch holds Messages, not {type(given).__name__}",
            hint="from core_caps.capabilities.queue import Message",
        )
    return Message(
        checked_body(given.body), checked_key(given.key), checked_delay(given.delay_seconds)
    )


def _refuse_outside(name: str, given: object, least: int, most: int, source: str) -> None:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise InvalidArgument(
            f"{name} is {given!r}; it is a whole number from {least} to {most}",
            hint=f"see {source}",
        )


def _encodes(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)
