"""R2's documented limits, and the one place where arguments are held against them.

Both backends call these checks before anything is sent, so a broken limit is the same error on
the mock and on the real service.
"""

import re
from collections.abc import Mapping

from core_caps.capabilities.blob_store import ByteRange, HttpMetadata
from core_caps.errors import InvalidArgument

__all__ = [
    "COPY_SIZE_BYTES_MAX",
    "KEY_SIZE_BYTES_MAX",
    "LIST_LIMIT_MAX",
    "METADATA_SIZE_BYTES_MAX",
    "OBJECT_SIZE_BYTES_MAX",
    "PARTS_MAX",
    "PART_SIZE_BYTES_MAX",
    "PART_SIZE_BYTES_MIN",
    "PRESIGN_SECONDS_MAX",
    "PUT_SIZE_BYTES_MAX",
    "PUT_WHOLE_BYTES_MAX",
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
]

_MIB = 1024 * 1024
_GIB = 1024 * _MIB
_TIB = 1024 * _GIB

LIMITS_SOURCE = "https://developers.cloudflare.com/r2/platform/limits/"
MULTIPART_SOURCE = "https://developers.cloudflare.com/r2/objects/multipart-objects/"
PRESIGN_SOURCE = "https://developers.cloudflare.com/r2/api/s3/presigned-urls/"
EXTENSIONS_SOURCE = "https://developers.cloudflare.com/r2/api/s3/extensions/"
LIST_SOURCE = "https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"

KEY_SIZE_BYTES_MAX = 1024
"""Of the key's UTF-8 form. Source: LIMITS_SOURCE."""

METADATA_SIZE_BYTES_MAX = 8192
"""Names and values of the custom metadata together, as UTF-8. Source: LIMITS_SOURCE."""

PUT_WHOLE_BYTES_MAX = 100 * _MIB
"""Ours: larger values are sent in parts, so that each request fits well into its deadline."""

OBJECT_SIZE_BYTES_MAX = 5 * _TIB - 5 * _GIB
"""5 GiB less than 5 TiB. Source: LIMITS_SOURCE."""

PUT_SIZE_BYTES_MAX = 5 * _GIB - 5 * _MIB
"""One request's body, which one part is too: 5 MiB less than 5 GiB. Source: LIMITS_SOURCE."""

PART_SIZE_BYTES_MIN = 5 * _MIB
"""Every part of an upload but the last. Source: MULTIPART_SOURCE."""

PART_SIZE_BYTES_MAX = PUT_SIZE_BYTES_MAX
"""Source: LIMITS_SOURCE."""

PARTS_MAX = 10_000
"""Of one upload; all but the last are of equal size. Source: MULTIPART_SOURCE."""

COPY_SIZE_BYTES_MAX = PUT_SIZE_BYTES_MAX
"""One copy is one request, so it is limited like an upload. Source: LIMITS_SOURCE."""

LIST_LIMIT_MAX = 1000
"""Objects and common prefixes together in one page. Source: LIST_SOURCE."""

PRESIGN_SECONDS_MAX = 604_800
"""Seven days. Source: PRESIGN_SOURCE."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ETAG = re.compile(r"[\x21\x23-\x7e]+")
ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
"""RFC 2047, section 2: how R2 takes and gives Unicode in metadata."""

_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # an HTTP token in lower case


def check_key(key: str) -> None:
    """Refuse a key that R2 cannot hold or that a URL cannot carry unchanged.

    Raises:
        InvalidArgument: empty, over 1024 bytes of UTF-8, not encodable, or with a `.` or `..`
            segment, which clients and proxies on the way resolve as a path.
    """
    size = _size(key, "key")
    if size == 0:
        raise InvalidArgument("the key is empty")
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
        InvalidArgument: the prefix is longer than a key may be, or the delimiter is empty.
    """
    if _size(prefix, "prefix") > KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the prefix is longer than a key may be ({KEY_SIZE_BYTES_MAX} bytes)"
        )
    if delimiter is not None and _size(delimiter, "delimiter") == 0:
        raise InvalidArgument("the delimiter is empty", hint="pass None to list without one")


