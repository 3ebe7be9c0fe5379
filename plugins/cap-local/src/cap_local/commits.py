"""Jobs and their commit: alone, or together, where each that fails is undone by itself."""

import contextlib
import sqlite3
from collections.abc import Iterable, Sequence

from cap_local.jobs import Waiting, interruptible, tell, tell_failed
from cap_local.transactions import begin_writing, end, undo

__all__ = ["commit_all", "commit_one"]


def commit_one(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Do one job in a transaction that has begun, without the copies that undo it in part."""
    try:
        _run(connection, waiting)
    except BaseException as error:
        with contextlib.suppress(sqlite3.Error):
            undo(connection)
        tell_failed([waiting], error)
    else:
        _commit(connection, [waiting])


def commit_all(connection: sqlite3.Connection, group: Iterable[Waiting]) -> None:
    """Do the jobs of a transaction that has begun, and commit them together.

    One that fails undoes what all did: they are done once more, and those that can, stay.
    """
    taken: list[Waiting] = []
    try:
        for waiting in group:
            taken.append(waiting)
            waiting.result = waiting.job(connection)
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            undo(connection)
        _commit_those_that_can(connection, taken)
    else:
        _commit(connection, taken)


def _commit_those_that_can(connection: sqlite3.Connection, group: list[Waiting]) -> None:
    """Do each of these jobs such that it can be undone by itself, and commit them together."""
    try:
        begin_writing(connection)
    except sqlite3.Error as error:
        tell_failed(group, error)
        return
    for waiting in group:
        try:
            _within_savepoint(connection, waiting)
        except BaseException as error:
            tell_failed([waiting], error)
            if not connection.in_transaction:  # the failure took the others' work with it
                _apart(connection, [each for each in group if each.error is None])
                return
    _commit(connection, [each for each in group if each.error is None])


def _apart(connection: sqlite3.Connection, group: Iterable[Waiting]) -> None:
    """Do each of these jobs in a transaction of its own."""
    for waiting in group:
        try:
            begin_writing(connection)
        except sqlite3.Error as error:
            tell_failed([waiting], error)
        else:
            commit_one(connection, waiting)


def _commit(connection: sqlite3.Connection, group: Sequence[Waiting]) -> None:
    """Commit what these jobs did, and tell that it is done."""
    try:
        end(connection)
    except sqlite3.Error as error:
        with contextlib.suppress(sqlite3.Error):
            undo(connection)
        tell_failed(group, error, committing=True)
    else:
        tell(group)


def _run(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Do a job; one that may take long stops once nobody waits for it."""
    if not waiting.alone:
        waiting.result = waiting.job(connection)
        return
    with interruptible(connection, waiting):
        waiting.result = waiting.job(connection)


def _within_savepoint(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Do a job; what it raises undoes what it did, and nothing else."""
    connection.execute("SAVEPOINT job")
    try:
        waiting.result = waiting.job(connection)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO job")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE job")
