"""How the service says no: the error object of its JSON.

https://docs.stripe.com/api/errors
"""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["Refusal", "declined", "missing", "unexpected", "wrong"]


class Refusal(Exception):
    """The service answers with an error.

    Attributes:
        status: the HTTP status.
        error: the error object.
        kept: whether a repeat under the same key is answered the same: the work had begun.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        kept: bool = False,
        **more: object,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kept = kept
        found: Mapping[str, object] = {"type": type, "message": message, "code": code}
        self.error = {
            name: value
            for name, value in {**found, "param": param, **more}.items()
            if value is not None
        }

    @property
    def body(self) -> bytes:
        """The error as the service sends it."""
        return json.dumps({"error": self.error}).encode()


def missing(kind: str, id: str, param: str, *, in_path: bool = False) -> Refusal:
    """There is none of that id: 404 for the request's own object, 400 for one that it names."""
    message = f"No such {kind}: '{id}'"
    return Refusal(404 if in_path else 400, message, code="resource_missing", param=param)


def wrong(message: str, param: str | None, code: str | None = None) -> Refusal:
    """A parameter is not what it must be."""
    return Refusal(400, message, code=code, param=param)


def unexpected(message: str, code: str | None, **more: Any) -> Refusal:
    """The object's state does not allow it."""
    return Refusal(400, message, code=code, kept=True, **more)


def declined(
    message: str, code: str, decline_code: str | None, payment_intent: Mapping[str, object]
) -> Refusal:
    """The bank said no."""
    return Refusal(
        402,
        message,
        type="card_error",
        code=code,
        decline_code=decline_code,
        payment_intent=dict(payment_intent),
        kept=True,
    )
