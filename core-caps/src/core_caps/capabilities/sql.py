"""Sql: statements on a relational database, with reads that the database itself keeps to reading.

Parameters are numbered `$1`, `$2`, … in every dialect; nothing is ever put into a statement's
text. `SqlReader` and `SqlWriter` are the two halves a flow may be limited to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, Protocol
from uuid import UUID

from core_caps.claims.operation import Repeat, capability, operation

__all__ = ["Isolation", "Rows", "Sql", "SqlReader", "SqlValue", "SqlWriter", "Statement"]

SqlValue = (
    None
    | bool
    | int
    | float
    | str
    | bytes
    | Decimal
    | date
    | datetime
    | time
    | UUID
    | Sequence["SqlValue"]
    | Mapping[str, "SqlValue"]
)
"""What goes in as a parameter and comes out of a column, as far as the database has the type.

Where all numbers are doubles (a plugin says so by its limit `integer_max`), a whole one comes back
as int, and an integer beyond the limit is refused."""

Isolation = Literal["read_committed", "repeatable_read", "serializable"]


@dataclass(frozen=True, slots=True)
class Statement:
    """One command and its parameters."""

    text: str
    params: Sequence[SqlValue] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """What a statement gave.

    Attributes:
        columns: the columns' names; none where the statement returns no rows.
        rows: the rows, in the database's order.
        affected: how many rows a write changed; 0 for a read.
        repeated: the statement was applied under its key before, and nothing happened now; the
            rows it returned then are not kept.
    """

    columns: tuple[str, ...] = ()
    rows: tuple[tuple[SqlValue, ...], ...] = ()
    affected: int = 0
    repeated: bool = False

    def dicts(self) -> list[dict[str, SqlValue]]:
        """The rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def one(self) -> dict[str, SqlValue] | None:
        """The only row by column name, or None where there is none.

        Raises:
            ValueError: there are several.
        """
        if len(self.rows) > 1:
            raise ValueError(f"one row was expected, and there are {len(self.rows)}")
        return self.dicts()[0] if self.rows else None


class SqlReader(Protocol):
    """The half of Sql that changes nothing."""

    @operation("resource::db::read")
    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one reading statement.

        It runs where the database refuses to write, whatever the statement calls.

        Raises:
            InvalidArgument: it writes, does not parse, is several commands, names what does not
                exist, or has another number of parameters; NOT_APPLIED.
        """
        ...

    @operation("resource::db::read")
    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several reading statements, all of one state of the database.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong.
        """
        ...


class SqlWriter(Protocol):
    """The half of Sql that changes the database."""

    @operation("resource::db::write", repeat=Repeat.KEYED, key="key")
    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Args:
            statement: one command.
            params: its parameters.
            key: an idempotency key, recorded in the same transaction: the statement is applied
                once for each key, and a repeat says so (`Rows.repeated`).

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
            Unavailable: the transaction lost against another (deadlock, serialisation);
                NOT_APPLIED, so it may be made again.
        """
        ...

    @operation("resource::db::write", repeat=Repeat.KEYED, key="key")
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
        ...


@capability("sql", version=1)
class Sql(SqlReader, SqlWriter, Protocol):
    """A relational database."""
