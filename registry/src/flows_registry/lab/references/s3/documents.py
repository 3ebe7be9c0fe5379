"""The XML of the S3 API, both ways, and the small forms inside it: dates, etags, url encoding."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from flows_registry.lab.references.exchange import Response
from flows_registry.lab.references.s3.refusals import Refusal

__all__ = [
    "Element",
    "answer",
    "error_document",
    "http_date",
    "iso_date",
    "key_encoder",
    "parse_document",
    "seconds_of",
    "text_of",
    "unquoted",
]

Content = str | int | bool | Iterable["Element"]
Element = tuple[str, Content]
"""A name, and its text or its children."""

_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"
_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
_SPECIAL = re.compile("[&<>\"'\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NAMED: Final[Mapping[str, str]] = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&apos;",
}


def answer(root: str, content: Content, headers: Mapping[str, str] | None = None) -> Response:
    """A 200 with a document of that root."""
    body = f'{_DECLARATION}<{root} xmlns="{_NAMESPACE}">{_rendered(content)}</{root}>'
    named = (("content-type", "application/xml"), *(headers or {}).items())
    return Response(200, named, body.encode("utf-8", "replace"))


def error_document(code: str, message: str, resource: str, request_id: str) -> bytes:
    """The body of an error.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """
    fields = {"Code": code, "Message": message, "Resource": resource, "RequestId": request_id}
    return f"{_DECLARATION}<Error>{_rendered(fields.items())}</Error>".encode()


def _rendered(content: Content) -> str:
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, int):
        return str(content)
    if isinstance(content, str):
        return _SPECIAL.sub(_escaped, content)
    return "".join(f"<{name}>{_rendered(inner)}</{name}>" for name, inner in content)


def _escaped(found: re.Match[str]) -> str:
    # XML 1.0 has no way to write most control characters; S3 writes the reference all the same.
    return _NAMED.get(found[0]) or f"&#x{ord(found[0]):x};"


def parse_document(body: bytes, root: str) -> ET.Element:
    """The document, its namespaces dropped.

    Raises:
        Refusal: MalformedXML.
    """
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        raise Refusal("MalformedXML")
    try:
        document = ET.fromstring(body)  # noqa: S314 - entities were refused above
    except (ET.ParseError, ValueError, LookupError):
        raise Refusal("MalformedXML") from None
    for element in document.iter():
        element.tag = element.tag.rpartition("}")[2]
    if document.tag != root:
        raise Refusal("MalformedXML")
    return document


def text_of(element: ET.Element, name: str) -> str | None:
    """The text of a child, or None where there is no such child."""
    child = element.find(name)
    return None if child is None else (child.text or "")


def unquoted(etag: str) -> str:
    """An etag without its quotes; S3 takes both forms."""
    etag = etag.strip()
    if etag.startswith("W/"):
        return etag
    return etag[1:-1] if len(etag) > 1 and etag[0] == etag[-1] == '"' else etag


@lru_cache(maxsize=1024)
def http_date(seconds: float) -> str:
    """An IMF-fixdate: whole seconds, GMT."""
    return formatdate(int(seconds), usegmt=True)


@lru_cache(maxsize=1024)
def iso_date(seconds: float) -> str:
    """The form that listings use: milliseconds, Z."""
    moment = datetime.fromtimestamp(int(seconds * 1000) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def seconds_of(date: str) -> float | None:
    """Seconds since 1970 of an HTTP date; None where it is none (and then it is ignored)."""
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def key_encoder(encoding_type: str | None) -> Callable[[str], str]:
    """How a listing writes keys.

    Raises:
        Refusal: InvalidArgument for an encoding that is not "url".
    """
    if encoding_type is None:
        return str
    if encoding_type != "url":
        raise Refusal("InvalidArgument", "Invalid Encoding Method specified in Request")
    return lambda key: quote(key, safe="/-_.~*")
