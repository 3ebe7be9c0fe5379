"""Neon's HTTP: what is sent, and what an answer that is none says of the outcome."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from cap_postgres_neon.config import RemoteConfig
from cap_postgres_neon.remote import RemoteDedupe, RemoteSql
from core_caps.capabilities.sql import Statement
from core_caps.clock import SystemClock
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unauthenticated,
    Unavailable,
)
from core_caps.rng import SystemRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("DC-01", "W5-01")

PASSWORD = "pa ss/w:rd"
NONE: Mapping[str, Any] = {"command": "SELECT", "rowCount": 1, "rows": [], "fields": []}
ONE: Mapping[str, Any] = {
    "command": "SELECT",
    "rowCount": 1,
    "rows": [["1"]],
    "fields": [{"name": "n", "dataTypeID": 20}],
}
Request = tuple[Mapping[str, str], Any]


@asynccontextmanager
async def serving(*answers: tuple[int, object]) -> AsyncIterator[tuple[int, list[Request]]]:
    """A server that answers so, the last one again and again; and what it was asked."""
    asked: list[Request] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        assert head[0] == "POST /sql HTTP/1.1"
        pairs = (line.partition(": ") for line in head[1:] if line)
        headers = {name.lower(): value for name, _, value in pairs}
        sent = await reader.readexactly(int(headers["content-length"]))
        status, content = answers[min(len(asked), len(answers) - 1)]
        asked.append((headers, json.loads(sent)))
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        said = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n"
        writer.write(f"{said}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], asked


def config(port: int, **more: Any) -> RemoteConfig:
    return RemoteConfig(
        "ep.eu.aws.neon.tech", "neon db", "owner", Secret(PASSWORD),
        api_host="127.0.0.1", api_port=port, tls=False, **more,
    )  # fmt: skip


def told(status: int, content: object, call: Callable[[RemoteSql], Awaitable[Any]]) -> Any:
    """What a call comes to, and what was asked."""

    async def main() -> Any:
        async with (
            serving((status, content)) as (port, asked),
            RemoteSql(config(port), clock=SystemClock(), rng=SystemRng()) as sql,
        ):
            try:
                return await call(sql), asked
            except ProviderError as error:
                return error, asked

    return asyncio.run(main())


def test_a_read_is_a_batch_that_the_database_keeps_to_reading() -> None:
    rows, [(headers, body)] = told(
        200, {"results": [NONE, ONE]}, lambda sql: sql.query("SELECT $1", (True,))
    )
    assert rows.rows == ((1,),)
    assert headers["neon-connection-string"] == (
        "postgresql://owner:pa%20ss%2Fw%3Ard@ep.eu.aws.neon.tech/neon%20db"
    )
    assert headers["neon-raw-text-output"] == headers["neon-array-mode"] == "true"
    assert headers["neon-batch-read-only"] == "true"
    assert "neon-batch-isolation-level" not in headers
    assert body["queries"][1] == {"query": "SELECT $1", "params": ["true"]}


def test_a_batch_names_its_isolation() -> None:
    write = {**NONE, "command": "DELETE", "rowCount": 2}
    [rows], [(headers, _)] = told(
        200,
        {"results": [NONE, write]},
        lambda sql: sql.batch([Statement("DELETE FROM t")], isolation="repeatable_read"),
    )
    assert rows.affected == 2
    assert headers["neon-batch-read-only"] == "false"
    assert headers["neon-batch-isolation-level"] == "RepeatableRead"


REFUSALS: tuple[tuple[int, object, type[ProviderError], Outcome], ...] = (
    (400, {"message": "no", "code": "23505", "constraint": "c"}, Conflict, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "42601"}, InvalidArgument, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "40001"}, Unavailable, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "40003"}, Unavailable, Outcome.UNKNOWN),
    (400, {"message": "no", "code": "08P01"}, Unavailable, Outcome.UNKNOWN),
    (400, {"message": "no", "code": "08007"}, Unavailable, Outcome.UNKNOWN),
    (400, {"message": "no", "code": "57P01", "severity": "FATAL"}, Unavailable, Outcome.UNKNOWN),
    (400, {"message": "no", "code": "53100", "severity": "PANIC"}, Unavailable, Outcome.UNKNOWN),
    (400, {"message": "no", "code": "53100", "severity": "ERROR"}, Unavailable,
     Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "08001"}, Unavailable, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "08004"}, Unavailable, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "3D000", "severity": "FATAL"}, ContainerNotFound,
     Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "28P01", "severity": "FATAL"}, Unauthenticated,
     Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "25P04", "severity": "FATAL"}, TimedOut, Outcome.NOT_APPLIED),
    (400, {"message": "no", "code": "57014"}, TimedOut, Outcome.NOT_APPLIED),
    (400, {"message": "password authentication failed for user 'owner'"}, Unauthenticated,
     Outcome.NOT_APPLIED),
    (400, {"message": "connection closed"}, Unavailable, Outcome.UNKNOWN),
    (400, b"<html>", Unavailable, Outcome.UNKNOWN),
    (507, {"message": "response is too large"}, InvalidArgument, Outcome.NOT_APPLIED),
    (500, {"message": "no"}, Unavailable, Outcome.UNKNOWN),
)  # fmt: skip


@pytest.mark.parametrize(("status", "content", "kind", "outcome"), REFUSALS)
def test_a_refused_write_says_what_became_of_it(
    status: int, content: object, kind: type[ProviderError], outcome: Outcome
) -> None:
    error, asked = told(status, content, lambda sql: sql.execute("DELETE FROM t"))
    assert (type(error), error.outcome, error.status) == (kind, outcome, status)
    assert len(asked) == 1  # it is never repeated


@pytest.mark.parametrize("code", ["08P01", "40003", "57P01"])
def test_a_refused_read_has_changed_nothing(code: str) -> None:
    content = {"message": "no", "code": code, "severity": "FATAL"}
    error, _ = told(400, content, lambda sql: sql.query("SELECT 1"))
    assert (type(error), error.outcome) == (Unavailable, Outcome.NOT_APPLIED)


MISSING = (
    'relation "_flows_keys" does not exist',
    "Relation \N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}_flows_keys"
    "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK} existiert nicht",
    "\N{LEFT CORNER BRACKET}_flows_keys\N{RIGHT CORNER BRACKET}\N{HIRAGANA LETTER HA}",
    "la relation \N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK} _flows_keys ?",
)


@pytest.mark.parametrize("message", MISSING)
def test_a_table_is_missed_in_any_language(message: str) -> None:
    missing = {"message": message, "code": "42P01"}
    insert = {**NONE, "command": "INSERT"}

    async def main() -> None:
        async with (
            serving((400, missing), (200, {"results": [NONE] * 3 + [insert] * 2})) as (port, asked),
            RemoteSql(config(port), clock=SystemClock(), rng=SystemRng()) as sql,
        ):
            assert (await sql.execute("INSERT INTO t VALUES (1)", key="k")).affected == 1
            assert "CREATE TABLE" in str(asked[1])

    asyncio.run(main())


@pytest.mark.parametrize("name", ["my_flows_keys", "_flows_keys2", "t"])
def test_a_table_of_ones_own_is_made_by_nobody_else(name: str) -> None:
    missing = {"message": f'relation "{name}" does not exist', "code": "42P01"}
    error, asked = told(400, missing, lambda sql: sql.execute("DELETE FROM t", key="k"))
    assert (type(error), len(asked)) == (InvalidArgument, 1)


MALFORMED: tuple[object, ...] = (
    b"",
    [],
    {},
    {"results": {}},
    {"results": [NONE]},
    {"results": [NONE, ONE, ONE]},
    {"results": [NONE, 5]},
    {"results": [NONE, {**ONE, "fields": None}]},
    {"results": [NONE, {**ONE, "fields": [{"name": "n"}]}]},
    {"results": [NONE, {**ONE, "rows": [["1", "2"]]}]},
    {"results": [NONE, {**ONE, "rows": [[1]]}]},
    {"results": [NONE, {**ONE, "rows": ["1"]}]},
    {"results": [NONE, {**ONE, "command": None}]},
    {"results": [NONE, {**ONE, "rows": [["not a number"]]}]},
)


@pytest.mark.parametrize("content", MALFORMED)
def test_an_answer_of_another_shape_is_not_believed(content: object) -> None:
    error, _ = told(200, content, lambda sql: sql.query("SELECT 1"))
    assert type(error) is ProtocolViolation
    assert error.outcome is Outcome.NOT_APPLIED


@pytest.mark.parametrize("count", [None, "1", -1, True])
def test_a_write_that_does_not_tell_its_count_is_not_believed(count: object) -> None:
    write = {**NONE, "command": "UPDATE", "rowCount": count}
    error, _ = told(200, {"results": [NONE, write]}, lambda sql: sql.execute("DELETE FROM t"))
    assert (type(error), error.outcome) == (ProtocolViolation, Outcome.UNKNOWN)


def test_no_error_shows_the_password() -> None:
    said = f"for postgresql://owner:pa%20ss%2Fw%3Ard@ep.eu.aws.neon.tech/neon%20db and {PASSWORD}"
    for status, content in ((400, {"message": said, "code": "42601"}), (500, {"message": said})):
        error, _ = told(status, content, lambda sql: sql.query("SELECT 1"))
        shown = f"{error} {error!r} {error.__cause__!r} {error.__context__!r}"
        assert PASSWORD not in shown
        assert "pa%20ss" not in shown


def test_a_collision_that_is_gone_by_the_look_at_it_may_be_tried_again() -> None:
    refusal = {"message": "no", "code": "23514", "constraint": "_flows_dedupe_one_payload"}
    nothing = {"results": [NONE, {**ONE, "rows": []}]}

    async def main() -> None:
        async with (
            serving((400, refusal), (200, nothing)) as (port, asked),
            RemoteDedupe(config(port), clock=SystemClock(), rng=SystemRng()) as dedupe,
        ):
            with pytest.raises(Unavailable) as gone:
                await dedupe.reserve("k", owner="o", lease_seconds=1, payload=b"p")
            assert gone.value.outcome is Outcome.NOT_APPLIED
            assert [headers["neon-batch-read-only"] for headers, _ in asked] == ["false", "true"]

    asyncio.run(main())
