"""What Workers KV accepts: keys, values, metadata, expiry, and the elements of a bulk write."""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from flows_registry.lab.references.cloudflare_kv.envelope import Refusal

__all__ = [
    "BULK_DELETE_KEYS_MAX",
    "BULK_GET_KEYS_MAX",
    "BULK_GET_SIZE_BYTES_MAX",
    "BULK_PUT_PAIRS_MAX",
    "BULK_REQUEST_SIZE_BYTES_MAX",
    "LIST_LIMIT_MAX",
    "LIST_LIMIT_MIN",
    "Pair",
    "checked_key",
    "checked_metadata",
    "checked_value",
    "decoded_json",
    "expiration_of",
    "integer",
    "pair_of",
]

# https://developers.cloudflare.com/kv/platform/limits/
KEY_SIZE_BYTES_MAX: Final = 512
VALUE_SIZE_BYTES_MAX: Final = 25 * 1024 * 1024
METADATA_SIZE_BYTES_MAX: Final = 1024
# https://developers.cloudflare.com/kv/api/write-key-value-pairs/#expiring-keys
TTL_SECONDS_MIN: Final = 60
# https://developers.cloudflare.com/api/resources/kv/subresources/namespaces/
BULK_PUT_PAIRS_MAX: Final = 10_000
BULK_DELETE_KEYS_MAX: Final = 10_000
BULK_REQUEST_SIZE_BYTES_MAX: Final = 100_000_000
BULK_GET_KEYS_MAX: Final = 100
# https://developers.cloudflare.com/kv/api/read-key-value-pairs/ (the sum of a bulk read's values)
BULK_GET_SIZE_BYTES_MAX: Final = 25 * 1024 * 1024
LIST_LIMIT_MIN: Final = 10
LIST_LIMIT_MAX: Final = 1000

_INTEGER = re.compile(r"-?[0-9]{1,18}\Z")


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair to be written, checked.

    Attributes:
        expiration: seconds since 1970, or None for never.
    """

    key: str
    value: bytes
    expiration: int | None
    metadata: Any


def checked_key(key: str) -> str:
    """The key, when it is one.

    Source: https://developers.cloudflare.com/kv/api/write-key-value-pairs/
    """
    if key in ("", ".", ".."):
        raise Refusal.not_valid(f'"{key}" is not allowed as a key name.')
    try:
        size_bytes = len(key.encode())
    except UnicodeEncodeError:
        raise Refusal.not_valid("a key must be valid UTF-8") from None
    if size_bytes > KEY_SIZE_BYTES_MAX:
        raise Refusal.key_too_long(size_bytes, KEY_SIZE_BYTES_MAX)
    return key


def checked_value(value: bytes) -> bytes:
    """The value, when it is within its limit."""
    if len(value) > VALUE_SIZE_BYTES_MAX:
        raise Refusal.too_large("Value", len(value), VALUE_SIZE_BYTES_MAX)
    return value


def checked_metadata(metadata: Any) -> Any:
    """The metadata, when its JSON is within its limit."""
    text = json.dumps(metadata, separators=(",", ":"), ensure_ascii=False)
    size_bytes = len(text.encode("utf-8", "surrogatepass"))
    if size_bytes > METADATA_SIZE_BYTES_MAX:
        raise Refusal.too_large("Metadata", size_bytes, METADATA_SIZE_BYTES_MAX)
    return metadata


def decoded_json(raw: bytes, what: str) -> Any:
    """The JSON value of `raw`; anything else is refused."""
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal.not_parsed(f"could not parse {what} as JSON") from None


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def integer(text: str | int | float | None) -> int | None:
    """The integer a query or a JSON number says, or None where it says none."""
    if isinstance(text, bool) or text is None:
        return None
    if isinstance(text, float):
        return int(text) if text.is_integer() else None
    if isinstance(text, int):
        return text
    return int(text) if _INTEGER.match(text) else None


def expiration_of(
    ttl: str | int | float | None, expiration: str | int | float | None, now: float
) -> int | None:
    """When a pair expires: `expiration_ttl` wins over `expiration`; None is never.

    Source: https://developers.cloudflare.com/kv/api/write-key-value-pairs/#expiring-keys
    """
    if ttl is not None:
        seconds = integer(ttl)
        if seconds is None or seconds <= 0:
            raise Refusal.bad_expiration(
                f"Invalid expiration_ttl of {ttl}. Please specify integer greater than 0."
            )
        if seconds < TTL_SECONDS_MIN:
            raise Refusal.bad_expiration(
                f"Invalid expiration_ttl of {ttl}. Expiration TTL must be at least "
                f"{TTL_SECONDS_MIN}."
            )
        return int(now) + seconds
    if expiration is None:
        return None
    at = integer(expiration)
    if at is None or at <= now:
        raise Refusal.bad_expiration(
            f"Invalid expiration of {expiration}. Please specify integer greater than the "
            "current number of seconds since the UNIX epoch."
        )
    if at < int(now) + TTL_SECONDS_MIN:
        raise Refusal.bad_expiration(
            f"Invalid expiration of {expiration}. Expiration times must be at least "
            f"{TTL_SECONDS_MIN} seconds in the future."
        )
    return at


def pair_of(item: Any, now: float) -> Pair:
    """One element of a bulk write, checked like a single write."""
    if not isinstance(item, dict):
        raise Refusal.not_parsed("each element must be an object with a key and a value")
    fields = cast(dict[str, Any], item)
    key, text = fields.get("key"), fields.get("value")
    if not isinstance(key, str) or not isinstance(text, str):
        raise Refusal.not_valid("key and value are required and must be strings")
    as_base64 = fields.get("base64", False)
    if not isinstance(as_base64, bool):
        raise Refusal.not_valid("base64 must be a boolean")
    for name in ("expiration", "expiration_ttl"):
        if not isinstance(fields.get(name), int | float | None):
            raise Refusal.not_valid(f"{name} must be a number")
    return Pair(
        key=checked_key(key),
        value=checked_value(_from_base64(text) if as_base64 else _encoded(text)),
        expiration=expiration_of(fields.get("expiration_ttl"), fields.get("expiration"), now),
        metadata=checked_metadata(fields.get("metadata")),
    )


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Refusal.not_valid("a value must be a UTF-8 encoded string") from None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refusal.not_valid("a value marked base64 does not decode") from None
