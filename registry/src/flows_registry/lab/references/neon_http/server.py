"""Neon's HTTP protocol, in front of a real PostgreSQL.

SQL has no small state machine that could stand in for it, so the database is the vendor's own; only
its clock is the case's. What a plugin may send of the protocol is checked here to the letter.
https://github.com/neondatabase/neon/blob/main/proxy/src/serverless/sql_over_http.rs
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import quote

from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response
from flows_registry.lab.references.neon_http.results import Given, Refused

__all__ = ["FACTORY", "NeonHttp"]

REQUEST_BYTES_MAX = ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""https://neon.com/docs/serverless/serverless-driver#http-connections"""

_ISOLATIONS = {
    "ReadUncommitted": "READ UNCOMMITTED",
    "ReadCommitted": "READ COMMITTED",
    "RepeatableRead": "REPEATABLE READ",
    "Serializable": "SERIALIZABLE",
}
_JSON = (("Content-Type", "application/json"),)

_Command = tuple[str, Sequence[str | None]]


class _BadRequestError(Exception):
    """The request is not of the protocol."""


class NeonHttp:
    """One endpoint: requests in, responses out.

    Args:
        settings: the backend's: of whom the connection string speaks, and `postgresql`, the URL
            of the server that the lab started.
        secrets: the password of that role, where it has one.
        now: the case's time.
    """

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        # Here, so that to know of this wire takes no PostgreSQL.
        from flows_registry.lab.references.neon_http.database import Database

        self._now = now
        self._database = Database(settings["postgresql"])
        self._connection_string = _connection_string(settings, secrets.get("password", ""))

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        if request.path != "/sql":
            return _said(404, "not found")
        if request.method != "POST":
            return _said(405, "method not allowed")
        if len(request.body) > REQUEST_BYTES_MAX:
            return _said(413, f"request is too large (max is {REQUEST_BYTES_MAX} bytes)")
        if request.header("neon-connection-string") != self._connection_string:
            return _said(400, "password authentication failed for user", code="28P01")
        try:
            return self._answered(request)
        except _BadRequestError as problem:
            return _said(400, str(problem))
        except Refused as refused:
            return _json(400, refused.fields)

    def scopes(self, request: Request) -> tuple[str, ...]:
        """None: what the role may do is the database's own matter."""
        del request
        return ()

    def state(self) -> Mapping[str, Any]:
        """Every table, sequence and function that was made, with all rows."""
        return self._database.state()

    def reset(self) -> None:
        """Back to an empty database."""
        self._database.reset()

    def close(self) -> None:
        """Let go of the database; a process that ends need not."""
        self._database.close()

    def _answered(self, request: Request) -> Response:
        content = _object(_parsed(request.body), "the body")
        as_arrays = request.header("neon-array-mode") == "true"
        if request.header("neon-raw-text-output") != "true":
            raise _BadRequestError("the reference answers in raw text only")
        if "queries" not in content:
            [given] = self._database.run([_query(content)], self._now())
            return _json(200, _result(given, as_arrays=as_arrays))
        if not isinstance(content["queries"], list):
            raise _BadRequestError("queries is not a list")
        queries = [_query(each) for each in cast("list[object]", content["queries"])]
        commands = [(_begin(request), ()), *queries, ("COMMIT", ())]
        given = self._database.run(commands, self._now())[1:-1]
        results = [_result(each, as_arrays=as_arrays) for each in given]
        return _json(200, {"results": results})


def _connection_string(settings: Mapping[str, Any], password: str) -> str:
    """What the settings come to; a companion of this machine is told its database and no more."""
    database = quote(settings.get("database", "postgres"), "")
    if "user" not in settings:
        return f"postgresql://postgres@localhost/{database}"
    user = quote(settings["user"], "")
    return f"postgresql://{user}:{quote(password, '')}@{settings['host']}/{database}"


def _begin(request: Request) -> str:
    said = request.header("neon-batch-isolation-level")
    if said is not None and said not in _ISOLATIONS:
        raise _BadRequestError("invalid isolation level")
    level = "" if said is None else f" ISOLATION LEVEL {_ISOLATIONS[said]}"
    access = " READ ONLY" if request.header("neon-batch-read-only") == "true" else ""
    deferrable = " DEFERRABLE" if request.header("neon-batch-deferrable") == "true" else ""
    return "BEGIN" + level + access + deferrable


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise _BadRequestError(f"could not parse the HTTP request body: {problem}") from None


def _object(given: object, what: str) -> Mapping[str, Any]:
    if not isinstance(given, dict):
        raise _BadRequestError(f"{what} is no object")
    return cast("dict[str, Any]", given)


def _query(given: object) -> _Command:
    content = _object(given, "a query")
    text, params = content.get("query"), content.get("params", [])
    if not isinstance(text, str) or not isinstance(params, list):
        raise _BadRequestError("a query is its text, and params is a list")
    return text, [_param(value) for value in cast("list[object]", params)]


def _param(value: object) -> str | None:
    """A parameter as PostgreSQL reads it; lists, of which there are several readings, are not
    taken: whoever means an array writes it as text."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        raise _BadRequestError("the reference takes no list as a parameter")
    return json.dumps(value, ensure_ascii=False)


def _result(given: Given, *, as_arrays: bool) -> Mapping[str, Any]:
    words = given.tag.split(" ")
    count = words[2] if words[0] == "INSERT" and len(words) > 2 else words[-1]
    names = [field["name"] for field in given.fields]
    rows = given.rows if as_arrays else [dict(zip(names, row, strict=True)) for row in given.rows]
    return {
        "command": words[0],
        "rowCount": int(count) if count.isdecimal() else None,
        "rows": rows,
        "fields": given.fields,
        "rowAsArray": as_arrays,
    }


def _said(status: int, message: str, *, code: str | None = None) -> Response:
    return _json(status, {"message": message, "code": code})


def _json(status: int, content: Mapping[str, Any]) -> Response:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if status == 200 and len(body) > ANSWER_BYTES_MAX:
        return _said(507, f"response is too large (max is {ANSWER_BYTES_MAX} bytes)")
    return Response(status, _JSON, body)


def _failure(status: int) -> Response:
    """What Neon's proxy says of itself; a 400 comes from the database."""
    return _said(status, f"status {status}", code="42601" if status == 400 else None)


FACTORY = ReferenceFactory("neon-http", NeonHttp, _failure, service="postgresql")
