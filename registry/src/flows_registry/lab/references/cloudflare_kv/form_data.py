"""multipart/form-data (RFC 7578), as far as an API that takes one form needs it."""

import re

__all__ = ["FormError", "parse_form"]

_NAME = re.compile(rb';\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))', re.IGNORECASE)
_BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^\s;]+))', re.IGNORECASE)


class FormError(ValueError):
    """The body is not the form that its Content-Type promises."""


def parse_form(content_type: str, body: bytes) -> dict[str, bytes]:
    """The fields of a form by name; of repeated names the last.

    Raises:
        FormError: no boundary, a part without a name, or no closing delimiter.
    """
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise FormError("the Content-Type names no boundary")
    delimiter = b"--" + (found.group(1) or found.group(2)).encode("latin-1")
    if not body.startswith(delimiter):
        raise FormError("the body does not begin with the boundary")
    fields: dict[str, bytes] = {}
    # Each later delimiter belongs to the line break in front of it, so values keep their own.
    sections = (b"\r\n" + body).split(b"\r\n" + delimiter)
    if not sections[-1].startswith(b"--"):
        raise FormError("the closing boundary is missing")
    for section in sections[1:-1]:
        head, gap, value = section.partition(b"\r\n\r\n")
        name = _NAME.search(head)
        if not gap or name is None:
            raise FormError("a part has no name")
        fields[_unescape(name.group(1) or name.group(2) or b"")] = value
    return fields


def _unescape(name: bytes) -> str:
    return re.sub(rb"\\(.)", rb"\1", name).decode("utf-8", "replace")
