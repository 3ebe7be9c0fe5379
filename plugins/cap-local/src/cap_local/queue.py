"""Queue on SQLite: a file for `local`, this process's memory for `mock`.

A message is two rows: what it is, written once, and where it stands (its queue, when it is due,
how often it was delivered), which every delivery changes. An index leads from a queue to what is
due first, so that a pull costs what it gives, however many messages wait. All queues of a folder
are one database; each call is one transaction of it.

A lease is the message's number and that of its delivery: it holds while the message was neither
settled nor delivered again, and its time is not up.
"""

import json
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Self, cast

from core_caps.capabilities.queue import Delivery, Message
from core_caps.clock import Clock
from core_caps.errors import LeaseExpired
from core_caps.rng import Rng

from cap_local.config import LocalConfig, MockConfig, SharedConfig
from cap_local.database import Database, FileDatabase, MemoryDatabase
from cap_local.queue_arguments import (
    checked_delay,
    checked_leases,
    checked_messages,
    checked_pull_limit,
    checked_visibility,
)

__all__ = ["LocalQueue", "MockQueue"]

SCHEMA = (
    (
        "CREATE TABLE messages (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, "
        "sent_at REAL NOT NULL, body BLOB NOT NULL) STRICT",
        "CREATE TABLE standing (number INTEGER PRIMARY KEY, queue TEXT NOT NULL, "
        "due_at REAL NOT NULL, deliveries INTEGER NOT NULL, before INTEGER NOT NULL, "
        "leased INTEGER NOT NULL) STRICT",
        "CREATE INDEX due ON standing (queue, due_at)",
    ),
)
"""`before` counts the deliveries before the message came to this queue; no number comes again."""

VISIBILITY_SECONDS = 30
"""How long a lease holds where the pull does not say."""

_PUT = "INSERT INTO messages (key, sent_at, body) VALUES (?, ?, ?)"
_PUT_STANDING = "INSERT INTO standing VALUES (?, ?, ?, 0, 0, 0)"
_DUE = (
    "SELECT number, deliveries - before FROM standing WHERE queue = ? AND due_at <= ? "
    "ORDER BY due_at, number LIMIT ?"
)
_LEASE = (
    "UPDATE standing SET deliveries = deliveries + 1, due_at = ?, leased = 1 "
    "WHERE number IN (SELECT value FROM json_each(?))"
)
_DELIVERED = (
    "SELECT number, body, messages.key, deliveries - before, sent_at, deliveries "
    "FROM json_each(?) AS given CROSS JOIN standing ON number = given.value "
    "JOIN messages USING (number) ORDER BY given.key"
)
_HELD = (
    "SELECT number, deliveries, deliveries - before FROM standing "
    "WHERE number IN (SELECT value FROM json_each(?)) AND queue = ? AND due_at > ? AND leased"
)
_AGAIN = (
    "UPDATE standing SET due_at = ?, leased = 0 WHERE number IN (SELECT value FROM json_each(?))"
)
_GIVE_UP = (
    "UPDATE standing SET queue = ?, due_at = ?, before = deliveries, leased = 0 "
    "WHERE number IN (SELECT value FROM json_each(?))"
)
_REMOVE = tuple(
    f"DELETE FROM {table} WHERE number IN (SELECT value FROM json_each(?))"  # noqa: S608 (ours)
    for table in ("standing", "messages")
)

_A_LEASE = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})", re.ASCII)


