"""PostgreSQL's part that SQLite has as well, in memory; the rest is refused aloud.

Tables are strict, so that a column holds its type or nothing: BIGINT, INTEGER, SMALLINT, BOOLEAN,
DOUBLE PRECISION, TEXT and BYTEA. Where the two still differ, the README says so; what a flow does
beyond that is tried on the real thing: `cap-postgres-neon serve`.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Self

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.rng import Rng

from cap_postgres_neon.config import MockConfig
from cap_postgres_neon.database import Mode
from cap_postgres_neon.mock_guard import beyond, guarded
from cap_postgres_neon.sql import check_isolation
from cap_postgres_neon.statements import (
    COMMANDS,
    Token,
    checked_key,
    checked_statements,
    no_command,
    reading,
    tokens,
    writing,
)

__all__ = ["MockSql"]

_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "BIGINT": "INTEGER",
        "SMALLINT": "INTEGER",
        "BOOLEAN": "INTEGER",
        "DOUBLE": "REAL",
        "PRECISION": "",
        "BYTEA": "BLOB",
    }
)
"""PostgreSQL's names of types, and SQLite's of those that hold the same values."""

_DEFINES = frozenset({"CREATE", "ALTER", "DROP"})
_WRITES = _DEFINES | {"SELECT", "WITH", "VALUES", "INSERT", "UPDATE", "DELETE"}
"""What a statement may begin with here."""


class _Bound(NamedTuple):
    """A statement as SQLite takes it, its first word, and the values by their places' numbers."""

    text: str
    begins: str
    values: Mapping[str, object]


class MockSql:
    """A database in memory, shared by the clients that name its store."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._name = config.store
        self._store: _Store | None = None

    async def __aenter__(self) -> Self:
        self._store = _STORES.setdefault(self._name, _Store()) if self._name else _Store()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._store = None

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one reading statement.

        Raises:
            InvalidArgument: it writes, does not parse, is several commands, names what does not
                exist, has another number of parameters, or is nothing that SQLite has, too;
                NOT_APPLIED.
        """
        [rows] = await self._run([_bound(statement, params, "reads")], "reads")
        return rows

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several reading statements, all of one state of the database.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong; NOT_APPLIED.
        """
        check_isolation(isolation)
        given = checked_statements(statements)
        return await self._run([_bound(each.text, each.params, "reads") for each in given], "reads")

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
        """
        bound = _bound(statement, params, "writes")
        [rows] = await self._run([bound], "writes", checked_key(key))
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
            Conflict, InvalidArgument: as for `execute`, of the first that fails; none is applied.
        """
        check_isolation(isolation)
        given = checked_statements(statements)
        bound = [_bound(each.text, each.params, "writes") for each in given]
        return await self._run(bound, "writes", checked_key(key))

    async def _run(self, statements: Sequence[_Bound], mode: Mode, key: str = "") -> list[Rows]:
        """Let others run, as a real request would, and then do it all at once."""
        _opened(self._store)
        await asyncio.sleep(0)
        return _opened(self._store).run(statements, mode, key)


class _Store:
    """A database, the keys that were used on it, and whose turn it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._keys: set[str] = set()

    def run(self, statements: Sequence[_Bound], mode: Mode, key: str) -> list[Rows]:
        """What the statements give, in one transaction with the key."""
        with self._lock:
            if key in self._keys:
                return [Rows(repeated=True) for _ in statements]
            self._connection.execute("BEGIN")
            try:
                found = [_rows(self._connection, each, mode) for each in statements]
                self._connection.execute("COMMIT")
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._keys |= {key} if key and statements else set()
            return found


_STORES: dict[str, _Store] = {}
"""The named stores of this process: they outlive their clients, as a database does."""


def _opened(store: _Store | None) -> _Store:
    if store is None:
        raise ClientClosed(
            "this client is not open", hint="keep the calls inside its `async with` block"
        )
    return store


def _bound(text: str, params: Sequence[SqlValue], mode: Mode) -> _Bound:
    """A statement with SQLite's types and placeholders.

    Raises:
        InvalidArgument: as in the database, or there is nothing like it here; NOT_APPLIED.
    """
    (reading if mode == "reads" else writing)(text, params)
    parts = [token for token in tokens(text) if token.kind != "end"]
    words = [part.text.upper() for part in parts[:2]]
    if words[0] not in {"(", *COMMANDS}:
        raise no_command(parts[0].text)
    if words[0] not in _WRITES or words[1:] == ["OR"]:
        raise beyond(f"a statement that begins with {' '.join(words)}")
    values = {str(number): _value(value, number) for number, value in enumerate(params, 1)}
    return _Bound(_translated(text, parts, words), words[0], values)


def _translated(text: str, parts: Sequence[Token], words: Sequence[str]) -> str:
    """The statement as SQLite reads it."""
    written: list[str] = []
    at = 0
    for kind, found, start in parts:
        said = found
        if kind == "place":
            said = "?" + found[1:]
        elif kind == "word" and words[0] in _DEFINES:
            said = _TYPES.get(found.upper(), found)
        written += [text[at:start], said]
        at = start + len(found)
    if words == ["CREATE", "TABLE"] and parts[-1].text == ")":
        written.append(" STRICT")
    return "".join(written)


def _value(value: SqlValue, number: int) -> object:
    match value:
        case bool():
            return int(value)
        case None | int() | str() | bytes():
            return value
        case float() if value == value:
            return value
        case _:
            raise beyond(f"${number}, which is {type(value).__name__}")


def _rows(connection: sqlite3.Connection, statement: _Bound, mode: Mode) -> Rows:
    before = connection.total_changes
    with guarded(connection, mode, statement.begins in _DEFINES):
        cursor = connection.execute(statement.text, statement.values)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = tuple(cursor.fetchall())
    changed = connection.total_changes - before
    affected = connection.execute("SELECT changes()").fetchone()[0] if changed else 0
    return Rows(columns, rows, affected)
