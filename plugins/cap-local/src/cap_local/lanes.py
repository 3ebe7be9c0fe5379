"""Threads that own connections, and the jobs that wait for them."""

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from cap_local import errors
from cap_local.transactions import Job, Schema, begin_writing, end, migrate, opened, undo

__all__ = ["ReadingLane", "WritingLane", "over", "synced"]

_T = TypeVar("_T")

Prepare = Callable[[sqlite3.Connection], None] | None

GROUP_MAX = 256
"""Writes that share one commit at most."""

_INTERRUPTIBLE_STEPS = 10_000
"""After so many steps of SQLite's machine a job looks whether anybody still wants it."""


class _Waiting:
    """A job, who waits for it, and whether anybody still does."""

    __slots__ = ("alone", "done", "given_up", "job")

    def __init__(self, job: Job[Any], alone: bool) -> None:
        self.job = job
        self.alone = alone
        self.done: Future[Any] = Future()
        self.given_up = False

    def fail(self, error: BaseException, *, committing: bool = False) -> None:
        """Tell what went wrong, in our words."""
        said: BaseException = error
        if isinstance(error, sqlite3.Error):
            said = errors.told(error, committing=committing)
        elif isinstance(error, OSError):
            said = errors.disk_failed(error, writes=False)
        if said is not error:
            said.__cause__ = error
        self.done.set_exception(said)


class _Lane:
    """Up to so many threads, started when they are needed."""

    def __init__(self, name: str, threads_max: int) -> None:
        self._name = name
        self._threads_max = threads_max
        self._jobs: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._ended: list[Future[None]] = []
        self._busy = 0

    async def run(self, job: Job[_T], *, alone: bool = False) -> _T:
        """What the job returns.

        Cancelled before the job began, it never happens; later, it is told to stop and waited for.
        """
        waiting = _Waiting(job, alone)
        self._busy += 1
        try:
            if len(self._threads) < min(self._busy, self._threads_max):
                self._start()
            self._jobs.put(waiting)
            try:
                return await asyncio.wrap_future(waiting.done)
            except asyncio.CancelledError:
                waiting.given_up = True
                if not waiting.done.cancel():
                    await over(waiting.done)
                raise
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
        self._threads.append(thread)
        self._ended.append(ended)
        thread.start()

    def _work(self, ended: Future[None]) -> None:
        connection: sqlite3.Connection | None = None
        try:
            while (waiting := self._next()) is not None:
                if not waiting.done.set_running_or_notify_cancel():
                    continue
                try:
                    connection = connection or self._connect()
                except BaseException as error:
                    waiting.fail(error)
                    continue
                self._serve(connection, waiting)
                del waiting
        finally:
            if connection is not None:
                connection.close()
            ended.set_result(None)

    def _next(self) -> _Waiting | None:
        return self._jobs.get()

    def _connect(self) -> sqlite3.Connection:
        raise NotImplementedError

    def _serve(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
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

    def _serve(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
        try:
            with _interruptible(connection, waiting):
                connection.execute("BEGIN")
                try:
                    result = waiting.job(connection)
                finally:
                    undo(connection)
        except BaseException as error:
            waiting.fail(error)
        else:
            waiting.done.set_result(result)


class WritingLane(_Lane):
    """The one thread that writes: what waits at the same time shares a commit."""

    def __init__(self, path: Path, schema: Schema, prepare: Prepare) -> None:
        super().__init__("writes", 1)
        self._path = path
        self._schema = schema
        self._prepare = prepare
        self._held: list[_Waiting | None] = []

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

    def _next(self) -> _Waiting | None:
        return self._held.pop() if self._held else super()._next()

    def _serve(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
        try:
            begin_writing(connection, lambda: waiting.given_up)
        except BaseException as error:
            waiting.fail(error)
            return
        if waiting.alone or self._jobs.empty():
            self._commit_one(connection, waiting)
        else:
            self._commit(connection, self._sharing(waiting))

    def _sharing(self, first: _Waiting) -> Iterator[_Waiting]:
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
            if waiting.done.set_running_or_notify_cancel():
                yield waiting

    def _commit_one(self, connection: sqlite3.Connection, waiting: _Waiting) -> None:
        """Do one job in a transaction that has begun, without the copies that undo it in part."""
        try:
            result = _run(connection, waiting)
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):
                undo(connection)
            waiting.fail(error)
            return
        try:
            end(connection)
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                undo(connection)
            waiting.fail(error, committing=True)
        else:
            waiting.done.set_result(result)

    def _commit(self, connection: sqlite3.Connection, group: Iterable[_Waiting]) -> None:
        """Do the jobs of a transaction that has begun, and commit those that succeed together."""
        made: list[tuple[_Waiting, Any]] = []
        for waiting in group:
            try:
                made.append((waiting, _within_savepoint(connection, waiting)))
            except BaseException as error:
                waiting.fail(error)
                if not connection.in_transaction:  # the failure took the others' work with it
                    self._again(connection, [each for each, _ in made])
                    return
        try:
            end(connection)
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                undo(connection)
            for waiting, _ in made:
                waiting.fail(error, committing=True)
        else:
            for waiting, result in made:
                waiting.done.set_result(result)

    def _again(self, connection: sqlite3.Connection, lost: list[_Waiting]) -> None:
        """Do each of these jobs in a transaction of its own."""
        for waiting in lost:
            try:
                begin_writing(connection)
            except sqlite3.Error as error:
                waiting.fail(error)
            else:
                self._commit_one(connection, waiting)


@contextlib.contextmanager
def _interruptible(connection: sqlite3.Connection, waiting: _Waiting) -> Generator[None]:
    """Stop what runs inside once nobody waits for it."""
    connection.set_progress_handler(lambda: waiting.given_up, _INTERRUPTIBLE_STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def _run(connection: sqlite3.Connection, waiting: _Waiting) -> Any:
    """What a job returns; one that may take long stops once nobody waits for it."""
    if not waiting.alone:
        return waiting.job(connection)
    with _interruptible(connection, waiting):
        return waiting.job(connection)


def _within_savepoint(connection: sqlite3.Connection, waiting: _Waiting) -> Any:
    """What a job returns; what it raises undoes what it did, and nothing else."""
    connection.execute("SAVEPOINT job")
    try:
        return waiting.job(connection)
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
