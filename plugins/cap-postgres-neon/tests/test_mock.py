"""The mock refuses aloud what SQLite would do otherwise than PostgreSQL."""

import asyncio

import pytest
from cap_postgres_neon.config import MockConfig
from cap_postgres_neon.mock_sql import MockSql
from core_caps.clock import VirtualClock
from core_caps.errors import InvalidArgument
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01", "DC-04")

REFUSED = (
    "CREATE TABLE u (n NUMERIC(10, 2))",
    "CREATE TABLE u (n SERIAL)",
    "CREATE TABLE u (n)",
    "INSERT OR IGNORE INTO t VALUES (1, 'a')",
    "REPLACE INTO t VALUES (1, 'a')",
    "PRAGMA user_version = 1",
    "ATTACH DATABASE ':memory:' AS b",
    "VACUUM",
    "EXPLAIN SELECT 1",
    "SELECT sqlite_version()",
    "SELECT random()",
    "SELECT datetime('now')",
    "SELECT 1::text",
    "SELECT now()",
    "INSERT INTO t VALUES ('not a number', 'a')",
    "INSERT INTO t VALUES (1.5, 'a')",
    "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_what_is_not_postgresqls_is_refused(statement: str) -> None:
    async def main() -> None:
        async with MockSql(MockConfig(), clock=VirtualClock(), rng=SeededRng()) as sql:
            await sql.execute("CREATE TABLE t (n BIGINT, s TEXT)")
            with pytest.raises(InvalidArgument):
                await sql.execute(statement)
            assert (await sql.query("SELECT * FROM t")).rows == ()

    asyncio.run(main())


TOLD: tuple[tuple[str, str, str, str], ...] = (
    ("query", "SELECT random()", r"the function random\(\)", "serve"),
    ("execute", "SELECT random()", r"the function random\(\)", "serve"),
    ("execute", "CREATE VIRTUAL TABLE v USING fts5(a)", "a virtual table", "serve"),
    ("query", "WITH a AS (SELECT 1) INSERT INTO t VALUES (1, 'a')", "writes to t", "execute"),
    ("query", "SELEC 1", 'syntax error at or near "SELEC"', "SELECT"),
    ("execute", "INSRT INTO t VALUES (1, 'a')", 'syntax error at or near "INSRT"', "INSERT"),
    ("query", "SELECT n FORM t", "syntax error", "correct"),
    ("query", "BEGIN", "BEGIN is not", "`batch`"),
)


@pytest.mark.parametrize(("operation", "statement", "problem", "hint"), TOLD)
def test_a_refusal_names_what_is_not_allowed_and_what_to_do(
    operation: str, statement: str, problem: str, hint: str
) -> None:
    async def main() -> None:
        async with MockSql(MockConfig(), clock=VirtualClock(), rng=SeededRng()) as sql:
            await sql.execute("CREATE TABLE t (n BIGINT, s TEXT)")
            with pytest.raises(InvalidArgument, match=problem) as refused:
                await getattr(sql, operation)(statement)
            assert hint in refused.value.hint
            assert "authorized" not in str(refused.value)

    asyncio.run(main())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE u (a BIGINT PRIMARY KEY, b DOUBLE PRECISION, c BYTEA, d BOOLEAN, e TEXT);",
        "CREATE TABLE u (a INTEGER REFERENCES t (n)) -- with a comment",
        "ALTER TABLE t ADD COLUMN more BOOLEAN",
        "CREATE UNIQUE INDEX i ON t (n)",
        "DROP TABLE t",
    ],
)
def test_what_both_have_is_taken(statement: str) -> None:
    async def main() -> None:
        async with MockSql(MockConfig(), clock=VirtualClock(), rng=SeededRng()) as sql:
            await sql.execute("CREATE TABLE t (n BIGINT UNIQUE, s TEXT)")
            await sql.execute(statement)

    asyncio.run(main())
