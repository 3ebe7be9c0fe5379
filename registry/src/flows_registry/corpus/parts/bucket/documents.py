"""What the service says of objects, in headers and in XML."""

import base64
import datetime as dt
import xml.etree.ElementTree as ET
from email.header import decode_header
from email.utils import formatdate, parsedate_to_datetime
from collections.abc import Mapping

from core_caps.capabilities.blob_store import BlobPage, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import seal

from .limits import HEADERS
from .wire import Answer

__all__ = ["Malformed", "document", "etag_in", "headers_of", "info_of", "page_of"]

_META = "x-amz-meta-"


class Malformed(Exception):
    """The answer is not what the API documents."""


def headers_of(http: HttpMetadata | None, metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The headers that keep this with the object."""
    given = http or HttpMetadata()
    found = {name.replace("_", "-"): getattr(given, name) for name in HEADERS}
    kept = {name: text for name, text in found.items() if text is not None}
    if given.expires_at is not None:
        kept["expires"] = formatdate(given.expires_at, usegmt=True)
    return {**kept, **{_META + name: _word(text) for name, text in (metadata or {}).items()}}


def info_of(key: str, answer: Answer, size_bytes: int) -> ObjectInfo:
    """What the headers of an answer say of its object."""
    found = {name: answer.headers.get(name.replace("_", "-")) for name in HEADERS}
    try:
        written = parsedate_to_datetime(answer.headers["last-modified"]).timestamp()
        due = answer.headers.get("expires")
        expires = None if due is None else int(parsedate_to_datetime(due).timestamp())
        metadata = {k.removeprefix(_META): _unword(v) for k, v in answer.headers.items() if k.startswith(_META)}
    except (KeyError, ValueError, LookupError):
        raise Malformed("its headers cannot be read") from None
    return ObjectInfo(key, size_bytes, etag_in(answer), written, HttpMetadata(**found, expires_at=expires), metadata)


def etag_in(answer: Answer) -> str:
    """The etag of what was written or read."""
    etag = answer.headers.get("etag", "")
    if len(etag) < 3 or etag[0] != '"' or etag[-1] != '"':
        raise Malformed("it has no etag")
    return etag[1:-1]


def document(answer: Answer, root: str) -> ET.Element:
    """The document of that root."""
    if answer.damage or b"<!DOCTYPE" in answer.body:
        raise Malformed(answer.damage or "it is no document of the API")
    try:
        found = ET.fromstring(answer.body)
    except (ET.ParseError, ValueError, LookupError):
        raise Malformed("it is no XML") from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if found.tag != root:
        raise Malformed(f"it is no {root}")
    return found


def page_of(answer: Answer, prefix: str, delimiter: str | None, limit: int) -> BlobPage:
    """A page of a listing."""
    found = document(answer, "ListBucketResult")
    try:
        objects = tuple(
            ObjectInfo(
                _text(line, "Key"),
                int(_text(line, "Size")),
                _text(line, "ETag").strip('"'),
                dt.datetime.fromisoformat(_text(line, "LastModified")).timestamp(),
            )
            for line in found.findall("Contents")
        )
        prefixes = tuple(_text(line, "Prefix") for line in found.findall("CommonPrefixes"))
        token = _text(found, "NextContinuationToken") if _text(found, "IsTruncated") == "true" else None
    except ValueError:
        raise Malformed("it is no page of objects") from None
    names = [*(info.key for info in objects), *prefixes]
    if len(names) > limit or not all(name.startswith(prefix) for name in names):
        raise Malformed("it is not the page that was asked for")
    return BlobPage(objects, prefixes, None if token is None else seal(token, prefix, delimiter))


def _text(element: ET.Element, name: str) -> str:
    found = element.findtext(name)
    if found is None:
        raise ValueError(name)
    return found


def _word(text: str) -> str:
    return text if text.isascii() else f"=?UTF-8?B?{base64.b64encode(text.encode()).decode()}?="


def _unword(text: str) -> str:
    if "=?" not in text:
        return text
    return "".join(t if isinstance(t, str) else t.decode(c or "latin-1") for t, c in decode_header(text))
