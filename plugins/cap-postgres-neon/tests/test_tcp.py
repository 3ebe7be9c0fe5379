"""PostgreSQL's own protocol: what a connection that breaks, stalls or waits says of the outcome."""

import asyncio
import struct
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.sql import PostgresSql
from cap_postgres_neon.tcp import TcpDatabase
from core_caps.capabilities.sql import Statement
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    ProviderError,
    TimedOut,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("DC-01")

Conninfo = Mapping[str, Any]
Tcp = Callable[..., TcpDatabase]
Relayed = Callable[..., Any]
INSERT = "INSERT INTO t VALUES ($1)"


@pytest.fixture
def table(database: Conninfo) -> Conninfo:
    """A database with one table, `t (n BIGINT)`."""
    with psycopg.connect(**database, autocommit=True) as admin:
        admin.execute("CREATE TABLE t (n bigint)")
    return database


def rows(conninfo: Conninfo) -> list[int]:
    with psycopg.connect(**conninfo, autocommit=True) as admin:
        return [n for (n,) in admin.execute("SELECT n FROM t ORDER BY n")]


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
    table: Conninfo,
    tcp: Tcp,
    relayed: Relayed,
    how: str,
    where: bytes,
    outcome: Outcome,
    left: list[int],
) -> None:
    """Before the commit was sent nothing is applied; with it under way nobody knows."""

    async def main() -> None:
        async with relayed(table) as relay:
            database = tcp(relay.conninfo, timeout_seconds=1.0)
            async with PostgresSql(database) as sql:
                await sql.query("SELECT 1")
                setattr(relay, how, where)
                with pytest.raises(ProviderError) as failed:
                    await sql.execute(INSERT, (1,))
                wanted = TimedOut if how == "silent_after" else Unavailable
                assert (type(failed.value), failed.value.outcome) == (wanted, outcome)
                relay.heal()
                await sql.execute(INSERT, (2,))  # the client goes on, on another connection
                assert relay.connections == 2

    asyncio.run(main())
    assert rows(table) == [*left, 2]


def message(kind: bytes, *content: str) -> bytes:
    """A message of the server's."""
    body = b"".join(part.encode() + b"\0" for part in content)
    return kind + struct.pack("!i", 4 + len(body)) + body


def error_response(severity: str, code: str) -> bytes:
    """An error as PostgreSQL says it; without a code, as nobody should."""
    coded = [f"C{code}"] if code else []
    return message(b"E", f"S{severity}", f"V{severity}", *coded, "Mso it was said", "")


def committed(tag: str) -> bytes:
    """The answer to one command without rows, and to nothing behind it."""
    return b"".join(message(kind) for kind in (b"1", b"2", b"n")) + message(b"C", tag)


OPEN: tuple[tuple[str, str], ...] = (
    ("FATAL", "08P01"),  # PgBouncer: server conn crashed, query_wait_timeout, query timeout
    ("ERROR", "08P01"),  # PgBouncer before 1.16
    ("FATAL", "08006"),
    ("ERROR", "08007"),
    ("ERROR", "40003"),
    ("FATAL", "57P01"),
    ("FATAL", "57P02"),
    ("FATAL", "57P05"),
    ("FATAL", "58000"),
    ("PANIC", "53100"),
    ("PANIC", "XX000"),
    ("FATAL", ""),
)


@pytest.mark.parametrize(("severity", "code"), OPEN)
def test_who_loses_the_server_does_not_know_what_became_of_the_commit(
    table: Conninfo, tcp: Tcp, relayed: Relayed, severity: str, code: str
) -> None:
    async def main() -> None:
        async with relayed(table) as relay, PostgresSql(tcp(relay.conninfo)) as sql:
            relay.last_words = error_response(severity, code)
            relay.breaks_after = b"COMMIT"
            with pytest.raises(ProviderError, match="so it was said") as failed:
                await sql.execute(INSERT, (1,))
            assert failed.value.outcome is Outcome.UNKNOWN
            assert "read what is there" in failed.value.hint
            relay.heal()
            relay.last_words, relay.breaks_before = error_response(severity, code), b"INSERT"
            with pytest.raises(ProviderError, match="so it was said") as failed:
                await sql.execute(INSERT, (2,))
            assert failed.value.outcome is Outcome.NOT_APPLIED
            relay.breaks_before = b"SELECT n"
            with pytest.raises(ProviderError, match="so it was said") as failed:
                await sql.query("SELECT n FROM t")
            assert failed.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())
    assert rows(table) == [1]


