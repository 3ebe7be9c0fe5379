"""What the mock does as D1 does, besides what every provider of Sql does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cap_cloudflare_d1.config import MockConfig
from cap_cloudflare_d1.mock import MockSql
from core_caps.capabilities.sql import Rows, Statement
from core_caps.clock import VirtualClock
from core_caps.errors import Conflict, InvalidArgument
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-04", "CW-01")


def run(use: Callable[[MockSql], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with MockSql(MockConfig(), clock=VirtualClock(), rng=SeededRng()) as sql:
            return await use(sql)

    return asyncio.run(main())


def test_numbers_come_back_as_doubles() -> None:
    async def use(sql: MockSql) -> Rows:
        return await sql.query("SELECT 1.0, 0.5, 9007199254740993, 9e999, 1e300, $1", [2.0])

    [row] = run(use).rows
    assert row == (1, 0.5, 9007199254740992.0, None, 1e300, 2)
    assert [type(value) for value in row] == [int, float, float, type(None), float, int]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE w (" + ", ".join(f"c{n}" for n in range(101)) + ")",
        f"SELECT 'a' LIKE '{'%' * 51}'",
        "SELECT char(" + ", ".join(["65"] * 33) + ")",
        "SELECT length(zeroblob(2000001))",
        " UNION ALL ".join(["SELECT 1"] * 6),
        "PRAGMA user_version = 9",
        "CREATE TEMP TABLE z (a)",
        "SELECT sqlite_version()",
        "SELECT load_extension('x')",
        "SELECT * FROM _cf_METADATA",
    ],
    ids=lambda text: text[:30],
)
def test_what_d1_does_not_run_is_refused_and_undone(text: str) -> None:
    async def use(sql: MockSql) -> Rows:
        await sql.execute("CREATE TABLE t (id)")
        insert = Statement("INSERT INTO t VALUES (1)")
        with pytest.raises(InvalidArgument):
            await sql.batch([insert, Statement(text)])
        return await sql.query("SELECT count(*) FROM t")

    assert run(use).rows == ((0,),)


def test_foreign_keys_are_enforced_and_may_be_deferred() -> None:
    async def use(sql: MockSql) -> Rows:
        await sql.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
        await sql.execute("CREATE TABLE b (a REFERENCES a (id))")
        both = [Statement("INSERT INTO b VALUES (7)"), Statement("INSERT INTO a VALUES (7)")]
        with pytest.raises(Conflict):
            await sql.batch(both)
        defer = Statement("PRAGMA defer_foreign_keys = on")
        with pytest.raises(Conflict):
            await sql.batch([defer, both[0]])
        await sql.batch([defer, *both])
        return await sql.query("SELECT * FROM a, b")

    assert run(use).rows == ((7, 7),)


def test_a_broken_constraint_of_ones_own_is_no_repeat() -> None:
    async def use(sql: MockSql) -> Rows:
        await sql.execute("CREATE TABLE t (key TEXT PRIMARY KEY)")
        insert = "INSERT INTO t VALUES ('a')"
        await sql.execute(insert, key="k")
        with pytest.raises(Conflict):
            await sql.execute(insert, key="other")
        return await sql.execute(insert, key="k")

    assert run(use).repeated


def test_a_key_is_never_forgotten() -> None:
    clock = VirtualClock()

    async def main() -> bool:
        async with MockSql(MockConfig(), clock=clock, rng=SeededRng()) as sql:
            await sql.execute("CREATE TABLE t (id)", key="first")
            clock.advance(10 * 365 * 86_400)
            for number in range(300):
                await sql.execute("INSERT INTO t VALUES (1)", key=f"later-{number}")
            again = await sql.execute("CREATE TABLE t (id)", key="first")
            return again.repeated

    assert asyncio.run(main())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("PRAGMA journal_mode = DELETE", "PRAGMA journal_mode"),
        ("CREATE TEMP TABLE z (a)", "TEMP z"),
        ("SELECT sqlite_version()", "the function sqlite_version()"),
    ],
)
def test_what_d1_does_not_allow_is_named(text: str, what: str) -> None:
    async def use(sql: MockSql) -> InvalidArgument:
        with pytest.raises(InvalidArgument) as refused:
            await sql.execute(text)
        return refused.value

    refused = run(use)
    assert f"D1 does not allow {what}" in refused.message
    assert refused.hint
    assert "correct the statement" not in refused.hint
