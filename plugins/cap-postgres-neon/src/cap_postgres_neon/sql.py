"""Sql on PostgreSQL, whichever way leads to it.

A key is a row of `_flows_keys`, written by the first command of the transaction that it is for: if
it is there already, PostgreSQL refuses that command and with it all others, which says that they
were applied before.
"""

from collections.abc import Sequence
from typing import Self, get_args

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.errors import InvalidArgument, Outcome

from cap_postgres_neon import errors
from cap_postgres_neon.database import Answer, Database, Mode, Refused
from cap_postgres_neon.statements import (
    Command,
    checked_key,
    checked_statements,
    reading,
    writing,
)
from cap_postgres_neon.tables import KEYS
from cap_postgres_neon.values import reader_of

__all__ = ["PostgresSql", "check_isolation"]

_TAKE = "INSERT INTO _flows_keys (key) VALUES ($1)"
_ISOLATIONS: tuple[object, ...] = (None, *get_args(Isolation))


class PostgresSql:
    """Sql on a database; the backends say which."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one reading statement, in a READ ONLY transaction.

        Raises:
            InvalidArgument: it writes, does not parse, is several commands, names what does not
                exist, or has another number of parameters; NOT_APPLIED.
        """
        command = reading(statement, params)
        [rows] = await self._rows("query", [command], mode="reads")
        return rows

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several reading statements, all of one state of the database.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong; NOT_APPLIED.
        """
        check_isolation(isolation)
        commands = [reading(each.text, each.params) for each in checked_statements(statements)]
        # Under read_committed each statement would see a state of its own.
        level: Isolation = "serializable" if isolation == "serializable" else "repeatable_read"
        return await self._rows("query_batch", commands, mode="reads", isolation=level)

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
            Unavailable: it lost against another transaction (NOT_APPLIED), or the connection was
                lost while it was committed (UNKNOWN).
        """
        command = writing(statement, params)
        [rows] = await self._applied("execute", [command], checked_key(key))
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
        check_isolation(isolation)
        commands = [writing(each.text, each.params) for each in checked_statements(statements)]
        return await self._applied("batch", commands, checked_key(key), isolation)

    async def _applied(
        self,
        operation: str,
        commands: Sequence[Command],
        key: str,
        isolation: Isolation | None = None,
    ) -> list[Rows]:
        """What the commands give, in one transaction with the key."""
        if not key or not commands:
            return await self._rows(operation, commands, mode="writes", isolation=isolation)
        keyed = [Command(_TAKE, (key,)), *commands]
        try:
            answers = await self._database.run(
                operation, keyed, mode="writes", isolation=isolation, table=KEYS
            )
        except Refused as problem:
            if problem.sqlstate == "23505" and problem.constraint == KEYS.primary_key:
                return [Rows(repeated=True) for _ in commands]
            raise errors.refused(operation, problem) from None
        return [_rows(operation, answer, "writes") for answer in answers[1:]]

    async def _rows(
        self,
        operation: str,
        commands: Sequence[Command],
        *,
        mode: Mode,
        isolation: Isolation | None = None,
    ) -> list[Rows]:
        if not commands:
            return []
        try:
            answers = await self._database.run(operation, commands, mode=mode, isolation=isolation)
        except Refused as problem:
            raise errors.refused(operation, problem) from None
        return [_rows(operation, answer, mode) for answer in answers]


def _rows(operation: str, answer: Answer, mode: Mode) -> Rows:
    """The rows with their values.

    Raises:
        ProtocolViolation: a value is not of the form that its type has; what was written is.
    """
    readers = [reader_of(type_id) for type_id in answer.types]
    try:
        rows = tuple(
            tuple(
                None if text is None else read(text)
                for read, text in zip(readers, row, strict=True)
            )
            for row in answer.rows
        )
    except (ArithmeticError, LookupError, ValueError) as problem:
        outcome = Outcome.APPLIED if mode == "writes" else Outcome.NOT_APPLIED
        shown = f"{type(problem).__name__}: {problem}"
        raise errors.not_understood(operation, shown, outcome=outcome) from None
    return Rows(answer.columns, rows, answer.affected)


def check_isolation(isolation: object) -> None:
    """Refuse what is no isolation.

    Raises:
        InvalidArgument: it is none; NOT_APPLIED.
    """
    if isolation not in _ISOLATIONS:
        names = ", ".join(map(str, _ISOLATIONS[1:]))
        raise InvalidArgument(f"there is no isolation {isolation!r}", hint=f"use one of: {names}")
