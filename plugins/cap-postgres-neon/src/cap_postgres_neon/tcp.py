"""PostgreSQL's own protocol: psycopg's connections, libpq's pipelines.

What reads is one round trip: BEGIN, the commands and COMMIT travel together. What writes is two,
so that it is known whether the commit was ever asked for: a connection that ends before that has
applied nothing, and only one that ends with the commit under way leaves it open.

No statement is given a name and nothing of a session is changed for longer than a transaction, so
a pooler may stand between, in any of its modes (Neon's `-pooler` hosts, PgBouncer).
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Self

from core_caps.capabilities.sql import Isolation
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, ProviderError
from core_caps.rng import Rng

from cap_postgres_neon import errors
from cap_postgres_neon.config import TcpConfig
from cap_postgres_neon.conversation import ConnectionLost, Given, TooLarge, converse
from cap_postgres_neon.database import Answer, Mode, Refused, forms
from cap_postgres_neon.dedupe import PostgresDedupe
from cap_postgres_neon.pool import Connection, NotConnected, Pool
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.statements import Command

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
                return await work.answers(commands, mode, isolation)
        except TimeoutError:
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
    """

    def __init__(self, pool: Pool, timeout_seconds: float, size_bytes_max: int) -> None:
        self._pool = pool
        self._timeout_seconds = timeout_seconds
        self._size_bytes_max = size_bytes_max
        self.committing = False

    async def answers(
        self, commands: Sequence[Command], mode: Mode, isolation: Isolation | None
    ) -> list[Answer]:
        """What each command gave, when all are committed."""
        access = " READ ONLY" if mode == "reads" else " READ WRITE"
        before = [Command("BEGIN" + _ISOLATIONS[isolation] + access), forms(self._timeout_seconds)]
        after = [_COMMIT] if mode == "reads" else []
        async with self._pool.connection() as connection:
            try:
                given = await self._converse(connection, [*before, *commands, *after])
                if mode == "writes":
                    self.committing = True
                    await self._converse(connection, [_COMMIT])
            except Refused:
                self.committing = False  # whatever is refused is undone, a commit too
                await self._converse(connection, [_ROLLBACK])
                raise
        return [_answer(each) for each in given[len(before) : len(before) + len(commands)]]

    async def _converse(self, connection: Connection, commands: Sequence[Command]) -> list[Given]:
        return await converse(connection, commands, size_bytes_max=self._size_bytes_max)


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
