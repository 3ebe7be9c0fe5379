"""What a perfect store would answer: histories, a sequential model, and what may be compared."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from core_caps.capabilities.dedupe import Answer, Commit, Done, Fresh, InProgress, Reservation
from core_caps.contract.suite import Call
from core_caps.errors import InvalidArgument, KeyCollision, LeaseExpired

__all__ = ["DedupeModel", "comparable", "generate", "read_back"]

_KEYS = ("a", "a/b", "é%2F", "b")
_OWNERS = ("one", "two", "One")
_RESULTS = (b"", b"r", bytes(range(256)), b"x" * 5000)
_LEASE_SECONDS, _TTL_SECONDS = 86_400, 864_000
"""Longer than a history takes."""


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over four keys and three owners, with payloads, collisions and refused calls."""
    makers = {
        "reserve": _reserve,
        "reserve_many": _reserve_many,
        "commit": _commit,
        "commit_many": _commit_many,
        "release": _release,
        "release_many": _release_many,
    }
    weights = {"reserve": 5, "commit": 4, "release": 2}
    names = [name for name in makers if name in operations]
    chosen = source.choices(names, [weights.get(name, 2) for name in names], k=length)
    return [makers[name](source, name) for name in chosen]


@dataclass(frozen=True, slots=True)
class _Held:
    owner: str
    payload: bytes
    result: bytes | None = None


class DedupeModel:
    """A dictionary of reservations and results. No time passes in it."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}

    def apply(self, call: Call) -> object:
        """The comparable answer to a call.

        Raises:
            ProviderError: the protocol refuses it; nothing changed.
        """
        answer = getattr(self, f"_{call.operation}")(*call.args, **call.kwargs)
        return comparable(call, answer)

    def state(self) -> object:
        """The held keys: owner, payload and result."""
        return {
            key: (held.owner, held.payload, held.result) for key, held in sorted(self._held.items())
        }

    def _reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        reservations = [Reservation(key, payload)]
        return self._reserve_many(reservations, owner=owner, lease_seconds=lease_seconds)[0]

    def _reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        _checked([each.key for each in reservations], lease_seconds)
        if colliding := [each.key for each in reservations if self._collides(each)]:
            raise KeyCollision("another payload", keys=colliding)
        return [self._taken(each, owner) for each in reservations]

    def _commit(self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float) -> None:
        self._commit_many([Commit(key, result)], owner=owner, ttl_seconds=ttl_seconds)

    def _commit_many(self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float) -> None:
        _checked([each.key for each in commits], ttl_seconds)
        if lost := [each.key for each in commits if not self._may_commit(each, owner)]:
            raise LeaseExpired("not this owner's", leases=lost)
        for each in commits:
            self._held[each.key] = _Held(owner, self._held[each.key].payload, each.result)

    def _release(self, key: str, *, owner: str) -> None:
        self._release_many([key], owner=owner)

    def _release_many(self, keys: Sequence[str], *, owner: str) -> None:
        _checked(list(dict.fromkeys(keys)), 1)
        for key in keys:
            held = self._held.get(key)
            if held is not None and held.owner == owner and held.result is None:
                del self._held[key]

    def _collides(self, reservation: Reservation) -> bool:
        held = self._held.get(reservation.key)
        seen = b"" if held is None else held.payload
        return bool(seen and reservation.payload) and seen != reservation.payload

    def _taken(self, reservation: Reservation, owner: str) -> Answer:
        held = self._held.get(reservation.key) or _Held(owner, b"")
        if held.result is not None:
            return Done(held.result)
        if held.owner != owner:
            return InProgress(0.0)
        self._held[reservation.key] = _Held(owner, held.payload or reservation.payload)
        return Fresh()

    def _may_commit(self, commit: Commit, owner: str) -> bool:
        held = self._held.get(commit.key)
        return held is not None and held.owner == owner and held.result in (None, commit.result)


def comparable(call: Call, result: object) -> object:
    """Answers without the time at which a lease runs out."""
    match result:
        case Fresh():
            return "fresh"
        case InProgress():
            return "in progress"
        case Done(result=kept):
            return {"done": kept}
        case list() | tuple():
            return [comparable(call, each) for each in cast("Sequence[object]", result)]
        case _:
            return result


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every key that the calls name is asked for by somebody else, who then gives it back."""
    keys: dict[str, None] = {}
    for call in calls:
        given = call.args[0] if call.args else call.kwargs.get("key", ())
        named: Sequence[object] = (
            [given] if isinstance(given, str) else cast("Sequence[object]", given)
        )
        for each in named:
            key = each if isinstance(each, str) else getattr(each, "key", None)
            if isinstance(key, str) and key:
                keys[key] = None
    reader: dict[str, object] = {"owner": "reader"}
    asked = {**reader, "lease_seconds": _LEASE_SECONDS}
    return [
        *(Call("reserve", (key,), asked) for key in keys),
        Call("release_many", (list(keys),), reader),
    ]


def _owned(source: random.Random, **more: object) -> dict[str, object]:
    return {"owner": source.choice(_OWNERS), **more}


def _key(source: random.Random) -> str:
    return "" if source.random() < 0.02 else source.choice(_KEYS)


def _keys(source: random.Random) -> list[str]:
    keys: list[str] = [*source.sample(_KEYS, source.randint(0, len(_KEYS)))]
    return [*keys, *keys[:1]] if source.random() < 0.1 else keys


def _payload(source: random.Random, key: str) -> bytes:
    drawn = source.random()
    return b"" if drawn < 0.6 else b"another" if drawn < 0.68 else f"of {key}".encode()


def _reserve(source: random.Random, operation: str) -> Call:
    key = _key(source)
    named = _owned(source, lease_seconds=0 if source.random() < 0.02 else _LEASE_SECONDS)
    payload = _payload(source, key)
    return Call(operation, (key,), {**named, "payload": payload} if payload else named)


def _reserve_many(source: random.Random, operation: str) -> Call:
    batch = [Reservation(key, _payload(source, key)) for key in _keys(source)]
    return Call(operation, (batch,), _owned(source, lease_seconds=_LEASE_SECONDS))


def _commit(source: random.Random, operation: str) -> Call:
    named = _owned(source, result=source.choice(_RESULTS), ttl_seconds=_TTL_SECONDS)
    return Call(operation, (_key(source),), named)


def _commit_many(source: random.Random, operation: str) -> Call:
    batch = [Commit(key, source.choice(_RESULTS)) for key in _keys(source)[:2]]
    return Call(operation, (batch,), _owned(source, ttl_seconds=_TTL_SECONDS))


def _release(source: random.Random, operation: str) -> Call:
    return Call(operation, (_key(source),), _owned(source))


def _release_many(source: random.Random, operation: str) -> Call:
    return Call(operation, (_keys(source),), _owned(source))


def _checked(keys: Sequence[str], seconds: float) -> None:
    if not all(keys) or len(set(keys)) < len(keys) or seconds <= 0:
        raise InvalidArgument("a key is empty or given twice, or a time is none")
