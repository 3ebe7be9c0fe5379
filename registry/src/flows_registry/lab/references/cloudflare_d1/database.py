"""A database of D1: a real SQLite with the service's limits, batches and answers.

Limits: https://developers.cloudflare.com/d1/platform/limits/; what is forbidden and how it is said:
https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c%2B%2B
"""

import hashlib
import math
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["Database", "SqlRefused"]

_LIMITS: Final[Mapping[int, int]] = {
    sqlite3.SQLITE_LIMIT_LENGTH: 2_000_000,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
}
_TRANSACTIONS: Final = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT})
_FORBIDDEN: Final = _TRANSACTIONS | {
    sqlite3.SQLITE_ATTACH,
    sqlite3.SQLITE_DETACH,
    sqlite3.SQLITE_CREATE_TEMP_TABLE,
    sqlite3.SQLITE_CREATE_TEMP_INDEX,
    sqlite3.SQLITE_CREATE_TEMP_VIEW,
    sqlite3.SQLITE_CREATE_TEMP_TRIGGER,
}
_PRAGMAS: Final = frozenset(
    {
        "data_version", "defer_foreign_keys", "foreign_key_check", "foreign_key_list",
        "foreign_keys", "index_info", "index_list", "index_xinfo", "optimize", "quick_check",
        "table_info", "table_list", "table_xinfo",
    }
)  # fmt: skip
"""https://developers.cloudflare.com/d1/sql-api/sql-statements/#pragma-statements"""
_UNNAMED: Final = frozenset({"load_extension", "sqlite_version", "sqlite_source_id"})
_NO_TRANSACTIONS: Final = (
    "To execute a transaction, please use the state.storage.transaction() or "
    "state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT "
    "statements."
)
_EXACT: Final = 2**53


class SqlRefused(Exception):
    """SQLite, or what stands before it, refuses a statement; the text is the service's."""


class Database:
    """One database; `run` is a transaction."""

    def __init__(self) -> None:
        # The fault server asks from whichever thread it serves in, one request at a time.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=0
        )
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.create_function("unhex", 1, _unhex, deterministic=True)
        for category, most in _LIMITS.items():
            self._connection.setlimit(category, most)
        self._denied = 0

    def close(self) -> None:
        """Forget everything."""
        self._connection.close()

    def run(self, batch: Sequence[tuple[str, Sequence[Any]]]) -> list[dict[str, Any]]:
        """What each statement gives, all of them applied or none.

        Raises:
            SqlRefused: one of them is refused.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            found = [self._one(sql, params) for sql, params in batch]
        except BaseException:
            self._connection.set_authorizer(None)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        try:
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._connection.execute("ROLLBACK")
            raise SqlRefused(_said(error)) from None
        return found

    def state(self) -> dict[str, Any]:
        """Every table with its rows, digested."""
        schema = "SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name"
        tables = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        names = [str(name) for (name,) in self._connection.execute(tables)]
        return {
            "schema": [list(row) for row in self._connection.execute(schema)],
            "rows": {name: self._rows(name) for name in names if not name.startswith("sqlite_")},
        }

    def _rows(self, table: str) -> list[str]:
        quoted = table.replace('"', '""')
        rows = self._connection.execute(f'SELECT * FROM "{quoted}"')  # noqa: S608 (quoted)
        # The time at which a key was used is no part of what was asked for.
        shown = [repr(row[:1] if table == "_flows_keys" else row) for row in rows]
        return sorted(hashlib.sha256(row.encode()).hexdigest()[:16] for row in shown)

    def _one(self, sql: str, params: Sequence[Any]) -> dict[str, Any]:
        before = self._connection.total_changes
        self._denied = 0
        self._connection.set_authorizer(self._decide)
        try:
            cursor = self._connection.execute(sql, tuple(params))
            columns = [column[0] for column in cursor.description or ()]
            rows = [[_shown(value) for value in row] for row in cursor]
        except (sqlite3.Error, sqlite3.Warning, OverflowError) as error:
            refused = _NO_TRANSACTIONS if self._denied in _TRANSACTIONS else _said(error)
            raise SqlRefused(refused) from None
        finally:
            self._connection.set_authorizer(None)
        changes = self._connection.total_changes - before
        return {
            "results": {"columns": columns, "rows": rows},
            "success": True,
            "meta": {
                "served_by": "lab",
                "duration": 0.1,
                "changes": changes,
                "last_row_id": int(cursor.lastrowid or 0),
                "changed_db": changes > 0,
                "size_after": 8192,
                "rows_read": len(rows),
                "rows_written": changes,
            },
        }

    def _decide(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        allowed = action not in _FORBIDDEN
        if action == sqlite3.SQLITE_FUNCTION:
            allowed = (second or "").lower() not in _UNNAMED
        elif action == sqlite3.SQLITE_PRAGMA:
            allowed = (first or "").lower() in _PRAGMAS
        elif (first or "").lower().startswith("_cf_"):
            allowed = False
        if not allowed:
            self._denied = action
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _shown(value: object) -> object:
    """A value in JSON: bytes as numbers, and every number as the double that JavaScript has.

    https://developers.cloudflare.com/d1/worker-api/#type-conversion
    """
    match value:
        case bytes():
            return list(value)
        case int() if abs(value) >= _EXACT:
            return int(float(value))
        case float() if not math.isfinite(value):
            return None
        case float() if value.is_integer() and abs(value) < 1e21:
            return int(value)
        case _:
            return value


def _said(error: Exception) -> str:
    if isinstance(error, sqlite3.ProgrammingError) and "binding" in str(error):
        return "Wrong number of parameter bindings for SQL query."
    name: str = getattr(error, "sqlite_errorname", "SQLITE_ERROR")
    primary = "_".join(name.split("_")[:2])
    extended = f" (extended: {name})" if primary == "SQLITE_CONSTRAINT" else ""
    return f"{error}: {primary}{extended}"


def _unhex(text: object) -> bytes | None:
    """SQLite has it from 3.41 on."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return None
