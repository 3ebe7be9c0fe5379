"""The one table: what the network said → our error class and its outcome.

not connected            NOT_APPLIED: refused, TLS, DNS, no connection in time
no or a broken answer    UNKNOWN for a write: the request may have arrived
a whole answer           an answer, whatever its status; `raise_for_status` has that table
"""

from core_caps.errors import (
    ClientClosed,
    Outcome,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unavailable,
)
from core_caps.http.failures import after_waiting, failed

from cap_http.requests import Request

__all__ = ["another_digest", "broken", "closed", "late", "lost", "too_long", "unconnected"]


def unconnected(request: Request, problem: str, *, late: bool) -> ProviderError:
    """The error where no connection was made, so that nothing was sent."""
    return (TimedOut if late else Unavailable)(
        f"{_named(request)} found no connection: {problem}",
        hint="check the URL, name resolution, certificates and the network",
        outcome=Outcome.NOT_APPLIED,
    )


def lost(request: Request, problem: str) -> ProviderError:
    """The error for a connection that ended without an answer."""
    return Unavailable(
        f"the connection of {_named(request)} was lost before an answer: {problem}",
        hint="wait and repeat; if the outcome is UNKNOWN, under the same idempotency key",
        outcome=failed(request.writes),
    )


def broken(request: Request, problem: str) -> ProviderError:
    """The error for an answer that is truncated, or no HTTP."""
    return _unusable(request, problem, "see what the server, or whatever stands before it, sends")


def too_long(request: Request, size_bytes_max: int) -> ProviderError:
    """The error for a content that is longer than the binding allows."""
    hint = "raise `stream_size_bytes_max` in the binding"
    if request.operation != "open":
        hint = "read it with open(), or raise `body_size_bytes_max` in the binding"
    return _unusable(request, f"it is longer than {size_bytes_max} bytes", hint)


def late(request: Request, timeout_seconds: float) -> ProviderError:
    """The error for a call that has no whole answer at its deadline."""
    return TimedOut(
        f"{_named(request)} had no whole answer after {timeout_seconds:g} seconds",
        hint=after_waiting(request.writes),
        outcome=failed(request.writes),
    )


def another_digest(request: Request, digest: str, found: str) -> ProviderError:
    """The error for a pinned content that is another by now."""
    return ProtocolViolation(
        f"the content at {request.url.authority} has the digest {found}, not {digest}",
        hint="it was overwritten or damaged: pin what stands there now, or restore it",
        outcome=Outcome.NOT_APPLIED,
        status=200,
    )


def closed() -> ProviderError:
    """The error for a call on a client that is not open."""
    return ClientClosed(
        "this client is not open", hint="keep the calls inside its `async with` block"
    )


def _unusable(request: Request, problem: str, hint: str) -> ProviderError:
    return ProtocolViolation(
        f"the answer to {_named(request)} cannot be used: {problem}",
        hint=hint,
        outcome=failed(request.writes),
    )


def _named(request: Request) -> str:
    return f"{request.operation} at {request.url.authority}"
