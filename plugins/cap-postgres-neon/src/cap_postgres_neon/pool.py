"""The connections of one client: opened when they are first needed, kept for the next call.

A pool that opens connections in the background repeats what fails, and tells a wrong password from
a dead network by neither error nor time. Here whoever needs a connection opens it, once.
"""

import asyncio
import select
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError, pq

__all__ = ["Connection", "NotConnected", "Pool"]

Connection = AsyncConnection[tuple[Any, ...]]

IDLE_SECONDS_MAX = 240.0
"""A connection idle for longer is not reused: Neon suspends a compute after 300 seconds.
https://neon.com/docs/introduction/scale-to-zero"""


class NotConnected(Exception):
    """No connection was made, so nothing was sent.

    Attributes:
        late: the wait for one was too long.
    """

    def __init__(self, problem: str, *, late: bool = False) -> None:
        super().__init__(problem)
        self.late = late


class Pool:
    """At most so many connections.

    Args:
        conninfo: what libpq connects by.
        connections_max: whoever needs one more waits.
        connect_timeout_seconds: the longest wait, for a turn and for the server.
    """

    def __init__(
        self, conninfo: Mapping[str, Any], *, connections_max: int, connect_timeout_seconds: float
    ) -> None:
        self._conninfo = conninfo
        self._seconds = connect_timeout_seconds
        self._turns = asyncio.Semaphore(connections_max)
        self._idle: list[tuple[float, Connection]] = []
        self._closed = False

    async def close(self) -> None:
        """Close what is idle now, and the others when they are given back."""
        self._closed = True
        while self._idle:
            await self._idle.pop()[1].close()

    @asynccontextmanager
    async def connection(self) -> AsyncGenerator[Connection]:
        """A connection for the length of the block; one that is broken by then is not kept.

        Raises:
            NotConnected: there is none to be had.
        """
        connection = await self._taken()
        try:
            yield connection
        finally:
            self._given_back(connection)
            self._turns.release()

    async def _taken(self) -> Connection:
        try:
            async with asyncio.timeout(self._seconds):
                await self._turns.acquire()
                try:
                    return self._kept() or await self._opened()
                except BaseException:
                    self._turns.release()
                    raise
        except TimeoutError:
            late = f"none was there after {self._seconds:g} seconds"
        raise NotConnected(late, late=True)

    async def _opened(self) -> Connection:
        try:
            return await AsyncConnection.connect(
                **self._conninfo, autocommit=True, prepare_threshold=None
            )
        except OperationalError as problem:
            said = str(problem).strip()
        raise NotConnected(said)

    def _kept(self) -> Connection | None:
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS_MAX
        while self._idle:
            since, connection = self._idle.pop()
            if since > oldest and _is_quiet(connection):
                return connection
            connection.pgconn.finish()
        return None

    def _given_back(self, connection: Connection) -> None:
        if self._closed or connection.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            connection.pgconn.finish()
        else:
            self._idle.append((asyncio.get_running_loop().time(), connection))


def _is_quiet(connection: Connection) -> bool:
    """Whether nothing has come since it was last used: a server that hangs up says so first."""
    try:
        looked = select.poll()  # select knows no descriptor above 1023
        looked.register(connection.pgconn.socket, select.POLLIN)
        return not looked.poll(0)
    except (OSError, OperationalError, ValueError):
        return False
