"""What `remote` makes of refusals and of answers that are none."""

from typing import Any

import pytest
from core_caps.capabilities.sql import Statement
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("P4-03", "AL-07", "CW-01")

CALLS = {
    "query": lambda sql: sql.query("SELECT 1"),
    "query_batch": lambda sql: sql.query_batch([Statement("SELECT 1")]),
    "execute": lambda sql: sql.execute("DELETE FROM t"),
    "batch": lambda sql: sql.batch([Statement("DELETE FROM t")]),
}
EVERY_CALL = pytest.mark.parametrize("operation", CALLS)


def _failed(wire: Any, operation: str, answer: bytes) -> ProviderError:
    script, error = wire.run([answer], CALLS[operation])
    assert isinstance(error, ProviderError)
    assert len(script.requests) == 1
    return error


def _outcome(operation: str) -> Outcome:
    return Outcome.NOT_APPLIED if operation.startswith("query") else Outcome.UNKNOWN


@EVERY_CALL
@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, 7500, 'near "SELEKT": syntax error at offset 0: SQLITE_ERROR', InvalidArgument),
        (400, 7500, "Wrong number of parameter bindings for SQL query.", InvalidArgument),
        (400, 7500, "UNIQUE constraint failed: t.id: SQLITE_CONSTRAINT", Conflict),
        (500, 7500, "CHECK constraint failed: n: SQLITE_CONSTRAINT (extended: X)", Conflict),
        (400, 7500, 'near "x: SQLITE_CONSTRAINT": syntax error: SQLITE_ERROR', InvalidArgument),
        (500, 7500, "string or blob too big: SQLITE_TOOBIG", InvalidArgument),
        (500, 7500, "database is locked: SQLITE_BUSY", Unavailable),
        (500, 7500, "D1 DB is overloaded. Too many requests queued.", RateLimited),
        (429, 971, "Please wait", RateLimited),
        (400, 7400, "The request is malformed", InvalidArgument),
        (401, 10000, "Authentication error", Unauthenticated),
        (400, 6003, "Invalid request headers", Unauthenticated),
        (403, 7403, "The given account is not valid", PermissionDenied),
        (404, 7404, "The database could not be found", ContainerNotFound),
        (404, 7003, "Could not route", ContainerNotFound),
    ],
)
def test_what_is_refused_is_not_applied(
    wire: Any, operation: str, status: int, code: int, message: str, kind: type[ProviderError]
) -> None:
    error = _failed(wire, operation, wire.refusal(status, code, message))
    assert type(error) is kind
    assert error.outcome is Outcome.NOT_APPLIED
    assert error.status == status
    assert message[:60] in error.message


@EVERY_CALL
@pytest.mark.parametrize(
    "message",
    [
        "internal error; reference = e_Gz3hrU",
        "Internal error in D1 storage caused object to be reset.",
        "disk I/O error: SQLITE_IOERR",
        "SQLITE_CONSTRAINT was met somewhere",
    ],
)
def test_an_internal_error_leaves_a_write_unknown(wire: Any, operation: str, message: str) -> None:
    error = _failed(wire, operation, wire.refusal(500, 7500, message))
    assert type(error) is Unavailable
    assert error.outcome is _outcome(operation)


def _results(**changed: Any) -> dict[str, Any]:
    return {
        "results": {"columns": ["a"], "rows": [[1]]},
        "success": True,
        "meta": {"changes": 0},
        **changed,
    }


@EVERY_CALL
@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        [],
        [_results(), _results()],
        ["text"],
        [_results(success=False)],
        [_results(results=[{"a": 1}])],
        [_results(results={"columns": ["a"]})],
        [_results(results={"columns": "a", "rows": []})],
        [_results(results={"columns": [1], "rows": []})],
        [_results(results={"columns": ["a"], "rows": [[1, 2]]})],
        [_results(results={"columns": ["a"], "rows": [1]})],
        [_results(results={"columns": ["a"], "rows": [[True]]})],
        [_results(results={"columns": ["a"], "rows": [[{}]]})],
        [_results(results={"columns": ["a"], "rows": [[[256]]]})],
        [_results(results={"columns": ["a"], "rows": [[["x"]]]})],
        [_results(results={"columns": ["a"], "rows": [["\ud800"]]})],
        [_results(meta={})],
        [_results(meta={"changes": -1})],
        [_results(meta={"changes": True})],
        [_results(meta={"changes": "1"})],
    ],
    ids=lambda result: str(result)[:50],
)
def test_an_answer_of_another_form_is_refused(wire: Any, operation: str, result: Any) -> None:
    error = _failed(wire, operation, wire.envelope(result))
    assert type(error) is ProtocolViolation
    assert error.outcome is _outcome(operation)


@EVERY_CALL
def test_a_lost_connection_leaves_a_write_unknown(wire: Any, operation: str) -> None:
    async def hang_up(writer: Any) -> None:
        writer.close()

    script, error = wire.run([hang_up], CALLS[operation])
    assert type(error) is Unavailable
    assert error.outcome is _outcome(operation)
    assert len(script.requests) == 1
    assert error.__context__ is None


@EVERY_CALL
def test_the_token_is_in_no_error(wire: Any, operation: str) -> None:
    error = _failed(wire, operation, wire.refusal(403, 10000, f"the token {wire.token} is refused"))
    assert wire.token not in str(error)
