"""What a statement changes of its session ends with its transaction."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.tcp import TcpDatabase
from core_caps.capabilities.sql import Statement
from core_caps.errors import Conflict, InvalidArgument

pytestmark = pytest.mark.feature("DC-01")

Conninfo = Mapping[str, Any]
Tcp = Callable[..., TcpDatabase]

LEFT: tuple[tuple[str, str, object], ...] = (
    ("SELECT set_config('search_path', 'nowhere', false)", "SHOW search_path", '"$user", public'),
    ("SELECT set_config('role', 'pg_monitor', false)", "SELECT current_user::text", "postgres"),
    ("SELECT pg_advisory_lock(7)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0),
    ("CREATE TEMP TABLE mine (n int)", "SELECT to_regclass('mine')::text", None),
    ("DO $$ BEGIN EXECUTE 'LISTEN a'; END $$", "SELECT count(*) FROM pg_listening_channels()", 0),
    (
        "DO $$ BEGIN EXECUTE 'PREPARE a AS SELECT 1'; END $$",
        "SELECT count(*) FROM pg_prepared_statements",
        0,
    ),
    (
        "DO $$ BEGIN EXECUTE 'DECLARE a CURSOR WITH HOLD FOR SELECT 1'; END $$",
        "SELECT count(*) FROM pg_cursors WHERE name = 'a'",
        0,
    ),
)


@pytest.mark.parametrize(("change", "look", "found"), LEFT)
def test_the_next_call_finds_the_session_as_it_was(
    database: Conninfo, tcp: Tcp, change: str, look: str, found: object
) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(database, connections_max=1)) as sql:
            [[before]] = (await sql.query("SELECT pg_backend_pid()")).rows
            await sql.execute(change)
            assert (await sql.query(look)).rows == ((found,),)
            with pytest.raises(InvalidArgument):
                await sql.batch([Statement(change), Statement("SELECT 1 / 0")])
            assert (await sql.query(look)).rows == ((found,),)
            if change.startswith("SELECT"):
                await sql.query(change)
                assert (await sql.query(look)).rows == ((found,),)
            assert (await sql.query("SELECT pg_backend_pid()")).rows == ((before,),)

    asyncio.run(main())


def test_a_lock_is_free_when_the_call_is_over(database: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(database)) as sql:
            await sql.query("SELECT pg_advisory_lock(7)")
            with psycopg.connect(**database) as other:
                assert other.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (True,)

    asyncio.run(main())


def test_a_refused_commit_leaves_no_more_than_another(database: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(database, connections_max=1)) as sql:
            await sql.execute("CREATE TABLE t (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            locked = [
                Statement("SELECT pg_advisory_lock(7)"),
                Statement("INSERT INTO t VALUES (1)"),
            ]
            with pytest.raises(Conflict):
                await sql.batch([*locked, locked[1]])
            with psycopg.connect(**database) as other:
                assert other.execute("SELECT pg_try_advisory_lock(7)").fetchone() == (True,)

    asyncio.run(main())


def test_nothing_is_put_back_that_was_set_for_the_role(database: Conninfo, tcp: Tcp) -> None:
    with psycopg.connect(**database, autocommit=True) as admin:
        name = database["dbname"]
        admin.execute(f'ALTER DATABASE "{name}" SET search_path = elsewhere')
        admin.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')

    async def main() -> None:
        async with PostgresSql(tcp(database, connections_max=1)) as sql:
            for _ in range(2):
                assert (await sql.query("SHOW search_path")).rows == (("elsewhere",),)
                assert (await sql.execute("SELECT 1")).rows == ((1,),)

    asyncio.run(main())
