"""Dedupe in memory: a dictionary of who has a key, what it stands for, and until when."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

from core_caps.capabilities.arguments import checked_seconds
from core_caps.capabilities.dedupe import Answer, Commit, Done, Fresh, InProgress, Reservation
from core_caps.capabilities.dedupe_arguments import encoded
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, KeyCollision, LeaseExpired
from core_caps.rng import Rng

from cap_postgres_neon.config import MockConfig
from cap_postgres_neon.dedupe_arguments import ARGUMENTS

__all__ = ["MockDedupe"]

ABANDONED_SECONDS = 86_400.0
"""So long after its lease a key is remembered that nobody came back for."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A key that somebody reserved; of done work (it has a result), `until` ends its memory."""

    owner: bytes
    payload: bytes
    until: float
    result: bytes | None = None

    def is_forgotten(self, now: float) -> bool:
        abandoned = 0.0 if self.result is not None else ABANDONED_SECONDS
        return self.until + abandoned <= now


_Store = dict[bytes, _Held]
_STORES: dict[str, _Store] = {}
"""The named stores of this process: they outlive their clients, as a database does."""


class MockDedupe:
    """A store in memory, shared by the clients that name it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._name = config.store
        self._clock = clock
        self._store: _Store | None = None

    async def __aenter__(self) -> Self:
        self._store = _STORES.setdefault(self._name, {}) if self._name else {}
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._store = None

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it.

        Raises:
            KeyCollision: the key was seen with another payload (IDEM099); NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        reservations = [Reservation(key, payload)]
        [answer] = await self.reserve_many(reservations, owner=owner, lease_seconds=lease_seconds)
        return answer

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys, answered in their order; all or none.

        Raises:
            KeyCollision: keys were seen with other payloads; NOT_APPLIED, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        asked = encoded(ARGUMENTS.reservations(reservations))
        name = ARGUMENTS.owner(owner).encode()
        lease = checked_seconds(lease_seconds, "lease_seconds")
        store = await self._turn()
        now = self._clock.now()
        for key in [key for key, held in store.items() if held.is_forgotten(now)]:
            del store[key]
        colliding = [key.decode() for key in asked if _collides(store.get(key), asked[key])]
        if colliding:
            raise KeyCollision(
                f"{len(colliding)} of {len(asked)} keys were seen with another payload",
                keys=colliding,
                hint="make the key of all that the work depends on",
            )
        return [_taken(store, key, _Held(name, asked[key], now + lease), now) for key in asked]

    async def commit(
        self, key: str, *, owner: str, result: bytes = b"", ttl_seconds: float
    ) -> None:
        """Record that the work is done; until its time is up the key is answered Done.

        Raises:
            LeaseExpired: the key is not this owner's any more; `leases` names it. NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        await self.commit_many([Commit(key, result)], owner=owner, ttl_seconds=ttl_seconds)

    async def commit_many(
        self, commits: Sequence[Commit], *, owner: str, ttl_seconds: float
    ) -> None:
        """`commit` for several keys; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them. NOT_APPLIED.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        results = encoded(ARGUMENTS.commits(commits))
        name = ARGUMENTS.owner(owner).encode()
        ttl = checked_seconds(ttl_seconds, "ttl_seconds")
        store = await self._turn()
        now = self._clock.now()
        lost = [
            key.decode()
            for key, result in results.items()
            if not _may_commit(store.get(key), name, result, now)
        ]
        if lost:
            raise LeaseExpired(
                f"{len(lost)} of {len(results)} keys are not this owner's any more",
                leases=lost,
                hint="somebody else may have done the work: reserve the keys to learn what "
                "became of them",
            )
        for key, result in results.items():
            store[key] = replace(store[key], result=result, until=now + ttl)

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self.release_many([key], owner=owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys."""
        given = [key.encode() for key in ARGUMENTS.keys(keys)]
        name = ARGUMENTS.owner(owner).encode()
        store = await self._turn()
        for key in given:
            held = store.get(key)
            if held is not None and held.owner == name and held.result is None:
                del store[key]

    async def _turn(self) -> _Store:
        """The store, after others had their turn, as with a real request."""
        self._opened()
        await asyncio.sleep(0)
        return self._opened()

    def _opened(self) -> _Store:
        if self._store is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._store


def _collides(held: _Held | None, payload: bytes) -> bool:
    return held is not None and bool(held.payload and payload) and held.payload != payload


def _taken(store: _Store, key: bytes, wanted: _Held, now: float) -> Answer:
    held = store.get(key)
    if held is not None and held.result is not None:
        return Done(held.result)
    if held is not None and held.owner != wanted.owner and held.until > now:
        return InProgress(held.until)
    payload = wanted.payload if held is None else held.payload or wanted.payload
    store[key] = replace(wanted, payload=payload)
    return Fresh()


def _may_commit(held: _Held | None, owner: bytes, result: bytes, now: float) -> bool:
    if held is None or held.owner != owner:
        return False
    return held.result is None or (held.result == result and held.until > now)
