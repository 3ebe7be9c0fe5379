"""Reading what the API answered: pulled messages and counts. Nothing is guessed.

Every function here either returns what the API documents or raises Malformed with the reason;
whether that leaves a call applied or not is decided where the call is known.
https://developers.cloudflare.com/api/resources/queues/subresources/messages/
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from core_caps.http.envelope import envelope
from core_caps.http.failures import Malformed

from cap_cloudflare_queue.envelopes import Content, Undecodable, decoded

__all__ = ["Pulled", "pulled", "unsettled"]


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
