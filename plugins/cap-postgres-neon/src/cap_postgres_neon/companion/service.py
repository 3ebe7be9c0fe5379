"""What the companion does with a request: a transaction on PostgreSQL, and an answer."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from cap_postgres_neon.companion.protocol import Asked, BadRequest, answer, asked, refusal
from cap_postgres_neon.conversation import ConnectionLost, Given, TooLarge, converse
from cap_postgres_neon.database import Refused
from cap_postgres_neon.pool import Connection, NotConnected, Pool
from cap_postgres_neon.statements import Command

__all__ = ["Reply", "Service"]

_COMMIT, _ROLLBACK, _FORGET = Command("COMMIT"), Command("ROLLBACK"), Command("DISCARD ALL")
_CONNECTIONS_MAX = 20

Reply = tuple[int, bytes]
"""A status, and a body of JSON."""


class Service:
    """The databases of one PostgreSQL server.

    Args:
        conninfo: what libpq connects by; requests choose the database.
        answer_size_bytes_max: of the rows of one answer.
        timeout_seconds: the longest that one request takes.
    """

    def __init__(
        self,
        conninfo: Mapping[str, Any],
        *,
        answer_size_bytes_max: int = 64 * 1024 * 1024,
        timeout_seconds: float = 60.0,
    ) -> None:
        self._conninfo = conninfo
        self._size_bytes_max = answer_size_bytes_max
        self._seconds = timeout_seconds
        self._pools: dict[str, Pool] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def reply(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to a request, whatever it is."""
        try:
            database = self._database(headers)
            wanted = asked(headers, body)
            async with asyncio.timeout(self._seconds):
                given = await self._given(database, wanted)
        except BadRequest as problem:
            return _said(400, str(problem))
        except Refused as refused:
            return 400, _json(refusal(refused))
        except TooLarge:
            return _said(507, f"response is too large (max is {self._size_bytes_max} bytes)")
        except NotConnected as problem:
            return _said(500, f"no connection: {problem}")
        except ConnectionLost as problem:
            return _said(500, f"connection lost: {problem}")
        except TimeoutError:
            return _said(500, f"no answer after {self._seconds:g} seconds")
        pairs = zip(wanted.queries, given, strict=True)
        results = [answer(query, each, as_text=wanted.as_text) for query, each in pairs]
        return 200, _json({"results": results} if wanted.begin else results[0])

    def _database(self, headers: Mapping[str, str]) -> str:
        """The database that a request names; user and password are the companion's own."""
        said = headers.get("neon-connection-string")
        if said is None:
            raise BadRequest("the header Neon-Connection-String is missing")
        name = unquote(urlsplit(said).path.removeprefix("/"))
        if not name:
            raise BadRequest("the header Neon-Connection-String names no database")
        return name

    async def _given(self, database: str, wanted: Asked) -> Sequence[Given]:
        commands = [query.command for query in wanted.queries]
        if database not in self._pools:
            conninfo = {**self._conninfo, "dbname": database}
            self._pools[database] = Pool(
                conninfo, connections_max=_CONNECTIONS_MAX, connect_timeout_seconds=self._seconds
            )
        async with self._pools[database].connection() as connection:
            try:
                if not wanted.begin:
                    return await self._converse(connection, commands)
                whole = [Command(wanted.begin), *commands]
                given = await self._converse(connection, whole)
                await self._converse(connection, [_COMMIT])
                return given[1:]
            except Refused:
                if wanted.begin:
                    await self._converse(connection, [_ROLLBACK])
                raise
            finally:
                if not wanted.begin and not connection.closed:
                    await self._converse(connection, [_FORGET])

    async def _converse(
        self, connection: Connection, commands: Sequence[Command]
    ) -> Sequence[Given]:
        return await converse(connection, commands, size_bytes_max=self._size_bytes_max)


def _said(status: int, message: str) -> Reply:
    return status, _json({"message": message, "code": None})


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
