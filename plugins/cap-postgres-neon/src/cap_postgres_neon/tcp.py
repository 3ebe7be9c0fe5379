"""PostgreSQL's own protocol: psycopg's connections, libpq's pipelines.

What reads is one round trip: BEGIN, the commands and COMMIT travel together. What writes is two,
so that it is known whether the commit was ever asked for: a connection that ends before that has
applied nothing, and only one that ends with the commit under way leaves it open.

What a statement changed of its session (a setting, a lock, a temporary table) is put back behind
the end of its transaction, in the same round trip. No statement is given a name. So a pooler may
stand between that gives a session to a client or to a transaction (Neon's `-pooler` hosts,
PgBouncer); one that gives it to a statement refuses what takes two round trips: every write.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Self

from core_caps.capabilities.sql import Isolation
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, ProviderError
from core_caps.rng import Rng
from psycopg.pq import TransactionStatus

from cap_postgres_neon import errors
from cap_postgres_neon.config import TcpConfig
from cap_postgres_neon.conversation import ConnectionLost, Given, TooLarge, converse
from cap_postgres_neon.database import Answer, Mode, Refused, forms, with_table
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.pool import Connection, NotConnected, Pool
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.statements import Command
from cap_postgres_neon.tables import Table

__all__ = ["TcpDatabase", "TcpDedupe", "TcpSql"]

_ISOLATIONS: Mapping[Isolation | None, str] = MappingProxyType(
    {
        None: "",
        "read_committed": " ISOLATION LEVEL READ COMMITTED",
        "repeatable_read": " ISOLATION LEVEL REPEATABLE READ",
        "serializable": " ISOLATION LEVEL SERIALIZABLE",
    }
)
_COMMIT, _ROLLBACK = Command("COMMIT"), Command("ROLLBACK")

_AS_FOUND = (
    Command("SET SESSION AUTHORIZATION DEFAULT"),
    Command("RESET ALL"),
    Command("CLOSE ALL"),
    Command("DEALLOCATE ALL"),
    Command("UNLISTEN *"),
    Command("DISCARD TEMP"),
    Command("DISCARD SEQUENCES"),
    Command("SELECT pg_advisory_unlock_all()"),
)
"""What DISCARD ALL does, but for plans, which do no harm: it would be a round trip of its own.
https://www.postgresql.org/docs/current/sql-discard.html"""
_UNDONE = {"code": "40000", "message": "it was undone instead of committed"}
_CHANGES = re.compile(r"(?:INSERT \d+|UPDATE|DELETE|MERGE) (\d+)")


class TcpDatabase:
    """One client of a database."""

    def __init__(self, config: TcpConfig) -> None:
        self._config = config
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        config = self._config
        # Where no connection comes, its own timeout says so before the call's does.
        wait = min(config.connect_timeout_seconds, 0.8 * config.timeout_seconds)
        self._pool = Pool(
            config.conninfo,
            connections_max=config.connections_max,
            connect_timeout_seconds=wait,
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()

    async def run(
        self,
        operation: str,
        commands: Sequence[Command],
        *,
        mode: Mode,
        isolation: Isolation | None = None,
        table: Table | None = None,
    ) -> Sequence[Answer]:
        """Run the commands in one transaction, all or none; see `Database.run`."""
        if self._pool is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        seconds, size_bytes_max = self._config.timeout_seconds, self._config.answer_size_bytes_max
        work = _Transaction(self._pool, seconds, size_bytes_max)
        error: ProviderError
        try:
            async with asyncio.timeout(seconds):
                return await with_table(
                    table, commands, lambda given: work.answers(given, mode, isolation)
                )
        except TimeoutError:
            # What is refused is told, also where its undoing was still under way.
            if work.refused is not None and not work.refused.misses(table):
                raise work.refused from None
            error = errors.late(operation, seconds, committing=work.committing)
        except TooLarge:
            error = errors.too_large(operation, size_bytes_max)
        except ConnectionLost as problem:
            shown = self._shown(problem)
            error = errors.lost(operation, shown, committing=work.committing)
        except NotConnected as problem:
            error = errors.unconnected(operation, self._shown(problem), late=problem.late)
        raise error  # out here, so that it carries nothing that may show a secret

    def _shown(self, problem: Exception) -> str:
        password = self._config.password.reveal()
        return str(problem).replace(password, "…") if password else str(problem)


class _Transaction:
    """One call, and how far it came.

    Attributes:
        committing: a commit of something written is under way.
        refused: what was refused first, where anything was.
    """

    def __init__(self, pool: Pool, timeout_seconds: float, size_bytes_max: int) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._size_bytes_max = size_bytes_max
        self.committing = False
        self.refused: Refused | None = None

    async def answers(
        self, commands: Sequence[Command], mode: Mode, isolation: Isolation | None
    ) -> list[Answer]:
        """What each command gave, when all are committed."""
        self.refused = None
        access = " READ ONLY" if mode == "reads" else " READ WRITE"
        before = [Command("BEGIN" + _ISOLATIONS[isolation] + access), forms(self._timeout_seconds)]
        whole = [*before, *commands]
        async with self._pool.connection() as connection:
            try:
                if mode == "reads":
                    given = await self._ended(connection, [*whole, _COMMIT])
                else:
                    given = await self._converse(connection, whole)
                    await self._commit(connection)
            except Refused as refused:
                self.refused = Refused(refused.fields, committing=self.committing)
                await self._undo(connection)
                raise self.refused from None
        return [_answer(each) for each in given[len(before) : len(whole)]]

    async def _commit(self, connection: Connection) -> None:
        self.committing = True
        committed, *_ = await self._ended(connection, [_COMMIT])
        if committed.tag != _COMMIT.text:
            raise Refused(_UNDONE)

    async def _ended(self, connection: Connection, commands: Sequence[Command]) -> list[Given]:
        """What the commands gave, with which the transaction ends, and the session left as it was
        found: where that fails it costs the connection and nothing else."""
        given: list[Given] = []
        try:
            await self._converse(connection, [*commands, *_AS_FOUND], given)
        except (ConnectionLost, Refused, TooLarge):
            if len(given) < len(commands):
                raise
            connection.pgconn.finish()
        return given

    async def _undo(self, connection: Connection) -> None:
        """End what was refused; where that fails, too, the refusal stays what is told."""
        is_open = connection.pgconn.transaction_status != TransactionStatus.IDLE
        with suppress(ConnectionLost, Refused, TooLarge):
            await self._ended(connection, [_ROLLBACK] if is_open else [])

    async def _converse(
        self,
        connection: Connection,
        commands: Sequence[Command],
        given: list[Given] | None = None,
    ) -> list[Given]:
        size_bytes_max = self._size_bytes_max
        return await converse(connection, commands, size_bytes_max=size_bytes_max, given=given)


def _answer(given: Given) -> Answer:
    changed = _CHANGES.fullmatch(given.tag)
    return Answer(
        tuple(column.name for column in given.columns),
        tuple(column.type_id for column in given.columns),
        given.rows,
        int(changed[1]) if changed else 0,
    )


class TcpSql(PostgresSql):
    """Sql on the database that the settings name."""

    Config = TcpConfig

    def __init__(self, config: TcpConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(TcpDatabase(config))


class TcpDedupe(PostgresDedupe):
    """Dedupe on the database that the settings name."""

    Config = TcpConfig

    def __init__(self, config: TcpConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(TcpDatabase(config))
