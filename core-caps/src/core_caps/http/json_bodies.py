"""JSON as a body: strict in what is read, compact in what is sent."""

import json
from typing import NoReturn

from core_caps.http.failures import Malformed

__all__ = ["has_surrogate", "is_type", "read_json", "written_json"]


def read_json(body: bytes, content_type: str) -> object:
    """The content of an answer in JSON.

    Raises:
        Malformed: it is of another type, no UTF-8, or no JSON.
    """
    if not is_type(content_type, "application/json"):
        raise Malformed(f"its content type is {content_type[:80]!r}, not application/json")
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"its body is no JSON in UTF-8 ({type(problem).__name__})") from None


def written_json(content: object) -> bytes:
    """The content as the body of a request."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def is_type(content_type: str, expected: str) -> bool:
    """Whether a Content-Type header names this type, whatever its parameters are."""
    return content_type.partition(";")[0].strip().lower() == expected


def has_surrogate(text: str) -> bool:
    r"""Whether it is no text in Unicode: JSON can hold "\ud800", and UTF-8 cannot."""
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
