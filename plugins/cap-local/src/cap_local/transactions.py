"""What happens around a job on one connection: its transaction, and the tables it finds."""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from core_caps.errors import ConfigInvalid

__all__ = [
    "BUSY_SECONDS_MAX",
    "Job",
    "Schema",
    "begin_writing",
    "end",
    "migrate",
    "opened",
    "reading",
    "undo",
    "writing",
]

_T = TypeVar("_T")

Job = Callable[[sqlite3.Connection], _T]
"""A function of a connection; it runs inside a transaction and neither begins nor ends one."""

Schema = Sequence[Sequence[str]]
"""Steps of statements, applied in order, each once in the life of a file."""

BUSY_SECONDS_MAX = 10.0
"""The longest wait for another process to end its transaction."""

_TRY_SECONDS = 0.05
"""How long one try for the write lock lasts; between two, who has given up is let go."""


def opened(path: Path, *, writes: bool) -> sqlite3.Connection:
    """A connection to the file, whose commits are on the disk when they return.

    One that only reads is opened so, and set so: a statement that writes is refused by SQLite.
    """
    mode = "rwc" if writes else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_SECONDS_MAX,
        check_same_thread=True,
    )
    try:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")  # what undoes a statement, above all
        if not writes:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def migrate(connection: sqlite3.Connection, schema: Schema) -> None:
    """Take the steps that the database has not taken yet, all in one transaction.

    Raises:
        ConfigInvalid: a newer version of this plugin made the file (CAP105).
    """
    if _taken(connection) == len(schema):
        return
    begin_writing(connection)
    try:
        taken = _taken(connection)
        if taken > len(schema):
            raise ConfigInvalid(
                f"the database is of version {taken}, and this cap-local knows {len(schema)}",
                hint="install the cap-local that made it, or a newer one",
            )
        for step in schema[taken:]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(schema)}")
        end(connection)
    except BaseException:
        undo(connection)
        raise


def reading(connection: sqlite3.Connection, job: Job[_T]) -> _T:
    """What a job returns that sees one state of the database and may not change it."""
    connection.execute("PRAGMA query_only = ON")
    connection.execute("BEGIN")
    try:
        return job(connection)
    finally:
        undo(connection)
        connection.execute("PRAGMA query_only = OFF")


def writing(connection: sqlite3.Connection, job: Job[_T]) -> _T:
    """What a job returns, whose changes are committed by then, or undone where it fails."""
    begin_writing(connection)
    try:
        result = job(connection)
        end(connection)
    except BaseException:
        undo(connection)
        raise
    return result


def begin_writing(
    connection: sqlite3.Connection, given_up: Callable[[], bool] = lambda: False
) -> None:
    """Take the write lock, waiting for other processes; who gives up meanwhile stops waiting.

    Raises:
        sqlite3.OperationalError: the lock was not to be had in time, or nobody wants it any more.
    """
    connection.execute(f"PRAGMA busy_timeout = {int(_TRY_SECONDS * 1000)}")
    tries = int(BUSY_SECONDS_MAX / _TRY_SECONDS)
    try:
        for left in reversed(range(tries)):
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left or given_up():
                    raise
            else:
                return
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS_MAX * 1000)}")


def end(connection: sqlite3.Connection) -> None:
    """Commit."""
    connection.execute("COMMIT")


def undo(connection: sqlite3.Connection) -> None:
    """Roll back what is not committed; some failures did so already."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _taken(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
