"""The one place where arguments of KeyValue and BlobStore are held against the protocols' types.

Both backends call these checks before anything is touched, so a wrong argument is the same error
in memory and on the disk.
"""

import json
import math
import re
from collections.abc import Collection, Mapping
from typing import TypeGuard, cast

from core_caps.capabilities.blob_store import ByteRange, HttpMetadata
from core_caps.errors import InvalidArgument

__all__ = [
    "LIST_LIMIT_MAX", "VALUE_SIZE_BYTES_MAX", "checked_digest", "checked_etag", "checked_expiry",
    "checked_http", "checked_key", "checked_keys", "checked_limit", "checked_metadata",
    "checked_prefix", "checked_range", "checked_size", "checked_texts", "checked_value", "utf8",
]  # fmt: skip

LIST_LIMIT_MAX = 1000
"""Lines of one page."""

VALUE_SIZE_BYTES_MAX = 1_000_000_000
"""SQLite's longest row. https://www.sqlite.org/limits.html#max_length"""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ETAG = re.compile(r"[\x21\x23-\x7e]+")
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # an HTTP token in lower case
_HTTP_TEXTS = (
    "content_type", "content_language", "content_disposition", "content_encoding", "cache_control",
)  # fmt: skip


def checked_key(key: object) -> bytes:
    """A key's UTF-8 form, by which keys are ordered."""
    found = utf8(key, "a key")
    if not found:
        raise InvalidArgument("the key is empty", hint="give it a name")
    return found


def checked_keys(keys: object) -> list[str]:
    """The keys of a bulk operation, each checked, every one once, in order."""
    if isinstance(keys, str | bytes) or not isinstance(keys, Collection):
        raise InvalidArgument(f"keys are a sequence of texts, not {type(keys).__name__}")
    given = list(cast("Collection[str]", keys))
    for key in given:
        checked_key(key)
    return list(dict.fromkeys(given))


def checked_prefix(prefix: object) -> bytes:
    """A prefix's UTF-8 form."""
    return utf8(prefix, "a prefix")


def checked_limit(limit: object) -> int:
    """The lines of a page."""
    if not _is_whole(limit) or not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(
            f"limit is {limit!r}; it is a whole number from 1 to {LIST_LIMIT_MAX}",
            hint="ask for fewer and follow the cursor",
        )
    return limit


def checked_value(value: object) -> bytes:
    """A value as bytes of its own."""
    if not isinstance(value, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"a value is bytes, not {type(value).__name__}", hint="encode it: text.encode()"
        )
    held = value if isinstance(value, bytes) else bytes(cast("bytearray", value))
    if len(held) > VALUE_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the value has {len(held)} bytes; the limit is {VALUE_SIZE_BYTES_MAX}",
            hint="keep it in a blob store and its name here",
        )
    return held


def checked_metadata(metadata: object) -> str | None:
    """A value's metadata as JSON text, or None."""
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping):
        raise InvalidArgument(f"metadata is a mapping, not {type(metadata).__name__}")
    try:
        text = json.dumps(_json(metadata), ensure_ascii=False, allow_nan=False)  # pyright: ignore[reportUnknownArgumentType]
        text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidArgument(
            f"the metadata is not a JSON object: {problem}",
            hint="use text keys, and text, numbers, booleans, None, lists and dicts as values",
        ) from None
    return text


def checked_expiry(ttl_seconds: object, expires_at: object, *, now: float) -> int | None:
    """The second at which a key is gone: never earlier than asked, or None for never."""
    if ttl_seconds is not None and expires_at is not None:
        raise InvalidArgument(
            "ttl_seconds and expires_at are both given", hint="give the one you mean"
        )
    if ttl_seconds is not None:
        if not _is_whole(ttl_seconds) or ttl_seconds < 1:
            raise InvalidArgument(f"ttl_seconds is {ttl_seconds!r}, not a whole number above 0")
        expires_at = math.ceil(now) + ttl_seconds
    if expires_at is None:
        return None
    if not _is_whole(expires_at) or not now < expires_at < 2**62:
        raise InvalidArgument(
            f"expires_at is {expires_at!r}, not a time ahead", hint="give whole seconds since 1970"
        )
    return expires_at


