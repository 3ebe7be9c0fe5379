"""Dedupe on SQLite: a file for `local`, this process's memory for `mock`.

All of a call is one transaction.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Self

from core_caps.capabilities.arguments import checked_seconds
from core_caps.capabilities.dedupe import Answer, Commit, Done, Fresh, InProgress, Reservation
from core_caps.capabilities.dedupe_arguments import Arguments, encoded
from core_caps.clock import Clock
from core_caps.errors import KeyCollision, LeaseExpired
from core_caps.rng import Rng

from cap_local.config import LocalConfig, MockConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase
from cap_local.dedupe_rows import (
    ABANDONED_SECONDS,
    SCHEMA,
    Row,
    committed,
    looked_up,
    released,
    reserved,
)

__all__ = ["LocalDedupe", "MockDedupe"]

_ARGUMENTS = Arguments()
"""A batch may be of any size."""


class _Dedupe:
    """Dedupe on a database; `LocalDedupe` and `MockDedupe` say on which."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def reserve(
        self, key: str, *, owner: str, lease_seconds: float, payload: bytes = b""
    ) -> Answer:
        """Take the key if nobody has it, or say what became of it.

        Raises:
            KeyCollision: the key was seen with another payload (IDEM099); NOT_APPLIED.
            InvalidArgument: an argument is empty or out of range; NOT_APPLIED.
        """
        reservations = [Reservation(key, payload)]
        (answer,) = await self.reserve_many(reservations, owner=owner, lease_seconds=lease_seconds)
        return answer

    async def reserve_many(
        self, reservations: Sequence[Reservation], *, owner: str, lease_seconds: float
    ) -> Sequence[Answer]:
        """`reserve` for several keys in one transaction, answered in their order; all or none.

        Raises:
            KeyCollision: keys were seen with other payloads; NOT_APPLIED, for any of them.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        asked = encoded(_ARGUMENTS.reservations(reservations))
        name = _ARGUMENTS.owner(owner).encode()
        lease = checked_seconds(lease_seconds, "lease_seconds")

        def job(connection: sqlite3.Connection) -> list[Answer]:
            now = self._clock.now()  # the lease begins when it is granted, however long that took
            until = now + lease
            shared = (name, until, now, until + ABANDONED_SECONDS)
            rows = reserved(connection, asked, shared)
            _refuse_collisions(asked, rows)
            return [_answer(rows[key], name) for key in asked]

        return await self._database.write(job)

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
        """`commit` for several keys in one transaction; all or none.

        Raises:
            LeaseExpired: some keys are not this owner's; `leases` names them. NOT_APPLIED.
            InvalidArgument: an argument is out of range, or a key is given twice; NOT_APPLIED.
        """
        results = encoded(_ARGUMENTS.commits(commits))
        name = _ARGUMENTS.owner(owner).encode()
        ttl = checked_seconds(ttl_seconds, "ttl_seconds")

        def job(connection: sqlite3.Connection) -> None:
            now = self._clock.now()
            until = now + ttl
            if committed(connection, results, (name, until, now)) < len(results):
                _refuse_lost(results, looked_up(connection, list(results)), name, until)

        await self._database.write(job)

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self.release_many([key], owner=owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one transaction."""
        given = [key.encode() for key in _ARGUMENTS.keys(keys)]
        name = _ARGUMENTS.owner(owner).encode()
        await self._database.write(lambda connection: released(connection, given, name))


class LocalDedupe(_Dedupe):
    """A store in the folder, shared by every process that names it."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(FileDatabase(config.folder / "dedupe.sqlite", SCHEMA), clock)


class MockDedupe(_Dedupe):
    """A store in memory, shared by the clients that name it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(MemoryDatabase("dedupe", config.store, SCHEMA), clock)


def _refuse_collisions(asked: Mapping[bytes, bytes], rows: Mapping[bytes, Row]) -> None:
    """Raise where a key has another payload; what was taken is undone by that."""
    colliding = [
        key.decode()
        for key, payload in asked.items()
        if payload and rows[key][2] not in (b"", payload)
    ]
    if colliding:
        raise KeyCollision(
            f"{len(colliding)} of {len(asked)} keys were seen with another payload",
            keys=colliding,
            hint="make the key of all that the work depends on",
        )


def _refuse_lost(
    results: Mapping[bytes, bytes], rows: Mapping[bytes, Row], owner: bytes, until: float
) -> None:
    """Raise for those that were not just committed; the others are undone by that."""
    kept = {key: row[4] for key, row in rows.items() if row[1] == owner and row[3] == until}
    lost = [key.decode() for key, result in results.items() if kept.get(key) != result]
    raise LeaseExpired(
        f"{len(lost)} of {len(results)} keys are not this owner's any more",
        leases=lost,
        hint="somebody else may have done the work: reserve the keys to learn what became of them",
    )


def _answer(row: Row, owner: bytes) -> Answer:
    _, holder, _, until, result = row
    if result is not None:
        return Done(result)
    return Fresh() if holder == owner else InProgress(until)
