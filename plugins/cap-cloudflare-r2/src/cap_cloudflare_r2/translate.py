"""Metadata as S3 headers and back.

R2 decodes RFC 2047 words in `x-amz-meta-*` values before it stores them and encodes Unicode
values so when it answers: https://developers.cloudflare.com/r2/api/s3/extensions/
"""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.utils import parsedate_to_datetime

from core_caps.capabilities.blob_store import HttpMetadata, ObjectInfo

from cap_cloudflare_r2.arguments import ENCODED_WORD

__all__ = [
    "decode_value",
    "encode_value",
    "http_of",
    "info_of",
    "metadata_of",
    "parameters_of",
    "seconds_of",
]

_META = "x-amz-meta-"

_HTTP_PARAMETERS: Mapping[str, str] = {
    "content_type": "ContentType",
    "content_language": "ContentLanguage",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "cache_control": "CacheControl",
}


# RFC 2047 allows 75 characters per encoded word; 45 bytes are 60 of base64 and 12 of frame.
_WORD_BYTES = 45


def encode_value(value: str) -> str:
    """A metadata value as an ASCII header value."""
    if value.isascii():
        return value
    words: list[str] = []
    chunk = b""
    for character in value:  # a word must not split a character (RFC 2047, section 5)
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(_word(chunk))
            chunk = b""
        chunk += encoded
    return " ".join([*words, _word(chunk)])


def decode_value(text: str) -> str:
    """A header value as the metadata value it stands for; unreadable words are left as text."""
    if not ENCODED_WORD.search(text):
        return text
    try:
        pieces = decode_header(text)
        return "".join(
            piece if isinstance(piece, str) else piece.decode(charset or "ascii")
            for piece, charset in pieces
        )
    except (HeaderParseError, LookupError, UnicodeDecodeError):
        return text


def seconds_of(date: str | None) -> float | None:
    """An HTTP date in seconds since 1970, or None where it is absent or not a date."""
    if date is None:
        return None
    try:
        parsed = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return None
    if parsed.tzinfo is None:  # the zone "-0000"; HTTP dates are always UTC
        parsed = parsed.replace(tzinfo=UTC)
    return parsed.timestamp()


def http_of(headers: Mapping[str, str]) -> HttpMetadata:
    """The HTTP metadata in a response's headers (names in lower case)."""
    expires = seconds_of(headers.get("expires"))
    return HttpMetadata(
        content_type=headers.get("content-type"),
        content_language=headers.get("content-language"),
        content_disposition=headers.get("content-disposition"),
        content_encoding=headers.get("content-encoding"),
        cache_control=headers.get("cache-control"),
        expires_at=None if expires is None else int(expires),
    )


def metadata_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The custom metadata in a response's headers (names in lower case), in name order."""
    return {
        name.removeprefix(_META): decode_value(value)
        for name, value in sorted(headers.items())
        if name.startswith(_META)
    }


def info_of(key: str, headers: Mapping[str, str], *, etag: str, size_bytes: int) -> ObjectInfo:
    """What a response's headers say of an object; etag and size were checked by the caller."""
    return ObjectInfo(
        key=key,
        size_bytes=size_bytes,
        etag=etag,
        uploaded_at=seconds_of(headers.get("last-modified")),
        http=http_of(headers),
        metadata=metadata_of(headers),
    )


def parameters_of(
    http: HttpMetadata | None, metadata: Mapping[str, str] | None
) -> dict[str, object]:
    """The parameters with which boto3 stores this metadata; absent where there is nothing."""
    parameters: dict[str, object] = {}
    if metadata:
        parameters["Metadata"] = {name: encode_value(value) for name, value in metadata.items()}
    if http is not None:
        for field, parameter in _HTTP_PARAMETERS.items():
            value: str | None = getattr(http, field)
            if value is not None:
                parameters[parameter] = value
        if http.expires_at is not None:
            parameters["Expires"] = datetime.fromtimestamp(http.expires_at, UTC)
    return parameters


def _word(chunk: bytes) -> str:
    return f"=?UTF-8?B?{base64.b64encode(chunk).decode()}?="
