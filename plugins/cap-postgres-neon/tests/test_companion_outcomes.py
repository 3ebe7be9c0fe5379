"""What a write through the companion is told where the database is not there, or not any more."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.companion.server import listening
from cap_postgres_neon.companion.service import Service
from cap_postgres_neon.config import LocalConfig
from cap_postgres_neon.local import LocalSql
from core_caps.clock import SystemClock
from core_caps.errors import ContainerNotFound, Outcome, ProviderError, TimedOut, Unavailable
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")

Conninfo = Mapping[str, Any]
INSERT = "INSERT INTO t VALUES ($1)"
PASSWORD = "secret-of-the-companion"


@asynccontextmanager
async def served(conninfo: Conninfo, **settings: Any) -> AsyncGenerator[LocalSql]:
    """A client of a companion that stands before this database."""
    async with Service(conninfo, **settings) as service, listening(service, "127.0.0.1", 0) as port:
        config = LocalConfig("127.0.0.1", port, conninfo["dbname"])
        async with LocalSql(config, clock=SystemClock(), rng=SeededRng()) as sql:
            yield sql


def raised(conninfo: Conninfo, *, statement: str = INSERT) -> ProviderError:
    """What a write by a companion before this database raises."""

    async def main() -> ProviderError:
        async with served(conninfo) as sql:
            with pytest.raises(ProviderError) as failed:
                await sql.execute(statement, (1,))
            return failed.value

    return asyncio.run(main())


def test_a_write_that_found_no_database_is_not_applied() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    nobody = {"host": "127.0.0.1", "port": port, "user": "u", "password": PASSWORD, "dbname": "d"}
    error = raised(nobody)
    assert (type(error), error.outcome) == (Unavailable, Outcome.NOT_APPLIED)
    assert "08001" in str(error)
    assert PASSWORD not in str(error)


def test_a_write_to_a_database_that_does_not_exist_is_not_applied(database: Conninfo) -> None:
    error = raised({**database, "dbname": "there_is_none_such"})
    assert (type(error), error.outcome) == (ContainerNotFound, Outcome.NOT_APPLIED)


BREAKS: tuple[tuple[str, bytes, Outcome, list[int]], ...] = (
    ("breaks_before", b"INSERT", Outcome.NOT_APPLIED, []),
    ("breaks_after", b"INSERT", Outcome.NOT_APPLIED, []),
    ("breaks_before", b"COMMIT", Outcome.UNKNOWN, []),
    ("breaks_after", b"COMMIT", Outcome.UNKNOWN, [1]),
    ("silent_after", b"INSERT", Outcome.NOT_APPLIED, []),
    ("silent_after", b"COMMIT", Outcome.UNKNOWN, [1]),
)


@pytest.mark.parametrize(("how", "where", "outcome", "left"), BREAKS)
def test_a_lost_write_says_what_became_of_it(
    database: Conninfo,
    relayed: Callable[..., Any],
    how: str,
    where: bytes,
    outcome: Outcome,
    left: list[int],
) -> None:
    """Before the commit was sent nothing is applied; with it under way nobody knows."""
    with psycopg.connect(**database, autocommit=True) as admin:
        admin.execute("CREATE TABLE t (n bigint)")

    async def main() -> None:
        async with relayed(database) as relay, served(relay.conninfo, timeout_seconds=1.0) as sql:
            await sql.query("SELECT 1")
            setattr(relay, how, where)
            with pytest.raises(ProviderError) as failed:
                await sql.execute(INSERT, (1,))
            assert failed.value.outcome is outcome
            if outcome is Outcome.NOT_APPLIED:
                wanted = TimedOut if how == "silent_after" else Unavailable
                assert type(failed.value) is wanted
            else:
                assert "before repeating" in failed.value.hint
            relay.heal()
            await sql.execute(INSERT, (2,))  # the companion goes on, on another connection

    asyncio.run(main())
    with psycopg.connect(**database, autocommit=True) as admin:
        assert [n for (n,) in admin.execute("SELECT n FROM t ORDER BY n")] == [*left, 2]


def test_what_is_refused_stays_refused_where_the_connection_ends_with_it(
    database: Conninfo, relayed: Callable[..., Any]
) -> None:
    async def main() -> None:
        async with relayed(database) as relay, served(relay.conninfo) as sql:
            relay.breaks_before = b"ROLLBACK"
            with pytest.raises(ProviderError) as failed:
                await sql.execute("INSERT INTO nowhere VALUES (1)")
            assert failed.value.outcome is Outcome.NOT_APPLIED
            assert "42P01" in str(failed.value)

    asyncio.run(main())
