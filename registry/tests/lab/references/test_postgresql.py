"""PostgreSQL's own protocol: who is let in, what one request is, and sessions on a real server."""

import socket
import struct
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flows_registry.lab.references.exchange import Request
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.references.postgresql import PostgreSql
from flows_registry.lab.server.postgres_wire import (
    SCHEME,
    PostgresReader,
    Stranger,
    asks_for_tls,
    knocks,
)
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.postgresql import PostgreSql as Server
from flows_registry.lab.simulators.postgresql import Programs, find_postgresql, start

pytestmark = pytest.mark.feature("P4-03")

KNOWN = {"user": "owner", "password": "pass", "database": "app"}


def framed(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", 4 + len(content)) + content


def startup(user: str = "owner", database: str = "app", version: int = 196608) -> bytes:
    told = f"user\0{user}\0database\0{database}\0\0".encode()
    return struct.pack("!ii", 8 + len(told), version) + told


def query(text: str) -> bytes:
    return framed(b"Q", text.encode() + b"\0")


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A client's end of a connection, and the server's."""
    client, server = socket.socketpair()
    client.settimeout(5)
    server.settimeout(5)
    with client, server:
        yield client, server


Ends = tuple[socket.socket, socket.socket]


def test_tls_is_asked_for_before_all_else(ends: Ends) -> None:
    client, server = ends
    assert knocks(b"\0")
    assert not knocks(b"\x16")
    assert not knocks(b"P")
    client.sendall(struct.pack("!ii", 8, 80877104) + struct.pack("!ii", 8, 80877103))
    assert asks_for_tls(server)
    assert client.recv(2) == b"NS"
    client.sendall(startup())
    assert not asks_for_tls(server)


def test_a_request_is_what_is_sent_up_to_a_sync(ends: Ends) -> None:
    client, server = ends
    client.sendall(startup() + framed(b"p", b"pass\0"))
    reader = PostgresReader(server, "one", KNOWN)
    begin = framed(b"P", b"\0BEGIN READ ONLY\0\0\0") + framed(b"S", b"")
    other = framed(b"P", b"\0SELECT 1\0\0\0") + framed(b"S", b"")
    write = query("BEGIN; INSERT INTO t VALUES (1)")
    client.sendall(begin[:3])
    client.sendall(begin[3:] + other + write + query("COMMIT") + framed(b"X", b""))
    requests = [reader.request(SCHEME, "db.example") for _ in range(5)]
    assert requests[-1] is None
    asked = [request for request in requests if request is not None]
    assert [request.body for request in asked] == [begin, other, write, query("COMMIT")]
    reads = [request.header("transaction") for request in asked]
    assert reads == ["read-only", "read-only", None, None]
    # What commits a transaction carries what it commits.
    assert "INSERT" in (asked[3].header("said-before") or "")
    assert "SELECT" not in (asked[3].header("said-before") or "")


def parsed(*texts: str) -> bytes:
    return b"".join(framed(b"P", f"\0{text}\0\0\0".encode()) for text in texts) + framed(b"S", b"")


def transactions(ends: Ends, *requests: bytes) -> list[str]:
    """What the transaction of each request is: "read-only", or "" where that is not said."""
    client, server = ends
    client.sendall(startup() + framed(b"p", b"pass\0") + b"".join(requests))
    reader = PostgresReader(server, "one", KNOWN)
    asked = [reader.request(SCHEME, "db.example") for _ in requests]
    return ["" if each is None else each.header("transaction") or "" for each in asked]


@pytest.mark.parametrize(
    "text",
    [
        "begin read only",
        "  BEGIN\n  READ  ONLY;",
        "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "START TRANSACTION READ ONLY, DEFERRABLE",
        "BEGIN READ WRITE READ ONLY",
        "/* of a pool */ -- as ever\nBegin Work Read Only; SELECT 1",
    ],
)
def test_a_transaction_that_reads_is_known_however_it_is_written(ends: Ends, text: str) -> None:
    assert transactions(ends, query(text), parsed("SELECT 1")) == ["read-only", "read-only"]


@pytest.mark.parametrize(
    "message",
    [
        parsed("INSERT INTO t VALUES ('BEGIN READ ONLY')"),
        parsed("INSERT INTO t VALUES ($1)", "BEGIN READ ONLY"),
        query("SELECT 1; -- BEGIN READ ONLY"),
        query("BEGIN; INSERT INTO t VALUES ('x READ ONLY')"),
        query("BEGIN READ ONLY READ WRITE"),
        framed(b"P", b"BEGIN READ ONLY\0INSERT INTO t VALUES (1)\0\0\0") + framed(b"S", b""),
        framed(b"B", b"\0\0\0\0\0\1\0\0\0\x0fBEGIN READ ONLY\0\0") + framed(b"S", b""),
    ],
)
def test_what_only_has_the_words_begins_nothing(ends: Ends, message: bytes) -> None:
    assert transactions(ends, message) == [""]


def test_words_in_a_string_do_not_end_what_reads_or_begin_what_writes(ends: Ends) -> None:
    inside = [parsed("SELECT 'BEGIN'"), query("SELECT '; COMMIT'"), query("ROLLBACK TO COMMIT")]
    assert transactions(ends, query("BEGIN READ ONLY"), *inside) == ["read-only"] * 4


@pytest.mark.parametrize("end", ["COMMIT", "rollback;", "SELECT 1; END TRANSACTION ;"])
def test_what_follows_a_transaction_is_none_of_it(ends: Ends, end: str) -> None:
    asked = [parsed("BEGIN READ ONLY", "SELECT 1"), query(end), query("INSERT INTO t VALUES (1)")]
    assert transactions(ends, *asked) == ["read-only", "read-only", ""]


def test_many_comments_cost_no_time(ends: Ends) -> None:
    assert transactions(ends, query("/**/" * 10_000 + "SELECT 1")) == [""]


@pytest.mark.parametrize(
    ("first", "password", "code"),
    [
        (startup(), b"wrong\0", b"C28P01"),
        (startup(user="other"), b"pass\0", b"C28P01"),
        (startup(database="other"), b"pass\0", b"C3D000"),
        (startup(version=131072), b"pass\0", b"C08P01"),
    ],
)
def test_others_are_turned_away(ends: Ends, first: bytes, password: bytes, code: bytes) -> None:
    client, server = ends
    client.sendall(first + framed(b"p", password))
    with pytest.raises(Stranger):
        PostgresReader(server, "one", KNOWN)
    assert code in client.recv(4096)


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    found = find_postgresql()
    if isinstance(found, Absent):
        pytest.skip(found.reason)
    with start(found) as server:
        yield server


@pytest.fixture
def reference(running: Server) -> Iterator[PostgreSql]:
    reference = PostgreSql({"postgresql": running.url}, {}, lambda: 2_000_000_003.0)
    yield reference
    reference.close()


def test_a_report_names_the_version_that_runs(running: Server) -> None:
    with psycopg.connect(running.url) as connection:
        told = connection.execute("SHOW server_version").fetchone()
    assert told is not None
    assert running.label == f"PostgreSQL {told[0].split()[0]}"

    with start(Programs(None, running.url)) as named:
        assert named.label == running.label


def ask(reference: PostgreSql, session: str, text: str) -> bytes:
    headers = (("session", session),)
    return reference.handle(Request("POST", "x", "/postgresql", headers, query(text), SCHEME)).body


def rows(reference: PostgreSql) -> Any:
    return reference.state().get("tables", {}).get("t")


def test_what_is_not_committed_is_not_seen_and_undone_with_its_session(
    reference: PostgreSql,
) -> None:
    assert reference.greet("one").endswith(framed(b"Z", b"I"))
    assert ask(reference, "one", "CREATE TABLE t (n int)").endswith(framed(b"Z", b"I"))
    assert rows(reference) == []
    assert ask(reference, "one", "BEGIN; INSERT INTO t VALUES (1)").endswith(framed(b"Z", b"T"))
    assert not reference.is_idle("one")
    assert rows(reference) == []
    ask(reference, "one", "COMMIT")
    assert reference.is_idle("one")
    assert rows(reference) == [{"n": 1}]
    ask(reference, "two", "BEGIN; DROP TABLE t")
    assert rows(reference) == [{"n": 1}]  # and nobody waits for the lock
    reference.leave("two")
    assert reference.is_idle("two")
    assert rows(reference) == [{"n": 1}]


def test_time_is_the_cases(reference: PostgreSql) -> None:
    answer = ask(reference, "one", "SELECT 'at ' || extract(epoch FROM clock_timestamp())")
    assert b"at 2000000000" in answer


def test_reset_ends_sessions_and_forgets_all(reference: PostgreSql) -> None:
    ask(reference, "one", "CREATE TABLE t (n int)")
    ask(reference, "one", "BEGIN; INSERT INTO t VALUES (1)")
    reference.reset()
    assert reference.state() == {}
    assert ask(reference, "one", "CREATE TABLE t (n int)").endswith(framed(b"Z", b"I"))


def test_it_is_found_by_its_wire() -> None:
    factory = reference_factory("postgresql")
    assert factory is not None
    assert (factory.wire, factory.service) == ("postgresql", "postgresql")
