"""The one place where arguments are held against R2's limits and the protocol's types.

Both backends call these checks before anything is sent, so a broken limit is the same error on
the mock and on the real service.
"""

import re
from collections.abc import AsyncIterator, Mapping
from typing import TypeGuard, cast

from core_caps.capabilities.blob_store import ByteRange, HttpMetadata
from core_caps.errors import InvalidArgument, PreconditionFailed

from cap_cloudflare_r2.limits import (
    EXTENSIONS_SOURCE,
    KEY_SIZE_BYTES_MAX,
    LIMITS_SOURCE,
    LIST_LIMIT_MAX,
    LIST_SOURCE,
    METADATA_SIZE_BYTES_MAX,
    OBJECT_SIZE_BYTES_MAX,
    PRESIGN_SECONDS_MAX,
    PRESIGN_SOURCE,
)

__all__ = [
    "ENCODED_WORD",
    "check_chunk",
    "check_conditions",
    "check_data",
    "check_digest",
    "check_etag",
    "check_http",
    "check_key",
    "check_limit",
    "check_metadata",
    "check_prefix",
    "check_presign",
    "check_range",
    "check_size",
    "check_stated_size",
]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ETAG = re.compile(r"[\x21\x23-\x7e]+")
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
"""RFC 2047, section 2: how R2 takes and gives Unicode in metadata."""

_READ_AGAIN = "read the current etag and decide again"

_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # an HTTP token in lower case


def check_key(key: str) -> None:
    """Refuse a key that R2 cannot hold or that a URL cannot carry unchanged.

    Raises:
        InvalidArgument: no text, empty, over 1024 bytes of UTF-8, not encodable, or with a `.` or
            `..` segment, which clients and proxies on the way resolve as a path.
    """
    size = _size(key, "key")
    if size == 0:
        raise InvalidArgument("the key is empty", hint="give the object a name")
    if size > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the key has {size} bytes as UTF-8; R2 takes at most {KEY_SIZE_BYTES_MAX}",
            hint=f"shorten the key; see {LIMITS_SOURCE}",
        )
    if any(segment in {".", ".."} for segment in key.split("/")):
        raise InvalidArgument(
            f"the key {key!r} has a '.' or '..' segment, which a URL does not carry unchanged",
            hint="name the segment otherwise",
        )


def check_prefix(prefix: str, delimiter: str | None) -> None:
    """Refuse a prefix or delimiter that no key can match.

    Raises:
        InvalidArgument: one is no text, the prefix is longer than a key may be, or the delimiter
            is empty.
    """
    if _size(prefix, "prefix") > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the prefix is longer than a key may be ({KEY_SIZE_BYTES_MAX} bytes)",
            hint=f"shorten the prefix; see {LIMITS_SOURCE}",
        )
    if delimiter is not None and _size(delimiter, "delimiter") == 0:
        raise InvalidArgument("the delimiter is empty", hint="pass None to list without one")


def check_limit(limit: int) -> None:
    """Refuse a page size that R2 does not give.

    Raises:
        InvalidArgument: no whole number between 1 and 1000.
    """
    if not _is_whole(limit) or not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(
            f"a page of {limit!r} is not possible; R2 gives 1 to {LIST_LIMIT_MAX}",
            hint=f"follow the cursor for more; see {LIST_SOURCE}",
        )


def check_range(wanted: ByteRange | None) -> ByteRange | None:
    """The range to ask for, or None where it means the whole object.

    Raises:
        InvalidArgument: no ByteRange, a negative offset or length, or a range of no bytes.
    """
    if wanted is None:
        return None
    given = cast("object", wanted)
    if not isinstance(given, ByteRange) or not all(
        part is None or _is_whole(part) for part in (given.offset, given.length)
    ):
        raise InvalidArgument(
            f"{given!r} is not a range", hint="give ByteRange(offset, length), in whole bytes"
        )
    if wanted.offset == 0 and wanted.length is None:
        return None
    if wanted.offset is None and wanted.length is None:
        raise InvalidArgument(
            "a range without offset and length says nothing",
            hint="give offset, or length alone for the last bytes",
        )
    if wanted.offset is not None and wanted.offset < 0:
        raise InvalidArgument(
            f"the range starts at {wanted.offset}",
            hint="for the last n bytes: ByteRange(offset=None, length=n)",
        )
    if wanted.length is not None and wanted.length < 1:
        raise InvalidArgument(
            f"a range of {wanted.length} bytes cannot be asked for",
            hint="ask for at least one byte; head(key) tells the size",
        )
    return wanted


