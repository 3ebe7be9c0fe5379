"""The database below every capability: shared commits, cancellation, waiting, old and new files."""

import asyncio
import functools
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from cap_local.database import Database, FileDatabase, MemoryDatabase
from core_caps.errors import (
    ClientClosed,
    ConfigInvalid,
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
)

pytestmark = pytest.mark.feature("DC-01")

SCHEMA = (("CREATE TABLE t (k TEXT PRIMARY KEY)",),)
FOR_EVER = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"


def _insert(key: str, *, how: str = "INSERT") -> Any:
    def job(connection: sqlite3.Connection) -> str:
        connection.execute(f"{how} INTO t VALUES (?)", (key,))
        return key

    return job


async def _keys(database: Database) -> list[str]:
    rows = await database.read(
        lambda connection: connection.execute("SELECT k FROM t ORDER BY k").fetchall()
    )
    return [key for (key,) in rows]


@pytest.fixture(params=["file", "memory"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "memory":
        return MemoryDatabase("t", "", SCHEMA)
    return FileDatabase(tmp_path / "new" / "t.sqlite", SCHEMA)


def test_writes_that_wait_together_fail_alone(database: Database) -> None:
    async def main() -> list[object]:
        async with database:
            jobs = [_insert(key) for key in ("a", "b", "a", "c")]
            # This one rolls back the whole transaction, that of its neighbours included.
            jobs.insert(2, _insert("b", how="INSERT OR ROLLBACK"))
            results = await asyncio.gather(*map(database.write, jobs), return_exceptions=True)
            assert await _keys(database) == ["a", "b", "c"]
            return [type(each) if isinstance(each, Exception) else each for each in results]

    assert asyncio.run(main()) == ["a", "b", Conflict, Conflict, "c"]


def test_what_a_job_raises_undoes_it_and_comes_out(database: Database) -> None:
    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES ('a')")
        raise InvalidArgument("on second thoughts")

    async def main() -> None:
        async with database:
            with pytest.raises(InvalidArgument, match="second thoughts"):
                await database.write(job)
            assert await _keys(database) == []

    asyncio.run(main())


def test_a_read_cannot_write(database: Database) -> None:
    async def main() -> None:
        async with database:
            with pytest.raises(PermissionDenied):
                await database.read(_insert("a"))
            await database.write(_insert("b"))
            assert await _keys(database) == ["b"]

    asyncio.run(main())


def test_a_closed_database_refuses(database: Database) -> None:
    async def main() -> None:
        async with database:
            pass
        with pytest.raises(ClientClosed):
            await database.read(lambda connection: None)
        with pytest.raises(ClientClosed):
            await database.write(lambda connection: None)

    asyncio.run(main())


@pytest.mark.parametrize("writes", [False, True])
def test_a_cancelled_job_is_interrupted_and_undone(tmp_path: Path, writes: bool) -> None:
    began = threading.Event()

    def job(connection: sqlite3.Connection) -> None:
        if writes:
            connection.execute("INSERT INTO t VALUES ('a')")
        began.set()
        connection.execute(FOR_EVER).fetchone()

    async def main() -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            made = database.write(job, alone=True) if writes else database.read(job)
            task = asyncio.ensure_future(made)
            await asyncio.to_thread(began.wait)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await _keys(database) == []
            await database.write(_insert("b"))

    asyncio.run(main())


def test_a_job_that_waits_and_is_cancelled_never_happens(tmp_path: Path) -> None:
    leave = threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        leave.wait()

    async def main() -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            first = asyncio.ensure_future(database.write(slow, alone=True))
            second = asyncio.ensure_future(database.write(_insert("a"), alone=True))
            await asyncio.sleep(0.05)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            leave.set()
            await first
            assert await _keys(database) == []

    asyncio.run(main())


def test_reads_do_not_wait_for_a_write(tmp_path: Path) -> None:
    leave = threading.Event()

    def slow(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES ('a')")
        leave.wait()

    async def main() -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            writing = asyncio.ensure_future(database.write(slow))
            assert await _keys(database) == []
            leave.set()
            await writing
            assert await _keys(database) == ["a"]

    asyncio.run(main())


def test_many_clients_may_make_one_file(tmp_path: Path) -> None:
    async def one(number: int) -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            await database.write(_insert(str(number)))

    async def main() -> list[str]:
        await asyncio.gather(*map(one, range(8)))
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            return await _keys(database)

    assert asyncio.run(main()) == [str(number) for number in range(8)]


def test_an_old_file_is_brought_up_to_date_and_a_newer_one_refused(tmp_path: Path) -> None:
    more = (*SCHEMA, ("ALTER TABLE t ADD COLUMN v TEXT", "UPDATE t SET v = 'old'"))

    async def main() -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database:
            await database.write(_insert("a"))
        for _ in range(2):
            async with FileDatabase(tmp_path / "t.sqlite", more) as database:
                rows = await database.read(lambda c: c.execute("SELECT * FROM t").fetchall())
                assert rows == [("a", "old")]
        with pytest.raises(ConfigInvalid, match="of version 2"):
            await FileDatabase(tmp_path / "t.sqlite", SCHEMA).__aenter__()

    asyncio.run(main())


def test_what_cannot_be_opened_says_why(tmp_path: Path) -> None:
    (tmp_path / "no.sqlite").write_bytes(b"this is no database, " * 100)
    (tmp_path / "file").touch()
    for path, error in (
        (tmp_path / "no.sqlite", ProtocolViolation),
        (tmp_path / "file" / "t.sqlite", ContainerNotFound),
    ):
        with pytest.raises(error) as refused:
            asyncio.run(FileDatabase(path, SCHEMA).__aenter__())
        assert refused.value.hint


def test_a_thread_that_cannot_start_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        async with FileDatabase(tmp_path / "t.sqlite", SCHEMA) as database, asyncio.timeout(10):
            with monkeypatch.context() as patch:
                patch.setattr(threading.Thread, "start", cannot)
                with pytest.raises(RuntimeError, match="new thread"):
                    await _keys(database)
            assert await _keys(database) == []

    asyncio.run(main())


def test_a_connection_that_does_not_close_is_told_and_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn(sqlite3.Connection):
        def close(self) -> None:
            super().close()
            raise sqlite3.OperationalError("disk I/O error")

    connect = functools.partial(sqlite3.connect, factory=Stubborn)
    monkeypatch.setattr(sqlite3, "connect", connect)
    database = FileDatabase(tmp_path / "t.sqlite", SCHEMA)

    async def main() -> None:
        async with asyncio.timeout(10):
            await database.__aenter__()
            await database.write(_insert("a"))
            assert await _keys(database) == ["a"]
            with pytest.raises(ProviderError, match="disk I/O error"):
                await database.__aexit__()
        assert not [each for each in threading.enumerate() if each.name.startswith("cap-local")]

    asyncio.run(main())
