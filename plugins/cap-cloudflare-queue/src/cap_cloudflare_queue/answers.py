"""Reading what the API answered: envelopes, pulled messages, counts, Retry-After. Nothing is
guessed.

Every function here either returns what the API documents or raises Malformed with the reason;
whether that leaves a call applied or not is decided where the call is known.
https://developers.cloudflare.com/api/resources/queues/subresources/messages/
"""

import email.utils
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn, cast

from cap_cloudflare_queue.envelopes import Content, Undecodable, decoded

__all__ = [
    "Malformed",
    "Pulled",
    "Refusal",
    "envelope",
    "pulled",
    "refusal",
    "retry_after_seconds",
    "unsettled",
]

_DETAIL_CHARACTERS_MAX = 200
_DELAY = re.compile(r"[0-9]{1,15}")


class Malformed(Exception):
    """The answer is not what the API documents; the text is safe to show."""


class Pulled(NamedTuple):
    """A message as the service handed it out.

    Attributes:
        sent_at: in seconds since 1970.
    """

    id: str
    content: Content
    attempts: int
    sent_at: float
    lease_id: str


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


def pulled(body: bytes, content_type: str, *, limit: int) -> list[Pulled]:
    """The messages of a pull.

    Raises:
        Malformed: there are more than were asked for, or one lacks its name, lease or body.
    """
    result = envelope(body, content_type).get("result")
    if not isinstance(result, dict):
        raise Malformed("`result` is no object")
    messages = cast("dict[str, object]", result).get("messages")
    if messages is None:
        return []
    if not isinstance(messages, list):
        raise Malformed("`result.messages` is no list")
    found = [_message(message) for message in cast("list[object]", messages)]
    if len(found) > limit:
        raise Malformed(f"there are {len(found)} messages of at most {limit}")
    return found


def unsettled(
    body: bytes, content_type: str, *, counter: str, asked: Sequence[str]
) -> Sequence[str]:
    """The leases, of those asked for, that the service did not settle.

    It counts what it settled and maps lease ids to warnings. Where fewer are counted than were
    asked for and the warnings do not name the others, any of them may be meant: all are returned.

    Raises:
        Malformed: it is no envelope of a success, or the count is none.
    """
    result = envelope(body, content_type).get("result")
    if not isinstance(result, dict):
        raise Malformed("`result` is no object")
    told = cast("dict[str, object]", result)
    warned = [lease for lease in asked if lease in _warnings(told.get("warnings"))]
    count = told.get(counter)
    if count is None:
        return warned
    if isinstance(count, bool) or not isinstance(count, int | float):
        raise Malformed(f"`result.{counter}` is no number")
    if not 0 <= count <= len(asked):
        raise Malformed(f"{count!r} leases are said to be settled of {len(asked)}")
    missing = len(asked) - count
    if not missing:
        return ()
    return warned if len(warned) == missing else asked


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


def _message(message: object) -> Pulled:
    match message:
        case {"id": str(name), "lease_id": str(lease_id), "body": str(body)} if name and lease_id:
            pass
        case _:
            raise Malformed("a message lacks its id, lease_id or body")
    if not lease_id.isascii() or not lease_id.isprintable():
        raise Malformed("a lease_id is no printable ASCII")
    fields = cast("dict[str, object]", message)
    try:
        content = decoded(body, _content_type(fields.get("metadata")))
    except Undecodable as problem:
        raise Malformed(str(problem)) from None
    attempts = _number(fields, "attempts")
    sent_at = _number(fields, "timestamp_ms") / 1000
    return Pulled(name, content, max(1, int(attempts)), sent_at, lease_id)


def _number(fields: Mapping[str, object], name: str) -> float:
    given = fields.get(name)
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given < 2**53:
        raise Malformed(f"the {name} of a message is no number")
    return given


def _content_type(metadata: object) -> str | None:
    match metadata:
        case {"CF-Content-Type": str(content_type)}:
            return content_type
        case _:
            return None


def _warnings(told: object) -> Mapping[str, object]:
    return cast("dict[str, object]", told) if isinstance(told, dict) else {}
