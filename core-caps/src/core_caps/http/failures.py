"""The one table of a service: what it or the network said → our error class and its outcome.

    4xx                      NOT_APPLIED: the service refused
    5xx                      UNKNOWN for a write: it may have been applied before it failed
    2xx but 200, 1xx, 3xx    UNKNOWN for a write: nothing documents what happened
    not connected            NOT_APPLIED: refused, TLS, DNS, no connection in time
    no or a broken answer    UNKNOWN for a write: the request may have arrived

A read changes nothing, so every failed read is NOT_APPLIED. Needs the standard library only.
"""

import email.utils
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

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

__all__ = [
    "BY_STATUS",
    "SHOWN_CHARACTERS_MAX",
    "Failures",
    "Malformed",
    "Refusal",
    "after_waiting",
    "failed",
    "retry_after_seconds",
    "shown",
]

SHOWN_CHARACTERS_MAX = 300
"""How much of what others say stands in an error."""

BY_STATUS: Mapping[int, type[ProviderError]] = MappingProxyType(
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
"""What a status says of itself."""

_DELAY = re.compile(r"[0-9]{1,15}")


class Malformed(Exception):
    """The answer is not what the service documents; the text is safe to show."""


class Refusal(NamedTuple):
    """What an error answer says of itself."""

    codes: Sequence[int | str]
    detail: str


def _nothing(refusal: Refusal) -> None:
    """Most services say for certain what a status and a code say."""


@dataclass(frozen=True, slots=True)
class Failures:
    """What the failures of one service mean.

    Attributes:
        refusal: `(body, content type) → codes and detail` of an error answer; never raises.
        hints: what to do, by error class.
        by_status: the error class of a status; any other 4xx is a ProtocolViolation.
        by_code: what a code says where its status alone is too coarse.
        coarse: the statuses under which the code decides.
        certain: what a refusal says so clearly that nothing was applied, whatever its status.
    """

    refusal: Callable[[bytes, str], Refusal]
    hints: Mapping[type[ProviderError], str]
    by_status: Mapping[int, type[ProviderError]]
    by_code: Mapping[int | str, type[ProviderError]]
    coarse: frozenset[int] = frozenset({400, 404, 422})
    certain: Callable[[Refusal], type[ProviderError] | None] = _nothing

    def refused(
        self,
        operation: str,
        status: int,
        refusal: Refusal,
        shown: str,
        *,
        writes: bool,
        retry_after_seconds: float | None,
    ) -> ProviderError:
        """The error for an answer that is not the documented success; `shown` is of its detail."""
        certain = self.certain(refusal)
        kind = certain or self._kind(status, refusal.codes)
        refused = certain is not None or 400 <= status < 500
        applied = Outcome.NOT_APPLIED if refused else failed(writes)
        return kind(
            f"{operation} was answered with status {status}{f': {shown}' if shown else ''}",
            hint=self.hints.get(kind, ""),
            outcome=applied,
            retry_after_seconds=retry_after_seconds,
            status=status,
        )

    def broken(self, operation: str, problem: str, *, writes: bool) -> ProviderError:
        """The error for an answer that is truncated, or not what the service documents."""
        return ProtocolViolation(
            f"the answer to {operation} is not understood: {problem}",
            hint=self.hints.get(ProtocolViolation, ""),
            outcome=failed(writes),
            status=200,
        )

    def lost(self, operation: str, problem: str, *, writes: bool) -> ProviderError:
        """The error for a connection that ended without an answer."""
        return Unavailable(
            f"the connection of {operation} was lost before an answer: {problem}",
            hint=self.hints.get(Unavailable, ""),
            outcome=failed(writes),
        )

    def unconnected(
        self, operation: str, problem: str, *, late: bool, to: str = ""
    ) -> ProviderError:
        """The error where no connection was made, so that nothing was sent; `to` is an address."""
        return (TimedOut if late else Unavailable)(
            f"{operation} found no connection{to and f' to {to}'}: {problem}",
            hint="check the address in the settings, name resolution, certificates and the network",
            outcome=Outcome.NOT_APPLIED,
        )

    def late(self, operation: str, timeout_seconds: float, *, writes: bool) -> ProviderError:
        """The error for a call that has no complete answer at its deadline."""
        return TimedOut(
            f"{operation} had no complete answer after {timeout_seconds:g} seconds",
            hint=after_waiting(writes),
            outcome=failed(writes),
        )

    def _kind(self, status: int, codes: Sequence[int | str]) -> type[ProviderError]:
        if status >= 500:
            return Unavailable
        if status < 400:
            return ProtocolViolation
        if status in self.coarse:
            for code in codes:
                if code in self.by_code:
                    return self.by_code[code]
        return self.by_status.get(status, ProtocolViolation)


def failed(writes: bool) -> Outcome:
    """The outcome of a call that may have arrived and has no usable answer."""
    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED


def after_waiting(writes: bool) -> str:
    """What to do where no answer came in time."""
    then = "read what is there before it is made again" if writes else "or repeat"
    return f"raise timeout_seconds, {then}"


def shown(text: str, secrets: Sequence[str]) -> str:
    """The text without a secret, on one line; cut only then, or a piece of one could be left."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return "".join(each if each.isprintable() else " " for each in text)[:SHOWN_CHARACTERS_MAX]


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for; None where it cannot be read.

    Args:
        header: a number of seconds or an HTTP date, as RFC 9110 section 10.2.3 has it.
        now: seconds since 1970, for a date; one that has passed is no wait at all.
    """
    if header is None:
        return None
    text = header.strip()
    if _DELAY.fullmatch(text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
