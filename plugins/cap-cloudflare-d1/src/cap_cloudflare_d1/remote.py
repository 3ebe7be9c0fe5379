"""D1 through the vendor's public REST API, with httpx."""

from collections.abc import Sequence
from functools import partial
from typing import Self

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.json_bodies import written_json
from core_caps.rng import Rng
from core_caps.sqlite.commands import checked_key

from cap_cloudflare_d1 import answers, errors
from cap_cloudflare_d1.config import RemoteConfig
from cap_cloudflare_d1.statements import Wire, all_reading, all_writing, keyed, reading, writing

__all__ = ["RemoteSql"]

ANSWER_BYTES_MAX = 128 * 1024 * 1024
"""Of all the rows of a call; bytes come as lists of numbers, four letters each."""

READS = {"X-Flows-Effect": "read_only"}
"""Told with what is proven to read: the API has one route for reads and writes."""


class RemoteSql:
    """A database as one client of the REST API sees it.

    D1 has no mode that only reads, so a query is sent only when its text proves that it reads: by
    its verb, and by the functions it calls. Nothing is ever repeated; every error states its
    outcome: a failed read is NOT_APPLIED, a write that may have arrived is UNKNOWN. Every
    operation may raise Unauthenticated, PermissionDenied, ContainerNotFound, RateLimited,
    Unavailable, TimedOut and ProtocolViolation, besides what it lists itself.
    """

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._exchange: Exchange | None = None

    def __repr__(self) -> str:
        return f"RemoteSql({self._config.base_url}, database {self._config.database_id})"

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(_service(self._config), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one statement that is proven to read.

        Raises:
            InvalidArgument: it is not proven to read, does not parse, is several commands, names
                what does not exist, has another number of parameters or breaks a limit;
                NOT_APPLIED.
        """
        exchange = self._opened()
        [rows] = await _sent(exchange, "query", [reading(statement, params)])
        return rows

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several statements that are proven to read, all of one state.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong; NOT_APPLIED.
        """
        exchange = self._opened()
        wanted = all_reading(statements, isolation)
        return await _sent(exchange, "query_batch", wanted) if wanted else []

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
        """
        exchange = self._opened()
        given = [writing(statement, params)]
        [rows] = await self._applied(exchange, "execute", given, checked_key(key))
        return rows

    async def batch(
        self,
        statements: Sequence[Statement],
        *,
        isolation: Isolation | None = None,
        key: str = "",
    ) -> Sequence[Rows]:
        """Run several statements in one transaction: all are applied, or none is.

        Raises:
            Conflict, InvalidArgument: as for `execute`, of the first that fails; none is applied.
        """
        exchange = self._opened()
        given = all_writing(statements, isolation)
        return await self._applied(exchange, "batch", given, checked_key(key)) if given else []

    async def _applied(
        self, exchange: Exchange, operation: str, given: Sequence[Wire], key: str
    ) -> Sequence[Rows]:
        """What the statements give, in one batch with the key."""
        first = keyed(key, self._clock.now()) if key else []
        call = _call(operation, [*first, *given], writes=True)
        work = exchange.send(call, errors.is_taken)
        found = await exchange.in_time(operation, work, writes=True)
        if found is None:
            return [Rows(repeated=True) for _ in given]
        return found[len(first) :]

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._exchange


def _service(config: RemoteConfig) -> Service:
    base = config.base_url.rstrip("/")
    return Service(
        distribution="cap-cloudflare-d1",
        url=f"{base}/accounts/{config.account_id}/d1/database/{config.database_id}",
        failures=errors.FAILURES,
        headers={"Authorization": f"Bearer {config.api_token.reveal()}"},
        secrets=(config.api_token,),
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        transport=config.transport,
    )


async def _sent(exchange: Exchange, operation: str, wanted: Sequence[Wire]) -> Sequence[Rows]:
    work = exchange.send(_call(operation, wanted, writes=False))
    return await exchange.in_time(operation, work, writes=False)


def _call(operation: str, wires: Sequence[Wire], *, writes: bool) -> Call[Sequence[Rows]]:
    """Rows as lists: as objects, two columns of one name would be one."""
    shown = [wire.shown() for wire in wires]
    content: object = shown[0] if len(shown) == 1 else {"batch": shown}
    read = partial(answers.results, count=len(wires))
    body = written_json(content)
    told = None if writes else READS
    return Call(operation, "POST", "/raw", writes, read, ANSWER_BYTES_MAX, body=body, headers=told)
