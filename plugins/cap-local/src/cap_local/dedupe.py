"""Dedupe on SQLite: a file for `local`, this process's memory for `mock`.

A key is a row: who has it, what it stands for, and until when. A reservation is one statement for
as many keys as a batch has (up to `_ROWS_MAX`), which takes what is free or the owner's own, says
what it took, and leaves the rest to be looked up. All of a call is one transaction.
"""

import functools
import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

from core_caps.capabilities.dedupe import Answer, Commit, Done, Fresh, InProgress, Reservation
from core_caps.clock import Clock
from core_caps.errors import KeyCollision, LeaseExpired
from core_caps.rng import Rng

from cap_local.config import LocalConfig, MockConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase
from cap_local.work_arguments import (
    checked_commits,
    checked_given_back,
    checked_owner,
    checked_reservations,
    checked_seconds,
)

__all__ = ["LocalDedupe", "MockDedupe"]

SCHEMA = (
    (
        "CREATE TABLE work (key BLOB NOT NULL UNIQUE, owner BLOB NOT NULL, payload BLOB NOT NULL, "
        "until REAL NOT NULL, forget_at REAL NOT NULL, result BLOB) STRICT",
        "CREATE INDEX forgetting ON work (forget_at)",
    ),
)
"""`until` is when the lease runs out; of done work (it has a result), when that is forgotten.

Rows are in the order they came in, so that a batch is together and its commit writes few pages."""

ABANDONED_SECONDS = 86_400.0
"""So long after its lease a key is remembered that nobody came back for."""

_ROWS_MAX = 250
"""Keys of one statement, which is kept ready."""

_SWEPT = 100
"""Forgotten rows that a call removes in any case, beside two for each that it may add."""

_SWEEP = (
    "DELETE FROM work WHERE rowid IN "
    "(SELECT rowid FROM work WHERE forget_at <= ? ORDER BY forget_at LIMIT ?)"
)
_RESERVE = """
WITH asked (key, payload) AS (VALUES {rows})
INSERT INTO work (key, payload, owner, until, forget_at)
SELECT key, payload, {owner}, {until}, {forget_at} FROM asked WHERE true
ON CONFLICT (key) DO UPDATE SET
    payload = CASE WHEN payload = x'' OR result IS NOT NULL THEN excluded.payload ELSE payload END,
    owner = excluded.owner, until = excluded.until, forget_at = excluded.forget_at, result = NULL
WHERE until <= {now} OR (result IS NULL AND owner = excluded.owner)
RETURNING key, owner, payload, until, result
"""
_LOOK = """
WITH asked (key) AS (VALUES {keys})
SELECT work.key, owner, payload, until, result FROM asked CROSS JOIN work ON work.key = asked.key
"""
_COMMIT = """
WITH given (key, result) AS (VALUES {rows})
UPDATE work SET result = given.result, until = {until}, forget_at = {until} FROM given
WHERE work.key = given.key AND owner = {owner}
AND (work.result IS NULL OR (work.result = given.result AND until > {now}))
"""
_RELEASE = "DELETE FROM work WHERE owner = ? AND result IS NULL AND key IN (VALUES {keys})"

_T = TypeVar("_T")

_Row = tuple[bytes, bytes, bytes, float, bytes | None]
"""Key, owner, payload, until, result."""


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
        asked, name = checked_reservations(reservations), checked_owner(owner)
        lease = checked_seconds(lease_seconds, "lease_seconds")

        def job(connection: sqlite3.Connection) -> list[Answer]:
            now = self._clock.now()  # the lease begins when it is granted, however long that took
            until = now + lease
            shared = (name, until, now, until + ABANDONED_SECONDS)
            connection.execute(_SWEEP, (now, _SWEPT + 2 * len(asked)))
            rows = _reserved(connection, asked, shared)
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
        results, name = checked_commits(commits), checked_owner(owner)
        ttl = checked_seconds(ttl_seconds, "ttl_seconds")

        def job(connection: sqlite3.Connection) -> None:
            now = self._clock.now()
            until = now + ttl
            if _committed(connection, results, (name, until, now)) < len(results):
                _refuse_lost(results, _looked_up(connection, list(results)), name, until)

        await self._database.write(job)

    async def release(self, key: str, *, owner: str) -> None:
        """Give the key back: the work was not done, and anybody may take it at once."""
        await self.release_many([key], owner=owner)

    async def release_many(self, keys: Sequence[str], *, owner: str) -> None:
        """`release` for several keys in one transaction."""
        given, name = checked_given_back(keys), checked_owner(owner)

        def job(connection: sqlite3.Connection) -> None:
            for some in _some(given):
                connection.execute(_with_keys(_RELEASE, len(some)), (name, *some))

        await self._database.write(job)


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


