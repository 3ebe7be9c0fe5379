"""SQLite in this process as D1 runs it: its limits, what it forbids, and what it says of both.

https://github.com/cloudflare/workerd/blob/main/src/workerd/util/sqlite.c%2B%2B sets the same
limits, as far as https://developers.cloudflare.com/d1/platform/limits/ does not say otherwise.
"""

import math
import sqlite3
import threading
from collections.abc import Sequence

from core_caps.capabilities.sql import Rows, SqlValue
from core_caps.errors import ProviderError
from core_caps.sqlite.denials import Denied, denied

from cap_cloudflare_d1 import errors, limits
from cap_cloudflare_d1.functions import FUNCTIONS
from cap_cloudflare_d1.statements import Wire

__all__ = ["Database"]

_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: limits.VALUE_SIZE_BYTES_MAX,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: limits.STATEMENT_SIZE_BYTES_MAX,
    sqlite3.SQLITE_LIMIT_COLUMN: limits.COLUMNS_MAX,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: limits.FUNCTION_ARGUMENTS_MAX,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: limits.PATTERN_SIZE_BYTES_MAX,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: limits.PARAMETERS_MAX,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}

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
        sqlite3.SQLITE_DROP_TEMP_INDEX,
        sqlite3.SQLITE_DROP_TEMP_TABLE,
        sqlite3.SQLITE_DROP_TEMP_TRIGGER,
        sqlite3.SQLITE_DROP_TEMP_VIEW,
    }
)

_PRAGMAS = frozenset(
    {
        "case_sensitive_like", "data_version", "defer_foreign_keys", "foreign_key_check",
        "foreign_key_list", "foreign_keys", "ignore_check_constraints", "index_info",
        "index_list", "index_xinfo", "legacy_alter_table", "optimize", "quick_check",
        "recursive_triggers", "reverse_unordered_selects", "table_info", "table_list",
        "table_xinfo",
    }
)  # fmt: skip
"""https://developers.cloudflare.com/d1/sql-api/sql-statements/#pragma-statements"""

_OF_ALTER_TABLE = frozenset(
    {
        "sqlite_drop_column", "sqlite_rename_column", "sqlite_rename_quotefix",
        "sqlite_rename_table", "sqlite_rename_test",
    }
)  # fmt: skip
_OPERATORS = frozenset({"->", "->>"})
_CALLABLE = FUNCTIONS | _OF_ALTER_TABLE | _OPERATORS


class Database:
    """One database in memory, and whose turn it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False
        )
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.create_function("unhex", 1, _unhex, deterministic=True)
        for category, most in _LIMITS.items():
            self._connection.setlimit(category, most)
        self._refused: list[Denied] = []

    def run(self, statements: Sequence[Wire]) -> list[Rows]:
        """What each statement gives, in one transaction.

        Raises:
            ProviderError: SQLite refuses one of them; none is applied.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                found = [self._one(each) for each in statements]
                self._connection.execute("COMMIT")
            except BaseException as error:
                self._connection.set_authorizer(None)
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error | sqlite3.Warning):
                    raise _told(error, self._refused) from None
                raise
            return found

    def _one(self, statement: Wire) -> Rows:
        before = self._connection.total_changes
        self._refused.clear()
        self._connection.set_authorizer(self._decide)
        params = {str(at): value for at, value in enumerate(statement.params, 1)}
        cursor = self._connection.execute(statement.sql, params)
        columns = tuple(column[0] for column in cursor.description or ())
        rows = tuple(tuple(map(_value, row)) for row in cursor)
        self._connection.set_authorizer(None)
        return Rows(columns, rows, self._connection.total_changes - before)

    def _decide(self, action: int, first: str | None, second: str | None, *_: object) -> int:
        """Whether a statement may do this; SQLite asks before it runs."""
        allowed = action not in _NEVER
        if action == sqlite3.SQLITE_FUNCTION:
            allowed = (second or "").lower() in _CALLABLE
        elif action == sqlite3.SQLITE_PRAGMA:
            allowed = (first or "").lower() in _PRAGMAS
        elif (first or "").lower().startswith("_cf_"):
            allowed = False
        if not allowed:
            self._refused.append(denied(action, first, second))
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY


def _value(value: object) -> SqlValue:
    """A value as it comes out of the service's JSON, whose numbers are doubles.

    https://developers.cloudflare.com/d1/worker-api/#type-conversion
    """
    match value:
        case int():
            return value if abs(value) <= limits.INTEGER_MAX else float(value)
        case float():
            if not math.isfinite(value):
                return None
            return int(value) if value.is_integer() and abs(value) <= limits.INTEGER_MAX else value
        case None | str() | bytes():
            return value
        case _:
            raise TypeError(f"SQLite gives no {type(value).__name__}")


def _told(error: Exception, refused: Sequence[Denied]) -> ProviderError:
    """What the service would say: SQLite's words, and the name of its code."""
    name = "_".join(getattr(error, "sqlite_errorname", "SQLITE_ERROR").split("_")[:2])
    if not refused:
        return errors.refused_by_sqlite(f"{error}: {name}")
    what, instead = refused[0]
    return errors.refused_by_sqlite(f"D1 does not allow {what}: {error}: {name}", instead)


def _unhex(text: object) -> bytes | None:
    """SQLite has it from 3.41 on."""
    try:
        return bytes.fromhex(str(text))
    except ValueError:
        return None