class _Queue:
    """Queue on a database; `LocalQueue` and `MockQueue` say on which."""

    def __init__(self, database: Database, config: SharedConfig, clock: Clock) -> None:
        self._database = database
        self._config = config
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._database.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._database.__aexit__(*exc)

    async def send(self, body: bytes, *, key: str = "", delay_seconds: int | None = None) -> None:
        """Send one message.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        await self.send_batch([Message(body, key, delay_seconds)])

    async def send_batch(self, messages: Sequence[Message]) -> None:
        """Send several messages, all of them or none.

        Raises:
            InvalidArgument: a limit is broken, by one message or by all; NOT_APPLIED.
        """
        sent, now = checked_messages(messages), self._clock.now()
        rows = [
            ((message.key, now, message.body), now + (message.delay_seconds or 0))
            for message in sent
        ]

        def job(connection: sqlite3.Connection) -> None:
            for row, due_at in rows:
                number = connection.execute(_PUT, row).lastrowid
                connection.execute(_PUT_STANDING, (number, self._config.queue, due_at))

        await self._database.write(job)

    async def pull(
        self, *, limit: int = 10, visibility_seconds: int | None = None
    ) -> Sequence[Delivery]:
        """Up to `limit` messages, hidden from other consumers while their leases hold.

        What was due first comes first. A message whose last lease ran out unsettled is given up.

        Raises:
            InvalidArgument: `limit` or `visibility_seconds` is out of range; NOT_APPLIED.
        """
        wanted, seconds = checked_pull_limit(limit), checked_visibility(visibility_seconds)
        now = self._clock.now()
        until = now + (VISIBILITY_SECONDS if seconds is None else seconds)

        def job(connection: sqlite3.Connection) -> list[Delivery]:
            numbers = json.dumps(self._due(connection, wanted, now))
            connection.execute(_LEASE, (until, numbers))
            return [
                Delivery(str(number), body, key, attempts, sent_at, f"{number}-{deliveries}")
                for number, body, key, attempts, sent_at, deliveries in connection.execute(
                    _DELIVERED, (numbers,)
                )
            ]

        return await self._database.write(job)

    async def ack(self, leases: Sequence[str]) -> None:
        """The messages of these leases are done with and are not delivered again.

        Raises:
            InvalidArgument: it is no sequence of texts; NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        asked, now = checked_leases(leases), self._clock.now()

        def job(connection: sqlite3.Connection) -> list[str]:
            held = self._held(connection, asked, now)
            _remove(connection, list(held))
            return _expired(asked, held)

        _refuse_expired(await self._database.write(job), len(asked))

    async def retry(self, leases: Sequence[str], *, delay_seconds: int | None = None) -> None:
        """The messages of these leases are to be delivered again, after a delay.

        What was delivered `attempts_max` times is given up instead, at once.

        Raises:
            InvalidArgument: it is no sequence of texts, or the delay is out of range; NOT_APPLIED.
            LeaseExpired: some of these leases do not hold; `leases` names them, and the others
                are settled.
        """
        asked, now = checked_leases(leases), self._clock.now()
        due_at = now + (checked_delay(delay_seconds) or 0)

        def job(connection: sqlite3.Connection) -> list[str]:
            held = self._held(connection, asked, now)
            spent = [number for number, (_, tried) in held.items() if self._is_spent(tried)]
            self._give_up(connection, spent, now)
            again = json.dumps([number for number in held if number not in set(spent)])
            connection.execute(_AGAIN, (due_at, again))
            return _expired(asked, held)

        _refuse_expired(await self._database.write(job), len(asked))

    def _due(self, connection: sqlite3.Connection, wanted: int, now: float) -> list[int]:
        """The numbers of so many messages that are due; those that were tried enough are not."""
        while True:
            rows: list[tuple[int, int]] = connection.execute(
                _DUE, (self._config.queue, now, wanted)
            ).fetchall()
            spent = [number for number, tried in rows if self._is_spent(tried)]
            if not spent:
                return [number for number, _ in rows]
            self._give_up(connection, spent, now)

    def _held(
        self, connection: sqlite3.Connection, leases: Sequence[str], now: float
    ) -> Mapping[int, tuple[int, int]]:
        """Which messages are held under these leases: all deliveries, and those of this queue."""
        asked = {lease: _parsed(lease) for lease in leases}
        numbers = json.dumps([found[0] for found in asked.values() if found is not None])
        rows = connection.execute(_HELD, (numbers, self._config.queue, now)).fetchall()
        given = set(asked.values())
        return {
            number: (deliveries, tried)
            for number, deliveries, tried in cast("list[tuple[int, int, int]]", rows)
            if (number, deliveries) in given
        }

    def _is_spent(self, tried: int) -> bool:
        return 0 < self._config.attempts_max <= tried

    def _give_up(self, connection: sqlite3.Connection, numbers: list[int], now: float) -> None:
        """Move messages to the dead letter queue, or drop them where there is none."""
        if self._config.dead_letter:
            connection.execute(_GIVE_UP, (self._config.dead_letter, now, json.dumps(numbers)))
        else:
            _remove(connection, numbers)


class LocalQueue(_Queue):
    """A queue in the folder, shared by every process that names both."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(FileDatabase(config.folder / "queue.sqlite", SCHEMA), config, clock)


class MockQueue(_Queue):
    """A queue in memory, shared by the clients that name it and its store."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(MemoryDatabase("queue", config.store, SCHEMA), config, clock)


def _remove(connection: sqlite3.Connection, numbers: list[int]) -> None:
    given = (json.dumps(numbers),)
    for statement in _REMOVE:
        connection.execute(statement, given)


def _parsed(lease: str) -> tuple[int, int] | None:
    """The message's number and that of its delivery, or None where nobody gave this out."""
    found = _A_LEASE.fullmatch(lease)
    return None if found is None else (int(found[1]), int(found[2]))


def _expired(leases: Sequence[str], held: Mapping[int, tuple[int, int]]) -> list[str]:
    names = {f"{number}-{deliveries}" for number, (deliveries, _) in held.items()}
    return [lease for lease in leases if lease not in names]


def _refuse_expired(expired: Sequence[str], asked: int) -> None:
    if expired:
        raise LeaseExpired(
            f"{len(expired)} of {asked} leases do not hold; the others are settled",
            leases=expired,
            hint="the messages may come again, or be with somebody else: settle within the lease",
        )
