"""The one table: what the service said → our error class; the outcomes are core_caps.http's.

Absence is no error: 404 with code 10009 is answered before this table is asked. Codes:
https://github.com/cloudflare/cloudflare-php/blob/master/src/Endpoints (KeyValueException)
"""

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core_caps.http.envelope import GATEWAY_CODES, refusal
from core_caps.http.failures import BY_STATUS, Failures

__all__ = ["FAILURES", "KEY_NOT_FOUND", "partial"]

KEY_NOT_FOUND = 10009
"""The code that makes a 404 mean an absent key, and not an absent namespace or route."""

FAILURES = Failures(
    refusal,
    by_status=BY_STATUS,
    by_code={
        **GATEWAY_CODES,
        10001: Unavailable,  # service temporarily unavailable
        10006: ContainerNotFound,  # malformed account tag
        10010: ContainerNotFound,  # malformed namespace
        10011: ContainerNotFound,  # malformed namespace id
        10013: ContainerNotFound,  # namespace not found
        10022: RateLimited,  # too many requests
        10026: PermissionDenied,  # not entitled
        10037: PermissionDenied,  # the user lacks the permission
        10046: RateLimited,  # too many bulk requests
        10048: RateLimited,  # the free plan's limit is reached
    },
    hints={
        Unauthenticated: "check the secret api_token: missing, mistyped or expired",
        PermissionDenied: "grant the token the scope 'Workers KV Storage Write'",
        ContainerNotFound: "check account_id, namespace_id and base_url; an absent key is None",
        InvalidArgument: "change the argument that the service names",
        Conflict: "read the key, then decide",
        PreconditionFailed: "the API documents no conditions; check base_url",
        RateLimited: "wait, or wrap the provider in core_caps.retrying",
        Unavailable: "repeat through core_caps.retrying; every operation of KV converges",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    },
)


def partial(operation: str, failed: int, asked: int) -> ProviderError:
    """The error for a bulk write of which the service names keys that failed."""
    return Unavailable(
        f"{operation} failed for {failed} of {asked} keys; the others are written",
        hint="repeat the call: twice is once",
        outcome=Outcome.UNKNOWN,
        status=200,
    )
