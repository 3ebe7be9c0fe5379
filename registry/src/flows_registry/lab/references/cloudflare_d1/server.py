"""The public REST API of D1 over a real SQLite: `/query` and `/raw`, one statement or a batch.

https://developers.cloudflare.com/api/resources/d1/subresources/database/methods/raw/
"""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from flows_registry.lab.references.cloudflare_d1.database import Database, SqlRefused
from flows_registry.lab.references.cloudflare_kv.envelope import Refusal, answer, refused
from flows_registry.lab.references.cloudflare_kv.envelope import failure as of_the_proxy
from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

__all__ = ["FACTORY", "CloudflareD1"]

_ROUTE = re.compile(
    r".*?/accounts/(?P<account>[^/]+)/d1/database/(?P<database>[^/]+)/(?P<form>query|raw)/?\Z"
)
_BEARER = re.compile(r"Bearer +(\S+)\Z", re.IGNORECASE)

_Batch = list[tuple[str, list[Any]]]


_READ: Final = "D1 Read"
_WRITE: Final = "D1 Write"
"""What /query and /raw accept: https://developers.cloudflare.com/api/resources/d1/
To read, the lesser one does."""
_WRITES = re.compile(
    r"\b(insert|update|delete|replace|create|drop|alter|pragma|vacuum|reindex|analyze)\b",
    re.IGNORECASE,
)


class CloudflareD1:
    """One database.

    Args:
        settings: `account_id` and `database_id` are compared where they are given.
        secrets: any of their values is a valid API token.
        now: seconds since 1970; nothing here looks at it.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._account = settings.get("account_id")
        self._name = settings.get("database_id")
        self._tokens = frozenset(secrets.values())
        self._database = Database()

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refused(refusal)

    def state(self) -> Mapping[str, Any]:
        """The schema, and every row of every table."""
        return self._database.state()

    def reset(self) -> None:
        """Forget everything."""
        self._database.close()
        self._database = Database()

    def scopes(self, request: Request) -> tuple[str, ...]:
        """The permissions any one of which the request needs."""
        try:
            writes = any(_WRITES.search(sql) for sql, _ in _batch(request.body))
        except Refusal:
            writes = False  # it is refused whatever the token may do
        return (_WRITE,) if writes else (_READ, _WRITE)

    def _route(self, request: Request) -> Response:
        found = _ROUTE.match(request.raw_path)
        if found is None:
            raise Refusal.not_routed(request.raw_path)
        self._authenticate(request, found["account"])
        if self._name is not None and found["database"] != self._name:
            raise Refusal(404, 7404, f"The database {found['database']} could not be found")
        if request.method != "POST":
            raise Refusal.not_allowed(request.method)
        try:
            results = self._database.run(_batch(request.body))
        except SqlRefused as problem:
            raise Refusal(400, 7500, str(problem)) from None
        return answer(results if found["form"] == "raw" else list(map(_as_objects, results)))

    def _authenticate(self, request: Request, account: str) -> None:
        header = request.header("authorization")
        if header is None:
            missing = "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
            raise Refusal(400, 9106, missing)
        bearer = _BEARER.match(header)
        if bearer is None:
            raise Refusal(400, 6003, "Invalid request headers",
                          ((6111, "Invalid format for Authorization header"),))  # fmt: skip
        if bearer[1] not in self._tokens:
            raise Refusal(401, 10000, "Authentication error")
        if self._account is not None and account != self._account:
            message = "The given account is not valid or is not authorized to access this service"
            raise Refusal(403, 7403, message)


def _batch(raw: bytes) -> _Batch:
    """The statements of a request."""
    try:
        content = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _bad("the request body is no JSON") from None
    match cast("Mapping[str, Any]", content):
        case {"batch": [*several]} if several:
            return [_statement(each) for each in several]
        case _:
            return [_statement(content)]


def _statement(value: object) -> tuple[str, list[Any]]:
    match value:
        case {"sql": str(sql)} if sql.strip():
            params = cast("dict[str, Any]", value).get("params", [])
        case _:
            raise _bad("a query needs sql")
    if not isinstance(params, list):
        raise _bad("params must be an array")
    return sql, [_param(each) for each in cast("list[object]", params)]


def _param(value: object) -> Any:
    """Texts are documented; a number is taken, too, and is a double."""
    match value:
        case str() | None:
            return value
        case int() | float() if not isinstance(value, bool):
            return float(value)
        case _:
            raise _bad("a parameter must be a string")


def _as_objects(result: dict[str, Any]) -> dict[str, Any]:
    """A result of `/query`: rows by column name."""
    columns, rows = result["results"]["columns"], result["results"]["rows"]
    return {**result, "results": [dict(zip(columns, row, strict=True)) for row in rows]}


def _bad(message: str) -> Refusal:
    return Refusal(400, 7400, message)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


_FAILURES: Final[Mapping[int, tuple[int, str]]] = {
    400: (7400, "The request is malformed"),
    401: (10000, "Authentication error"),
    403: (7403, "The given account is not valid or is not authorized to access this service"),
    404: (7404, "The database could not be found"),
    405: (10000, "method not allowed for the api_token authentication scheme"),
    429: (971, "Please wait and consider throttling your request speed"),
    500: (7500, "internal error"),
    503: (7500, "internal error"),
}


def failure(status: int) -> Response:
    """What the API answers with a status; the proxy's own 5xx are pages of HTML.

    Seen: https://github.com/cloudflare/workers-sdk/issues/14731 (500 with 7500) and
    https://github.com/cloudflare/workers-sdk/issues/15467 (403 with 7403)
    """
    if status not in _FAILURES and status >= 500:
        return of_the_proxy(status)
    code, message = _FAILURES.get(status, _FAILURES[400])
    return refused(Refusal(status, code, message))


FACTORY = ReferenceFactory(wire="cloudflare-d1", create=CloudflareD1, failure=failure)
