"""What the bridge answers: each function gives what its table documents, or raises Malformed."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any, cast

from core_caps.capabilities.dedupe import Answer, Done, Fresh, InProgress
from core_caps.capabilities.durable_object import Alarm, Item, ItemPage, ObjectRef
from core_caps.capabilities.sequencer import Appended
from core_caps.http.failures import Malformed
from core_caps.http.json_bodies import read_json

__all__ = [
    "alarm",
    "appended",
    "bytes_or_none",
    "coded",
    "lost",
    "new_ref",
    "nothing",
    "page",
    "reserved",
    "values",
]

_MS_MAX = 2**53


def coded(value: bytes | None) -> str | None:
    """Bytes as the bridge reads them."""
    return None if value is None else base64.b64encode(value).decode()


def nothing(body: bytes, content_type: str) -> None:
    """The answer to a write: that it was made."""
    if _result(body, content_type) is not None:
        raise Malformed("a write is answered with null")


def bytes_or_none(body: bytes, content_type: str) -> bytes | None:
    """A value."""
    return _bytes(_result(body, content_type))


def values(body: bytes, content_type: str, *, keys: Sequence[str]) -> Mapping[str, bytes | None]:
    """The values of these keys."""
    found = _list(_result(body, content_type), "the values")
    if len(found) != len(keys):
        raise Malformed(f"{len(found)} values for {len(keys)} keys")
    return {key: _bytes(value) for key, value in zip(keys, found, strict=True)}


def page(body: bytes, content_type: str, *, limit: int) -> ItemPage:
    """A page of a listing."""
    match _result(body, content_type):
        case {"items": items, "more": bool(more)}:
            found = tuple(_item(each) for each in _list(items, "the items"))
        case _:
            raise Malformed("a page has items and more")
    if len(found) > limit or (more and not found):
        raise Malformed(f"a page of {limit} items has {len(found)} of them, more: {more}")
    return ItemPage(found, more)


def alarm(body: bytes, content_type: str) -> Alarm | None:
    """The alarm."""
    match _result(body, content_type):
        case None:
            return None
        case {"at_ms": at_ms, "rang": bool(rang)}:
            return Alarm(_whole(at_ms, "at_ms") / 1000, rang)
        case _:
            raise Malformed("an alarm has at_ms and rang")


def new_ref(body: bytes, content_type: str) -> ObjectRef:
    """A new object."""
    match _result(body, content_type):
        case {"id": str(identity)} if identity and identity.isascii() and identity.isprintable():
            return ObjectRef(id=identity)
        case _:
            raise Malformed("a new object has an id")


def reserved(
    body: bytes, content_type: str, *, keys: Sequence[str]
) -> tuple[Sequence[Answer], Sequence[str]]:
    """The answers to these keys, or those of them that collide."""
    match _result(body, content_type):
        case {"answers": given}:
            answers = tuple(_answer(each) for each in _list(given, "the answers"))
            colliding: Sequence[str] = ()
        case {"colliding": given}:
            answers, colliding = (), _keys(_list(given, "the keys"), keys)
        case _:
            raise Malformed("keys are answered, or some of them collide")
    if len(answers) != len(keys) and not colliding:
        raise Malformed(f"{len(answers)} answers for {len(keys)} keys")
    return answers, colliding


def lost(body: bytes, content_type: str, *, keys: Sequence[str]) -> Sequence[str]:
    """Those of these keys that are not their owner's."""
    match _result(body, content_type):
        case {"lost": found}:
            return _keys(_list(found, "the keys"), keys)
        case _:
            raise Malformed("a commit is answered with the keys that are lost")


def appended(body: bytes, content_type: str, *, key: str) -> Appended | None:
    """Where the key stands; None where it collides."""
    match _result(body, content_type):
        case {"colliding": [str(found)]} if found == key:
            return None
        case {"inserted": bool(inserted), "sequence": sequence, "first_seen_ms": first_seen_ms}:
            number = _whole(sequence, "sequence")
            if number < 1:
                raise Malformed("a sequence starts from 1")
            return Appended(inserted, number, _whole(first_seen_ms, "first_seen_ms") / 1000)
        case _:
            raise Malformed("an entry has inserted, sequence and first_seen_ms")


def _result(body: bytes, content_type: str) -> Any:
    found = read_json(body, content_type)
    if not isinstance(found, dict) or "result" not in found:
        raise Malformed("it has no result")
    return cast("dict[str, Any]", found)["result"]


def _item(given: object) -> Item:
    match given:
        case [str(key), str(value)]:
            return Item(key, _bytes(value))
        case _:
            raise Malformed("an item is a key and a value")


def _answer(given: object) -> Answer:
    match given:
        case ["fresh"]:
            return Fresh()
        case ["in_progress", int(until) | float(until)] if not isinstance(until, bool):
            return InProgress(float(until))
        case ["done", str(result)]:
            return Done(_bytes(result) or b"")
        case _:
            raise Malformed("a reservation is fresh, in progress or done")


def _bytes(given: object) -> bytes | None:
    if given is None:
        return None
    if not isinstance(given, str):
        raise Malformed("a value is base64, or null")
    try:
        return base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("a value is no base64") from None


def _list(given: object, what: str) -> list[object]:
    if not isinstance(given, list):
        raise Malformed(f"{what} are no list")
    return cast("list[object]", given)


def _keys(found: Sequence[object], asked: Sequence[str]) -> Sequence[str]:
    named = [key for key in found if isinstance(key, str)]
    if len(named) < len(found) or not set(named) <= set(asked):
        raise Malformed("it names keys that it was not asked for")
    return named


def _whole(given: object, what: str) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < _MS_MAX:
        raise Malformed(f"{what} is no whole number")
    return given
