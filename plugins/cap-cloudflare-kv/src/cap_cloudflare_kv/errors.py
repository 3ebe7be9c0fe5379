"""The one table: what the service or the network said → our error class and its outcome.

    4xx                      NOT_APPLIED: the service refused
    5xx                      UNKNOWN for a write: it may have been applied before it failed
    2xx but 200, 1xx, 3xx    UNKNOWN for a write: nothing documents what happened
    not connected            NOT_APPLIED: refused, TLS, DNS, no connection in time
    no or a broken answer    UNKNOWN for a write: the request may have arrived

A read changes nothing, so every failed read is NOT_APPLIED. Absence is no error: 404 with code
10009 is answered before this table is asked. Codes:
https://github.com/cloudflare/cloudflare-php/blob/master/src/Endpoints (KeyValueException)
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

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
    TimedOut,
    Unauthenticated,
    Unavailable,
)

__all__ = ["KEY_NOT_FOUND", "broken", "late", "lost", "partial", "refused", "unconnected"]

KEY_NOT_FOUND = 10009
"""The code that makes a 404 mean an absent key, and not an absent namespace or route."""

_BY_STATUS: Mapping[int, type[ProviderError]] = MappingProxyType(
    {
        400: InvalidArgument,
        401: Unauthenticated,
        402: PermissionDenied,
        403: PermissionDenied,
        404: ContainerNotFound,
        408: Unavailable,
        409: Conflict,
        412: PreconditionFailed,
        413: InvalidArgument,
        414: InvalidArgument,
        422: InvalidArgument,
        425: Unavailable,
        429: RateLimited,
    }
)
"""Any other 4xx is a ProtocolViolation: the API does not document it."""

_BY_CODE: Mapping[int, type[ProviderError]] = MappingProxyType(
    {
        6003: Unauthenticated,  # invalid request headers: the Authorization header's form
        6111: Unauthenticated,  # invalid format for the Authorization header
        7000: ContainerNotFound,  # no route for that URI
        7003: ContainerNotFound,  # could not route: the identifier may be wrong
        9106: Unauthenticated,  # missing authentication headers
        9109: Unauthenticated,  # invalid access token
        10000: Unauthenticated,  # authentication error
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
    }
)
"""What a code says where its status alone is too coarse."""

_COARSE = frozenset({400, 404, 422})
"""The statuses under which the code decides."""

_HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        Unauthenticated: "check the secret api_token: missing, mistyped or expired",
        PermissionDenied: "grant the token the scope 'Workers KV Storage Write'",
        ContainerNotFound: "check account_id, namespace_id and base_url; an absent key is None",
        InvalidArgument: "change the argument that the service names",
        Conflict: "read the key, then decide",
        PreconditionFailed: "the API documents no conditions; check base_url",
        RateLimited: "wait, or wrap the provider in core_caps.retrying",
        Unavailable: "repeat through core_caps.retrying; every operation of KV converges",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    }
)


def refused(
    operation: str,
    status: int,
    codes: Sequence[int],
    detail: str,
    *,
    writes: bool,
    retry_after_seconds: float | None,
) -> ProviderError:
    """The error for an answer that is not the documented success."""
    kind = _kind(status, codes)
    applied = Outcome.NOT_APPLIED if 400 <= status < 500 else _outcome(writes)
    said = f": {detail}" if detail else ""
    return kind(
        f"{operation} was answered with status {status}{said}",
        hint=_HINTS.get(kind, ""),
        outcome=applied,
        retry_after_seconds=retry_after_seconds,
        status=status,
    )


def broken(operation: str, problem: str, *, writes: bool, status: int = 200) -> ProviderError:
    """The error for an answer that is truncated, or not what the API documents."""
    return ProtocolViolation(
        f"the answer to {operation} is not understood: {problem}",
        hint=_HINTS[ProtocolViolation],
        outcome=_outcome(writes),
        status=status,
    )


def lost(operation: str, problem: str, *, writes: bool) -> ProviderError:
    """The error for a connection that ended without an answer."""
    return Unavailable(
        f"the connection of {operation} was lost before an answer: {problem}",
        hint=_HINTS[Unavailable],
        outcome=_outcome(writes),
    )


def unconnected(operation: str, problem: str, *, late: bool) -> ProviderError:
    """The error where no connection was made, so that nothing was sent."""
    return (TimedOut if late else Unavailable)(
        f"{operation} found no connection: {problem}",
        hint="check base_url, name resolution, certificates and the network",
        outcome=Outcome.NOT_APPLIED,
    )


def late(operation: str, timeout_seconds: float, *, writes: bool) -> ProviderError:
    """The error for a call that has no complete answer at its deadline."""
    return TimedOut(
        f"{operation} had no complete answer after {timeout_seconds:g} seconds",
        hint="raise timeout_seconds, or repeat",
        outcome=_outcome(writes),
    )


def partial(operation: str, failed: int, asked: int) -> ProviderError:
    """The error for a bulk write of which the service names keys that failed."""
    return Unavailable(
        f"{operation} failed for {failed} of {asked} keys; the others are written",
        hint="repeat the call: twice is once",
        outcome=Outcome.UNKNOWN,
        status=200,
    )


def _kind(status: int, codes: Sequence[int]) -> type[ProviderError]:
    if status >= 500:
        return Unavailable
    if status < 400:
        return ProtocolViolation
    if status in _COARSE:
        for code in codes:
            if code in _BY_CODE:
                return _BY_CODE[code]
    return _BY_STATUS.get(status, ProtocolViolation)


def _outcome(writes: bool) -> Outcome:
    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED
