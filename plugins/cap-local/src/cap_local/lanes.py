"""Threads that own connections and do the jobs that wait for them."""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from cap_local import errors
from cap_local.jobs import Waiting, tell, tell_failed
from cap_local.transactions import Job, Schema, begin_writing, end, migrate, opened, undo

__all__ = ["ReadingLane", "WritingLane", "over", "synced"]

_T = TypeVar("_T")

Prepare = Callable[[sqlite3.Connection], None] | None

GROUP_MAX = 256
"""Writes that share one commit at most."""

_INTERRUPTIBLE_STEPS = 10_000
"""After so many steps of SQLite's machine a job looks whether anybody still wants it."""


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
        """Let what is waiting be done, and end the threads and their connections."""
        for _ in self._threads:
            self._jobs.put(None)
        for ended in self._ended:
            await over(ended)
        for thread in self._threads:
            thread.join()
        self._threads, self._ended = [], []

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
            if connection is not None:
                connection.close()
            ended.set_result(None)

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
            with _interruptible(connection, waiting):
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
            self._commit_one(connection, waiting)
        else:
            self._commit_all(connection, self._sharing(waiting))

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

    def _commit_one(self, connection: sqlite3.Connection, waiting: Waiting) -> None:
        """Do one job in a transaction that has begun, without the copies that undo it in part."""
        try:
            _run(connection, waiting)
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                undo(connection)
            tell_failed([waiting], error)
        else:
            _commit(connection, [waiting])

    def _commit_all(self, connection: sqlite3.Connection, group: Iterable[Waiting]) -> None:
        """Do the jobs of a transaction that has begun, and commit them together.

        One that fails undoes what all did: they are done once more, and those that can, stay.
        """
        taken: list[Waiting] = []
        try:
            for waiting in group:
                taken.append(waiting)
                waiting.result = waiting.job(connection)
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                undo(connection)
            self._commit_those_that_can(connection, taken)
        else:
            _commit(connection, taken)

    def _commit_those_that_can(self, connection: sqlite3.Connection, group: list[Waiting]) -> None:
        """Do each of these jobs such that it can be undone by itself, and commit them together."""
        try:
            begin_writing(connection)
        except sqlite3.Error as error:
            tell_failed(group, error)
            return
        for waiting in group:
            try:
                _within_savepoint(connection, waiting)
            except BaseException as error:
                tell_failed([waiting], error)
                if not connection.in_transaction:  # the failure took the others' work with it
                    self._apart(connection, [each for each in group if each.error is None])
                    return
        _commit(connection, [each for each in group if each.error is None])

    def _apart(self, connection: sqlite3.Connection, group: Iterable[Waiting]) -> None:
        """Do each of these jobs in a transaction of its own."""
        for waiting in group:
            try:
                begin_writing(connection)
            except sqlite3.Error as error:
                tell_failed([waiting], error)
            else:
                self._commit_one(connection, waiting)


def _commit(connection: sqlite3.Connection, group: Sequence[Waiting]) -> None:
    """Commit what these jobs did, and tell that it is done."""
    try:
        end(connection)
    except sqlite3.Error as error:
        with contextlib.suppress(sqlite3.Error):
            undo(connection)
        tell_failed(group, error, committing=True)
    else:
        tell(group)


@contextlib.contextmanager
def _interruptible(connection: sqlite3.Connection, waiting: Waiting) -> Generator[None]:
    """Stop what runs inside once nobody waits for it."""
    connection.set_progress_handler(lambda: waiting.given_up, _INTERRUPTIBLE_STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _run(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Do a job; one that may take long stops once nobody waits for it."""
    if not waiting.alone:
        waiting.result = waiting.job(connection)
        return
    with _interruptible(connection, waiting):
        waiting.result = waiting.job(connection)


def _within_savepoint(connection: sqlite3.Connection, waiting: Waiting) -> None:
    """Do a job; what it raises undoes what it did, and nothing else."""
    connection.execute("SAVEPOINT job")
    try:
        waiting.result = waiting.job(connection)
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO job")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE job")


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
