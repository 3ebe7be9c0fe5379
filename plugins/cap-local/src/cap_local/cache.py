"""Cache on SQLite: a file for `local`, this process's memory for `mock`.

What was put longest ago goes first once keys and values together exceed `cache_size_bytes_max`.
Commits of a file are in SQLite's order but not waited for: a machine that loses its power may
forget the last of them, which a cache may.
"""

import sqlite3
from typing import Self

from core_caps.capabilities.arguments import checked_bytes, checked_seconds
from core_caps.clock import Clock
from core_caps.errors import InvalidArgument
from core_caps.rng import Rng

from cap_local.arguments import checked_key
from cap_local.config import LocalConfig, MockConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase

__all__ = ["LocalCache", "MockCache"]

SCHEMA = (
    (
        "CREATE TABLE entries (number INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, "
        "expires_at REAL NOT NULL, size INTEGER NOT NULL, value BLOB NOT NULL) STRICT",
        "CREATE INDEX expiring ON entries (expires_at)",
        "CREATE TABLE held (size INTEGER NOT NULL) STRICT",
        "INSERT INTO held VALUES (0)",
        "CREATE TRIGGER added AFTER INSERT ON entries "
        "BEGIN UPDATE held SET size = size + new.size; END",
        "CREATE TRIGGER removed AFTER DELETE ON entries "
        "BEGIN UPDATE held SET size = size - old.size; END",
    ),
)
"""Numbers grow with time; `held` is the size of all entries, of which triggers keep account."""

_GET = "SELECT value FROM entries WHERE key = ? AND expires_at > ?"
_PUT = "INSERT INTO entries (key, expires_at, size, value) VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM entries WHERE key = ?"
_SWEEP = (
    "DELETE FROM entries WHERE number IN "
    "(SELECT number FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT 20)"
)
_EVICT = "DELETE FROM entries WHERE number = (SELECT MIN(number) FROM entries)"
_HELD = "SELECT size FROM held"


class _Cache:
    """Cache on a database; `LocalCache` and `MockCache` say on which."""

    def __init__(self, database: Database, size_bytes_max: int, clock: Clock) -> None:
        self._database = database
        self._size_bytes_max = size_bytes_max
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def get(self, key: str) -> bytes | None:
        """What was put under the key, or None when it was not, is forgotten or is too old."""
        wanted = (checked_key(key), self._clock.now())
        row = await self._database.read(
            lambda connection: connection.execute(_GET, wanted).fetchone()
        )
        return None if row is None else row[0]

    async def put(self, key: str, value: bytes, *, ttl_seconds: float) -> None:
        """Keep a value for so long at most, and forget the oldest ones that have no room.

        Raises:
            InvalidArgument: the key is empty, the time is not above zero, or the value is larger
                than the cache; NOT_APPLIED.
        """
        name, held = checked_key(key), checked_bytes(value, "a value")
        now, size = self._clock.now(), len(name) + len(held)
        expires_at = now + checked_seconds(ttl_seconds, "ttl_seconds")
        if size > self._size_bytes_max:
            raise InvalidArgument(
                f"key and value have {size} bytes; the cache has room for {self._size_bytes_max}",
                hint="raise cache_size_bytes_max, or keep the value in a blob store",
            )

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(_SWEEP, (now,))
            connection.execute(_DELETE, (name,))
            connection.execute(_PUT, (name, expires_at, size, held))
            while connection.execute(_HELD).fetchone()[0] > self._size_bytes_max:
                connection.execute(_EVICT)

        await self._database.write(job)

    async def delete(self, key: str) -> None:
        """Forget a value; an absent key is success."""
        name = checked_key(key)

        def job(connection: sqlite3.Connection) -> None:
            connection.execute(_DELETE, (name,))

        await self._database.write(job)


class LocalCache(_Cache):
    """A cache in the folder, shared by every process that names it."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        database = FileDatabase(config.folder / "cache.sqlite", SCHEMA, prepare=_unhurried)
        super().__init__(database, config.cache_size_bytes_max, clock)


class MockCache(_Cache):
    """A cache in memory, shared by the clients that name it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        database = MemoryDatabase("cache", config.store, SCHEMA)
        super().__init__(database, config.cache_size_bytes_max, clock)


def _unhurried(connection: sqlite3.Connection) -> None:
    """Leave it to the system when a commit reaches the disk."""
    connection.execute("PRAGMA synchronous = NORMAL")