@pytest.mark.parametrize(
    ("severity", "code"),
    [
        ("ERROR", "23505"), ("ERROR", "40001"), ("ERROR", "57014"), ("ERROR", "53100"),
        ("FATAL", "25P03"), ("FATAL", "25P04"), ("FATAL", "08001"), ("FATAL", "08004"),
        ("FATAL", "28P01"), ("FATAL", "57P03"),
    ],
)  # fmt: skip
def test_a_commit_that_is_refused_is_undone(
    table: Conninfo, tcp: Tcp, relayed: Relayed, severity: str, code: str
) -> None:
    async def main() -> None:
        async with relayed(table) as relay, PostgresSql(tcp(relay.conninfo)) as sql:
            relay.last_words, relay.breaks_before = error_response(severity, code), b"COMMIT"
            with pytest.raises(ProviderError, match=code) as failed:
                await sql.execute(INSERT, (1,))
            assert failed.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())


def test_a_commit_that_a_deferred_constraint_refuses_is_undone(table: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(table, connections_max=1)) as sql:
            await sql.execute("ALTER TABLE t ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED")
            with pytest.raises(Conflict) as refused:
                await sql.batch([Statement(INSERT, (1,)), Statement(INSERT, (1,))])
            assert refused.value.outcome is Outcome.NOT_APPLIED
            await sql.execute(INSERT, (2,))

    asyncio.run(main())
    assert rows(table) == [2]


def test_a_commit_that_is_answered_as_a_rollback_was_none(
    table: Conninfo, tcp: Tcp, relayed: Relayed
) -> None:
    async def main() -> None:
        async with relayed(table) as relay, PostgresSql(tcp(relay.conninfo)) as sql:
            relay.last_words, relay.breaks_before = committed("ROLLBACK"), b"COMMIT"
            with pytest.raises(Unavailable, match="undone") as failed:
                await sql.execute(INSERT, (1,))
            assert failed.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())


def test_a_commit_that_was_answered_is_one_whatever_breaks_behind_it(
    table: Conninfo, tcp: Tcp, relayed: Relayed
) -> None:
    async def main() -> None:
        async with relayed(table) as relay, PostgresSql(tcp(relay.conninfo)) as sql:
            relay.last_words, relay.breaks_after = committed("COMMIT"), b"COMMIT"
            assert (await sql.execute(INSERT, (1,))).affected == 1
            relay.heal()
            await sql.execute(INSERT, (2,))
            assert relay.connections == 2

    asyncio.run(main())
    assert rows(table) == [1, 2]


@pytest.mark.parametrize("how", ["breaks_before", "breaks_after", "silent_after"])
def test_an_undoing_that_fails_hides_nothing(
    table: Conninfo, tcp: Tcp, relayed: Relayed, how: str
) -> None:
    async def main() -> None:
        async with (
            relayed(table) as relay,
            PostgresSql(tcp(relay.conninfo, timeout_seconds=1.0)) as sql,
        ):
            setattr(relay, how, b"ROLLBACK")
            with pytest.raises(InvalidArgument, match="42P01") as refused:
                await sql.execute("INSERT INTO missing VALUES (1)")
            assert refused.value.outcome is Outcome.NOT_APPLIED
            relay.heal()
            await sql.execute(INSERT, (1,))
            assert relay.connections == 2

    asyncio.run(main())


@pytest.mark.parametrize("where", [b"SELECT n", b"COMMIT"])
def test_a_lost_read_has_changed_nothing(
    table: Conninfo, tcp: Tcp, relayed: Relayed, where: bytes
) -> None:
    async def main() -> None:
        async with relayed(table) as relay, PostgresSql(tcp(relay.conninfo)) as sql:
            relay.breaks_after = where
            with pytest.raises(Unavailable) as failed:
                await sql.query("SELECT n FROM t")
            assert failed.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())


