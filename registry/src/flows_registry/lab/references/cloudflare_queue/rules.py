"""What Queues accepts: messages, batches, what a pull asks for, what an acknowledgement names.

Codes are the documented ones; the statuses they come with are not published and ours.
https://developers.cloudflare.com/queues/reference/error-codes/
"""

import json
from dataclasses import dataclass
from typing import Any, Final, cast

from flows_registry.lab.references.cloudflare_kv.envelope import Refusal

__all__ = [
    "BATCH_SIZE_DEFAULT",
    "MAX_RETRIES",
    "PULL_BATCH_SIZE_MAX",
    "VISIBILITY_MS_DEFAULT",
    "VISIBILITY_MS_MAX",
    "Posted",
    "batch_of",
    "decoded_json",
    "delay",
    "message_of",
    "number",
    "settlements_of",
]

# https://developers.cloudflare.com/queues/platform/limits/
MESSAGE_SIZE_BYTES_MAX: Final = 128_000
BATCH_MESSAGES_MAX: Final = 100
BATCH_SIZE_BYTES_MAX: Final = 256_000
VISIBILITY_MS_MAX: Final = 12 * 3600 * 1000
# https://github.com/cloudflare/cloudflare-docs/pull/28335
DELAY_SECONDS_MAX: Final = 86_400
# https://developers.cloudflare.com/queues/configuration/pull-consumers/
BATCH_SIZE_DEFAULT: Final = 5
PULL_BATCH_SIZE_MAX: Final = 100
VISIBILITY_MS_DEFAULT: Final = 30_000
# https://developers.cloudflare.com/queues/configuration/batching-retries/#delivery-failure
MAX_RETRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as it was posted, checked.

    Attributes:
        content_type: "text" or "json"; the API takes no other.
        content: as it is stored.
        delay_seconds: None leaves it to the batch.
    """

    content_type: str
    content: bytes
    delay_seconds: int | None


def decoded_json(raw: bytes) -> dict[str, Any]:
    """The JSON object of a request."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(400, 10208, "could not parse the request body as JSON") from None
    return _object(value, "the request body")


def message_of(value: Any) -> Posted:
    """One message of a push or a batch."""
    fields = _object(value, "a message")
    if "body" not in fields:
        raise _schema("a message needs a body")
    body, content_type = fields["body"], fields.get("content_type", "json")
    match content_type:
        case "text" if isinstance(body, str):
            text = body
        case "json":
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        case _:
            raise Refusal(400, 10203, f"invalid message content type {content_type!r}")
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise _schema("a body must have a UTF-8 form") from None
    if len(content) > MESSAGE_SIZE_BYTES_MAX:
        raise Refusal(413, 10204, f"message length of {len(content)} bytes exceeds limit")
    return Posted(content_type, content, delay(fields.get("delay_seconds"), 10203))


def batch_of(fields: dict[str, Any]) -> list[Posted]:
    """The messages of a batch."""
    messages = _array(fields.get("messages"), "messages")
    if len(messages) > BATCH_MESSAGES_MAX:
        raise Refusal(413, 10206, f"batch message count of {len(messages)} exceeds limit")
    posted = [message_of(message) for message in messages]
    size_bytes = sum(len(each.content) for each in posted)
    if size_bytes > BATCH_SIZE_BYTES_MAX:
        raise Refusal(413, 10205, f"batch size of {size_bytes} bytes exceeds limit")
    return posted


def delay(value: Any, code: int = 10202) -> int | None:
    """A delay in seconds, or None where none is given."""
    if value is None:
        return None
    return number(value, 0, DELAY_SECONDS_MAX, "delay_seconds", code)


def number(value: Any, least: int, most: int, name: str, code: int = 10207) -> int:
    """A whole number within its range."""
    counts = isinstance(value, int | float) and not isinstance(value, bool)
    if not counts or not least <= value <= most or value != int(value):
        raise Refusal(400, code, f"{name} must be a whole number from {least} to {most}")
    return int(value)


def settlements_of(value: Any, name: str) -> list[tuple[str, int | None]]:
    """The leases of `acks` or `retries`, each with its delay."""
    entries: list[tuple[str, int | None]] = []
    for entry in [] if value is None else _array(value, name):
        fields = _object(entry, f"an element of {name}")
        lease = fields.get("lease_id")
        if not isinstance(lease, str):
            raise _schema("lease_id is required and must be a string")
        entries.append((lease, delay(fields.get("delay_seconds"), 10203)))
    return entries


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _schema(f"{what} must be an object")
    return cast(dict[str, Any], value)


def _array(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise _schema(f"{what} must be an array")
    return cast(list[Any], value)


def _schema(message: str) -> Refusal:
    return Refusal(400, 10207, message)


def _no_constant(name: str) -> Any:
    raise ValueError(name)
