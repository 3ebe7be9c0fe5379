"""One object of the bridge's ledger class: who may do which work, and what came in which order."""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flows_registry.lab.references.cloudflare_do import reading
from flows_registry.lab.references.cloudflare_do.refusal import invalid

__all__ = ["LEDGER", "LedgerObject"]


@dataclass(slots=True)
class Work:
    """A key that was reserved.

    Attributes:
        until: when its lease runs out; with a result, when that is forgotten.
        held_seconds: how long either was asked for.
    """

    owner: str
    payload: bytes
    until: float
    held_seconds: float
    result: bytes | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A key that was appended."""

    sequence: int
    digest: str
    first_seen_ms: int


@dataclass(slots=True)
class LedgerObject:
    """Work and entries by key."""

    work: dict[str, Work] = field(default_factory=dict[str, Work])
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])

    def shown(self) -> dict[str, Any]:
        """The object as a state shows it, without the times that its own clock gave."""
        return {
            "work": {
                key: {
                    "owner": held.owner,
                    "payload": held.payload.hex(),
                    "held_seconds": held.held_seconds,
                    "result": None
                    if held.result is None
                    else hashlib.sha256(held.result).hexdigest(),
                }
                for key, held in sorted(self.work.items())
            },
            "entries": {
                key: {"sequence": entry.sequence, "digest": entry.digest}
                for key, entry in sorted(self.entries.items())
            },
        }

    def known(self, key: str, now: float) -> Work | None:
        """The key's work, unless its result is forgotten."""
        held = self.work.get(key)
        if held is not None and held.result is not None and held.until <= now:
            return None
        return held


def _reserve_many(one: LedgerObject, given: Mapping[str, Any], now: float) -> Any:
    lease, owner = (
        reading.seconds(given.get("lease_seconds")),
        reading.text(given.get("owner"), "owner"),
    )
    asked = reading.pairs_of(given.get("reservations"), reading.BATCH_MAX)
    known = {key: one.known(key, now) for key in asked}
    colliding = [
        key
        for key, payload in asked.items()
        if (held := known[key]) and payload and held.payload not in (b"", payload)
    ]
    if colliding:
        return {"colliding": colliding}
    if sum(len(held.result or b"") for held in known.values() if held) > reading.ANSWER_BYTES_MAX:
        raise invalid("the results are too large; ask for fewer keys")
    answers: list[Any] = []
    for key, payload in asked.items():
        held = known[key]
        if held is not None and held.result is not None:
            answers.append(("done", base64.b64encode(held.result).decode()))
        elif held is not None and held.owner != owner and now < held.until:
            answers.append(("in_progress", held.until))
        else:
            kept = (held.payload if held else b"") or payload or b""
            one.work[key] = Work(owner, kept, now + lease, lease)
            answers.append(("fresh",))
    return {"answers": answers}


def _commit_many(one: LedgerObject, given: Mapping[str, Any], now: float) -> Any:
    ttl, owner = reading.seconds(given.get("ttl_seconds")), given.get("owner")
    results = reading.pairs_of(given.get("commits"), reading.BATCH_MAX)
    lost = [
        key
        for key, result in results.items()
        if not (held := one.known(key, now))
        or held.owner != owner
        or held.result not in (None, result)
    ]
    for key, result in results.items() if not lost else ():
        held = one.work[key]
        held.result, held.until, held.held_seconds = result, now + ttl, ttl
    return {"lost": lost}


def _release_many(one: LedgerObject, given: Mapping[str, Any], now: float) -> Any:
    for key in reading.keys_of(given.get("keys"), reading.BATCH_MAX):
        held = one.work.get(key)
        if held is not None and held.owner == given.get("owner") and held.result is None:
            del one.work[key]


def _append(one: LedgerObject, given: Mapping[str, Any], now: float) -> Any:
    key, digest = reading.key(given.get("key")), reading.text(given.get("digest"), "digest")
    known = one.entries.get(key)
    entry = known or Entry(len(one.entries) + 1, digest, int(now * 1000))
    if entry.digest != digest:
        return {"colliding": [key]}
    one.entries[key] = entry
    return {
        "inserted": known is None,
        "sequence": entry.sequence,
        "first_seen_ms": entry.first_seen_ms,
    }


LEDGER: Final[Mapping[str, Callable[[LedgerObject, Mapping[str, Any], float], Any]]] = {
    "reserve_many": _reserve_many,
    "commit_many": _commit_many,
    "release_many": _release_many,
    "append": _append,
}
"""What a ledger object does, by operation: `(object, request, now) → result`."""
