"""The error object every refusal of Stripe's comes in.

https://docs.stripe.com/api/errors
"""

import json
from typing import Any, Final

from flows_registry.lab.references.exchange import Response

__all__ = ["JSON", "Refusal", "failure"]

JSON: Final = (("content-type", "application/json"), ("request-id", "req_reference"))


class Refusal(Exception):
    """The service answers with an error object.

    Attributes:
        status: the HTTP status.
        error: `error` of the answer.
        began: the work had begun, so the answer is remembered under the request's key.
    """

    def __init__(self, status: int, message: str, *, began: bool = False, **error: Any) -> None:
        super().__init__(message)
        self.status, self.began = status, began
        self.error = {"type": "invalid_request_error", "message": message, **error}

    @classmethod
    def missing(cls, what: str, name: str, param: str, *, status: int = 400) -> "Refusal":
        """There is none of that id; 404 where the path names it."""
        return cls(status, f"No such {what}: '{name}'", code="resource_missing", param=param)

    @classmethod
    def parameter(cls, message: str, param: str | None, code: str | None = None) -> "Refusal":
        """A parameter is missing, unknown or wrong."""
        given: dict[str, Any] = {"code": code, "param": param}
        return cls(400, message, **{name: text for name, text in given.items() if text})

    def response(self) -> Response:
        """The answer."""
        return Response(self.status, JSON, json.dumps({"error": self.error}).encode())


_FAILURES: Final[dict[int, tuple[str, str, str]]] = {
    400: ("invalid_request_error", "parameter_invalid_integer", "Invalid integer: x"),
    401: ("invalid_request_error", "", "Invalid API Key provided: sk_test_***"),
    403: ("invalid_request_error", "", "The provided key does not have the required permissions."),
    404: ("invalid_request_error", "", "Unrecognized request URL"),
    409: ("idempotency_error", "idempotency_key_in_use", "There is currently another in-progress "
          "request using this Idempotent Key"),
    429: ("invalid_request_error", "rate_limit", "Request rate limit exceeded."),
}  # fmt: skip


def failure(status: int) -> Response:
    """The documented answer for a status.

    Source: https://docs.stripe.com/api/errors#errors-http_status_code_summary
    """
    kind, code, message = _FAILURES.get(status, ("api_error", "", "An unknown error occurred."))
    error = {"type": kind, "message": message} | ({"code": code} if code else {})
    return Response(status, JSON, json.dumps({"error": error}).encode())
