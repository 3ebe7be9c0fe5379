"""The reference of Neon's HTTP protocol, on a real PostgreSQL."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flows_registry.lab.references.exchange import Request, Response
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.references.neon_http import NeonHttp
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.postgresql import PostgreSql, find_postgresql, start

pytestmark = pytest.mark.feature("P4-03")

SETTINGS = {"host": "ep.eu.aws.neon.tech", "database": "neondb", "user": "owner"}
URL = "postgresql://owner:pa%2Fss@ep.eu.aws.neon.tech/neondb"
RAW = {"neon-raw-text-output": "true", "neon-array-mode": "true"}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    found = find_postgresql()
    if isinstance(found, Absent):
        pytest.skip(found.reason)
    with start(found) as running:
        yield running


class Clock:
    now = 2_000_000_000.0


@pytest.fixture
def reference(server: PostgreSql) -> Iterator[NeonHttp]:
    settings = {**SETTINGS, "postgresql": server.url}
    reference = NeonHttp(settings, {"password": "pa/ss"}, lambda: Clock.now)
    yield reference
    reference.close()


def ask(reference: NeonHttp, *queries: str, **headers: str) -> Response:
    """A batch, or with `alone` a single query."""
    asked: Any = {"queries": [{"query": text, "params": []} for text in queries]}
    if headers.pop("alone", ""):
        [asked] = asked["queries"]
    others = {name.replace("_", "-"): value for name, value in headers.items()}
    given = tuple({"neon-connection-string": URL, **RAW, **others}.items())
    body = json.dumps(asked).encode()
    return reference.handle(Request("POST", "api.eu.aws.neon.tech", "/sql", given, body))


def test_a_batch_is_answered_as_the_vendors_client_reads_it(reference: NeonHttp) -> None:
    answer = ask(reference, "CREATE TABLE t (n int8, s text)", "INSERT INTO t VALUES (1, NULL)",
                 "SELECT * FROM t")  # fmt: skip
    assert answer.status == 200
    made, put, got = json.loads(answer.body)["results"]
    assert (made["command"], made["rowCount"], made["rows"]) == ("CREATE", None, [])
    assert (put["command"], put["rowCount"]) == ("INSERT", 1)
    assert (got["command"], got["rowCount"], got["rows"]) == ("SELECT", 1, [["1", None]])
    assert [(field["name"], field["dataTypeID"]) for field in got["fields"]] == [
        ("n", 20),
        ("s", 25),
    ]


def test_a_failure_leaves_nothing_and_tells_its_fields(reference: NeonHttp) -> None:
    ask(reference, "CREATE TABLE t (n int8 PRIMARY KEY)")
    before = reference.state()
    answer = ask(reference, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")
    said = json.loads(answer.body)
    assert answer.status == 400
    assert (said["code"], said["constraint"], said["severity"]) == ("23505", "t_pkey", "ERROR")
    assert reference.state() == before


def test_the_database_itself_refuses_to_write_in_a_reading_batch(reference: NeonHttp) -> None:
    answer = ask(reference, "CREATE TABLE t (n int8)", neon_batch_read_only="true")
    assert json.loads(answer.body)["code"] == "25006"
    assert reference.state() == {}


def test_time_is_the_cases_and_goes_in_steps(reference: NeonHttp) -> None:
    def now() -> str:
        answer = ask(reference, "SELECT extract(epoch FROM now()), extract(epoch FROM "
                     "clock_timestamp())", alone="yes")  # fmt: skip
        [[one, other]] = json.loads(answer.body)["rows"]
        assert one == other
        return str(float(one))

    Clock.now = 2_000_000_003.5
    assert now() == "2000000000.0"
    Clock.now = 2_000_000_060.5
    assert now() == "2000000060.0"


def test_state_is_all_that_was_made_and_reset_forgets_it(reference: NeonHttp) -> None:
    assert reference.state() == {}
    ask(reference, "CREATE TABLE t (n int8)", "INSERT INTO t VALUES (2), (1)", "CREATE SEQUENCE s")
    state = reference.state()
    assert state["tables"] == {"t": [{"n": 1}, {"n": 2}]}
    assert state["sequences"] == ["s "]
    ask(reference, "SELECT nextval('s')", alone="yes")
    assert reference.state() != state
    reference.reset()
    assert reference.state() == {}


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("neon_connection_string", URL.replace("pa%2Fss", "wrong"), 400),
        ("neon_batch_isolation_level", "Chaos", 400),
        ("neon_raw_text_output", "false", 400),
    ],
)
def test_what_is_not_of_the_protocol_is_refused(
    reference: NeonHttp, header: str, value: str, status: int
) -> None:
    assert ask(reference, "SELECT 1", **{header: value}).status == status


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"queries":1}', b'{"query":1}', b"\xff"])
def test_a_body_of_another_shape_is_refused(reference: NeonHttp, body: bytes) -> None:
    headers = (("neon-connection-string", URL), *RAW.items())
    assert reference.handle(Request("POST", "x", "/sql", headers, body)).status == 400


def test_it_is_found_by_its_wire_and_says_what_it_stands_on() -> None:
    factory = reference_factory("neon-http")
    assert factory is not None
    assert factory.service == "postgresql"
    assert json.loads(factory.failure(400).body)["code"] == "42601"
