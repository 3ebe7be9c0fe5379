"""The vendor's limits, each with its source, and the checks that refuse an argument beyond them.

Both backends check here, so that what the mock refuses is what the service would refuse and
nothing beyond a limit is ever sent.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from core_caps.errors import InvalidArgument

__all__ = [
    "BULK_BODY_BYTES_MAX",
    "CACHE_SECONDS_MAX",
    "DELETE_MANY_KEYS_MAX",
    "GET_MANY_BYTES_MAX",
    "GET_MANY_KEYS_MAX",
    "KEY_SIZE_BYTES_MAX",
    "LIST_LIMIT_MAX",
    "LIST_LIMIT_REST_MIN",
    "METADATA_SIZE_BYTES_MAX",
    "PUT_MANY_KEYS_MAX",
    "TTL_SECONDS_MIN",
    "VALUE_SIZE_BYTES_MAX",
    "checked_entries",
    "checked_expiry",
    "checked_key",
    "checked_keys",
    "checked_limit",
    "checked_metadata",
    "checked_prefix",
    "checked_value",
]

_LIMITS = "https://developers.cloudflare.com/kv/platform/limits/"
_WRITES = "https://developers.cloudflare.com/kv/api/write-key-value-pairs/"
_LISTS = "https://developers.cloudflare.com/kv/api/list-keys/"
_REST = "https://developers.cloudflare.com/api/resources/kv/"

KEY_SIZE_BYTES_MAX = 512
"""Of the key's UTF-8 form. https://developers.cloudflare.com/kv/platform/limits/"""

KEYS_REFUSED = ("", ".", "..")
"""https://developers.cloudflare.com/kv/api/write-key-value-pairs/"""

VALUE_SIZE_BYTES_MAX = 25 * 1024 * 1024
"""https://developers.cloudflare.com/kv/platform/limits/"""

METADATA_SIZE_BYTES_MAX = 1024
"""Of its serialised JSON. https://developers.cloudflare.com/kv/platform/limits/"""

TTL_SECONDS_MIN = 60
"""For both ways to expire. https://developers.cloudflare.com/kv/api/write-key-value-pairs/"""

LIST_LIMIT_MAX = 1000
"""https://developers.cloudflare.com/kv/api/list-keys/"""

LIST_LIMIT_REST_MIN = 10
"""The REST API lists no fewer; smaller pages are cut on our side.
https://developers.cloudflare.com/api/resources/kv/"""

GET_MANY_KEYS_MAX = 100
"""https://developers.cloudflare.com/api/resources/kv/"""

GET_MANY_BYTES_MAX = 25 * 1024 * 1024
"""Of all values together. https://developers.cloudflare.com/kv/api/read-key-value-pairs/"""

PUT_MANY_KEYS_MAX = 10_000
"""https://developers.cloudflare.com/kv/api/write-key-value-pairs/"""

DELETE_MANY_KEYS_MAX = 10_000
"""https://developers.cloudflare.com/api/resources/kv/"""

BULK_BODY_BYTES_MAX = 100_000_000
"""Of one bulk write's request. https://developers.cloudflare.com/kv/api/write-key-value-pairs/"""

CACHE_SECONDS_MAX = 60
"""How old a read may be. https://developers.cloudflare.com/kv/concepts/how-kv-works/"""


def checked_key(key: str) -> str:
    """The key, if the service takes it.

    Raises:
        InvalidArgument: it is not text, empty, `.`, `..`, or too long in UTF-8; NOT_APPLIED.
    """
    size_bytes = _size(key, "a key")
    if key in KEYS_REFUSED:
        raise InvalidArgument(
            f"a key cannot be {key!r}", hint=f"choose another name; see {_WRITES}"
        )
    if size_bytes > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the key has {size_bytes} bytes in UTF-8; the limit is {KEY_SIZE_BYTES_MAX}",
            hint=f"shorten it, or use its digest; see {_LIMITS}",
        )
    return key


def checked_prefix(prefix: str) -> str:
    """The prefix, if some key could start with it.

    Raises:
        InvalidArgument: it is not text, or longer than a key may be; NOT_APPLIED.
    """
    size_bytes = _size(prefix, "a prefix")
    if size_bytes > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the prefix has {size_bytes} bytes in UTF-8; a key has at most {KEY_SIZE_BYTES_MAX}",
            hint=f"shorten it; see {_LIMITS}",
        )
    return prefix


def checked_value(value: bytes) -> bytes:
    """The value as bytes of its own.

    Raises:
        InvalidArgument: it is not bytes, or too long; NOT_APPLIED.
    """
    given = cast("object", value)
    if not isinstance(given, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"a value is bytes, not {type(given).__name__}", hint="encode it: text.encode()"
        )
    view = memoryview(cast("bytes", given))
    if view.nbytes > VALUE_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the value has {view.nbytes} bytes; the limit is {VALUE_SIZE_BYTES_MAX}",
            hint=f"keep it in a blob store and its name here; see {_LIMITS}",
        )
    return given if isinstance(given, bytes) else view.tobytes()


