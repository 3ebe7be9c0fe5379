"""What is proven to read; everything else is a write. SQLite itself is asked, too."""

import sqlite3

import pytest
from core_caps.errors import InvalidArgument, Outcome
from core_caps.sqlite.commands import command
from core_caps.sqlite.reads import need_read
from core_caps.sqlite.verbs import refuse_control

pytestmark = pytest.mark.feature("DC-04")

FUNCTIONS = frozenset({"count", "max", "json_each", "replace", "row_number"})

READS = (
    "SELECT 1",
    "select count(*) from t",
    "VALUES (1), (2)",
    "\ufeffSELECT 1",
    "EXPLAIN SELECT 1",
    "EXPLAIN QUERY PLAN SELECT 1",
    "WITH a AS (SELECT 1), b (x, y) AS NOT MATERIALIZED (SELECT 1, 2) SELECT * FROM a, b",
    "WITH RECURSIVE n (x) AS (VALUES (1) UNION SELECT x + 1 FROM n WHERE x < 3) SELECT x FROM n",
    "SELECT * FROM (WITH c (x) AS (SELECT 1) SELECT x FROM c)",
    "SELECT CAST(name AS VARCHAR(10)) FROM t WHERE id IN (1, 2) AND NOT (id = 3)",
    "SELECT row_number() OVER (PARTITION BY id ORDER BY name) FROM t",
    "SELECT value FROM json_each('[1]')",
    "SELECT 'DELETE FROM t' AS \"update\" FROM t -- DROP TABLE t",
    "SELECT replace(name, 'a', 'b') FROM t",
    'WITH "update" AS (SELECT 1 AS a) SELECT a FROM "update"',
    "SELECT max (id) FROM t GROUP BY (name) HAVING (1)",
)

WRITES = (
    "INSERT INTO t VALUES (9, 'x')",
    "REPLACE INTO t VALUES (1, 'x')",
    "DELETE FROM t RETURNING id",
    "WITH a AS (SELECT 1) DELETE FROM t",
    "WITH a (x) AS (SELECT 1), b AS (SELECT 2) INSERT INTO t SELECT x, 'x' FROM a",
    "/* SELECT */ UPDATE t SET name = 'x'",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN WITH a AS (SELECT 1) DELETE FROM t",
    "PRAGMA user_version = 9",
    "CREATE VIEW v AS SELECT 1",
    "SELECT load_extension('x')",
    "SELECT load_extension /* count */ ('x')",
    "SELECT \"load_extension\"('x'), [load_extension]('x'), `load_extension`('x')",
    "SELECT main.writefile('x', 'y')",
    "SELECT count(writefile('x', 'y'))",
    "SELECT * FROM t WHERE id = (SELECT load_extension('x'))",
    "WITH a AS (SELECT load_extension('x')) SELECT * FROM a",
)

CONTROL = (
    ("BEGIN", "batch"),
    ("COMMIT", "batch"),
    ("END", "batch"),
    ("ROLLBACK TO here", "batch"),
    ("SAVEPOINT here", "batch"),
    ("RELEASE here", "batch"),
    ("/* quietly */ begin", "batch"),
    ("EXPLAIN COMMIT", "batch"),
    ("ATTACH DATABASE ':memory:' AS other", "connect"),
    ("DETACH other", "connect"),
    ("VACUUM INTO 'x'", "leave it out"),
)

NO_STATEMENTS = (
    ("SELEC 1", "SELEC"),
    ("Insrt INTO t VALUES (1)", "Insrt"),
    ("WITH a AS (SELECT 1) DELET FROM t", "DELET"),
    ("SHOW TABLES", "SHOW"),
    ("EXPLAIN", "EXPLAIN"),
    ("WITH", "WITH"),
    ("WITH a", "WITH"),
    ("WITH a SELECT 1", "WITH"),
    ("WITH a AS (SELECT 1", "WITH"),
    ("SELECT\u00a01", "SELECT\u00a01"),
    ('"select" 1', '"select"'),
    ("SELECTED", "SELECTED"),
    ("( SELECT 1 )", "("),
)


@pytest.mark.parametrize("text", READS)
def test_reads_are_proven(text: str) -> None:
    need_read(command(text, ()), FUNCTIONS)
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (id, name)")
    before = connection.total_changes
    connection.execute(text).fetchall()
    assert connection.total_changes == before


@pytest.mark.parametrize("text", WRITES)
def test_what_is_not_proven_is_a_write(text: str) -> None:
    with pytest.raises(InvalidArgument, match="not proven to read") as refused:
        need_read(command(text, ()), FUNCTIONS)
    assert refused.value.outcome is Outcome.NOT_APPLIED


@pytest.mark.parametrize(("text", "instead"), CONTROL)
def test_what_is_not_for_statements_says_what_to_do_instead(text: str, instead: str) -> None:
    given = command(text, ())
    for refuse in (refuse_control, lambda given: need_read(given, None)):
        with pytest.raises(InvalidArgument, match="is not for statements") as refused:
            refuse(given)
        assert instead in refused.value.hint


@pytest.mark.parametrize(("text", "near"), NO_STATEMENTS)
def test_what_is_no_statement_is_an_error_of_syntax_and_no_write(text: str, near: str) -> None:
    given = command(text, ())
    with pytest.raises(InvalidArgument) as refused:
        need_read(given, None)
    assert refused.value.message == f'near "{near}": syntax error'
    assert "execute" not in refused.value.hint
    refuse_control(given)
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.OperationalError, match=r"syntax error|incomplete input"):
        connection.execute(text)


def test_a_write_is_told_where_to_go() -> None:
    with pytest.raises(InvalidArgument) as refused:
        need_read(command("WITH a AS (SELECT 1) DELETE FROM t", ()), None)
    assert "DELETE is no read" in refused.value.message
    assert "execute or batch" in refused.value.hint
    with pytest.raises(InvalidArgument) as refused:
        need_read(command("PRAGMA table_info(t)", ()), None)
    assert "SELECT * FROM pragma_table_info" in refused.value.hint
