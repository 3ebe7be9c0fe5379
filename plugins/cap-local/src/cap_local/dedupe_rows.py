"""What is known of work, in SQLite: one row for each key, taken and committed by the batch.

A reservation is one statement for as many keys as a batch has (up to `_ROWS_MAX`), which takes what
is free or the owner's own, says what it took, and leaves the rest to be looked up.
"""

import functools
import itertools
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

__all__ = ["ABANDONED_SECONDS", "SCHEMA", "Row", "committed", "looked_up", "released", "reserved"]

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

Row = tuple[bytes, bytes, bytes, float, bytes | None]
"""Key, owner, payload, until, result."""


def reserved(
    connection: sqlite3.Connection, asked: Mapping[bytes, bytes], shared: tuple[Any, ...]
) -> dict[bytes, Row]:
    """What the rows of these keys are when those that may be taken are.

    Args:
        connection: within a transaction.
        asked: payloads by key.
        shared: the owner, until when its leases hold, now, and when they are forgotten.
    """
    connection.execute(_SWEEP, (shared[2], _SWEPT + 2 * len(asked)))
    rows: dict[bytes, Row] = {}
    some_taken = True
    for some in _some(list(asked.items())):
        wanted = some
        if not some_taken:  # the next are hardly to be had, either
            rows |= _settled(connection, [key for key, _ in some], shared)
            wanted = [(key, payload) for key, payload in some if key not in rows]
        if wanted:
            given = (*itertools.chain.from_iterable(wanted), *shared)
            statement = _with_rows(_RESERVE, len(wanted))
            found: list[Row] = connection.execute(statement, given).fetchall()
            rows.update((row[0], row) for row in found)
            some_taken = bool(found)
    if len(rows) < len(asked):
        rows |= looked_up(connection, [key for key in asked if key not in rows])
    return rows


def _settled(
    connection: sqlite3.Connection, keys: Sequence[bytes], shared: tuple[Any, ...]
) -> dict[bytes, Row]:
    """The rows of those keys that this owner cannot take now."""
    name, _, now, _ = shared
    return {
        key: row
        for key, row in looked_up(connection, keys).items()
        if row[3] > now and (row[4] is not None or row[1] != name)
    }


def committed(
    connection: sqlite3.Connection, results: Mapping[bytes, bytes], shared: tuple[Any, ...]
) -> int:
    """For how many of these keys the result is kept now.

    Args:
        connection: within a transaction.
        results: by key.
        shared: the owner, until when results are remembered, and now.
    """
    kept = 0
    for some in _some(list(results.items())):
        given = (*itertools.chain.from_iterable(some), *shared)
        connection.execute(_with_rows(_COMMIT, len(some)), given)
        kept += connection.execute("SELECT changes()").fetchone()[0]
    return kept


def looked_up(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, Row]:
    """The rows that these keys have."""
    rows: dict[bytes, Row] = {}
    for some in _some(keys):
        found: list[Row] = connection.execute(_with_keys(_LOOK, len(some)), some).fetchall()
        rows.update((row[0], row) for row in found)
    return rows


def released(connection: sqlite3.Connection, keys: Sequence[bytes], owner: bytes) -> None:
    """Forget those of these keys that are this owner's, and not done."""
    for some in _some(keys):
        connection.execute(_with_keys(_RELEASE, len(some)), (owner, *some))


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
