"""The backends that the suites run on: a real PostgreSQL wherever there is one.

POSTGRES_URL names one; else one is started from the wheel, or from what the system has.
"""

import asyncio
import itertools
import os
import queue
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.companion.server import listening
from cap_postgres_neon.companion.service import Service
from cap_postgres_neon.config import LocalConfig, MockConfig, TcpConfig
from cap_postgres_neon.local import LocalDedupe, LocalSql
from cap_postgres_neon.mock_dedupe import MockDedupe
from cap_postgres_neon.mock_sql import MockSql
from cap_postgres_neon.postgres import running
from cap_postgres_neon.tcp import TcpDatabase, TcpDedupe, TcpSql
from core_caps.clock import VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng
from core_caps.secret import Secret
from psycopg.conninfo import conninfo_to_dict

from . import relay

Conninfo = Mapping[str, Any]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Conninfo]:
    """What libpq connects by: a server for all tests of this run."""
    url = os.environ.get("POSTGRES_URL")
    if url:
        yield conninfo_to_dict(url)
    else:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # PostgreSQL may have to run as somebody else
            with running(Path(folder, "data"), durable=False) as server:
                yield server.conninfo


@pytest.fixture
def database(postgres: Conninfo) -> Iterator[Conninfo]:
    """An empty database of one test's own."""
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(**postgres, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {**postgres, "dbname": name}
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


class ShiftedClock:
    """The database's clock, which `advance` moves: names are found in `moved` before pg_catalog."""

    def __init__(self, conninfo: Conninfo) -> None:
        self._conninfo = conninfo
        self._shift = 0.0
        with psycopg.connect(**conninfo, autocommit=True) as admin:
            admin.execute("CREATE SCHEMA moved")
            admin.execute("CREATE TABLE moved.shift AS SELECT 0.0::float8 AS seconds")
            admin.execute(
                "CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE "
                "AS 'SELECT pg_catalog.clock_timestamp() + make_interval(secs => seconds) "
                "FROM moved.shift'"
            )
            admin.execute(
                f'ALTER DATABASE "{conninfo["dbname"]}" SET search_path = public, moved, pg_catalog'
            )

    def now(self) -> float:
        return time.time() + self._shift

    def advance(self, seconds: float) -> None:
        self._shift += seconds
        with psycopg.connect(**self._conninfo, autocommit=True) as admin:
            admin.execute("UPDATE moved.shift SET seconds = %s", (self._shift,))


def tcp_config(conninfo: Conninfo, **settings: Any) -> TcpConfig:
    """The settings that lead to this database."""
    given: dict[str, Any] = {
        "host": conninfo["host"],
        "port": int(conninfo.get("port", 5432)),
        "database": conninfo["dbname"],
        "user": conninfo["user"],
        "password": Secret(conninfo.get("password", "")),
        "sslmode": conninfo.get("sslmode", "disable"),
    }
    return TcpConfig(**{**given, **settings})


def over_tcp(conninfo: Conninfo, **settings: Any) -> TcpDatabase:
    """A client of this database over TCP."""
    return TcpDatabase(tcp_config(conninfo, **settings))


@pytest.fixture(scope="session")
def relayed() -> Callable[..., Any]:
    """What puts a relay in front of a server."""
    return relay.relayed


@pytest.fixture(scope="session")
def tcp() -> Callable[..., TcpDatabase]:
    """What makes a client of a database over TCP."""
    return over_tcp


@contextmanager
def companion(conninfo: Conninfo) -> Iterator[int]:
    """The companion server on this PostgreSQL, in a thread of its own; its port."""
    bound: queue.Queue[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = queue.Queue()

    async def serve() -> None:
        over = asyncio.Event()
        async with Service(conninfo) as service, listening(service, "127.0.0.1", 0) as port:
            bound.put((port, asyncio.get_running_loop(), over))
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    port, loop, over = bound.get(timeout=20)
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()


@pytest.fixture(scope="session")
def port(postgres: Conninfo) -> Iterator[int]:
    """The port of a companion server for all tests of this run."""
    with companion(postgres) as port:
        yield port


_stores = itertools.count()


@pytest.fixture(params=["mock", "tcp", "local"])
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock, and a real PostgreSQL over TCP and over the companion's HTTP."""
    if request.param == "mock":
        virtual, mock = VirtualClock(), MockConfig(store=f"contract-{next(_stores)}")
        mocks = {"sql": MockSql, "dedupe": MockDedupe}
        return Backend(
            "mock",
            lambda capability: mocks[capability](mock, clock=virtual, rng=SeededRng()),
            virtual,
            advance=virtual.advance,
        )
    conninfo = request.getfixturevalue("database")
    clock = ShiftedClock(conninfo)
    if request.param == "local":
        config = LocalConfig("127.0.0.1", request.getfixturevalue("port"), conninfo["dbname"])
        kinds = {"sql": LocalSql, "dedupe": LocalDedupe}
        return Backend(
            "local",
            lambda capability: kinds[capability](config, clock=clock, rng=SeededRng()),
            clock,
            advance=clock.advance,
        )
    over = tcp_config(conninfo)
    on_tcp = {"sql": TcpSql, "dedupe": TcpDedupe}
    return Backend(
        "tcp",
        lambda capability: on_tcp[capability](over, clock=clock, rng=SeededRng()),
        clock,
        clock.advance,
    )
