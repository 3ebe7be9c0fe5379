"""Text of databases that are not in UTF-8."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.config import LocalConfig
from cap_postgres_neon.local import LocalSql
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.tcp import TcpDatabase
from core_caps.capabilities.sql import Statement
from core_caps.clock import VirtualClock
from core_caps.errors import InvalidArgument, Outcome
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")

Conninfo = Mapping[str, Any]
Tcp = Callable[..., TcpDatabase]


@contextmanager
def encoded(postgres: Conninfo, encoding: str) -> Iterator[Conninfo]:
    """A database in this encoding, with one table `t (n BIGINT, s TEXT)`."""
    name = f"t_{uuid.uuid4().hex}"
    with psycopg.connect(**postgres, autocommit=True) as admin:
        admin.execute(
            f"CREATE DATABASE \"{name}\" ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' "
            "TEMPLATE template0"
        )
        try:
            with psycopg.connect(**{**postgres, "dbname": name}, autocommit=True) as inside:
                inside.execute("CREATE TABLE t (n bigint, s text)")
            yield {**postgres, "dbname": name}
        finally:
            admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


BAD = r"convert_from('\xe9', 'SQL_ASCII')"
AS_LATIN1 = Statement("SELECT set_config('client_encoding', 'LATIN1', true)")
BYTES_AS_THEY_ARE = Statement("SELECT set_config('client_encoding', 'SQL_ASCII', true)")


@pytest.mark.parametrize("how", ["tcp", "local"])
def test_bytes_that_are_no_text_are_refused_and_nothing_is_done(
    postgres: Conninfo, tcp: Tcp, port: int, how: str
) -> None:
    """By the server, or here where the statements told the server not to look."""

    async def main(database: Conninfo) -> None:
        local = LocalConfig("127.0.0.1", port, database["dbname"])
        async with (
            PostgresSql(tcp(database, connections_max=1))
            if how == "tcp"
            else LocalSql(local, clock=VirtualClock(), rng=SeededRng())
        ) as sql:
            await sql.execute(f"INSERT INTO t VALUES (1, {BAD})")
            for bad in (
                "SELECT s FROM t",
                "SELECT s FROM t, generate_series(1, 1000)",
                f"INSERT INTO t VALUES (2, {BAD}) RETURNING n, s",
            ):
                for before in ([], [BYTES_AS_THEY_ARE]):
                    with pytest.raises(InvalidArgument, match="22021") as refused:
                        await sql.batch([*before, Statement(bad), Statement("SELECT 1")])
                    assert refused.value.outcome is Outcome.NOT_APPLIED
            found = await sql.query("SELECT n, convert_to(s, 'SQL_ASCII') FROM t")
            assert found.rows == ((1, b"\xe9"),)

    with encoded(postgres, "SQL_ASCII") as database:
        asyncio.run(main(database))


def test_text_of_another_encoding_is_converted(postgres: Conninfo, tcp: Tcp) -> None:
    async def main(database: Conninfo) -> None:
        async with PostgresSql(tcp(database, connections_max=1)) as sql:
            for given in ("caf\N{LATIN SMALL LETTER E WITH ACUTE}", "b"):
                # Whatever a statement says of its session's encoding, the next call is in UTF-8.
                await sql.query("SELECT set_config('client_encoding', 'LATIN1', false)")
                assert (await sql.query("SELECT $1::text", (given,))).rows == ((given,),)
            await sql.execute('CREATE TABLE named ("\N{LATIN SMALL LETTER E WITH ACUTE}" int)')
            with pytest.raises(InvalidArgument, match="22021"):
                await sql.query_batch([AS_LATIN1, Statement("SELECT * FROM named")])
            with pytest.raises(InvalidArgument, match="22P05"):
                await sql.execute("INSERT INTO t VALUES (1, $1)", ("\N{EURO SIGN}",))

    with encoded(postgres, "LATIN1") as database:
        asyncio.run(main(database))
