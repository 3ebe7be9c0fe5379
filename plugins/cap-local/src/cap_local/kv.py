"""KeyValue on SQLite: a file for `local`, this process's memory for `mock`."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Self, cast

from core_caps.capabilities.cursors import seal, unseal
from core_caps.capabilities.key_value import Entry, KeyInfo, Metadata, Page
from core_caps.clock import Clock
from core_caps.errors import InvalidArgument
from core_caps.rng import Rng

from cap_local.arguments import (
    checked_expiry,
    checked_key,
    checked_keys,
    checked_limit,
    checked_metadata,
    checked_prefix,
    checked_value,
)
from cap_local.config import LocalConfig, MockConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase

__all__ = ["LocalKv", "MockKv"]

SCHEMA = (
    (
        "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL, metadata TEXT, "
        "expires_at INTEGER) STRICT, WITHOUT ROWID",
        "CREATE INDEX expiring ON entries (expires_at) WHERE expires_at IS NOT NULL",
    ),
)
"""Keys are kept in UTF-8, so that SQLite orders them by their bytes."""

_GET = (
    "SELECT value, metadata FROM entries WHERE key = ? AND (expires_at IS NULL OR expires_at > ?)"
)
_LIST = (
    "SELECT key, expires_at, metadata FROM entries WHERE key > ? AND key >= ? AND key < ? "
    "AND (expires_at IS NULL OR expires_at > ?) ORDER BY key LIMIT ?"
)
_PUT = "INSERT OR REPLACE INTO entries (key, value, metadata, expires_at) VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE key = ?"
_SWEEP = "DELETE FROM entries WHERE expires_at <= ?"

_BEYOND = b"\xff"
"""Greater than whatever follows in UTF-8."""

_Row = tuple[bytes, bytes, str | None, int | None]


class _Kv:
    """KeyValue on a database; `LocalKv` and `MockKv` say on which."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired."""
        entry = await self.get_with_metadata(key)
        return None if entry is None else entry.value

    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired."""
        wanted, now = checked_key(key), self._clock.now()
        return await self._database.read(lambda connection: _entry(connection, wanted, now))

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values of one moment; an absent key maps to None."""
        wanted, now = checked_keys(keys), self._clock.now()

        def job(connection: sqlite3.Connection) -> dict[str, bytes | None]:
            found = {key: _entry(connection, key.encode(), now) for key in wanted}
            return {key: None if entry is None else entry.value for key, entry in found.items()}

        return await self._database.read(job)

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in byte order.

        Raises:
            InvalidArgument: the limit is not 1 to 1000, or the cursor is not one of this
                prefix's; NOT_APPLIED.
        """
        start, size, now = checked_prefix(prefix), checked_limit(limit), self._clock.now()
        after = b"" if cursor is None else unseal(cursor, "kv", prefix).encode()
        bounds = (after, start, start + _BEYOND, now, size + 1)
        rows = await self._database.read(
            lambda connection: connection.execute(_LIST, bounds).fetchall()
        )
        entries = tuple(
            KeyInfo(key.decode(), expires_at, _parsed(metadata))
            for key, expires_at, metadata in rows[:size]
        )
        if len(rows) <= size:
            return Page(entries)
        return Page(entries, seal(entries[-1].key, "kv", prefix))

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Store a value, replacing what was there, its expiry and metadata included.

        Raises:
            InvalidArgument: an argument cannot be stored; NOT_APPLIED.
        """
        now = self._clock.now()
        due = checked_expiry(ttl_seconds, expires_at, now=now)
        row = (checked_key(key), checked_value(value), checked_metadata(metadata), due)
        await self._put([row], now)

    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Store several values, all of them or none.

        Raises:
            InvalidArgument: an entry cannot be stored; NOT_APPLIED.
        """
        if not isinstance(cast("object", entries), Mapping):
            raise InvalidArgument(f"entries are a mapping, not {type(entries).__name__}")
        rows: list[_Row] = [
            (checked_key(key), checked_value(value), None, None) for key, value in entries.items()
        ]
        await self._put(rows, self._clock.now())

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        await self._delete([checked_key(key)])

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys, all of them or none."""
        await self._delete([key.encode() for key in checked_keys(keys)])

    async def _put(self, rows: Sequence[_Row], now: float) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.execute(_SWEEP, (now,))
            connection.executemany(_PUT, rows)

        await self._database.write(job)

    async def _delete(self, keys: Sequence[bytes]) -> None:
        def job(connection: sqlite3.Connection) -> None:
            connection.executemany(_DELETE, [(key,) for key in keys])

        await self._database.write(job)


class LocalKv(_Kv):
    """A store in the folder, shared by every process that names it."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(FileDatabase(config.folder / "kv.sqlite", SCHEMA), clock)


class MockKv(_Kv):
    """A store in memory, shared by the clients that name it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(MemoryDatabase("kv", config.store, SCHEMA), clock)


def _entry(connection: sqlite3.Connection, key: bytes, now: float) -> Entry | None:
    row = connection.execute(_GET, (key, now)).fetchone()
    return None if row is None else Entry(row[0], _parsed(row[1]))


def _parsed(metadata: str | None) -> Metadata | None:
    return None if metadata is None else json.loads(metadata)
