"""One SQLite database for one capability: durable, shared by processes, off the event loop.

    database = FileDatabase(config.folder / "kv.sqlite", SCHEMA)     # backend `local`
    database = MemoryDatabase("kv", config.store, SCHEMA)            # backend `mock`

    async with database:
        row = await database.read(lambda connection: connection.execute("SELECT …").fetchone())
        await database.write(lambda connection: connection.execute("INSERT …"))

A **job** is a plain function of a `sqlite3.Connection`; it runs inside a transaction and neither
begins nor ends one. It may run twice (the first time without effect), so it changes nothing of
Python's, and it returns values, never a cursor. What it raises undoes what it did: a `CapsError`
reaches the caller as it is, a `sqlite3.Error` by the table of `errors.py`, every one with its
outcome. Take the time and randomness before the job, from the provider's clock and rng.

`read`   a job that only reads, on one state of the database; the connection refuses to write.
`write`  a job in a transaction that holds SQLite's write lock from its start (nothing that it read
         changes under it). When `write` returns, the change is on the disk. Writes that wait at the
         same time share one commit, each undone by itself where it fails; `alone=True` shares
         nothing, for jobs of a length or with statements that nobody knows beforehand.

A cancelled call whose job has not begun never happens; one whose job runs is over when that is,
which a read or a lone write does at once: it is interrupted and undone.

SCHEMA is a tuple of steps, each a tuple of statements; `PRAGMA user_version` counts those taken.
A step that was once released is never changed: append another.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, Self, TypeVar

from core_caps.errors import ClientClosed

from cap_local import errors
from cap_local.lanes import ReadingLane, WritingLane
from cap_local.transactions import Job, Schema, migrate, reading, writing

__all__ = ["Database", "FileDatabase", "Job", "MemoryDatabase", "Schema"]

_T = TypeVar("_T")

READERS_MAX = 4
"""Threads that read at the same time, for each open client."""


class Database(Protocol):
    """What the capabilities stand on; see the module's docstring."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    async def read(self, job: Job[_T]) -> _T:
        """What a job that only reads returns."""
        ...

    async def write(self, job: Job[_T], *, alone: bool = False) -> _T:
        """What a job returns, when what it changed is durable."""
        ...


class FileDatabase:
    """A database in a file, with one thread that writes and a few that read.

    Args:
        path: the file; its folder is made where it is missing.
        schema: the steps that make the tables.
        prepare: what else a new connection needs, such as functions of one's own.
    """

    def __init__(
        self,
        path: Path,
        schema: Schema,
        *,
        prepare: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        self._writing = WritingLane(path, schema, prepare)
        self._reading = ReadingLane(path, prepare, READERS_MAX)
        self._open = False

    async def __aenter__(self) -> Self:
        """Open the file, and bring its tables up to date."""
        try:
            await self._writing.run(lambda connection: None)
        except BaseException:
            await self._writing.close()
            raise
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False
        try:
            await self._reading.close()
        finally:
            await self._writing.close()

    async def read(self, job: Job[_T]) -> _T:
        """What a job that only reads returns."""
        _need_open(self._open)
        return await self._reading.run(job)

    async def write(self, job: Job[_T], *, alone: bool = False) -> _T:
        """What a job returns, when what it changed is durable."""
        _need_open(self._open)
        return await self._writing.run(job, alone=alone)


class MemoryDatabase:
    """A database in this process's memory: the same jobs, no file, no thread, no time.

    Args:
        purpose: the capability it is for; stores of two capabilities never meet.
        store: clients that name the same store share it; "" is one of the client's own.
        schema: the steps that make the tables.
        prepare: what else the connection needs.
    """

    def __init__(
        self,
        purpose: str,
        store: str,
        schema: Schema,
        *,
        prepare: Callable[[sqlite3.Connection], None] | None = None,
    ) -> None:
        self._name = (purpose, store)
        self._schema = schema
        self._prepare = prepare
        self._store: _Store | None = None

    async def __aenter__(self) -> Self:
        if self._name[1]:
            if self._name not in _STORES:
                _STORES[self._name] = _Store(self._schema, self._prepare)
            self._store = _STORES[self._name]
        else:
            self._store = _Store(self._schema, self._prepare)
        return self

    async def __aexit__(self, *exc: object) -> None:
        store, self._store = self._store, None
        if store is not None and not self._name[1]:
            store.connection.close()

    async def read(self, job: Job[_T]) -> _T:
        """What a job that only reads returns."""
        return await self._run(reading, job)

    async def write(self, job: Job[_T], *, alone: bool = False) -> _T:
        """What a job returns."""
        return await self._run(writing, job)

    async def _run(self, within: Callable[[sqlite3.Connection, Job[_T]], _T], job: Job[_T]) -> _T:
        """Let others run, as a real request would, and then do it all at once."""
        _need_open(self._store is not None)
        await asyncio.sleep(0)
        store = self._store
        _need_open(store is not None)
        assert store is not None
        with store.lock:
            try:
                return within(store.connection, job)
            except sqlite3.Error as error:
                raise errors.told(error) from error


class _Store:
    """A database in memory, and whose turn it is."""

    def __init__(
        self, schema: Schema, prepare: Callable[[sqlite3.Connection], None] | None
    ) -> None:
        self.lock = threading.Lock()
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("PRAGMA foreign_keys = ON")
        if prepare is not None:
            prepare(self.connection)
        migrate(self.connection, schema)


_STORES: dict[tuple[str, str], _Store] = {}
"""The named stores of this process: they outlive their clients, as files do."""


def _need_open(is_open: bool) -> None:
    if not is_open:
        raise ClientClosed(
            "this client is not open", hint="keep the calls inside its `async with` block"
        )