def check_etag(etag: str | None) -> None:
    """Refuse an etag that cannot be sent, above all one that still has its quotes.

    Raises:
        InvalidArgument: it is no text, empty, quoted, weak, or not printable ASCII.
    """
    if etag is not None and not (_is_text(etag) and _ETAG.fullmatch(etag)):
        raise InvalidArgument(
            f"{etag!r} is not an etag", hint="pass ObjectInfo.etag as it is, without quotes"
        )


def check_metadata(metadata: Mapping[str, str] | None) -> None:
    """Refuse custom metadata that would not come back as it was stored.

    Over S3 a name is part of an HTTP header's name, so it has no upper case and no Unicode; a
    value may hold any text without control characters that is no RFC 2047 word, which R2 would
    decode (source: EXTENSIONS_SOURCE).

    Raises:
        InvalidArgument: it is no mapping of text to text, a name or value breaks these rules, or
            all together have over 8192 bytes.
    """
    if metadata is None:
        return
    if not isinstance(cast("object", metadata), Mapping):
        raise InvalidArgument(
            f"metadata is a mapping, not {type(metadata).__name__}", hint="give a dict of texts"
        )
    total = 0
    for name, value in metadata.items():
        total += _size(name, "metadata name") + _size(value, f"metadata value of {name!r}")
        if not _NAME.fullmatch(name):
            raise InvalidArgument(
                f"the metadata name {name!r} cannot travel as part of an HTTP header's name",
                hint="use lower-case ASCII letters, digits and '-', '_' or '.'",
            )
        if not value.isprintable() or value != value.strip():
            raise InvalidArgument(
                f"the metadata value of {name!r} has control characters or blanks at an end",
                hint="encode the value first, as JSON or base64",
            )
        if ENCODED_WORD.search(value):
            raise InvalidArgument(
                f"the metadata value of {name!r} looks like an RFC 2047 word, which R2 decodes",
                hint=f"encode it otherwise, as JSON or base64; see {EXTENSIONS_SOURCE}",
            )
    if total > METADATA_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the metadata has {total} bytes; R2 takes at most {METADATA_SIZE_BYTES_MAX}",
            hint=f"store it as an object of its own; see {LIMITS_SOURCE}",
        )


def check_http(http: HttpMetadata | None) -> None:
    """Refuse HTTP metadata that cannot be a header.

    Raises:
        InvalidArgument: no HttpMetadata; a value is empty, not printable ASCII, or has blanks at
            an end; or `expires_at` is before 1970 or beyond the year 9999.
    """
    if http is None:
        return
    if not isinstance(cast("object", http), HttpMetadata):
        raise InvalidArgument(
            f"http is HttpMetadata, not {type(http).__name__}",
            hint="give HttpMetadata(content_type=…)",
        )
    for name in (
        "content_type",
        "content_language",
        "content_disposition",
        "content_encoding",
        "cache_control",
    ):
        value: str | None = getattr(http, name)
        if value is None:
            continue
        if not _is_text(value) or not _is_header(value):
            raise InvalidArgument(
                f"{name} = {value!r} cannot be an HTTP header's value",
                hint="use printable ASCII; a file name in another script goes in filename*=",
            )
    due = http.expires_at
    if due is not None and not (_is_whole(due) and 0 <= due <= 253_402_300_799):
        raise InvalidArgument(
            f"expires_at = {due!r} is not a time HTTP can write",
            hint="give whole seconds since 1970",
        )


def check_data(data: bytes | AsyncIterator[bytes]) -> None:
    """Refuse what is neither bytes nor a stream of them.

    Raises:
        InvalidArgument: nothing was read from it.
    """
    given = cast("object", data)
    if not isinstance(given, bytes | bytearray | memoryview) and not hasattr(given, "__aiter__"):
        raise InvalidArgument(
            f"data is bytes or an async iterator of bytes, not {type(given).__name__}",
            hint="encode text: text.encode(); write a stream as an async generator",
        )


