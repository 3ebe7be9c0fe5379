"""What a message looks like in the queue, and what a message of the queue holds.

A body that is text and has no idempotency key is sent as it is (content type `text`), so that any
other consumer reads it. Everything else is a JSON object (content type `json`) with a mark:

    {"cap-queue": 1, "key": "order-7", "text": "…"}      or "base64": "…" for bytes that are no text

Messages of other producers are read as the bytes of their content, whatever their type. Types:
https://developers.cloudflare.com/queues/configuration/javascript-apis/#queuescontenttype
Their form in a pull:
https://developers.cloudflare.com/queues/configuration/pull-consumers/#content-types
"""

import base64
import binascii
import json
from typing import NamedTuple, cast

__all__ = ["Content", "Encoded", "Undecodable", "decoded", "encoded", "stored_size"]

_MARK, _VERSION = "cap-queue", 1
_BYTE_ORDER_MARK = "\ufeff"
"""What begins with one is no plain text here: decoders of other consumers drop it."""


class Undecodable(Exception):
    """The body of a message is not in the form that its content type has; safe to show."""


class Encoded(NamedTuple):
    """A message in the API's words.

    Attributes:
        content_type: "text" or "json".
        body: the text, or the JSON value.
        size_bytes: as it is stored.
    """

    content_type: str
    body: object
    size_bytes: int


class Content(NamedTuple):
    """What a message of the queue holds: the body that was sent, and its key or ""."""

    body: bytes
    key: str


def encoded(body: bytes, key: str) -> Encoded:
    """The message that carries a body and its key."""
    text = _plain(body)
    if text is not None and not key:
        return Encoded("text", text, len(body))
    held = {"base64": base64.b64encode(body).decode()} if text is None else {"text": text}
    envelope = {_MARK: _VERSION, "key": key, **held}
    stored = json.dumps(envelope, ensure_ascii=False, separators=(",", ":"))
    return Encoded("json", envelope, len(stored.encode()))


def stored_size(body: bytes, key: str) -> int:
    """The size, in bytes, of the message that carries a body and its key."""
    return encoded(body, key).size_bytes


def decoded(body: str, content_type: str | None) -> Content:
    """The content of a pulled message.

    Args:
        body: as the API gives it.
        content_type: as its metadata tells; None where they tell none.

    Raises:
        Undecodable: it is not in the form that its content type has.
    """
    match content_type:
        case "json":
            return _from_json(_json_bytes(body))
        case "bytes" | "v8":
            return Content(_base64(body), "")
        case _:
            return Content(_utf8(body), "")


def _plain(body: bytes) -> str | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    return None if text.startswith(_BYTE_ORDER_MARK) else text


def _from_json(raw: bytes) -> Content:
    """The content of our envelope, or of another producer's JSON: the bytes themselves."""
    value = _parsed(raw)
    match value:
        case {"cap-queue": 1, "key": str(key), "text": str(text)} if _has_fields(value, 3):
            return Content(_utf8(text), key)
        case {"cap-queue": 1, "key": str(key), "base64": str(text)} if _has_fields(value, 3):
            return Content(_base64(text), key)
        case _:
            return Content(raw, "")


def _has_fields(value: object, count: int) -> bool:
    """A further field makes it somebody else's: nothing of theirs may be dropped."""
    return isinstance(value, dict) and len(cast("dict[str, object]", value)) == count


def _json_bytes(body: str) -> bytes:
    """The JSON text of a message: documented as base64 of it, and also seen plain.

    No JSON text is base64 of another one, so the two cannot be taken for each other.
    """
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    for candidate in (raw, body.encode("utf-8", "replace")):
        if _is_json(candidate):
            return candidate
    raise Undecodable("a message of type json is neither JSON nor base64 of it")


def _is_json(raw: bytes) -> bool:
    try:
        json.loads(raw.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _parsed(raw: bytes) -> object:
    return cast("object", json.loads(raw.decode()))


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Undecodable("a message that should be base64 is not") from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Undecodable("a message of type text has no UTF-8 form") from None
