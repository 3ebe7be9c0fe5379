"""The one table: what Stripe or the network said → our error class and its outcome.

    402 card_error           PaymentDeclined: no money moved
    400 idempotency_error    KeyCollision: the key was used for another request
    400, 404                 by `error.code`: what is missing, or not in the state for it
    409                      Conflict: the same key, or the same object, is in use just now
    429                      RateLimited, a lock_timeout too
    5xx                      UNKNOWN for a write: repeat it under its key, and read it back

The rest is `core_caps.http.failures`. Source: https://docs.stripe.com/error-codes,
https://docs.stripe.com/error-low-level
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    KeyCollision,
    ObjectAbsent,
    PaymentDeclined,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core_caps.http.failures import BY_STATUS, Failures, Refusal

__all__ = ["FAILURES", "MISSING", "Said", "absent", "refused", "said"]

MISSING = "resource_missing"
"""The code of what does not exist: for a read, None."""

_IDEMPOTENCY = "idempotency_error"
_STATE = "its state does not allow it"

FAILURES = Failures(
    lambda body, content_type: Refusal((), ""),
    by_status={**BY_STATUS, 424: Unavailable},
    by_code={
        MISSING: ObjectAbsent,
        "charge_already_refunded": PreconditionFailed,
        "charge_not_refundable": PreconditionFailed,
        "payment_intent_unexpected_state": PreconditionFailed,
        _STATE: PreconditionFailed,
        "api_key_expired": Unauthenticated,
        "rate_limit": RateLimited,
        "idempotency_key_in_use": Conflict,
        "lock_timeout": RateLimited,
    },
    hints={
        Unauthenticated: "check the secret api_key: missing, mistyped or expired",
        PermissionDenied: "grant the restricted key what this operation needs",
        ContainerNotFound: "check base_url; an absent object is None",
        ObjectAbsent: "read it first; test mode and live mode have objects of their own",
        InvalidArgument: "change the argument that the service names",
        PreconditionFailed: "read the object: its status says what it can still do",
        Conflict: "another request is at work under this key; wait for it, then repeat",
        RateLimited: "wait, or wrap the provider in core_caps.retrying",
        Unavailable: "repeat it under the same key, through core_caps.retrying; where the answer "
        "stays the same, read back what became of it",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    },
)


class Said(NamedTuple):
    """What an error answer says: `error` of its JSON, as far as it is text.

    Attributes:
        payment_intent: the id of the payment that it is about, or "".
    """

    type: str = ""
    code: str = ""
    decline_code: str = ""
    message: str = ""
    param: str = ""
    payment_intent: str = ""


def said(answer: object) -> Said:
    """What the JSON of an error answer says; nothing where it is none of the vendor's."""
    error = _object(_object(answer).get("error"))
    names = ("type", "code", "decline_code", "message", "param")
    texts = [_text(error.get(name)) for name in names]
    return Said(*texts, payment_intent=_text(_object(error.get("payment_intent")).get("id")))


def refused(
    operation: str,
    status: int,
    answer: Said,
    *,
    key: str,
    only_state: bool,
    retry_after_seconds: float | None,
) -> ProviderError:
    """The error for a refusal.

    Args:
        operation: what was asked.
        status: the answer's.
        answer: what it says, with no secret in it.
        key: the idempotency key of a write; "" for a read.
        only_state: the request had nothing that could be wrong but the object's state, for which
            the vendor documents no code.
        retry_after_seconds: what it asks for.
    """
    shown = " ".join(filter(None, (answer.message, answer.code and f"[{answer.code}]")))
    if status == 402:
        return PaymentDeclined(
            f"{operation} was declined: {shown}",
            reason=answer.code,
            decline_code=answer.decline_code,
            payment_intent=answer.payment_intent,
            hint="ask for another payment method, under a key of its own",
            status=status,
        )
    if answer.type == _IDEMPOTENCY and status == 400:
        return KeyCollision(
            f"{operation}: the idempotency key was used for another request: {shown}",
            keys=[key],
            hint="the key's fields do not tell two pieces of work apart: add what differs",
            status=status,
        )
    code = _STATE if only_state and status == 400 and not answer.code else answer.code
    return FAILURES.refused(
        operation,
        status,
        Refusal((code,), shown),
        shown,
        writes=bool(key),
        retry_after_seconds=retry_after_seconds,
    )


def absent(operation: str, id: str) -> ProviderError:
    """The error for a write on what cannot exist; nothing was sent."""
    return ObjectAbsent(
        f"{operation}: nothing has the id {id[:80]!r}", hint="pass on the id of what was created"
    )


def _object(given: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", given) if isinstance(given, Mapping) else {}


def _text(given: object) -> str:
    return given if isinstance(given, str) else ""
