"""One pool for each database that requests name, and no more of them than PostgreSQL bears."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from cap_postgres_neon.pool import Connection, NotConnected, Pool

__all__ = ["Pools"]

DATABASES_MAX = 4
CONNECTIONS_MAX = 20
"""Of each; together fewer than the 100 that PostgreSQL allows unless it is told otherwise.
https://www.postgresql.org/docs/current/runtime-config-connection.html"""

CONNECT_SECONDS_MAX = 10.0
"""The longest wait for a connection: a client has not given up by then, and hears that nothing was
sent."""


class Pools:
    """The pools of the databases that were asked for last; the others are closed.

    Args:
        conninfo: what libpq connects by, but for the database.
    """

    def __init__(self, conninfo: Mapping[str, Any]) -> None:
        self._conninfo = conninfo
        self._kept: dict[str, Pool] = {}

    async def close(self) -> None:
        """Close all."""
        while self._kept:
            await self._kept.pop(next(iter(self._kept))).close()

    @asynccontextmanager
    async def connection(self, database: str) -> AsyncGenerator[Connection]:
        """A connection to that database for the length of the block.

        Raises:
            NotConnected: there is none to be had; no secret is in its text.
        """
        pool = await self._pool(database)
        try:
            async with pool.connection() as connection:
                yield connection
        except NotConnected as problem:
            raise NotConnected(self._shown(str(problem)), late=problem.late) from None

    async def _pool(self, database: str) -> Pool:
        pool = self._kept.pop(database, None) or Pool(
            {**self._conninfo, "dbname": database},
            connections_max=CONNECTIONS_MAX,
            connect_timeout_seconds=CONNECT_SECONDS_MAX,
        )
        self._kept[database] = pool
        while len(self._kept) > DATABASES_MAX:
            await self._kept.pop(next(iter(self._kept))).close()
        return pool

    def _shown(self, text: str) -> str:
        password = self._conninfo.get("password")
        return text.replace(str(password), "…") if password else text
