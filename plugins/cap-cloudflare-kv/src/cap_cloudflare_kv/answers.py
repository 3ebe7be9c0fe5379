"""Reading what the API answered: values, pages, bulk results. Nothing is guessed.

Every function here either returns what the API documents or raises Malformed with the reason;
whether that leaves a write applied or not is decided where the call is known.
https://developers.cloudflare.com/api/resources/kv/
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from core_caps.capabilities.key_value import KeyInfo
from core_caps.http.envelope import envelope
from core_caps.http.failures import Malformed
from core_caps.http.json_bodies import has_surrogate, is_type

__all__ = ["Listing", "bulk_values", "failed_keys", "listing", "metadata", "value"]


class Listing(NamedTuple):
    """One page as the service gave it."""

    entries: list[KeyInfo]
    cursor: str | None


def value(body: bytes, content_type: str) -> bytes:
    """A value: the body itself.

    Raises:
        Malformed: it comes as something else than bytes, a page of a proxy for one.
    """
    if not is_type(content_type, "application/octet-stream"):
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
        elif "\ufffd" not in text and not has_surrogate(text):
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


def _line(line: object, prefix: str) -> KeyInfo:
    match line:
        case {"name": str(name)} if name and not has_surrogate(name):
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
