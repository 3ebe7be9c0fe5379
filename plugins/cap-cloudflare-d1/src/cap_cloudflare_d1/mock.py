"""D1 in this process: SQLite in memory, with the vendor's rules and limits."""

import asyncio
from collections.abc import Sequence
from typing import Self

from core_caps.capabilities.sql import Isolation, Rows, SqlValue, Statement
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, Conflict
from core_caps.rng import Rng
from core_caps.sqlite.commands import checked_key

from cap_cloudflare_d1.config import MockConfig
from cap_cloudflare_d1.database import Database
from cap_cloudflare_d1.statements import (
    KEYS,
    Wire,
    all_reading,
    all_writing,
    keyed,
    reading,
    writing,
)

__all__ = ["MockSql"]

_STORES: dict[str, Database] = {}
"""The named stores of this process: they outlive their clients, as the service does."""


class MockSql:
    """A database as one client sees it; what is sent elsewhere runs here as it would be sent."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._clock = clock
        if config.store and config.store not in _STORES:
            _STORES[config.store] = Database()
        self._database = _STORES[config.store] if config.store else Database()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def query(self, statement: str, params: Sequence[SqlValue] = ()) -> Rows:
        """The rows of one statement that is proven to read.

        Raises:
            InvalidArgument: it is not proven to read, does not parse, is several commands, names
                what does not exist, has another number of parameters or breaks a limit;
                NOT_APPLIED.
        """
        await self._begin()
        [rows] = self._database.run([reading(statement, params)])
        return rows

    async def query_batch(
        self, statements: Sequence[Statement], *, isolation: Isolation | None = None
    ) -> Sequence[Rows]:
        """The rows of several statements that are proven to read, all of one state.

        Raises:
            InvalidArgument: as for `query`, of the first that is wrong; NOT_APPLIED.
        """
        await self._begin()
        return self._database.run(all_reading(statements, isolation))

    async def execute(
        self, statement: str, params: Sequence[SqlValue] = (), *, key: str = ""
    ) -> Rows:
        """Run one statement in a transaction of its own.

        Raises:
            Conflict: a constraint does not allow it; NOT_APPLIED.
            InvalidArgument: as for `query`, but for writing; NOT_APPLIED.
        """
        await self._begin()
        [rows] = self._applied([writing(statement, params)], checked_key(key))
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
        await self._begin()
        given = all_writing(statements, isolation)
        return self._applied(given, checked_key(key)) if given else []

    def _applied(self, given: Sequence[Wire], key: str) -> Sequence[Rows]:
        """What the statements give, in one batch with the key."""
        first = keyed(key, self._clock.now()) if key else []
        try:
            return self._database.run([*first, *given])[len(first) :]
        except Conflict as error:
            if key and f"{KEYS}.key" in error.message:
                return [Rows(repeated=True) for _ in given]
            raise

    async def _begin(self) -> None:
        """Let others run, as a real request would, and then do it all at once."""
        self._need_open()
        await asyncio.sleep(0)
        self._need_open()

    def _need_open(self) -> None:
        if not self._open:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
