"""An object's description, in from a request's headers and out into an answer's."""

import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from email.errors import HeaderParseError
from email.header import decode_header
from typing import Final

from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.s3.documents import http_date
from flows_registry.lab.references.s3.refusals import Refusal
from flows_registry.lab.references.s3.store import Described, StoredObject

__all__ = ["described_by", "headers_of", "overridden", "refuse_unimplemented"]

METADATA_SIZE_BYTES_MAX: Final = 8192
"""Source: https://developers.cloudflare.com/r2/platform/limits/"""

_META: Final = "x-amz-meta-"
_HTTP: Final = (
    "content-type",
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
)
_STORAGE_CLASSES: Final = ("STANDARD", "STANDARD_IA")
_CONTENT_TYPE: Final = "application/octet-stream"
_UNIMPLEMENTED = re.compile(
    r"x-amz-(?:tagging|website-redirect-location|object-lock-.*|grant-.*|mfa"
    r"|bypass-governance-retention|expected-bucket-owner|source-expected-bucket-owner"
    r"|server-side-encryption-.*|copy-source-server-side-encryption-.*)\Z"
)
"""What R2 marks as not implemented; and SSE-C, which R2 has and this reference has not."""
_ENCRYPTION: Final = "x-amz-server-side-encryption"


def refuse_unimplemented(request: Request) -> None:
    """Refuse headers that would otherwise be silently dropped.

    Source: https://developers.cloudflare.com/r2/api/s3/api/

    Raises:
        Refusal: NotImplemented, naming the header.
    """
    for name, value in request.headers:
        # Objects are encrypted at rest anyway, so asking for AES256 is granted.
        keys = name == _ENCRYPTION and value != "AES256"
        if keys or _UNIMPLEMENTED.match(name):
            raise Refusal("NotImplemented", f"Header '{name}' with value '{value}' not implemented")


def described_by(request: Request) -> Described:
    """What the request says of the object it writes.

    Raises:
        Refusal: MetadataTooLarge, InvalidStorageClass.
    """
    http = {name: value for name in _HTTP if (value := request.header(name)) is not None}
    if "content-encoding" in http:
        codings = [coding.strip() for coding in http["content-encoding"].split(",")]
        kept = ", ".join(coding for coding in codings if coding and coding != "aws-chunked")
        http["content-encoding"] = kept
        if not kept:
            del http["content-encoding"]
    metadata: dict[str, str] = {}
    for name, value in request.headers:
        if name.startswith(_META):
            key, text = name[len(_META) :], _decoded(value)
            # S3 joins a repeated name as HTTP does.
            metadata[key] = f"{metadata[key]},{text}" if key in metadata else text
    size = sum(len(k.encode()) + len(v.encode("utf-8", "replace")) for k, v in metadata.items())
    if size > METADATA_SIZE_BYTES_MAX:
        raise Refusal("MetadataTooLarge")
    storage_class = request.header("x-amz-storage-class") or "STANDARD"
    if storage_class not in _STORAGE_CLASSES:
        raise Refusal("InvalidStorageClass")
    return Described(http, metadata, storage_class)


def headers_of(stored: StoredObject) -> dict[str, str]:
    """The headers of an object, checksums apart."""
    headers = {
        "etag": f'"{stored.etag}"',
        "last-modified": http_date(stored.modified),
        "accept-ranges": "bytes",
        "content-type": _CONTENT_TYPE,
        **stored.described.http,
    }
    for name, value in stored.described.metadata.items():
        headers[_META + name] = _encoded(value)
    if stored.described.storage_class != "STANDARD":
        headers["x-amz-storage-class"] = stored.described.storage_class
    return headers


def overridden(headers: dict[str, str], query: Mapping[str, str]) -> dict[str, str]:
    """The headers, with the `response-*` parameters of a GetObject over them."""
    for name in _HTTP:
        value = query.get(f"response-{name}")
        if value is not None:
            headers[name] = value
    return headers


def _decoded(value: str) -> str:
    """Metadata as R2 stores it: RFC 2047 words decoded.

    Source: https://developers.cloudflare.com/r2/api/s3/extensions/#extended-metadata-using-unicode
    """
    if not value.isascii():
        # Octets that were read as Latin-1 but mean UTF-8.
        with suppress(UnicodeError):
            return value.encode("latin-1").decode()
    if "=?" not in value:
        return value
    try:
        words = decode_header(value)
        return "".join(
            word if isinstance(word, str) else word.decode(charset or "latin-1")
            for word, charset in words
        )
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return value


def _encoded(value: str) -> str:
    if value.isascii():
        return value
    return f"=?UTF-8?B?{base64.b64encode(value.encode('utf-8', 'replace')).decode()}?="
