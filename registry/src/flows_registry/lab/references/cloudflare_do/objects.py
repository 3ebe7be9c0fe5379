"""One object of the bridge's storage class: its keys, its alarm, and what requests do to them."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows_registry.lab.references.cloudflare_do import reading
from flows_registry.lab.references.cloudflare_do.refusal import Refusal, invalid

__all__ = ["STORAGE", "StorageObject"]


@dataclass(slots=True)
class StorageObject:
    """Values by key, and when the alarm rings, in milliseconds since 1970."""

    values: dict[str, bytes] = field(default_factory=dict[str, bytes])
    alarm_ms: int | None = None

    def shown(self) -> dict[str, Any]:
        """The object as a state shows it: digests for values."""
        digests = {
            key: {"sha256": hashlib.sha256(value).hexdigest(), "size_bytes": len(value)}
            for key, value in sorted(self.values.items())
        }
        return {"values": digests, "alarm_ms": self.alarm_ms}


def _get(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    return _coded(one.values.get(reading.key(given.get("key"))))


def _get_many(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    keys = reading.keys_of(given.get("keys"), reading.KEYS_MAX)
    values = [one.values.get(key) for key in keys]
    if sum(len(value or b"") for value in values) > reading.ANSWER_BYTES_MAX:
        raise invalid("the values are too large; ask for fewer keys")
    return [_coded(value) for value in values]


def _list(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    limit, reverse = given.get("limit", 100), given.get("reverse", False)
    if type(limit) is not int or not 1 <= limit <= reading.LIST_LIMIT_MAX:
        raise invalid("limit is out of range")
    bounds = {name: given.get(name) for name in ("prefix", "start", "start_after", "end")}
    if not all(bound is None or isinstance(bound, str) for bound in bounds.values()):
        raise invalid("a bound is text")
    if bounds["start"] and bounds["start_after"]:
        raise invalid("there are two beginnings")
    within = sorted((key for key in one.values if _within(key, bounds)), key=str.encode)
    if reverse:
        within.reverse()
    items: list[tuple[str, str | None]] = []
    size = 0
    for key in within[:limit]:
        size += len(one.values[key])
        if items and size > reading.PAGE_BYTES_MAX:
            break
        items.append((key, _coded(one.values[key])))
    return {"items": items, "more": len(within) > len(items)}


def _within(key: str, bounds: Mapping[str, str | None]) -> bool:
    raw = key.encode()
    start, after, end = bounds["start"], bounds["start_after"], bounds["end"]
    return (
        key.startswith(bounds["prefix"] or "")
        and (start is None or raw >= start.encode())
        and (after is None or raw > after.encode())
        and (end is None or raw < end.encode())
    )


def _get_alarm(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    at = one.alarm_ms
    return None if at is None else {"at_ms": at, "rang": at <= now * 1000}


def _put(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    key = reading.key(given.get("key"))
    reading.stored_bytes(given.get("value"))
    _apply(one, reading.pairs_of([[key, given.get("value")]], 1))


def _delete(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    one.values.pop(reading.key(given.get("key")), None)


def _delete_all(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    one.values.clear()
    one.alarm_ms = None


def _transaction(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    changes = reading.pairs_of(given.get("changes"), reading.KEYS_MAX)
    expected = reading.pairs_of(given.get("if_values") or [], reading.KEYS_MAX)
    differing = [key for key, value in expected.items() if one.values.get(key) != value]
    if differing:
        said = f"{len(differing)} keys are not as expected"
        raise Refusal(412, "precondition_failed", said)
    _apply(one, changes)


def _set_alarm(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    one.alarm_ms = reading.time_ms(given.get("at_ms"))


def _delete_alarm(one: StorageObject, given: Mapping[str, Any], now: float) -> Any:
    at = given.get("at_ms")
    if at is None or at == one.alarm_ms:
        one.alarm_ms = None


def _apply(one: StorageObject, changes: Mapping[str, bytes | None]) -> None:
    for key, value in changes.items():
        if value is None:
            one.values.pop(key, None)
        else:
            one.values[key] = value


def _coded(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


STORAGE: Final[Mapping[str, Callable[[StorageObject, Mapping[str, Any], float], Any]]] = {
    "get": _get,
    "get_many": _get_many,
    "list": _list,
    "get_alarm": _get_alarm,
    "put": _put,
    "delete": _delete,
    "delete_all": _delete_all,
    "transaction": _transaction,
    "set_alarm": _set_alarm,
    "delete_alarm": _delete_alarm,
}
"""What a storage object does, by operation: `(object, request, now) → result`."""
