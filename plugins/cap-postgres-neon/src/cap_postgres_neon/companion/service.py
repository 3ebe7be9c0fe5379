"""What the companion does with a request: a transaction on PostgreSQL, and an answer.

Where nothing came back, the answer says by an SQLSTATE what is known. Nothing is applied: 08001, no
connection was made; 40000 and 57014, the transaction ended before its commit was asked for. Nobody
knows: 08007.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from psycopg.pq import TransactionStatus

from cap_postgres_neon.companion.pools import Pools
from cap_postgres_neon.companion.protocol import Asked, BadRequest, answer, asked, refusal
from cap_postgres_neon.conversation import ConnectionLost, Given, TooLarge, converse
from cap_postgres_neon.database import Refused
from cap_postgres_neon.pool import Connection, NotConnected
from cap_postgres_neon.statements import Command

__all__ = ["Reply", "Service"]

_COMMIT, _ROLLBACK, _FORGET = Command("COMMIT"), Command("ROLLBACK"), Command("DISCARD ALL")

_NO_CONNECTION, _NO_DATABASE = "08001", "3D000"
_UNDONE, _LATE, _UNCLEAR = "40000", "57014", "08007"
"""https://www.postgresql.org/docs/current/errcodes-appendix.html"""

Reply = tuple[int, bytes]
"""A status, and a body of JSON."""


@dataclass(slots=True)
class _Progress:
    """How far a request came.

    Attributes:
        may_be_applied: what would apply it has been sent.
    """

    may_be_applied: bool = False


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
        self._own = str(conninfo.get("dbname") or "postgres")
        self._size_bytes_max = answer_size_bytes_max
        self._seconds = timeout_seconds
        self._pools = Pools(conninfo)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._pools.close()

    async def reach(self) -> None:
        """Connect to the database of the conninfo, to see that one can.

        Raises:
            NotConnected: one cannot.
        """
        async with self._pools.connection(self._own):
            pass

    async def reply(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer to a request, whatever it is."""
        progress = _Progress()
        try:
            database = _database(headers)
            wanted = asked(headers, body)
            async with asyncio.timeout(self._seconds):
                given = await self._given(database, wanted, progress)
        except BadRequest as problem:
            return _said(400, str(problem))
        except Refused as refused:
            return _refused(refused)
        except TooLarge:
            return _said(507, f"response is too large (max is {self._size_bytes_max} bytes)")
        except NotConnected as problem:
            return _unconnected(problem)
        except ConnectionLost as problem:
            return _ended(f"connection lost: {problem}", _UNDONE, progress)
        except TimeoutError:
            return _ended(f"no answer after {self._seconds:g} seconds", _LATE, progress)
        return _answered(wanted, given)

    async def _given(self, database: str, wanted: Asked, progress: _Progress) -> Sequence[Given]:
        commands = [query.command for query in wanted.queries]
        async with self._pools.connection(database) as connection:
            try:
                if wanted.begin:
                    return await self._transaction(connection, wanted.begin, commands, progress)
                progress.may_be_applied = True
                return await self._converse(connection, commands)
            finally:
                await self._forget(connection)

    async def _transaction(
        self, connection: Connection, begin: str, commands: Sequence[Command], progress: _Progress
    ) -> Sequence[Given]:
        given = await self._converse(connection, [Command(begin), *commands])
        progress.may_be_applied = True
        await self._converse(connection, [_COMMIT])
        return given[1:]

    async def _forget(self, connection: Connection) -> None:
        """Leave nothing of a request for the next; what was answered to it stands."""
        if connection.closed:
            return
        try:
            if connection.pgconn.transaction_status != TransactionStatus.IDLE:
                await self._converse(connection, [_ROLLBACK])
            await self._converse(connection, [_FORGET])
        except (ConnectionLost, Refused, TooLarge):
            connection.pgconn.finish()

    async def _converse(
        self, connection: Connection, commands: Sequence[Command]
    ) -> Sequence[Given]:
        return await converse(connection, commands, size_bytes_max=self._size_bytes_max)


def _database(headers: Mapping[str, str]) -> str:
    """The database that a request names; user and password are the companion's own."""
    said = headers.get("neon-connection-string")
    if said is None:
        raise BadRequest("the header Neon-Connection-String is missing")
    try:
        name = unquote(urlsplit(said).path.removeprefix("/"))
    except ValueError:
        raise BadRequest("the header Neon-Connection-String is no URL") from None
    if not name or "\0" in name:
        raise BadRequest("the header Neon-Connection-String names no database")
    return name


def _answered(wanted: Asked, given: Sequence[Given]) -> Reply:
    pairs = zip(wanted.queries, given, strict=True)
    try:
        results = [answer(query, each, as_text=wanted.as_text) for query, each in pairs]
        return 200, _json({"results": results} if wanted.begin else results[0])
    except (ArithmeticError, LookupError, RecursionError, ValueError) as problem:
        done = f"it is done, but its answer cannot be written: {type(problem).__name__}: {problem}"
        return _said(500, f"{done}; ask for it as text by Neon-Raw-Text-Output: true")


def _unconnected(problem: NotConnected) -> Reply:
    missing = "database" in str(problem) and "does not exist" in str(problem)
    code = _NO_DATABASE if missing else _NO_CONNECTION
    return _refused(Refused({"code": code, "message": f"no connection: {problem}"}))


def _ended(message: str, code: str, progress: _Progress) -> Reply:
    """The answer where none came; the code is for what was certainly undone."""
    known = _UNCLEAR if progress.may_be_applied else code
    return _refused(Refused({"code": known, "message": message}))


def _refused(refused: Refused) -> Reply:
    return 400, _json(refusal(refused))


def _said(status: int, message: str) -> Reply:
    return status, _json({"message": message, "code": None})


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
