"""What SQLite was not allowed to do for a statement, in words, and what to do instead.

SQLite asks before it runs anything: https://www.sqlite.org/c3ref/set_authorizer.html
"""

import sqlite3
from typing import NamedTuple

__all__ = ["Denied", "denied"]


class Denied(NamedTuple):
    """What is not for statements.

    Attributes:
        what: its name.
        instead: what to do.
    """

    what: str
    instead: str


_TEMPORARY = frozenset(
    {
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


def denied(action: int, first: str | None, second: str | None) -> Denied:
    """What an authorizer denied, by what it was asked: the action and its two names."""
    if action in _TEMPORARY:
        return Denied(f"TEMP {first}", "use WITH, or a table that you drop afterwards")
    match action:
        case sqlite3.SQLITE_PRAGMA:
            return Denied(
                f"PRAGMA {first}",
                "leave it out; what tables are like is read as in "
                "SELECT * FROM pragma_table_info('t')",
            )
        case sqlite3.SQLITE_FUNCTION:
            return Denied(f"the function {second}()", "do without it, or do it in the flow")
        case (
            sqlite3.SQLITE_TRANSACTION
            | sqlite3.SQLITE_SAVEPOINT
            | sqlite3.SQLITE_ATTACH
            | sqlite3.SQLITE_DETACH
        ):
            return Denied(
                "a transaction, or another database",
                "give the statements of one transaction to batch, and connect to each database",
            )
        case _:
            return Denied(f"the table {first}", "name another one: it is not a flow's")
