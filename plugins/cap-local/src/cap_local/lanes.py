"""Threads that own connections and do the jobs that wait for them."""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from cap_local import errors
from cap_local.commits import commit_all, commit_one
from cap_local.jobs import Waiting, interruptible, tell, tell_failed
from cap_local.transactions import Job, Schema, begin_writing, migrate, opened, undo

__all__ = ["ReadingLane", "WritingLane", "over", "synced"]

_T = TypeVar("_T")

Prepare = Callable[[sqlite3.Connection], None] | None

GROUP_MAX = 256
"""Writes that share one commit at most."""


class _Lane:
    """Up to so many threads, started when they are needed."""

    def __init__(self, name: str, threads_max: int) -> None:
        self._name = name
        self._threads_max = threads_max
        self._jobs: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ended: list[Future[None]] = []
        self._busy = 0

    async def run(self, job: Job[_T], *, alone: bool = False) -> _T:
        """What the job returns; see `Waiting.done` for what becomes of it when cancelled."""
        waiting = Waiting(job, alone)
        self._busy += 1
        try:
            if len(self._threads) < min(self._busy, self._threads_max):
                self._start()
            self._jobs.put(waiting)
            return await waiting.done()
        finally:
            self._busy -= 1

    async def close(self) -> None:
        """Let what is waiting be done, and end the threads and their connections.

        Raises:
            ProviderError: SQLite does not close a connection; whatever was told done is done.
        """
        for _ in self._threads:
            self._jobs.put(None)
        for ended in self._ended:
            await over(ended)
        for thread in self._threads:
            thread.join()
        all_ended, self._threads, self._ended = self._ended, [], []
        for ended in all_ended:
            ended.result()

    def _start(self) -> None:
        ended: Future[None] = Future()
        thread = threading.Thread(
            target=self._work, args=(ended,), name=f"cap-local {self._name}", daemon=True
        )
        thread.start()
        self._threads.append(thread)
        self._ended.append(ended)

    def _work(self, ended: Future[None]) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while (waiting := self._next()) is not None:
                if not waiting.claim():
                    continue
                try:
                    connection = connection or self._connect()
                except BaseException as error:
                    tell_failed([waiting], error)
                    continue
                self._serve(connection, waiting)
                del waiting
        finally:
            _end(connection, ended)

    def _next(self) -> Waiting | None:
        return self._jobs.get()

    def _connect(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _serve(self, connection: sqlite3.Connection, waiting: Waiting) -> None:
        raise NotImplementedError


class ReadingLane(_Lane):
    """Threads that read, each with a connection that cannot write."""

    def __init__(self, path: Path, prepare: Prepare, threads_max: int) -> None:
        super().__init__("reads", threads_max)
        self._path = path
        self._prepare = prepare

    def _connect(self) -> sqlite3.Connection:
        connection = opened(self._path, writes=False)
        if self._prepare is not None:
            self._prepare(connection)
        return connection

    def _serve(self, connection: sqlite3.Connection, waiting: Waiting) -> None:
        try:
            with interruptible(connection, waiting):
                connection.execute("BEGIN")
                try:
                    waiting.result = waiting.job(connection)
                finally:
                    undo(connection)
        except BaseException as error:
            tell_failed([waiting], error)
        else:
            tell([waiting])


class WritingLane(_Lane):
    """The one thread that writes: what waits at the same time shares a commit."""

    def __init__(self, path: Path, schema: Schema, prepare: Prepare) -> None:
        super().__init__("writes", 1)
        self._path = path
        self._schema = schema
        self._prepare = prepare
        self._held: list[Waiting | None] = []

    def _connect(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = opened(self._path, writes=True)
        try:
            _write_ahead(connection)
            if self._prepare is not None:
                self._prepare(connection)
            migrate(connection, self._schema)
            synced(self._path.parent)
        except BaseException:
            connection.close()
            raise
        return connection

    def _next(self) -> Waiting | None:
        return self._held.pop() if self._held else super()._next()

    def _serve(self, connection: sqlite3.Connection, waiting: Waiting) -> None:
        try:
            begin_writing(connection, lambda: waiting.given_up)
        except BaseException as error:
            tell_failed([waiting], error)
            return
        if waiting.alone or self._jobs.empty():
            commit_one(connection, waiting)
        else:
            commit_all(connection, self._sharing(waiting))

    def _sharing(self, first: Waiting) -> Iterator[Waiting]:
        """The first job, and those that wait by then; what shares nothing is held back."""
        yield first
        for _ in range(GROUP_MAX - 1):
            try:
                waiting = self._jobs.get_nowait()
            except queue.Empty:
                return
            if waiting is None or waiting.alone:
                self._held.append(waiting)
                return
            if waiting.claim():
                yield waiting


def _end(connection: sqlite3.Connection | None, ended: "Future[None]") -> None:
    """Close a thread's connection, and tell who waits for the thread, however that goes."""
    try:
        if connection is not None:
            connection.close()
    except sqlite3.Error as error:
        ended.set_exception(errors.told(error))
    except BaseException as error:
        ended.set_exception(error)
    else:
        ended.set_result(None)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Keep a log of writes, so that nobody who reads waits for anybody who writes.

    A new file is changed while nobody else holds it, and SQLite does not wait for that itself.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if errors.code_of(error) != sqlite3.SQLITE_BUSY:
                raise
            begin_writing(connection)
            undo(connection)
        else:
            return


def synced(folder: Path) -> None:
    """Make the names in a folder durable."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


async def over(done: "Future[Any]") -> None:
    """Wait until it is over, however it ended."""
    await asyncio.wait([_quiet(done)])


def _quiet(done: "Future[Any]") -> "asyncio.Future[None]":
    """A future that ends when the other does, and has no opinion how."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def tell(_: "Future[Any]") -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(lambda: ended.done() or ended.set_result(None))

    done.add_done_callback(tell)
    return ended
