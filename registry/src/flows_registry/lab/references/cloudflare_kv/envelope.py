"""The envelope every answer of Cloudflare's API comes in, and the ways it says no.

Statuses are the documented ones. Of the numbers in `errors[].code` only a few are published; the
docstrings say which were *seen* (the live service is on record as answering them) and which are
*ours* (nobody publishes one, and a client that acts on it reads too much into it).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows_registry.lab.references.exchange import Response

__all__ = ["Refusal", "answer", "failure", "refused"]

_JSON: Final = (("content-type", "application/json"),)


@dataclass(eq=False)
class Refusal(Exception):
    """The service answers with an error envelope.

    Attributes:
        status: the HTTP status.
        code: `errors[0].code`.
        message: `errors[0].message`.
        chain: `errors[0].error_chain`, where the service gives one.
    """

    status: int
    code: int
    message: str
    chain: tuple[tuple[int, str], ...] = ()

    @classmethod
    def key_too_long(cls, size_bytes: int, limit: int) -> "Refusal":
        """A key over the limit; the code is ours."""
        return cls(
            414,
            10030,
            f"UTF-8 encoded length of {size_bytes} exceeds key length limit of {limit}.",
        )

    @classmethod
    def too_large(cls, what: str, size_bytes: int, limit: int) -> "Refusal":
        """A value, metadata or request over the limit; the code is ours."""
        return cls(413, 10024, f"{what} length of {size_bytes} exceeds limit of {limit}.")

    @classmethod
    def not_valid(cls, message: str) -> "Refusal":
        """A parameter outside its range (code seen as the API's validation error)."""
        return cls(400, 10021, message)

    @classmethod
    def not_parsed(cls, message: str) -> "Refusal":
        """A body that is not what the route takes (code seen)."""
        return cls(400, 6008, message)

    @classmethod
    def bad_expiration(cls, message: str) -> "Refusal":
        """An expiration too near, past, or no integer; the code is ours."""
        return cls(400, 10033, message)

    @classmethod
    def not_routed(cls, path: str) -> "Refusal":
        """No such resource (codes seen)."""
        message = f"Could not route to {path}, perhaps your object identifier is invalid?"
        return cls(404, 7003, message, ((7000, "No route for that URI"),))

    @classmethod
    def not_allowed(cls, method: str) -> "Refusal":
        """The resource does not take this method (code seen)."""
        message = f"{method} method not allowed for the api_token authentication scheme"
        return cls(405, 10000, message)


def answer(result: Any, info: Mapping[str, Any] | None = None) -> Response:
    """Success.

    Source: https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/
    """
    envelope: dict[str, Any] = {"result": result, "success": True, "errors": [], "messages": []}
    if info is not None:
        envelope["result_info"] = dict(info)
    return Response(200, _JSON, json.dumps(envelope).encode())


def refused(refusal: Refusal) -> Response:
    """The same envelope for an error: `result` is null, `success` false, `errors` says why."""
    error: dict[str, Any] = {"code": refusal.code, "message": refusal.message}
    if refusal.chain:
        error["error_chain"] = [{"code": code, "message": text} for code, text in refusal.chain]
    envelope = {"result": None, "success": False, "errors": [error], "messages": []}
    return Response(refusal.status, _JSON, json.dumps(envelope).encode())


_FAILURES: Final[Mapping[int, tuple[int, str]]] = {
    400: (10021, "Invalid request"),
    401: (10000, "Authentication error"),
    403: (10000, "Authentication error"),
    404: (10009, "get: 'key not found'"),
    405: (10000, "method not allowed for the api_token authentication scheme"),
    413: (10024, "Value length exceeds limit."),
    414: (10030, "key length exceeds limit."),
    429: (971, "Please wait and consider throttling your request speed"),
    500: (10001, "Internal server error"),
    503: (10001, "Service temporarily unavailable"),
}
"""What the API itself answers; every other 5xx comes from the proxy in front of it."""

_PROXY_PAGE = """<!DOCTYPE html>
<html lang="en-US">
<head><title>api.cloudflare.com | {status}</title></head>
<body><h1>Error {status}</h1><center>cloudflare</center></body>
</html>
"""


def failure(status: int) -> Response:
    """The documented answer for a status; the proxy's own 5xx are pages of HTML, not JSON.

    Source: https://developers.cloudflare.com/support/troubleshooting/http-status-codes/
    """
    if status in _FAILURES or status < 500:
        code, message = _FAILURES.get(status, (10021, "Invalid request"))
        return refused(Refusal(status, code, message))
    page = _PROXY_PAGE.format(status=status).encode()
    return Response(status, (("content-type", "text/html; charset=UTF-8"),), page)
