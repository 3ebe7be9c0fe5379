"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.capabilities.sql import Statement
from core_caps.contract.sql_database.model import ADD, ALL, CREATE, DROP, GET, PUT
from core_caps.contract.suite import PERSONAL, Call, Exercise

__all__ = ["EXERCISES"]

_CREATE = Call("execute", (CREATE,))
_ADDED = Call("execute", (ADD, ("a", PERSONAL["email"])))
_SETUP = (_CREATE, _ADDED)
_ALL = (Call("query", (ALL,)),)
_BYTES = bytes(range(256))
_RICH = 'it\'s "$1" \\ é\U0001f511\n'

_TYPES = "CREATE TABLE IF NOT EXISTS kinds (id BIGINT, n BIGINT, f DOUBLE PRECISION, b BYTEA)"
_KIND = "INSERT INTO kinds (id, n, f, b) VALUES ($1, $2, $3, $4)"
_KINDS = "SELECT id, n, f, b FROM kinds ORDER BY id"
_MANY = """WITH RECURSIVE numbers (n) AS (
    SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 300
) SELECT n, 'row ' || CAST(n AS TEXT) AS label FROM numbers ORDER BY n"""


def _execute(name: str, text: str, *params: object, **named: object) -> Exercise:
    return Exercise(name, Call("execute", (text, params), named), _SETUP, _ALL)


def _batch(name: str, *statements: Statement, **named: object) -> Exercise:
    return Exercise(name, Call("batch", (list(statements),), named), _SETUP, _ALL)


_BOTH = (Statement(PUT, ("a", "new")), Statement(PUT, ("b", _RICH)))

EXERCISES = (
    Exercise("query", Call("query", (GET, ("a",))), _SETUP),
    Exercise("query of nothing", Call("query", (GET, ("nobody",))), _SETUP),
    Exercise("query without parameters", Call("query", (ALL,)), _SETUP),
    Exercise("query of tricky text", Call("query", (GET, (_RICH,))), (
        _CREATE, Call("execute", (ADD, (_RICH, _RICH))),
    )),
    Exercise("query of every type", Call("query", (_KINDS,)), (
        Call("execute", (_TYPES,)),
        Call("execute", (_KIND, (1, 2**53 - 1, 0.1, _BYTES))),
        Call("execute", (_KIND, (2, None, None, None))),
    )),
    Exercise("query of many rows", Call("query", (_MANY,))),
    Exercise("query_batch", Call("query_batch", (
        [Statement(GET, ("a",)), Statement(ALL), Statement(GET, ("nobody",))],
    )), _SETUP),
    Exercise("query_batch serializable", Call("query_batch", ([Statement(ALL)],), {
        "isolation": "serializable",
    }), _SETUP),
    _execute("execute", ADD, "b", PERSONAL["email"]),
    _execute("execute with a key", PUT, "a", "new", key="k1"),
    _execute("execute that returns rows", PUT, "a", _RICH),
    _execute("execute of a null", ADD, "b", None),
    _execute("execute of a delete", DROP, "a"),
    Exercise("execute of bytes", Call("execute", (_KIND, (1, -1, 1e300, _BYTES * 100))), (
        Call("execute", (_TYPES,)),
    ), (Call("query", (_KINDS,)),)),
    Exercise("execute of a new table", _CREATE, (), _ALL),
    _batch("batch", *_BOTH),
    _batch("batch with a key", *_BOTH, key="k2"),
    _batch("batch serializable", *_BOTH, isolation="serializable"),
    _batch("batch that reads too", Statement(DROP, ("a",)), Statement(ALL)),
    _batch("batch of one", Statement(ADD, ("b", ""))),
)  # fmt: skip
