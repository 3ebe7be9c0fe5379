"""The one table: what the service or the network said → our error class and its outcome.

    4xx                      NOT_APPLIED: the service refused
    5xx                      UNKNOWN: it may have been applied before it failed
    2xx but 200, 1xx, 3xx    UNKNOWN: nothing documents what happened
    not connected            NOT_APPLIED: refused, TLS, DNS, no connection in time
    no or a broken answer    UNKNOWN: the request may have arrived

Every operation changes the queue, a pull too: what it hands out is hidden and counted as an
attempt. Codes: https://developers.cloudflare.com/queues/reference/error-codes/
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    LeaseExpired,
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

__all__ = ["broken", "expired", "late", "lost", "refused", "unconnected"]

_BY_STATUS: Mapping[int, type[ProviderError]] = MappingProxyType(
    {
        400: InvalidArgument,
        401: Unauthenticated,
        402: PermissionDenied,
        403: PermissionDenied,
        404: ContainerNotFound,
        405: PermissionDenied,  # a pull from a queue that has no HTTP pull consumer
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
        10104: ContainerNotFound,  # queue does not exist
        10105: PermissionDenied,  # feature flag not set
        10106: Unauthenticated,  # unauthorized request
        10107: ContainerNotFound,  # malformed queue id
        10201: Unavailable,  # the client disconnected meanwhile
        10202: InvalidArgument,  # batch delay
        10203: InvalidArgument,  # content type or delay of a message
        10204: InvalidArgument,  # message size
        10205: InvalidArgument,  # batch size
        10206: InvalidArgument,  # batch count
        10207: InvalidArgument,  # the request's JSON has another schema
        10208: InvalidArgument,  # the request is no JSON
        10250: RateLimited,  # the queue is overloaded
        10251: RateLimited,  # the queue's storage is full
        10252: RateLimited,  # the queue is paused
        10253: RateLimited,  # the free plan's limit is reached
    }
)
"""What a code says where its status alone is too coarse."""

_COARSE = frozenset({400, 404, 422})
"""The statuses under which the code decides."""

_HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        Unauthenticated: "check the secret api_token: missing, mistyped or expired",
        PermissionDenied: "grant the token the scope 'Queues Edit'; a queue is pulled from only "
        "with an HTTP consumer: wrangler queues consumer http add",
        ContainerNotFound: "check account_id, queue_id (not the queue's name) and base_url",
        InvalidArgument: "change the argument that the service names",
        Conflict: "wait for what else changes the queue, then repeat",
        PreconditionFailed: "the API documents no conditions; check base_url",
        RateLimited: "wait, or wrap the provider in core_caps.retrying; purge or unpause the queue "
        "where the service says that it is full or paused",
        Unavailable: "repeat what has a key: a consumer knows the second one by it",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    }
)


def refused(
    operation: str,
    status: int,
    codes: Sequence[int],
    detail: str,
    *,
    retry_after_seconds: float | None,
) -> ProviderError:
    """The error for an answer that is not the documented success."""
    kind = _kind(status, codes)
    applied = Outcome.NOT_APPLIED if 400 <= status < 500 else Outcome.UNKNOWN
    said = f": {detail}" if detail else ""
    return kind(
        f"{operation} was answered with status {status}{said}",
        hint=_HINTS.get(kind, ""),
        outcome=applied,
        retry_after_seconds=retry_after_seconds,
        status=status,
    )


def broken(operation: str, problem: str, *, status: int = 200) -> ProviderError:
    """The error for an answer that is truncated, or not what the API documents."""
    return ProtocolViolation(
        f"the answer to {operation} is not understood: {problem}",
        hint=_HINTS[ProtocolViolation],
        outcome=Outcome.UNKNOWN,
        status=status,
    )


def lost(operation: str, problem: str) -> ProviderError:
    """The error for a connection that ended without an answer."""
    return Unavailable(
        f"the connection of {operation} was lost before an answer: {problem}",
        hint=_HINTS[Unavailable],
        outcome=Outcome.UNKNOWN,
    )


def unconnected(operation: str, problem: str, *, late: bool) -> ProviderError:
    """The error where no connection was made, so that nothing was sent."""
    return (TimedOut if late else Unavailable)(
        f"{operation} found no connection: {problem}",
        hint="check base_url, name resolution, certificates and the network",
        outcome=Outcome.NOT_APPLIED,
    )


def late(operation: str, timeout_seconds: float) -> ProviderError:
    """The error for a call that has no complete answer at its deadline."""
    return TimedOut(
        f"{operation} had no complete answer after {timeout_seconds:g} seconds",
        hint="raise timeout_seconds, or repeat",
        outcome=Outcome.UNKNOWN,
    )


def expired(operation: str, leases: Sequence[str], asked: int) -> ProviderError:
    """The error for leases that do not hold; the others of the call are settled."""
    return LeaseExpired(
        f"{len(leases)} of {asked} leases given to {operation} do not hold",
        leases=leases,
        hint="the messages may be delivered again, or were settled before: know a repeat by its "
        "key; pull with a longer visibility_seconds",
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
