"""What a statement may do in the mock's SQLite, and what is told of what it may not.

SQLite asks before it runs anything: https://www.sqlite.org/c3ref/set_authorizer.html
"""

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from core_caps.errors import Conflict, InvalidArgument

from cap_postgres_neon.database import Mode

__all__ = ["beyond", "guarded"]

_FUNCTIONS = frozenset(
    {
        "abs", "coalesce", "count", "length", "lower", "max", "min", "nullif", "replace", "round",
        "substr", "sum", "trim", "upper", "row_number", "rank", "dense_rank", "lag", "lead",
    }
)  # fmt: skip
"""What both databases have and mean alike."""

_READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
_NEVER: Mapping[int, str] = MappingProxyType(
    {
        sqlite3.SQLITE_TRANSACTION: "a transaction in a statement",
        sqlite3.SQLITE_SAVEPOINT: "a savepoint",
        sqlite3.SQLITE_ATTACH: "another database",
        sqlite3.SQLITE_DETACH: "another database",
        sqlite3.SQLITE_PRAGMA: "a pragma",
        sqlite3.SQLITE_CREATE_TRIGGER: "a trigger in SQLite's language",
        sqlite3.SQLITE_CREATE_TEMP_TRIGGER: "a trigger in SQLite's language",
        sqlite3.SQLITE_CREATE_VTABLE: "a virtual table",
    }
)
"""What no statement may do here, and what it is."""

_DATATYPE = 3091
"""SQLITE_CONSTRAINT_DATATYPE: in PostgreSQL no constraint, but a value of another form (22P02)."""


def beyond(what: str) -> InvalidArgument:
    """The error for what PostgreSQL may have, and SQLite has not or does otherwise."""
    return InvalidArgument(
        f"the mock has nothing like {what}",
        hint="try it on a PostgreSQL: cap-postgres-neon serve, backend 'local'",
    )


@contextmanager
def guarded(connection: sqlite3.Connection, mode: Mode, defines: bool) -> Generator[None]:
    """Let SQLite refuse what a statement may not do, and say of a refusal what it was about.

    Raises:
        Conflict: a constraint does not allow it; NOT_APPLIED.
        InvalidArgument: SQLite does not take the statement; NOT_APPLIED.
    """
    denied: list[InvalidArgument] = []

    def decide(action: int, first: str | None, second: str | None, *_: object) -> int:
        allowed = action in _READING if mode == "reads" else action not in _NEVER
        if action == sqlite3.SQLITE_FUNCTION:
            allowed = defines or (second or "").lower() in _FUNCTIONS  # SQLite has its own for DDL
        if not allowed:
            denied.append(_denied(action, first, second))
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    connection.set_authorizer(decide)
    try:
        yield
    except (sqlite3.Error, sqlite3.Warning) as error:
        if denied:
            raise denied[0] from error
        code = getattr(error, "sqlite_errorcode", 0)
        if code & 0xFF == sqlite3.SQLITE_CONSTRAINT and code != _DATATYPE:
            raise Conflict(
                f"a constraint does not allow it: {error}",
                hint="read what is there and decide again",
            ) from error
        raise InvalidArgument(
            f"the statement is refused: {error}",
            hint="correct it, or try it on a PostgreSQL: cap-postgres-neon serve",
        ) from error
    finally:
        connection.set_authorizer(None)


def _denied(action: int, first: str | None, second: str | None) -> InvalidArgument:
    """What SQLite was not allowed to do for a statement, by what it was asked."""
    if action == sqlite3.SQLITE_FUNCTION:
        return beyond(f"the function {second}()")
    if action in _NEVER:
        return beyond(_NEVER[action])
    return InvalidArgument(
        f"the statement writes to {first}", hint="write through execute or batch"
    )