def checked_metadata(metadata: Mapping[str, object] | None) -> str | None:
    """The metadata's JSON text, as the service counts it.

    Raises:
        InvalidArgument: it is not a JSON object, or its JSON is too long; NOT_APPLIED.
    """
    given = cast("object", metadata)
    if given is None:
        return None
    try:
        if not isinstance(given, Mapping):
            raise TypeError(f"it is {type(given).__name__}, not a mapping")
        _refuse_keys(given)  # pyright: ignore[reportUnknownArgumentType]
        text = json.dumps(dict(given), ensure_ascii=False, separators=(",", ":"), allow_nan=False)  # pyright: ignore[reportUnknownArgumentType]
        size_bytes = len(text.encode())
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidArgument(
            f"the metadata is not a JSON object: {problem}",
            hint="use text keys, and text, numbers, booleans, None, lists and dicts as values",
        ) from None
    if size_bytes > METADATA_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the metadata has {size_bytes} bytes of JSON; the limit is {METADATA_SIZE_BYTES_MAX}",
            hint=f"keep it in the value; see {_LIMITS}",
        )
    return text


def checked_expiry(ttl_seconds: int | None, expires_at: int | None, *, now: float) -> None:
    """Nothing, if the service lets a key expire so.

    Raises:
        InvalidArgument: both are given, one is no integer, or it is less than 60 seconds
            ahead; NOT_APPLIED.
    """
    if ttl_seconds is not None and expires_at is not None:
        raise InvalidArgument(
            "ttl_seconds and expires_at are both given", hint="give the one you mean"
        )
    for name, given in (("ttl_seconds", ttl_seconds), ("expires_at", expires_at)):
        if given is not None and not _is_integer(given):
            raise InvalidArgument(
                f"{name} is {type(given).__name__}, not an integer", hint="give whole seconds"
            )
    if ttl_seconds is not None and ttl_seconds < TTL_SECONDS_MIN:
        raise InvalidArgument(
            f"ttl_seconds is {ttl_seconds}; the least is {TTL_SECONDS_MIN}",
            hint=f"live at least {TTL_SECONDS_MIN} seconds; see {_WRITES}",
        )
    if expires_at is not None and expires_at < int(now) + TTL_SECONDS_MIN:
        raise InvalidArgument(
            f"expires_at is {expires_at - int(now)} seconds ahead; the least is {TTL_SECONDS_MIN}",
            hint=f"expire at least {TTL_SECONDS_MIN} seconds from now; see {_WRITES}",
        )


def checked_limit(limit: int) -> int:
    """The limit of a listing.

    Raises:
        InvalidArgument: it is no integer between 1 and 1000; NOT_APPLIED.
    """
    if not _is_integer(limit) or not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(
            f"limit is {limit!r}; it is a whole number from 1 to {LIST_LIMIT_MAX}",
            hint=f"ask for fewer and follow the cursor; see {_LISTS}",
        )
    return limit


def checked_keys(keys: Sequence[str], keys_max: int) -> list[str]:
    """The keys of a bulk operation, each checked, every one once, in order.

    Raises:
        InvalidArgument: it is no sequence, there are more than `keys_max`, or one is refused;
            NOT_APPLIED.
    """
    given = cast("object", keys)
    if isinstance(given, str | bytes) or not isinstance(given, Collection):
        raise InvalidArgument(
            f"keys is a sequence of texts, not {type(given).__name__}", hint="give a list"
        )
    unique = list(dict.fromkeys(checked_key(key) for key in keys))
    if len(unique) > keys_max:
        raise InvalidArgument(
            f"{len(unique)} keys in one call; the limit is {keys_max}",
            hint=f"split them; see {_REST}",
        )
    return unique


def checked_entries(entries: Mapping[str, bytes]) -> dict[str, bytes]:
    """The entries of a bulk write, each key and value checked.

    Raises:
        InvalidArgument: it is no mapping, there are more than 10 000, or one is refused;
            NOT_APPLIED.
    """
    given = cast("object", entries)
    if not isinstance(given, Mapping):
        raise InvalidArgument(
            f"entries is a mapping of keys to values, not {type(given).__name__}",
            hint="give a dict",
        )
    checked_keys([*entries], PUT_MANY_KEYS_MAX)
    return {key: checked_value(value) for key, value in entries.items()}


def _size(text: str, what: str) -> int:
    given = cast("object", text)
    if not isinstance(given, str):
        raise InvalidArgument(f"{what} is text, not {type(given).__name__}", hint="give a str")
    try:
        return len(given.encode())
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"{what} holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        ) from None


def _is_integer(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _refuse_keys(given: object) -> None:
    """json.dumps would turn a number, a boolean or None into a text key; here they are refused."""
    if isinstance(given, Mapping):
        for key, item in given.items():  # pyright: ignore[reportUnknownVariableType]
            if not isinstance(key, str):
                raise TypeError(f"a key is {type(key).__name__}, not text")  # pyright: ignore[reportUnknownArgumentType]
            _refuse_keys(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(given, list | tuple):
        for item in given:  # pyright: ignore[reportUnknownVariableType]
            _refuse_keys(item)  # pyright: ignore[reportUnknownArgumentType]
