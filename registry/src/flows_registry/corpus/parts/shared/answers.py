"""Reading what the API answered. https://developers.cloudflare.com/api/resources/kv/"""

import email.utils
import json
from typing import Any

from core_caps.capabilities.key_value import KeyInfo

from .wire import Answer

__all__ = ["KEY_NOT_FOUND", "Malformed", "codes", "envelope", "listing", "value", "wait"]

KEY_NOT_FOUND = 10009


class Malformed(Exception):
    """The answer is not what the API documents."""


def envelope(answer: Answer) -> dict[str, Any]:
    """The envelope of a success."""
    _typed(answer, "application/json")
    try:
        found = json.loads(answer.body.decode())
    except ValueError:
        raise Malformed("it is no JSON in UTF-8") from None
    if not isinstance(found, dict) or found.get("success") is not True:
        raise Malformed("it is no envelope of a success")
    return found


def value(answer: Answer) -> bytes:
    """A value: the body itself."""
    _typed(answer, "application/octet-stream")
    return answer.body


def listing(answer: Answer) -> tuple[list[KeyInfo], str | None]:
    """The lines of a page, and the vendor's cursor."""
    found = envelope(answer)
    try:
        lines = [KeyInfo(r["name"], r.get("expiration"), r.get("metadata")) for r in found["result"]]
        return lines, found["result_info"].get("cursor") or None
    except (AttributeError, KeyError, TypeError):
        raise Malformed("it is no page of keys") from None


def codes(answer: Answer) -> list[int]:
    """The codes of an error answer; none where it is not the API's envelope."""
    try:
        return [error["code"] for error in json.loads(answer.body.decode())["errors"]]
    except (KeyError, TypeError, ValueError):
        return []


def wait(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for, in seconds."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return None


def _typed(answer: Answer, expected: str) -> None:
    if answer.damage:
        raise Malformed(answer.damage)
    if answer.headers.get("content-type", "").partition(";")[0].strip() != expected:
        raise Malformed(f"its content type is not {expected}")
