"""The vendor's limits. https://developers.cloudflare.com/kv/platform/limits/"""

import json
from collections.abc import Mapping
from typing import Any

from core_caps.errors import InvalidArgument

__all__ = ["expiry", "key_of", "metadata_text", "page_size", "prefix_of", "value_of"]

KEY_SIZE_BYTES_MAX = 512
METADATA_SIZE_BYTES_MAX = 1024
TTL_SECONDS_MIN = 60
LIST_LIMIT_MAX = 1000


def key_of(key: Any) -> str:
    """The key, if the service takes it."""
    if prefix_of(key) in ("", ".", ".."):
        raise InvalidArgument(f"a key cannot be {key!r}")
    return key


def prefix_of(text: Any) -> str:
    """The text, if a key may begin with it."""
    if not isinstance(text, str):
        raise InvalidArgument(f"a key is text, not {type(text).__name__}")
    try:
        size_bytes = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidArgument("a lone surrogate has no UTF-8 form") from None
    if size_bytes > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(f"{size_bytes} bytes; the limit is {KEY_SIZE_BYTES_MAX}")
    return text


def value_of(value: Any) -> bytes:
    """The value as bytes of its own."""
    if not isinstance(value, bytes | bytearray):
        raise InvalidArgument(f"a value is bytes, not {type(value).__name__}")
    return bytes(value)


def metadata_text(metadata: Mapping[str, object] | None) -> str | None:
    """The metadata's JSON text, as the service counts it."""
    if metadata is None:
        return None
    try:
        given = dict(metadata)
        text = json.dumps(given, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size_bytes = len(text.encode())
        if json.loads(text) != given:
            raise ValueError("it would come back changed")
    except (TypeError, ValueError) as problem:
        raise InvalidArgument(f"the metadata is no JSON object: {problem}") from None
    if size_bytes > METADATA_SIZE_BYTES_MAX:
        raise InvalidArgument(f"{size_bytes} bytes; the limit is {METADATA_SIZE_BYTES_MAX}")
    return text


def expiry(ttl_seconds: int | None, expires_at: int | None, *, now: float) -> int | None:
    """When the key expires, in seconds since 1970."""
    if ttl_seconds is not None and expires_at is not None:
        raise InvalidArgument("ttl_seconds and expires_at exclude each other")
    for given in (ttl_seconds, expires_at):
        if given is not None and type(given) is not int:
            raise InvalidArgument(f"an expiry is whole seconds, not {type(given).__name__}")
    if ttl_seconds is not None:
        expires_at = int(now) + ttl_seconds
    if expires_at is not None and expires_at < int(now) + TTL_SECONDS_MIN:
        raise InvalidArgument(f"the expiry is nearer than {TTL_SECONDS_MIN} seconds")
    return expires_at


def page_size(limit: int) -> int:
    """The limit of a listing."""
    if type(limit) is not int or not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(f"limit is {limit!r}; it is 1 to {LIST_LIMIT_MAX}")
    return limit
