"""What is proven to read; everything else is a write. SQLite itself is asked, too."""

import sqlite3

import pytest
from core_caps.errors import InvalidArgument, Outcome
from core_caps.sqlite.commands import command
from core_caps.sqlite.reads import need_read

pytestmark = pytest.mark.feature("DC-04")

FUNCTIONS = frozenset({"count", "max", "json_each", "replace", "row_number"})

READS = (
    "SELECT 1",
    "select count(*) from t",
    "VALUES (1), (2)",
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
    "ATTACH DATABASE ':memory:' AS other",
    "CREATE VIEW v AS SELECT 1",
    "VACUUM",
    "SELECT load_extension('x')",
    "SELECT load_extension /* count */ ('x')",
    "SELECT \"load_extension\"('x'), [load_extension]('x'), `load_extension`('x')",
    "SELECT main.writefile('x', 'y')",
    "SELECT count(writefile('x', 'y'))",
    "SELECT * FROM t WHERE id = (SELECT load_extension('x'))",
    "WITH a AS (SELECT load_extension('x')) SELECT * FROM a",
    "WITH",
    "WITH a",
    "WITH a AS (SELECT 1",
    "\ufeffSELECT 1",
    "SELECT\u00a01",
    '"select" 1',
    "SELECTED",
    "( SELECT 1 )",
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