def checked_texts(metadata: object) -> dict[str, str]:
    """An object's custom metadata: names as HTTP has them, and text that any store gives back."""
    if metadata is None:
        return {}
    if not isinstance(metadata, Mapping):
        raise InvalidArgument(f"metadata is a mapping, not {type(metadata).__name__}")
    found = dict(cast("Mapping[str, str]", metadata))
    for name, value in found.items():
        utf8(name, "a metadata name")
        utf8(value, f"the metadata value of {name!r}")
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"the metadata name {name!r} cannot be part of an HTTP header's name",
                hint="use lower-case ASCII letters, digits and '-', '_' or '.'",
            )
        if not value.isprintable() or value != value.strip():
            raise InvalidArgument(
                f"the metadata value of {name!r} has control characters or blanks at an end",
                hint="encode the value first, as JSON or base64",
            )
    return found


def checked_http(http: object) -> HttpMetadata:
    """HTTP metadata of which each can be a header's value."""
    if http is None:
        return HttpMetadata()
    if not isinstance(http, HttpMetadata):
        raise InvalidArgument(f"http is HttpMetadata, not {type(http).__name__}")
    for name in _HTTP_TEXTS:
        value: object = getattr(http, name)
        if value is not None and not (isinstance(value, str) and _is_header(value)):
            raise InvalidArgument(
                f"{name} = {value!r} cannot be an HTTP header's value", hint="use printable ASCII"
            )
    due: object = http.expires_at
    if due is not None and not (_is_whole(due) and 0 <= due <= 253_402_300_799):
        raise InvalidArgument(f"expires_at = {due!r} is not a time that HTTP can write")
    return http


def checked_etag(etag: object) -> None:
    """Refuse what no etag can be, above all one that still has its quotes."""
    if etag is not None and not (isinstance(etag, str) and _ETAG.fullmatch(etag)):
        raise InvalidArgument(
            f"{etag!r} is not an etag", hint="pass ObjectInfo.etag as it is, without quotes"
        )


def checked_digest(digest: object) -> str:
    """The key of a content digest: the same text."""
    if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        raise InvalidArgument(
            f"{digest!r} is not a content digest",
            hint="write 'sha256:' and 64 hexadecimal digits in lower case",
        )
    return digest


def checked_range(wanted: object) -> ByteRange | None:
    """The range to read, or None where it means the whole object."""
    if wanted is None or wanted == ByteRange():
        return None
    if not isinstance(wanted, ByteRange) or not all(
        part is None or _is_whole(part) for part in (wanted.offset, wanted.length)
    ):
        raise InvalidArgument(
            f"{wanted!r} is not a range", hint="give ByteRange(offset, length), in whole bytes"
        )
    offset, length = wanted.offset, wanted.length
    if (offset is None and length is None) or (offset or 0) < 0 or (length or 1) < 1 or length == 0:
        raise InvalidArgument(
            f"{wanted!r} names no bytes",
            hint="ask for one byte at least; the last n are ByteRange(offset=None, length=n)",
        )
    return wanted


def checked_size(size_bytes: object) -> int | None:
    """A stated size, or None where none is."""
    if size_bytes is not None and not (_is_whole(size_bytes) and size_bytes >= 0):
        raise InvalidArgument(
            f"size_bytes = {size_bytes!r} is no size",
            hint="leave size_bytes out where the size is not known",
        )
    return size_bytes


def _json(value: object) -> object:
    """The value, where JSON has a form for it; json.dumps would turn a number into a text key."""
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value)
        for key in items:
            if not isinstance(key, str):
                raise TypeError(f"a key is {type(key).__name__}, not text")
        return {key: _json(item) for key, item in items.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in cast("list[object]", value)]
    return value


def utf8(text: object, what: str) -> bytes:
    """A text's UTF-8 form."""
    if not isinstance(text, str):
        raise InvalidArgument(f"{what} is text, not {type(text).__name__}", hint="give a str")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"{what} holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        ) from None


def _is_whole(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool)


def _is_header(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and text == text.strip()
