"""What `remote` sends, and what it makes of the answers."""

import json
from typing import Any

import pytest
from core_caps.capabilities.sql import Rows, Statement

pytestmark = pytest.mark.feature("DC-04", "CW-01")

ROUTE = "/client/v4/accounts/acc/d1/database/db/raw"


def _sent(script: Any) -> Any:
    (request,) = script.requests
    assert (request.method, request.target) == ("POST", ROUTE)
    assert request.headers["authorization"].startswith("Bearer ")
    assert request.headers["content-type"] == "application/json"
    return json.loads(request.body)


def test_a_query_says_that_it_reads(wire: Any) -> None:
    answer = wire.rows((["id", "b", "f", "id"], [[1, [0, 255], 0.5, None], ["x", [], 1e300, 2]], 0))
    script, rows = wire.run(
        [answer], lambda sql: sql.query("SELECT id, b FROM t WHERE id = $1;", (7,))
    )
    assert _sent(script) == {
        "sql": "SELECT id, b FROM t WHERE id = (+CAST(?1 AS INTEGER))",
        "params": ["7"],
    }
    assert script.requests[0].headers["x-flows-effect"] == "read_only"
    assert rows == Rows(
        ("id", "b", "f", "id"), ((1, b"\x00\xff", 0.5, None), ("x", b"", 1e300, 2)), 0
    )


def test_a_write_does_not(wire: Any) -> None:
    script, rows = wire.run(
        [wire.rows(([], [], 3))], lambda sql: sql.execute("DELETE FROM t WHERE n = $1", (0.5,))
    )
    assert _sent(script) == {"sql": "DELETE FROM t WHERE n = ?1", "params": [0.5]}
    assert "x-flows-effect" not in script.requests[0].headers
    assert rows == Rows(affected=3)


def test_several_statements_are_one_batch(wire: Any) -> None:
    statements = [Statement("UPDATE t SET n = $1", ("a",)), Statement("SELECT n FROM t")]
    script, results = wire.run(
        [wire.rows(([], [], 2), (["n"], [["a"], ["a"]], 0))], lambda sql: sql.batch(statements)
    )
    assert _sent(script) == {
        "batch": [
            {"sql": "UPDATE t SET n = ?1", "params": ["a"]},
            {"sql": "SELECT n FROM t", "params": []},
        ]
    }
    assert list(results) == [Rows(affected=2), Rows(("n",), (("a",), ("a",)))]


def test_nothing_is_sent_for_nothing(wire: Any) -> None:
    async def use(sql: Any) -> list[Any]:
        return [await sql.batch([]), await sql.query_batch([]), await sql.batch([], key="k")]

    script, results = wire.run([wire.rows()], use)
    assert results == [[], [], []]
    assert script.requests == []


def test_a_key_stands_in_front_of_its_batch(wire: Any) -> None:
    answer = wire.rows(([], [], 0), ([], [], 1), (["id"], [[9]], 1))
    script, rows = wire.run(
        [answer], lambda sql: sql.execute("INSERT INTO t VALUES (9) RETURNING id", key="k'1")
    )
    create, take, insert = _sent(script)["batch"]
    assert create["sql"].startswith("CREATE TABLE IF NOT EXISTS _flows_keys")
    assert take["params"][0] == "k'1"
    assert insert == {"sql": "INSERT INTO t VALUES (9) RETURNING id", "params": []}
    assert rows == Rows(("id",), ((9,),), 1)


@pytest.mark.parametrize("status", [400, 500])
@pytest.mark.parametrize("extended", ["", " (extended: SQLITE_CONSTRAINT_PRIMARYKEY)"])
def test_a_key_that_is_taken_is_a_repeat(wire: Any, status: int, extended: str) -> None:
    text = f"UNIQUE constraint failed: _flows_keys.key: SQLITE_CONSTRAINT{extended}"
    statements = [Statement("DELETE FROM t"), Statement("DELETE FROM u")]
    _, results = wire.run(
        [wire.refusal(status, 7500, text)], lambda sql: sql.batch(statements, key="k")
    )
    assert list(results) == [Rows(repeated=True)] * 2


def test_a_write_through_query_is_never_sent(wire: Any) -> None:
    async def use(sql: Any) -> list[str]:
        refused: list[str] = []
        for call in (
            sql.query("DELETE FROM t"),
            sql.query_batch([Statement("SELECT 1"), Statement("SELECT load_extension('x')")]),
        ):
            with pytest.raises(ValueError, match="not proven to read") as caught:
                await call
            refused.append(caught.value.outcome.value)
        return refused

    script, refused = wire.run([wire.rows()], use)
    assert refused == ["not_applied", "not_applied"]
    assert script.requests == []
