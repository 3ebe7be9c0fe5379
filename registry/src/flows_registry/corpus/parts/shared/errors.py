"""The one table: what the service or the network said → our error class and its outcome."""

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

from .wire import Lost, NotConnected, WireError

__all__ = ["broken", "failed", "late", "refused"]

_BY_STATUS: dict[int, type[ProviderError]] = {
    400: InvalidArgument,
    401: Unauthenticated,
    403: PermissionDenied,
    404: ContainerNotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: InvalidArgument,
    422: InvalidArgument,
    429: RateLimited,
}


def refused(operation: str, status: int, *, writes: bool, wait: float | None) -> ProviderError:
    """The error for an answer that is not the documented success."""
    kind = Unavailable if status >= 500 else _BY_STATUS.get(status, ProtocolViolation)
    outcome = Outcome.NOT_APPLIED if 400 <= status < 500 else _outcome(writes)
    return kind(
        f"{operation} was answered with status {status}",
        outcome=outcome,
        retry_after_seconds=wait,
        status=status,
    )


def broken(operation: str, problem: str, *, writes: bool) -> ProviderError:
    """The error for an answer that is truncated, or not what the API documents."""
    return ProtocolViolation(
        f"the answer to {operation} is not understood: {problem}", outcome=_outcome(writes)
    )


def failed(operation: str, problem: WireError, *, writes: bool) -> ProviderError:
    """The error for an exchange that brought no answer."""
    if isinstance(problem, NotConnected):
        return Unavailable(
            f"{operation} found no connection: {problem}", outcome=Outcome.NOT_APPLIED
        )
    if isinstance(problem, Lost):
        return Unavailable(f"{operation} lost its connection", outcome=_outcome(writes))
    return broken(operation, str(problem), writes=writes)


def late(operation: str, *, writes: bool) -> ProviderError:
    """The error for a call that has no complete answer at its deadline."""
    return TimedOut(f"{operation} had no answer in time", outcome=_outcome(writes))


def _outcome(writes: bool) -> Outcome:
    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED
