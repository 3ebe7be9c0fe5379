"""The D1 reference, spoken to by an ordinary HTTP client."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.cloudflare_d1 import FACTORY, CloudflareD1

from .serve import serve

pytestmark = pytest.mark.feature("P4-03", "CW-01")

ACCOUNT, DATABASE, TOKEN = "a" * 32, "c" * 32, "canary-token"


@pytest.fixture
def reference() -> CloudflareD1:
    settings = {"account_id": ACCOUNT, "database_id": DATABASE}
    return CloudflareD1(settings, {"api_token": TOKEN}, lambda: 0.0)


@pytest.fixture
def client(reference: CloudflareD1) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with serve(reference) as url:
        base = f"{url}/client/v4/accounts/{ACCOUNT}/d1/database/{DATABASE}"
        with httpx.Client(base_url=base, headers=headers, trust_env=False) as client:
            yield client


def run(client: httpx.Client, *statements: Any, form: str = "/raw") -> list[Any]:
    batch = [{"sql": each} if isinstance(each, str) else each for each in statements]
    response = client.post(form, json=batch[0] if len(batch) == 1 else {"batch": batch})
    assert response.status_code == 200, response.text
    envelope = response.json()
    assert envelope["success"] is True
    return envelope["result"]


def refused(client: httpx.Client, content: Any, **more: Any) -> tuple[int, int, str]:
    response = client.post("/raw", json=content, **more)
    envelope = response.json()
    assert envelope["success"] is False
    [error] = envelope["errors"]
    return response.status_code, error["code"], error["message"]


def test_rows_come_as_lists_and_as_objects(client: httpx.Client) -> None:
    text = "SELECT 1 AS a, 2.5 AS a, x'00ff' AS b, NULL AS c, 'é' AS d"
    [raw] = run(client, text)
    assert raw["results"] == {
        "columns": ["a", "a", "b", "c", "d"],
        "rows": [[1, 2.5, [0, 255], None, "é"]],
    }
    assert raw["meta"]["changes"] == 0
    [shown] = run(client, text, form="/query")
    assert shown["results"] == [{"a": 2.5, "b": [0, 255], "c": None, "d": "é"}]


def test_numbers_are_doubles(client: httpx.Client) -> None:
    text = "SELECT typeof(?1), ?1, ?2, 9007199254740993, 1.0, 9e999, 1e300"
    [raw] = run(client, {"sql": text, "params": [1, "1"]})
    assert raw["results"]["rows"] == [["real", 1, "1", 9007199254740992, 1, None, 1e300]]


def test_a_batch_is_all_or_nothing(client: httpx.Client, reference: CloudflareD1) -> None:
    run(client, "CREATE TABLE t (id INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (1), (2)")
    before = reference.state()
    insert = {"sql": "INSERT INTO t VALUES (?1)", "params": ["3"]}
    for wrong, said in (
        ("INSERT INTO t VALUES (1)", "UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT"),
        ("SELEKT", 'near "SELEKT": syntax error: SQLITE_ERROR'),
        ("COMMIT", "To execute a transaction"),
        ("SELECT ?1", "Wrong number of parameter bindings"),
    ):
        status, code, message = refused(client, {"batch": [insert, {"sql": wrong}]})
        assert (status, code) == (400, 7500)
        assert said.lower()[:20] in message.lower()
        assert reference.state() == before
    deleted = run(client, insert, "DELETE FROM t")
    assert [each["meta"]["changes"] for each in deleted] == [1, 3]
    assert reference.state() != before


def test_every_parameter_has_its_place(client: httpx.Client) -> None:
    said = "Wrong number of parameter bindings for SQL query."
    for sql, params in (("SELECT ?1, ?2", ["a"]), ("SELECT ?1", ["a", "b"]), ("SELECT 1", ["a"])):
        assert refused(client, {"sql": sql, "params": params}) == (400, 7500, said)


def test_when_a_key_was_used_is_no_state(client: httpx.Client, reference: CloudflareD1) -> None:
    states: list[Any] = []
    for used_at in (1.0, 2.0):
        reference.reset()
        run(
            client,
            "CREATE TABLE _flows_keys (key TEXT PRIMARY KEY, used_at REAL)",
            {"sql": "INSERT INTO _flows_keys VALUES ('k', ?1)", "params": [used_at]},
        )
        states.append(reference.state())
    assert states[0] == states[1]


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE ':memory:' AS other",
        "PRAGMA user_version = 9",
        "CREATE TEMP TABLE z (a)",
        "SELECT sqlite_version()",
        "SELECT load_extension('x')",
        "SELECT * FROM _cf_METADATA",
        "SELECT 1; SELECT 2",
        "SELECT zeroblob(2000001)",
        " UNION ALL ".join(["SELECT 1"] * 6),
    ],
)
def test_what_d1_does_not_run(client: httpx.Client, sql: str) -> None:
    assert refused(client, {"sql": sql})[:2] == (400, 7500)


@pytest.mark.parametrize(
    "content", [None, [], {}, {"sql": ""}, {"sql": 5}, {"batch": []}, {"batch": ["SELECT 1"]},
                {"sql": "SELECT 1", "params": "a"}, {"sql": "SELECT ?1", "params": [True]},
                {"sql": "SELECT ?1", "params": [[1]]}],
)  # fmt: skip
def test_another_request_is_malformed(client: httpx.Client, content: Any) -> None:
    assert refused(client, content)[:2] == (400, 7400)


def test_who_asks_is_looked_at(client: httpx.Client) -> None:
    sql = {"sql": "SELECT 1"}
    for authorization, expected in (
        ("Bearer wrong", (401, 10000)),
        ("Basic x", (400, 6003)),
    ):
        given = {"authorization": authorization}
        assert refused(client, sql, headers=given)[:2] == expected
    for path, expected in (
        (f"/accounts/{'b' * 32}/d1/database/{DATABASE}/raw", (403, 7403)),
        (f"/accounts/{ACCOUNT}/d1/database/other/raw", (404, 7404)),
        (f"/accounts/{ACCOUNT}/d1/database/{DATABASE}/export", (404, 7003)),
    ):
        url = str(client.base_url).partition("/accounts")[0] + path
        response = client.post(url, json=sql)
        assert (response.status_code, response.json()["errors"][0]["code"]) == expected
    assert client.get("/raw").status_code == 405


def test_the_proxys_own_failures_are_pages() -> None:
    assert FACTORY.failure(502).headers[0][1].startswith("text/html")
    assert b'"code": 7500' in FACTORY.failure(500).body