def check_limit(limit: int) -> None:
    """Refuse a page size that R2 does not give.

    Raises:
        InvalidArgument: not between 1 and 1000.
    """
    if not 1 <= limit <= LIST_LIMIT_MAX:
        raise InvalidArgument(
            f"a page of {limit} is not possible; R2 gives 1 to {LIST_LIMIT_MAX}",
            hint=f"follow the cursor for more; see {LIST_SOURCE}",
        )


def check_range(wanted: ByteRange | None) -> ByteRange | None:
    """The range to ask for, or None where it means the whole object.

    Raises:
        InvalidArgument: a negative offset or length, or a range of no bytes.
    """
    if wanted is None or (wanted.offset == 0 and wanted.length is None):
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
        raise InvalidArgument(f"a range of {wanted.length} bytes cannot be asked for")
    return wanted


def check_etag(etag: str | None) -> None:
    """Refuse an etag that cannot be sent, above all one that still has its quotes.

    Raises:
        InvalidArgument: it is empty, quoted, weak, or not printable ASCII.
    """
    if etag is not None and not _ETAG.fullmatch(etag):
        raise InvalidArgument(
            f"{etag!r} is not an etag", hint="pass ObjectInfo.etag as it is, without quotes"
        )


def check_metadata(metadata: Mapping[str, str] | None) -> None:
    """Refuse custom metadata that would not come back as it was stored.

    Over S3 a name is part of an HTTP header's name, so it has no upper case and no Unicode; a
    value may hold any text without control characters that is no RFC 2047 word, which R2 would
    decode (source: EXTENSIONS_SOURCE).

    Raises:
        InvalidArgument: a name or value breaks these rules, or all together have over 8192 bytes.
    """
    total = 0
    for name, value in (metadata or {}).items():
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
        total += len(name) + _size(value, f"metadata value of {name!r}")
    if total > METADATA_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the metadata has {total} bytes; R2 takes at most {METADATA_SIZE_BYTES_MAX}",
            hint=f"store it as an object of its own; see {LIMITS_SOURCE}",
        )


def check_http(http: HttpMetadata | None) -> None:
    """Refuse HTTP metadata that cannot be a header.

    Raises:
        InvalidArgument: a value is empty, not printable ASCII, or has blanks at an end; or
            `expires_at` is before 1970 or beyond the year 9999.
    """
    if http is None:
        return
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
        if not value or not value.isascii() or not value.isprintable() or value != value.strip():
            raise InvalidArgument(
                f"{name} = {value!r} cannot be an HTTP header's value",
                hint="use printable ASCII; a file name in another script goes in filename*=",
            )
    if http.expires_at is not None and not 0 <= http.expires_at <= 253_402_300_799:
        raise InvalidArgument(f"expires_at = {http.expires_at} is not a time HTTP can write")


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
    if method not in {"GET", "PUT"}:
        raise InvalidArgument(f"{method!r} cannot be presigned", hint="use GET or PUT")
    if not 1 <= expires_in_seconds <= PRESIGN_SECONDS_MAX:
        raise InvalidArgument(
            f"a URL cannot live {expires_in_seconds} s; R2 allows 1 to {PRESIGN_SECONDS_MAX}",
            hint=f"see {PRESIGN_SOURCE}",
        )


def check_digest(digest: str) -> str:
    """The key of a content digest: the same text.

    Raises:
        InvalidArgument: it is not `sha256:` and 64 hexadecimal digits in lower case.
    """
    if not _DIGEST.fullmatch(digest):
        raise InvalidArgument(
            f"{digest!r} is not a content digest",
            hint="write 'sha256:' and 64 hexadecimal digits in lower case",
        )
    return digest


def _size(text: str, what: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise InvalidArgument(f"the {what} holds a lone surrogate and has no UTF-8 form") from None
