"""Sql for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.sql`; a test keeps the two equal.
"""

from collections.abc import Sequence
from typing import Protocol

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement

__all__ = ["SyncSql", "SyncSqlReader", "SyncSqlWriter"]


class SyncSqlReader(Protocol):
    """The half of SyncSql that changes nothing."""

    def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one reading statement."""
        ...

    def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several reading statements, all of one state of the database."""
        ...


class SyncSqlWriter(Protocol):
    """The half of SyncSql that changes the database."""

    def execute(self, statement: str, params: Sequence[SqlValue] = (), *, key: str = "") -> Rows:
        """Run one statement in a transaction of its own."""
        ...

    def batch(
        self,
        statements: Sequence[Statement],
        *,
        isolation: Isolation | None = None,
        key: str = "",
    ) -> Sequence[Rows]:
        """Run several statements in one transaction: all are applied, or none is."""
        ...


class SyncSql(SyncSqlReader, SyncSqlWriter, Protocol):
    """A relational database."""
