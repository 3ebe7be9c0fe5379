"""A database over PostgreSQL's own protocol: psycopg's connections, libpq's pipelines.

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
from typing import Any, Self

from core_caps.capabilities.sql import Isolation
from core_caps.errors import ClientClosed, ProviderError

from cap_postgres_neon import errors
from cap_postgres_neon.conversation import ConnectionLost, Given, TooLarge, converse
from cap_postgres_neon.database import Answer, Mode, Refused, forms
from cap_postgres_neon.pool import Connection, NotConnected, Pool
from cap_postgres_neon.statements import Command

__all__ = ["TcpDatabase"]

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
    """One client of a database.

    Args:
        conninfo: what libpq connects by; https://www.postgresql.org/docs/current/libpq-connect.html
        secrets: what no error may show.
        timeout_seconds: the longest that one call takes.
        connect_timeout_seconds: the longest wait for a connection within that.
        connections_max: so many calls run at once; others wait.
        answer_size_bytes_max: of the answers of one call together.
    """

    def __init__(
        self,
        conninfo: Mapping[str, Any],
        *,
        secrets: Sequence[str],
        timeout_seconds: float,
        connect_timeout_seconds: float,
        connections_max: int,
        answer_size_bytes_max: int,
    ) -> None:
        self._conninfo = conninfo
        self._secrets = [secret for secret in secrets if secret]
        self._timeout_seconds = timeout_seconds
        self._connect_seconds = min(connect_timeout_seconds, 0.8 * timeout_seconds)
        self._connections_max = connections_max
        self._size_bytes_max = answer_size_bytes_max
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        self._pool = Pool(
            self._conninfo,
            connections_max=self._connections_max,
            connect_timeout_seconds=self._connect_seconds,
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
        work = _Transaction(self._pool, self._timeout_seconds, self._size_bytes_max)
        error: ProviderError
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await work.answers(commands, mode, isolation)
        except TimeoutError:
            error = errors.late(operation, self._timeout_seconds, committing=work.committing)
        except TooLarge:
            error = errors.too_large(operation, self._size_bytes_max)
        except ConnectionLost as problem:
            shown = self._shown(problem)
            error = errors.lost(operation, shown, committing=work.committing)
        except NotConnected as problem:
            error = errors.unconnected(operation, self._shown(problem), late=problem.late)
        raise error  # out here, so that it carries nothing that may show a secret

    def _shown(self, problem: Exception) -> str:
        text = str(problem)
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text


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
