"""Reading what the API answered: envelopes, pages, bulk results, Retry-After. Nothing is guessed.

Every function here either returns what the API documents or raises Malformed with the reason;
whether that leaves a write applied or not is decided where the call is known.
https://developers.cloudflare.com/api/resources/kv/
"""

import email.utils
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, cast

from core_caps.capabilities.key_value import KeyInfo

__all__ = [
    "Listing",
    "Malformed",
    "Refusal",
    "bulk_values",
    "envelope",
    "failed_keys",
    "listing",
    "metadata",
    "refusal",
    "retry_after_seconds",
    "value",
]

_DETAIL_CHARACTERS_MAX = 200
_DELAY = re.compile(r"[0-9]{1,15}")


class Malformed(Exception):
    """The answer is not what the API documents; the text is safe to show."""


class Listing(NamedTuple):
    """One page as the service gave it."""

    entries: list[KeyInfo]
    cursor: str | None


class Refusal(NamedTuple):
    """What an error answer says of itself."""

    codes: Sequence[int]
    detail: str


def envelope(body: bytes, content_type: str) -> Mapping[str, Any]:
    """The envelope of a success.

    Raises:
        Malformed: it is not JSON in UTF-8, or does not say `success: true`.
    """
    found = _json(body, content_type)
    match found:
        case {"success": True}:
            return cast("Mapping[str, Any]", found)
        case {"success": False}:
            codes, detail = _errors(cast("Mapping[str, Any]", found))
            raise Malformed(f"status 200 with success false {list(codes)} {detail}".rstrip())
        case _:
            raise Malformed("it is no envelope with `success`")


def refusal(body: bytes, content_type: str) -> Refusal:
    """The codes and messages of an error answer; none where it is not the API's envelope."""
    try:
        found = _json(body, content_type)
    except Malformed:
        return Refusal((), "")
    match found:
        case {"success": False}:
            return _errors(cast("Mapping[str, Any]", found))
        case _:
            return Refusal((), "")


def value(body: bytes, content_type: str) -> bytes:
    """A value: the body itself.

    Raises:
        Malformed: it comes as something else than bytes, a page of a proxy for one.
    """
    if not _is_type(content_type, "application/octet-stream"):
        raise Malformed(f"its content type is {content_type[:80]!r}, not application/octet-stream")
    return body


def metadata(body: bytes, content_type: str) -> Any:
    """The metadata of a key, None where it has none.

    Raises:
        Malformed: it is no envelope of a success, or holds no result.
    """
    found = envelope(body, content_type)
    if "result" not in found:
        raise Malformed("`result` is missing")
    return found["result"]


def listing(body: bytes, content_type: str, *, prefix: str, limit: int) -> Listing:
    """A page of keys.

    Raises:
        Malformed: a line lacks its name, does not start with the prefix, or a full page does not
            say whether there is more.
    """
    found = envelope(body, content_type)
    lines = found.get("result")
    if not isinstance(lines, list):
        raise Malformed("`result` is no list of keys")
    entries = [_line(line, prefix) for line in cast("list[object]", lines)]
    info = found.get("result_info")
    if info is None and len(entries) < limit:
        return Listing(entries, None)
    if not isinstance(info, dict):
        raise Malformed("`result_info` is missing, so more keys may be")
    cursor: object = cast("dict[str, object]", info).get("cursor")
    if cursor is not None and not isinstance(cursor, str):
        raise Malformed("`result_info.cursor` is no text")
    return Listing(entries, cursor or None)


def bulk_values(
    body: bytes, content_type: str, *, keys: Sequence[str]
) -> Mapping[str, bytes | None]:
    """The values of a bulk get that the answer gives exactly.

    The API answers in text, so a value that is not UTF-8 arrives with replacement characters, and
    a key may be left out. Such keys are not in the mapping: they must be read by themselves.

    Raises:
        Malformed: there is no `values` object, or a value is neither text nor null.
    """
    result = envelope(body, content_type).get("result")
    if not isinstance(result, dict):
        raise Malformed("`result` is no object")
    values = cast("dict[str, object]", result).get("values")
    if not isinstance(values, dict):
        raise Malformed("`result.values` is no object")
    exact: dict[str, bytes | None] = {}
    for key in keys:
        text: object = cast("dict[str, object]", values).get(key, "\ufffd")
        if text is None:
            exact[key] = None
        elif not isinstance(text, str):
            raise Malformed("a value is neither text nor null")
        elif "\ufffd" not in text and not _has_surrogate(text):
            exact[key] = text.encode()
    return exact


def failed_keys(body: bytes, content_type: str, *, stored: int | None = None) -> int:
    """How many keys a bulk write names as failed.

    Args:
        body: the answer's body.
        content_type: the answer's content type.
        stored: how many keys must have been written, where the answer counts them.

    Raises:
        Malformed: it is no envelope of a success, or the counts do not add up.
    """
    result = envelope(body, content_type).get("result")
    if result is None:
        return 0
    if not isinstance(result, dict):
        raise Malformed("`result` is no object")
    counts = cast("dict[str, object]", result)
    failed = counts.get("unsuccessful_keys")
    if failed is not None and not isinstance(failed, list):
        raise Malformed("`unsuccessful_keys` is no list")
    named = len(cast("list[object]", failed or []))
    written = counts.get("successful_key_count")
    if stored is not None and written is not None and not named and written != stored:
        raise Malformed(f"{written!r} keys are said to be written of {stored}")
    return named


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for; None where it cannot be read.

    Args:
        header: a number of seconds or an HTTP date, as RFC 9110 section 10.2.3 has it.
        now: seconds since 1970, for a date; one that has passed is no wait at all.
    """
    if header is None:
        return None
    text = header.strip()
    if _DELAY.fullmatch(text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _json(body: bytes, content_type: str) -> object:
    if not _is_type(content_type, "application/json"):
        raise Malformed(f"its content type is {content_type[:80]!r}, not application/json")
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as problem:
        raise Malformed(f"its body is no JSON in UTF-8 ({type(problem).__name__})") from None


def _is_type(content_type: str, expected: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == expected


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _errors(found: Mapping[str, Any]) -> Refusal:
    codes: list[int] = []
    details: list[str] = []
    errors: object = found.get("errors")
    for error in cast("list[object]", errors) if isinstance(errors, list) else ():
        match error:
            case {"code": int(code)}:
                codes.append(code)
                message: object = cast("dict[str, object]", error).get("message")
                details.append(f"{message if isinstance(message, str) else ''} [{code}]".strip())
            case _:
                pass
    shown = "".join(letter if letter.isprintable() else " " for letter in "; ".join(details))
    return Refusal(codes, shown[:_DETAIL_CHARACTERS_MAX])


def _line(line: object, prefix: str) -> KeyInfo:
    match line:
        case {"name": str(name)} if name and not _has_surrogate(name):
            pass
        case _:
            raise Malformed("a line of the listing has no name")
    if not name.startswith(prefix):
        raise Malformed("a key of the listing does not start with the prefix")
    fields = cast("dict[str, Any]", line)
    expiration: object = fields.get("expiration")
    if isinstance(expiration, bool) or not isinstance(expiration, int | float | None):
        raise Malformed("an expiration is no number")
    return KeyInfo(name, None if expiration is None else int(expiration), fields.get("metadata"))


def _has_surrogate(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)
