"""What both capabilities stand on: several commands, one transaction, one answer to each.

A transaction has no conversation in it: all of its commands are known before it begins, so that it
is the same over TCP, where they travel together, and over HTTP, where there is nothing else.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol, Self

from core_caps.capabilities.sql import Isolation

from cap_postgres_neon.statements import Command
from cap_postgres_neon.tables import Table

__all__ = ["Answer", "Database", "Mode", "Refused", "forms", "with_table"]

Mode = Literal["reads", "writes"]


_FORMS = """SELECT set_config('statement_timeout', $1, true), set_config('DateStyle', 'ISO', true),
set_config('bytea_output', 'hex', true), set_config('extra_float_digits', '1', true),
set_config('client_encoding', 'UTF8', true)"""


def forms(timeout_seconds: float) -> Command:
    """The first command of every transaction: how long each may take, and how values are written.

    It holds for the transaction alone. It is a query, after which no other command can make a
    transaction READ WRITE that began as READ ONLY.
    """
    return Command(_FORMS, (str(max(1, int(timeout_seconds * 1000))),))


class Answer(NamedTuple):
    """What one command gave.

    Attributes:
        columns: the columns' names.
        types: the number of each column's type.
        rows: the rows, every value in PostgreSQL's text form.
        affected: how many rows a write changed; 0 for a read.
    """

    columns: tuple[str, ...] = ()
    types: tuple[int, ...] = ()
    rows: Sequence[Sequence[str | None]] = ()
    affected: int = 0


class Refused(Exception):
    """The database, or who stands before it, refused a command.

    Attributes:
        fields: what it says, under the names that Neon's HTTP answers have: `message`, `code`,
            `severity`, `detail`, `constraint`, …
        status: the HTTP status, where it came over HTTP.
        committing: it may be the commit of something written that was answered so.
    """

    def __init__(
        self, fields: Mapping[str, str], *, status: int | None = None, committing: bool = False
    ) -> None:
        super().__init__(fields.get("message", ""))
        self.fields = fields
        self.status = status
        self.committing = committing

    @property
    def message(self) -> str:
        """The primary message."""
        return self.fields.get("message", "")

    @property
    def sqlstate(self) -> str:
        """https://www.postgresql.org/docs/current/errcodes-appendix.html"""
        return self.fields.get("code", "")

    @property
    def severity(self) -> str:
        """ERROR, after which the session goes on; FATAL or PANIC, with which it ends."""
        return self.fields.get("severity", "")

    @property
    def constraint(self) -> str:
        """The constraint that was broken, where one was."""
        return self.fields.get("constraint", "")

    def misses(self, table: Table | None) -> bool:
        """Whether what is missing is this table."""
        return table is not None and self.sqlstate == "42P01" and table.is_named(self.message)


async def with_table(
    table: Table | None,
    commands: Sequence[Command],
    run: Callable[[Sequence[Command]], Awaitable[Sequence[Answer]]],
) -> Sequence[Answer]:
    """What the commands give; where the table is missing they make it first, in one transaction.

    Raises:
        Refused: the database refused them for another reason.
    """
    try:
        return await run(commands)
    except Refused as problem:
        if table is None or not problem.misses(table):
            raise
    answers = await run([*table.making, *commands])
    return answers[len(table.making) :]


class Database(Protocol):
    """One client of a database."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def run(
        self,
        operation: str,
        commands: Sequence[Command],
        *,
        mode: Mode,
        isolation: Isolation | None = None,
        table: Table | None = None,
    ) -> Sequence[Answer]:
        """Run the commands in one transaction, all or none, within the one deadline of a call.

        Args:
            operation: the operation's name, for errors.
            commands: at least one.
            mode: in `reads` the database refuses to write, whatever a command calls.
            isolation: None leaves it to the database.
            table: one of this plugin's own, which is made where it is missing.

        Raises:
            Refused: a command or the commit was refused.
            ProviderError: everything else, with its outcome.
        """
        ...
