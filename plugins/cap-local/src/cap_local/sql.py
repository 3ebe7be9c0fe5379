"""Sql on SQLite: a file for `local`, this process's memory for `mock`."""

import sqlite3
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Self, get_args

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.clock import Clock
from core_caps.errors import InvalidArgument
from core_caps.rng import Rng
from core_caps.sqlite.commands import checked_key
from core_caps.sqlite.denials import Denied, denied

from cap_local import errors
from cap_local.config import LocalConfig, MockConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase
from cap_local.statements import Bound, all_bound, bound

__all__ = ["LocalSql", "MockSql"]

KEYS = "_flows_keys"

SCHEMA = (
    (
        "CREATE TABLE _flows_keys (key TEXT PRIMARY KEY, used_at REAL NOT NULL) STRICT, "
        "WITHOUT ROWID",
    ),
)
"""The keys lie beside what was written under them, so that one transaction holds both."""

_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE})
"""What a statement that reads may do; SQLite asks before it runs."""

_NEVER = frozenset(
    {
        sqlite3.SQLITE_TRANSACTION,
        sqlite3.SQLITE_SAVEPOINT,
        sqlite3.SQLITE_ATTACH,
        sqlite3.SQLITE_DETACH,
        sqlite3.SQLITE_CREATE_TEMP_INDEX,
        sqlite3.SQLITE_CREATE_TEMP_TABLE,
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
        sqlite3.SQLITE_CREATE_TEMP_VIEW,
    }
)
"""What no statement may do: end the transaction, leave the file, keep something for itself."""

_PRAGMAS = frozenset(
    {
        "data_version", "foreign_key_check", "foreign_key_list", "index_info", "index_list",
        "index_xinfo", "table_info", "table_list", "table_xinfo",
    }
)  # fmt: skip
"""Those that only read, and are tables, too. https://www.sqlite.org/pragma.html#pragfunc"""

_ISOLATIONS: tuple[object, ...] = (None, *get_args(Isolation))
"""SQLite's transactions are serialisable, which is as good as each of them."""


class _Sql:
    """Sql on a database; `LocalSql` and `MockSql` say on which."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one reading statement, on a connection that cannot write.

        Raises:
            InvalidArgument: it writes, does not parse, is several commands, names what does not
                exist, or has another number of parameters; NOT_APPLIED.
        """
        wanted = bound(statement, params, reads=True)
        return await self._database.read(lambda connection: _read(connection, wanted))

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several reading statements, all of one state of the database.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong; NOT_APPLIED.
        """
        _check_isolation(isolation)
        wanted = all_bound(statements, reads=True)
        return await self._database.read(
            lambda connection: [_read(connection, each) for each in wanted]
        )

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
            Unavailable: another process holds the database for too long; NOT_APPLIED.
        """
        given = bound(statement, params)
        [rows] = await self._applied([given], checked_key(key))
        return rows

    async def batch(
        self,
        statements: Sequence[Statement],
        *,
        isolation: Isolation | None = None,
        key: str = "",
    ) -> Sequence[Rows]:
        """Run several statements in one transaction: all are applied, or none is.

        Raises:
            Conflict, InvalidArgument, Unavailable: as for `execute`, of the first that fails;
                none is applied.
        """
        _check_isolation(isolation)
        given = all_bound(statements)
        return await self._applied(given, checked_key(key))

    async def _applied(self, statements: Sequence[Bound], key: str) -> list[Rows]:
        """What the statements give, in one transaction with the key."""
        now = self._clock.now()

        def job(connection: sqlite3.Connection) -> list[Rows]:
            if key and not _taken(connection, key, now):
                return [Rows(repeated=True) for _ in statements]
            return [_write(connection, each) for each in statements]

        return await self._database.write(job, alone=True)


class LocalSql(_Sql):
    """A database in the folder, shared by every process that names it."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(FileDatabase(config.folder / "sql.sqlite", SCHEMA), clock)


class MockSql(_Sql):
    """A database in memory, shared by the clients that name its store."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(MemoryDatabase("sql", config.store, SCHEMA), clock)


def _check_isolation(isolation: object) -> None:
    if isolation not in _ISOLATIONS:
        names = ", ".join(map(str, _ISOLATIONS[1:]))
        raise InvalidArgument(f"there is no isolation {isolation!r}", hint=f"use one of: {names}")


def _taken(connection: sqlite3.Connection, key: str, now: float) -> bool:
    """Record a key, unless it was used before."""
    taken = connection.execute(
        "INSERT INTO _flows_keys (key, used_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING 1",
        (key, now),
    )
    return taken.fetchone() is not None


def _read(connection: sqlite3.Connection, statement: Bound) -> Rows:
    with _guarded(connection, reads=True):
        cursor = connection.execute(statement.text, statement.values)
        return Rows(_columns(cursor), tuple(cursor.fetchall()))


def _write(connection: sqlite3.Connection, statement: Bound) -> Rows:
    before = connection.total_changes
    with _guarded(connection, reads=False):
        cursor = connection.execute(statement.text, statement.values)
        columns, rows = _columns(cursor), tuple(cursor.fetchall())
    changed = connection.total_changes != before
    affected = connection.execute("SELECT changes()").fetchone()[0] if changed else 0
    return Rows(columns, rows, affected)


def _columns(cursor: sqlite3.Cursor) -> tuple[str, ...]:
    return tuple(column[0] for column in cursor.description or ())


@contextmanager
def _guarded(connection: sqlite3.Connection, *, reads: bool) -> Generator[None]:
    """Let SQLite refuse what a statement may not do, and say of a refusal what it was about.

    Raises:
        InvalidArgument: Python or SQLite does not take the statement; NOT_APPLIED.
    """
    refused: list[Denied] = []

    def decide(action: int, first: str | None, second: str | None, *_: object) -> int:
        if _may(action, first, second, reads=reads):
            return sqlite3.SQLITE_OK
        refused.append(denied(action, first, second))
        return sqlite3.SQLITE_DENY

    connection.set_authorizer(decide)
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        if refused:
            what, instead = refused[0]
            raise InvalidArgument(f"{what} is not for statements: {error}", hint=instead) from error
        if isinstance(error, sqlite3.Error) and errors.code_of(error):
            raise
        raise InvalidArgument(str(error), hint="correct the statement") from error
    finally:
        connection.set_authorizer(None)


def _may(action: int, first: str | None, second: str | None, *, reads: bool) -> bool:
    """Whether a statement may do this."""
    match action:
        case sqlite3.SQLITE_FUNCTION:
            return (second or "").lower() != "load_extension"
        case sqlite3.SQLITE_PRAGMA:
            return (first or "").lower() in _PRAGMAS
        case _ if first == KEYS:
            return False
        case sqlite3.SQLITE_UPDATE if first == "sqlite_master":
            # So SQLite declares a function that is a table, such as json_each, and changes nothing.
            return True
        case _:
            return action in _READS if reads else action not in _NEVER
