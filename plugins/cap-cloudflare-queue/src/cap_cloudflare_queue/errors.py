"""The one table: what the service said → our error class; the outcomes are core_caps.http's.

Every operation changes the queue, a pull too: what it hands out is hidden and counted as an
attempt. Codes: https://developers.cloudflare.com/queues/reference/error-codes/
"""

from collections.abc import Sequence

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    LeaseExpired,
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

__all__ = ["FAILURES", "expired"]

FAILURES = Failures(
    refusal,
    by_status={
        **BY_STATUS,
        405: PermissionDenied,  # a pull from a queue that has no HTTP pull consumer
    },
    by_code={
        **GATEWAY_CODES,
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
    },
    hints={
        Unauthenticated: "check the secret api_token: missing, mistyped or expired",
        PermissionDenied: "grant the token the scope 'Queues Write'; a queue is pulled from only "
        "with an HTTP consumer: wrangler queues consumer http add",
        ContainerNotFound: "check account_id, queue_id (not the queue's name) and base_url",
        InvalidArgument: "change the argument that the service names",
        Conflict: "wait for what else changes the queue, then repeat",
        PreconditionFailed: "the API documents no conditions; check base_url",
        RateLimited: "wait, or wrap the provider in core_caps.retrying; purge or unpause the queue "
        "where the service says that it is full or paused",
        Unavailable: "repeat what has a key: a consumer knows the second one by it",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    },
)


def expired(operation: str, leases: Sequence[str], asked: int) -> ProviderError:
    """The error for leases that do not hold; the others of the call are settled."""
    return LeaseExpired(
        f"{len(leases)} of {asked} leases given to {operation} do not hold",
        leases=leases,
        hint="the messages may be delivered again, or were settled before: know a repeat by its "
        "key; pull with a longer visibility_seconds",
    )
