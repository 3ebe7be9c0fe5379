"""How the bridge refuses: a status, a code and a message, in JSON."""

import json

from flows_registry.lab.references.exchange import Response

__all__ = ["Refusal", "answered", "failure", "invalid"]


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self) -> Response:
        """The answer."""
        return _json(self.status, {"error": {"code": self.code, "message": self.message}})


def invalid(message: str) -> Refusal:
    """The refusal of an argument."""
    return Refusal(400, "invalid_argument", message)


def answered(result: object) -> Response:
    """The answer to a request that was applied."""
    return _json(200, {"result": result})


_CODES = {
    400: "invalid_argument",
    401: "unauthenticated",
    404: "no_such_operation",
    412: "precondition_failed",
    503: "unavailable",
}


def failure(status: int) -> Response:
    """The bridge's answer for a status; what stands before it knows nothing of its form."""
    if status in _CODES:
        return Refusal(status, _CODES[status], "as the fault wants").response()
    if status >= 500:
        page = b"<!DOCTYPE html><title>Worker threw exception</title>"
        return Response(status, (("content-type", "text/html; charset=UTF-8"),), page)
    return _json(status, {"error": {"code": "refused", "message": "as the fault wants"}})


def _json(status: int, content: object) -> Response:
    body = json.dumps(content, separators=(",", ":")).encode()
    return Response(status, (("content-type", "application/json"),), body)
