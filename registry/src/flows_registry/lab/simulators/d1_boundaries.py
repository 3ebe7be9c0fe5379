"""Histories at the edges of what the vendor documents for D1, for `sql/1`.

https://developers.cloudflare.com/d1/platform/limits/ and
https://developers.cloudflare.com/d1/sql-api/sql-statements/
"""

from collections.abc import Mapping

from core_caps.capabilities.sql import Statement
from core_caps.contract.suite import Call

__all__ = ["D1_BOUNDARIES"]

_MADE = Call("execute", ("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, n, b BLOB)",))
_ALL = Call("query", ("SELECT * FROM t ORDER BY id",))
_INSERT = "INSERT INTO t (id, name, n, b) VALUES ($1, $2, $3, $4)"


def _execute(text: str, *params: object, **named: object) -> Call:
    return Call("execute", (text, params), named)


def _query(text: str, *params: object) -> Call:
    return Call("query", (text, params))


def _columns(count: int) -> str:
    return "CREATE TABLE w (" + ", ".join(f"c{number}" for number in range(count)) + ")"


def _named(count: int) -> str:
    places = ", ".join(f"${number}" for number in range(1, count + 1))
    return "SELECT count(*) AS n FROM (SELECT 1 AS a) WHERE 'a' IN (~)".replace("~", places)


def _long(size_bytes: int) -> str:
    head = "SELECT length('' /* "
    return head + "x" * (size_bytes - len(head) - len(" */) AS n")) + " */) AS n"


D1_BOUNDARIES: Mapping[str, tuple[Call, ...]] = {
    "types of parameters": (
        _MADE,
        _execute(_INSERT, 1, "5", 5, b"\x00\xff"),
        _execute(_INSERT, 2, "é\n", 5.0, b""),
        _execute(_INSERT, 3, None, 0.1, None),
        _execute(_INSERT, 4, "05", True, bytes(range(256))),
        _ALL,
        _query("SELECT id, typeof(n) AS kind FROM t WHERE n = $1 ORDER BY id", 5),
        _query("SELECT typeof($1) AS a, typeof($2) AS b, typeof($3) AS c", 1, "1", None),
        _query("SELECT id FROM t WHERE name = $1", 5),
        _query("SELECT id FROM t ORDER BY id LIMIT $1 OFFSET $2", 2, 1),
    ),
    "integers that doubles hold": (
        _query("SELECT $1 AS a, $2 AS b", 2**53 - 1, -(2**53) + 1),
        _query("SELECT $1 AS a", 2**53),
        _query("SELECT 9007199254740993 AS a, 1e300 AS b, 1e20 AS c, -0.5 AS d"),
        _query("SELECT 9e999 AS a"),
    ),
    "100 parameters": (_query(_named(100), *["a"] * 100),),
    "101 parameters": (_query(_named(101), *["a"] * 101),),
    "another number of parameters": (_query(_named(2), "a"), _query(_named(1), "a", "b")),
    "statement of 100000 bytes": (_query(_long(100_000)),),
    "statement of 100001 bytes": (_query(_long(100_001)),),
    "text of 2000000 bytes": (_query("SELECT length($1) AS n", "x" * 2_000_000),),
    "text of 2300000 bytes": (_query("SELECT length($1) AS n", "x" * 2_300_000),),
    "value of 2300000 bytes": (_query("SELECT length(zeroblob(2300000)) AS n"),),
    "100 columns": (_execute(_columns(100)),),
    "101 columns": (_execute(_columns(101)),),
    "pattern of 50 bytes": (_query(f"SELECT 'a' LIKE '{'%' * 50}' AS n"),),
    "pattern of 51 bytes": (_query(f"SELECT 'a' LIKE '{'%' * 51}' AS n"),),
    "5 selects in one": (_query(" UNION ALL ".join(["SELECT 1 AS n"] * 5)),),
    "6 selects in one": (_query(" UNION ALL ".join(["SELECT 1 AS n"] * 6)),),
    "what nobody may do": tuple(
        _execute(text)
        for text in (
            "BEGIN", "COMMIT", "SAVEPOINT here", "ATTACH DATABASE ':memory:' AS other", "VACUUM",
            "PRAGMA user_version = 9", "CREATE TEMP TABLE z (a)", "SELECT load_extension('x')",
            "SELECT sqlite_version()", "SELECT * FROM _cf_METADATA",
        )
    ),
    "pragmas that are documented": (
        _MADE,
        _execute("PRAGMA table_info(t)"),
        _execute("PRAGMA index_list(t)"),
        _execute("PRAGMA foreign_key_check"),
        _query("SELECT name FROM pragma_table_info('t') ORDER BY name"),
    ),
    "foreign keys": (
        _execute("CREATE TABLE a (id INTEGER PRIMARY KEY)"),
        _execute("CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a (id) ON DELETE CASCADE)"),
        _execute("INSERT INTO b VALUES (1, 7)"),
        Call("batch", ([
            Statement("PRAGMA defer_foreign_keys = on"),
            Statement("INSERT INTO b VALUES (1, 7)"),
            Statement("INSERT INTO a VALUES (7)"),
        ],)),
        _execute("DELETE FROM a"),
        _query("SELECT count(*) AS n FROM b"),
    ),
    "a batch is undone": (
        _MADE,
        Call("batch", ([
            Statement("INSERT INTO t (id) VALUES (1)"),
            Statement("INSERT INTO t (id) VALUES (1)"),
        ],)),
        Call("batch", ([Statement("INSERT INTO t (id) VALUES (1)"), Statement("SELEKT")],)),
        _ALL,
    ),
    "a key is used once": (
        _MADE,
        _execute("INSERT INTO t (name) VALUES ('a')", key="k"),
        _execute("INSERT INTO t (name) VALUES ('a')", key="k"),
        Call("batch", ([Statement("DELETE FROM t"), Statement("SELECT 1 AS n")],), {"key": "k"}),
        Call("batch", ([Statement("DELETE FROM t"), Statement("SELEKT")],), {"key": "free"}),
        Call("batch", ([Statement("UPDATE t SET name = 'b'")],), {"key": "free"}),
        _ALL,
    ),
    "a write through a query": (
        _MADE,
        _query("INSERT INTO t (id) VALUES (1) RETURNING id"),
        _query("DELETE FROM t"),
        Call("query_batch", ([Statement("SELECT 1 AS n"), Statement("DROP TABLE t")],)),
        _query("SELECT load_extension('x')"),
        _ALL,
    ),
    "two columns of one name": (_query("SELECT 1 AS a, 2 AS a"),),
    "a trigger": (
        _MADE,
        _execute("CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET n = 1; SELECT 2; END;"),
        _execute("INSERT INTO t (id) VALUES (1)"),
        _ALL,
    ),
}  # fmt: skip
