"""How a statement is read: what is a parameter, and what only looks like one."""

import asyncio
from pathlib import Path

import pytest
from cap_local.config import LocalConfig
from cap_local.sql import LocalSql
from cap_local.statements import bound
from core_caps.capabilities.sql import Statement
from core_caps.clock import SystemClock
from core_caps.errors import Conflict, InvalidArgument
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01", "DC-04")


@pytest.mark.parametrize(
    ("text", "given", "seen"),
    [
        ("SELECT $2, $1", 2, "SELECT ?2, ?1"),
        ("SELECT '$1', $1", 1, "SELECT '$1', ?1"),
        ("SELECT 'it''s $1'", 0, "SELECT 'it''s $1'"),
        ('SELECT "a""$1", `b``$2`, [c$3]', 0, 'SELECT "a""$1", `b``$2`, [c$3]'),
        ("SELECT 1 -- $1\n, $1", 1, "SELECT 1 -- $1\n, ?1"),
        ("SELECT 1 /* $1 ' */ + $1", 1, "SELECT 1 /* $1 ' */ + ?1"),
        ("SELECT 1 /* $1", 0, "SELECT 1 /* $1"),
        ("SELECT a$1 FROM t", 0, "SELECT a$1 FROM t"),
        ("SELECT 1e5+$1", 1, "SELECT 1e5+?1"),
        ("SELECT x'00', $1", 1, "SELECT x'00', ?1"),
        ("SELECT ü$1, $1", 1, "SELECT ü$1, ?1"),
        ("SELECT $1||$2", 2, "SELECT ?1||?2"),
    ],
)
def test_only_parameters_are_parameters(text: str, given: int, seen: str) -> None:
    assert bound(text, ["v"] * given).text == seen


@pytest.mark.parametrize("mark", ["?", "?1", ":a", "@a", "#a", "$a", "$0", "$01", "$1a", "$1$2"])
def test_other_placeholders_are_refused(mark: str) -> None:
    with pytest.raises(InvalidArgument):
        bound(f"SELECT {mark}", ["v"])


def test_a_gap_between_parameters_is_refused() -> None:
    with pytest.raises(InvalidArgument, match=r"names \$2"):
        bound("SELECT $2", ["a", "b"])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM _flows_keys",
        "DROP TABLE _flows_keys",
        "SELECT * FROM _flows_keys",
        "CREATE TEMP TABLE t (a)",
        "ATTACH DATABASE 'x' AS y",
        "PRAGMA journal_mode = DELETE",
        "VACUUM",
        "SELECT load_extension('x')",
    ],
)
def test_what_keeps_the_promises_is_out_of_reach(tmp_path: Path, statement: str) -> None:
    async def main() -> None:
        async with _sql(tmp_path) as sql:
            await sql.execute("CREATE TABLE t (a BIGINT)", key="k")
            for call in (sql.execute, sql.query):
                with pytest.raises(InvalidArgument):
                    await call(statement)
            again = await sql.execute("CREATE TABLE t (a BIGINT)", key="k")
            assert again.repeated

    asyncio.run(main())


@pytest.mark.parametrize(
    ("how", "statement", "said", "hint"),
    [
        ("query", "SELEC 1", 'near "SELEC": syntax error', "begins with SELECT"),
        ("execute", "SELEC 1", 'near "SELEC": syntax error', "correct the statement"),
        ("query", "DELETE FROM t", "DELETE is no read", "execute or batch"),
        ("execute", "BEGIN", "BEGIN is not for statements", "batch"),
        ("query", "COMMIT", "COMMIT is not for statements", "batch"),
        ("execute", "ATTACH DATABASE 'x' AS y", "ATTACH is not for statements", "connect"),
        ("execute", "SELECT 1; SELECT 2", "several commands", "batch"),
        ("execute", "PRAGMA journal_mode = DELETE", "PRAGMA journal_mode is not", "leave it out"),
        ("execute", "CREATE TEMP TABLE z (a)", "TEMP z is not for statements", "WITH"),
        ("query", "SELECT load_extension('x')", "the function load_extension() is not", "flow"),
        ("query", "SELECT * FROM _flows_keys", "the table _flows_keys is not", "another"),
    ],
)
def test_a_refusal_names_what_is_refused_and_what_to_do(
    tmp_path: Path, how: str, statement: str, said: str, hint: str
) -> None:
    async def main() -> None:
        async with _sql(tmp_path) as sql:
            await sql.execute("CREATE TABLE t (a BIGINT)")
            with pytest.raises(InvalidArgument) as refused:
                await getattr(sql, how)(statement)
            assert said in refused.value.message
            assert hint in refused.value.hint

    asyncio.run(main())


@pytest.mark.parametrize(
    ("statement", "rows"),
    [
        ("SELECT value FROM json_each('[3, 4]')", ((3,), (4,))),
        ("SELECT name, type FROM pragma_table_info('t')", (("a", "BIGINT"),)),
    ],
)
def test_functions_that_are_tables_are_read(
    tmp_path: Path, statement: str, rows: tuple[tuple[object, ...], ...]
) -> None:
    async def main() -> None:
        async with _sql(tmp_path) as sql:
            await sql.execute("CREATE TABLE t (a BIGINT)")
            assert (await sql.query(statement)).rows == rows

    asyncio.run(main())


def test_a_trigger_is_one_command(tmp_path: Path) -> None:
    trigger = (
        "CREATE TRIGGER twice AFTER INSERT ON t BEGIN "
        "INSERT INTO log VALUES (new.a); INSERT INTO log VALUES (new.a); END"
    )

    async def main() -> None:
        async with _sql(tmp_path) as sql:
            for text in ("CREATE TABLE t (a BIGINT)", "CREATE TABLE log (a BIGINT)", trigger):
                await sql.execute(text)
            assert (await sql.execute("INSERT INTO t VALUES (7)")).affected == 1
            assert (await sql.query("SELECT a FROM log")).rows == ((7,), (7,))

    asyncio.run(main())


def test_a_constraint_that_is_checked_at_the_end_undoes_the_whole(tmp_path: Path) -> None:
    child = "CREATE TABLE c (p BIGINT REFERENCES t (a) DEFERRABLE INITIALLY DEFERRED)"

    async def main() -> None:
        async with _sql(tmp_path) as sql:
            await sql.execute("CREATE TABLE t (a BIGINT PRIMARY KEY)")
            await sql.execute(child)
            insert = Statement("INSERT INTO c VALUES (1)")
            with pytest.raises(Conflict) as refused:
                await sql.batch([insert], key="k")
            assert refused.value.outcome.value == "not_applied"
            rows = await sql.batch([Statement("INSERT INTO t VALUES (1)"), insert], key="k")
            assert not rows[0].repeated

    asyncio.run(main())


def _sql(folder: Path) -> LocalSql:
    return LocalSql(LocalConfig(str(folder)), clock=SystemClock(), rng=SeededRng())