def test_a_connection_that_the_server_ended_meanwhile_is_not_used(
    table: Conninfo, tcp: Tcp
) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(table)) as sql:
            [[pid]] = (await sql.query("SELECT pg_backend_pid()")).rows
            with psycopg.connect(**table, autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            await sql.execute(INSERT, (1,))

    asyncio.run(main())
    assert rows(table) == [1]


def test_a_cancelled_call_leaves_nothing_and_its_client_goes_on(table: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(table, connections_max=1)) as sql:
            statements = [Statement(INSERT, (1,)), Statement("SELECT pg_sleep(20)")]
            call = asyncio.create_task(sql.batch(statements))
            await asyncio.sleep(0.2)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await sql.execute(INSERT, (2,))

    asyncio.run(main())
    assert rows(table) == [2]


def test_a_statement_that_takes_too_long_is_stopped_and_undone(table: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(table, timeout_seconds=0.5)) as sql:
            slow = [Statement(INSERT, (1,)), Statement("SELECT pg_sleep(20)")]
            with pytest.raises(TimedOut) as late:
                await sql.batch(slow)
            assert late.value.outcome is Outcome.NOT_APPLIED

    asyncio.run(main())
    assert rows(table) == []


def test_an_answer_over_the_bound_is_refused_and_undone(table: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(table, answer_size_bytes_max=10_000)) as sql:
            many = "SELECT n FROM generate_series(1, 1000000) AS n"
            for call in (sql.query(many), sql.execute(f"INSERT INTO t {many} RETURNING n")):
                with pytest.raises(InvalidArgument, match="10000 bytes") as refused:
                    await call
                assert refused.value.outcome is Outcome.NOT_APPLIED
            assert len((await sql.query(f"{many} LIMIT 1000")).rows) == 1000

    asyncio.run(main())
    assert rows(table) == []


def test_whoever_loses_against_another_transaction_may_come_again(
    table: Conninfo, tcp: Tcp
) -> None:
    read_then_write = [
        Statement("SELECT count(*) FROM t"),
        Statement("SELECT pg_sleep(0.1)"),
        Statement("INSERT INTO t SELECT count(*) FROM t"),
    ]

    async def main() -> None:
        async with PostgresSql(tcp(table)) as sql:
            both = await asyncio.gather(
                *(sql.batch(read_then_write, isolation="serializable") for _ in range(2)),
                return_exceptions=True,
            )
            [lost] = [each for each in both if isinstance(each, BaseException)]
            assert isinstance(lost, Unavailable)
            assert lost.outcome is Outcome.NOT_APPLIED
            await sql.batch(read_then_write, isolation="serializable")

    asyncio.run(main())
    assert rows(table) == [0, 1]


def test_calls_wait_for_their_turn(table: Conninfo, tcp: Tcp, relayed: Relayed) -> None:
    async def main() -> int:
        async with relayed(table) as relay:
            async with PostgresSql(tcp(relay.conninfo, connections_max=2)) as sql:
                await asyncio.gather(*(sql.execute(INSERT, (n,)) for n in range(20)))
            return relay.connections

    assert asyncio.run(main()) == 2
    assert rows(table) == [*range(20)]


def test_who_finds_no_connection_in_time_has_sent_nothing(table: Conninfo, tcp: Tcp) -> None:
    async def main() -> None:
        database = tcp(table, connections_max=1, connect_timeout_seconds=0.3)
        async with PostgresSql(database) as sql:
            slow = asyncio.create_task(sql.query("SELECT pg_sleep(1)"))
            await asyncio.sleep(0.1)
            with pytest.raises(TimedOut) as late:
                await sql.execute(INSERT, (1,))
            assert late.value.outcome is Outcome.NOT_APPLIED
            await slow

    asyncio.run(main())


@pytest.mark.parametrize(
    ("setting", "value", "error"),
    [
        ("database", "there is none such", ContainerNotFound),
        ("user", "there is none such", Unauthenticated),
        ("port", 1, Unavailable),
    ],
)
def test_who_is_not_let_in_is_told_why(
    database: Conninfo, tcp: Tcp, setting: str, value: Any, error: type[ProviderError]
) -> None:
    async def main() -> None:
        async with PostgresSql(tcp(database, **{setting: value})) as sql:
            with pytest.raises(error) as refused:
                await sql.query("SELECT 1")
            assert refused.value.outcome is Outcome.NOT_APPLIED
            assert refused.value.hint

    asyncio.run(main())


def test_nothing_of_a_session_stays_for_the_next_transaction(table: Conninfo, tcp: Tcp) -> None:
    """So that a pooler may give each transaction to another session."""

    async def main() -> None:
        async with PostgresSql(tcp(table, connections_max=1)) as sql:
            await sql.query("SELECT 1")
            await sql.execute(INSERT, (1,))
            prepared = await sql.query("SELECT count(*) FROM pg_prepared_statements")
            assert prepared.rows == ((0,),)
            found = await sql.query(
                "SELECT name FROM pg_settings WHERE source = 'session' "
                "AND name NOT IN ('statement_timeout', 'bytea_output', 'extra_float_digits', "
                "'DateStyle', 'client_encoding', 'transaction_isolation', "
                "'transaction_read_only', 'transaction_deferrable')"
            )
            assert found.rows == ()

    asyncio.run(main())
