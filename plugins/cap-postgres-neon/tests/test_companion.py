"""The companion server: Neon's HTTP on a real PostgreSQL, and what it refuses."""

import http.client
import json
import socket
import time
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from cap_postgres_neon.companion import pools

pytestmark = pytest.mark.feature("DC-01")

Conninfo = Mapping[str, Any]


def post(
    port: int, database: str, content: object, *, path: str = "/sql", **headers: str
) -> tuple[int, Any]:
    """Status and content of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    url = f"postgresql://somebody:secret@example/{database}"
    try:
        connection.request("POST", path, body, {"Neon-Connection-String": url, **named})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_query_alone_is_answered_with_typed_objects(database: Conninfo, port: int) -> None:
    query = {
        "query": "SELECT $1::int AS n, $2::float8[] AS f, 1::int8 AS big, $3::json AS doc, "
        "'Infinity'::float8 AS far, NULL AS nothing",
        "params": [7, [0.5, None], {"a": [1]}],
    }
    status, said = post(port, database["dbname"], query)
    assert status == 200
    assert said["rows"] == [
        {"n": 7, "f": [0.5, None], "big": "1", "doc": {"a": [1]}, "far": "Infinity",
         "nothing": None}
    ]  # fmt: skip
    assert (said["command"], said["rowCount"], said["rowAsArray"]) == ("SELECT", 1, False)
    field = said["fields"][0]
    assert field == {
        "name": "n", "dataTypeID": 23, "tableID": 0, "columnID": 0, "dataTypeSize": 4,
        "dataTypeModifier": -1, "format": "text",
    }  # fmt: skip


def test_a_query_may_ask_for_arrays_by_itself(database: Conninfo, port: int) -> None:
    queries = [
        {"query": "SELECT 1 AS n", "params": [], "arrayMode": mode} for mode in (True, False)
    ]
    _, said = post(port, database["dbname"], {"queries": queries})
    assert [result["rows"] for result in said["results"]] == [[[1]], [{"n": 1}]]


def test_nothing_of_one_request_is_left_for_the_next(database: Conninfo, port: int) -> None:
    for _ in range(2):
        post(port, database["dbname"], {"query": "SET search_path = nowhere", "params": []})
        _, said = post(port, database["dbname"], {"query": "SHOW search_path", "params": []})
        assert said["rows"] == [{"search_path": '"$user", public'}]


def test_an_error_has_all_of_its_fields(database: Conninfo, port: int) -> None:
    status, said = post(port, database["dbname"], {"query": "SELEKT 1", "params": []})
    assert status == 400
    assert (said["code"], said["severity"], said["position"]) == ("42601", "ERROR", "1")
    assert said["detail"] is None
    assert set(said) >= {"message", "hint", "schema", "table", "column", "constraint", "routine"}


TEXTS = (
    b'{"query":"SELECT 1\\u0000; SELECT 2"}',
    b'{"query":"SELECT $1","params":["\\u0000"]}',
    b'{"queries":[{"query":"SELECT $1","params":[["\\ud800"]]}]}',
)


@pytest.mark.parametrize("content", TEXTS)
def test_text_that_postgresql_has_not_is_refused(
    database: Conninfo, port: int, content: bytes
) -> None:
    status, said = post(port, database["dbname"], content)
    assert (status, said["code"]) == (400, "22021")


@pytest.mark.parametrize("written", ["[" * 5_000 + "]" * 5_000, "9" * 5_000])
def test_an_answer_that_json_cannot_hold_is_told(
    database: Conninfo, port: int, written: str
) -> None:
    query = {"query": f"SELECT '{written}'::json AS doc"}
    status, said = post(port, database["dbname"], query)
    assert status == 500
    assert "it is done" in said["message"]
    assert post(port, database["dbname"], query, Neon_Raw_Text_Output="true")[0] == 200


def test_connections_are_kept_for_the_databases_asked_for_last(
    database: Conninfo, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "DATABASES_MAX", 1)

    def connected() -> int:
        with psycopg.connect(**{**database, "dbname": "postgres"}) as admin:
            text = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            [count] = admin.execute(text, (database["dbname"],)).fetchone() or [None]
            return count or 0

    assert post(port, database["dbname"], {"query": "SELECT 1"})[0] == 200
    assert connected() == 1
    assert post(port, "postgres", {"query": "SELECT 1"})[0] == 200
    end = time.monotonic() + 30
    while connected() and time.monotonic() < end:
        time.sleep(0.02)
    assert connected() == 0
    assert post(port, database["dbname"], {"query": "SELECT 1"})[0] == 200


BAD = (
    (b"", 400),
    (b"[1]", 400),
    (b"\xff", 400),
    ({}, 400),
    ({"query": 1}, 400),
    ({"query": "SELECT 1", "params": {}}, 400),
    ({"queries": 1}, 400),
    ({"queries": [1]}, 400),
)


@pytest.mark.parametrize(("content", "status"), BAD)
def test_what_is_not_of_the_protocol_is_refused(
    database: Conninfo, port: int, content: object, status: int
) -> None:
    got, said = post(port, database["dbname"], content)
    assert got == status
    assert said["message"]


def test_an_unknown_isolation_a_wrong_path_and_a_missing_database_are_refused(
    database: Conninfo, port: int
) -> None:
    name, one = database["dbname"], {"queries": [{"query": "SELECT 1", "params": []}]}
    assert post(port, name, one, Neon_Batch_Isolation_Level="Chaos")[0] == 400
    assert post(port, name, one, path="/other")[0] == 404
    assert post(port, "", one)[0] == 400
    status, said = post(port, "there_is_none_such", one)
    assert (status, said["code"]) == (400, "3D000")
    assert "does not exist" in said["message"]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /sql HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\n", b"413"),
        (b"POST /sql HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"413"),
        (b"POST /sql HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST /sql HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"413"),
        (b"POST /sql HTTP/1.1\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"POST /sql HTTP/1.1\r\nX: " + b"x" * 5_000_000 + b"\r\n\r\n", b"431"),
        (b"POST /sql HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000, b"400"),
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET /sql HTTP/1.1\r\n\r\n", b"405"),
    ],
)
def test_what_is_too_long_or_no_http_is_refused(port: int, head: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 " + status)


def test_a_body_in_chunks_is_whole(database: Conninfo, port: int) -> None:
    body = b'{"query":"SELECT 1 AS n","params":[]}'
    head = (
        f"POST /sql HTTP/1.1\r\nNeon-Connection-String: postgresql://a@b/{database['dbname']}\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(head.encode() + chunks + b"0\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    assert b'"rows":[{"n":1}]' in answer