def _reserved(
    connection: sqlite3.Connection, asked: Mapping[bytes, bytes], shared: tuple[Any, ...]
) -> dict[bytes, _Row]:
    """What the rows of these keys are when those that may be taken are."""
    rows: dict[bytes, _Row] = {}
    some_taken = True
    for some in _some(list(asked.items())):
        wanted = some
        if not some_taken:  # the next are hardly to be had, either
            rows |= _settled(connection, [key for key, _ in some], shared)
            wanted = [(key, payload) for key, payload in some if key not in rows]
        if wanted:
            given = (*itertools.chain.from_iterable(wanted), *shared)
            statement = _with_rows(_RESERVE, len(wanted))
            found: list[_Row] = connection.execute(statement, given).fetchall()
            rows.update((row[0], row) for row in found)
            some_taken = bool(found)
    if len(rows) < len(asked):
        rows |= _looked_up(connection, [key for key in asked if key not in rows])
    return rows


def _settled(
    connection: sqlite3.Connection, keys: Sequence[bytes], shared: tuple[Any, ...]
) -> dict[bytes, _Row]:
    """The rows of those keys that this owner cannot take now."""
    name, _, now, _ = shared
    return {
        key: row
        for key, row in _looked_up(connection, keys).items()
        if row[3] > now and (row[4] is not None or row[1] != name)
    }


def _committed(
    connection: sqlite3.Connection, results: Mapping[bytes, bytes], shared: tuple[Any, ...]
) -> int:
    """For how many of these keys the result is kept now."""
    kept = 0
    for some in _some(list(results.items())):
        given = (*itertools.chain.from_iterable(some), *shared)
        connection.execute(_with_rows(_COMMIT, len(some)), given)
        kept += connection.execute("SELECT changes()").fetchone()[0]
    return kept


def _looked_up(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, _Row]:
    rows: dict[bytes, _Row] = {}
    for some in _some(keys):
        found: list[_Row] = connection.execute(_with_keys(_LOOK, len(some)), some).fetchall()
        rows.update((row[0], row) for row in found)
    return rows


def _refuse_collisions(asked: Mapping[bytes, bytes], rows: Mapping[bytes, _Row]) -> None:
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
    results: Mapping[bytes, bytes], rows: Mapping[bytes, _Row], owner: bytes, until: float
) -> None:
    """Raise for those that were not just committed; the others are undone by that."""
    kept = {key: row[4] for key, row in rows.items() if row[1] == owner and row[3] == until}
    lost = [key.decode() for key, result in results.items() if kept.get(key) != result]
    raise LeaseExpired(
        f"{len(lost)} of {len(results)} keys are not this owner's any more",
        leases=lost,
        hint="somebody else may have done the work: reserve the keys to learn what became of them",
    )


def _answer(row: _Row, owner: bytes) -> Answer:
    _, holder, _, until, result = row
    if result is not None:
        return Done(result)
    return Fresh() if holder == owner else InProgress(until)


def _some(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """The items, as many at a time as one statement takes."""
    for start in range(0, len(items), _ROWS_MAX):
        yield items[start : start + _ROWS_MAX]


@functools.cache
def _with_rows(statement: str, count: int) -> str:
    """The statement for so many pairs: their parameters, then those that they share."""
    shared = ("owner", "until", "now", "forget_at")
    numbers = {name: f"?{number}" for number, name in enumerate(shared, 2 * count + 1)}
    return statement.format(rows=", ".join(["(?, ?)"] * count), **numbers)


@functools.cache
def _with_keys(statement: str, count: int) -> str:
    return statement.format(keys=", ".join(["(?)"] * count))