def check_chunk(chunk: bytes) -> None:
    """Refuse a chunk of a stream that is not bytes.

    Raises:
        InvalidArgument: nothing of the stream is stored.
    """
    given = cast("object", chunk)
    if not isinstance(given, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"a chunk of the stream is {type(given).__name__}, not bytes",
            hint="encode it: text.encode()",
        )


def check_stated_size(stated: int | None) -> None:
    """Refuse a size that no object can have, before anything of the stream is read.

    Raises:
        InvalidArgument: it is no whole number, negative, or more than R2 holds.
    """
    if stated is not None and not (_is_whole(stated) and 0 <= stated <= OBJECT_SIZE_BYTES_MAX):
        raise InvalidArgument(
            f"size_bytes = {stated!r} is not the size of an object (0 to {OBJECT_SIZE_BYTES_MAX})",
            hint=f"leave size_bytes out where the size is not known; see {LIMITS_SOURCE}",
        )


def check_size(size_bytes: int, stated: int | None) -> None:
    """Refuse an object that is too large for one request, or other than its stated size.

    Raises:
        InvalidArgument: nothing was sent.
    """
    if stated is not None and size_bytes != stated:
        raise InvalidArgument(
            f"size_bytes says {stated}, and there are {size_bytes} bytes",
            hint="leave size_bytes out where the size is not known",
        )
    if size_bytes > OBJECT_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"{size_bytes} bytes are more than R2 holds in one object ({OBJECT_SIZE_BYTES_MAX})",
            hint=f"see {LIMITS_SOURCE}",
        )


def check_presign(method: str, expires_in_seconds: int) -> None:
    """Refuse what cannot be signed.

    Raises:
        InvalidArgument: the method is not GET or PUT, or the URL would live outside 1 s to 7 d.
    """
    if method not in ("GET", "PUT"):
        raise InvalidArgument(f"{method!r} cannot be presigned", hint="use GET or PUT")
    if not _is_whole(expires_in_seconds) or not 1 <= expires_in_seconds <= PRESIGN_SECONDS_MAX:
        raise InvalidArgument(
            f"a URL cannot live {expires_in_seconds!r} s; R2 allows 1 to {PRESIGN_SECONDS_MAX}",
            hint=f"see {PRESIGN_SOURCE}",
        )


def check_digest(digest: str) -> str:
    """The key of a content digest: the same text.

    Raises:
        InvalidArgument: it is not `sha256:` and 64 hexadecimal digits in lower case.
    """
    if not (_is_text(digest) and _DIGEST.fullmatch(digest)):
        raise InvalidArgument(
            f"{digest!r} is not a content digest",
            hint="write 'sha256:' and 64 hexadecimal digits in lower case",
        )
    return digest


def check_conditions(
    key: str, etag: str | None, if_match: str | None, if_none_match: str | None
) -> None:
    """Refuse a call whose conditions the object does not meet.

    Args:
        key: the object's key, for the message.
        etag: the object's etag, or None where there is no object.
        if_match: the etag that it must have; `*` is any.
        if_none_match: the etag that it must not have; `*` is any.

    Raises:
        PreconditionFailed: one of them does not hold.
    """
    if if_match is not None and (etag is None or if_match not in ("*", etag)):
        raise PreconditionFailed(
            f"if_match: the etag of {key!r} is {etag}, not {if_match}", hint=_READ_AGAIN
        )
    if if_none_match is not None and etag is not None and if_none_match in ("*", etag):
        raise PreconditionFailed(
            f"if_none_match: {key!r} exists with the etag {etag}", hint=_READ_AGAIN
        )


def _size(text: str, what: str) -> int:
    if not _is_text(text):
        raise InvalidArgument(f"the {what} is text, not {type(text).__name__}", hint="give a str")
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"the {what} holds a lone surrogate and has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        ) from None


def _is_text(given: object) -> TypeGuard[str]:
    return isinstance(given, str)


def _is_whole(given: object) -> TypeGuard[int]:
    return isinstance(given, int) and not isinstance(given, bool)


def _is_header(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and text == text.strip()
