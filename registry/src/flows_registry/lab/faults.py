"""The faults a service can show, as data: what the server does, and when it counts as consumed.

A fault names its kind; `at` is the number of the request (from 0, counted once the case is armed)
that meets it, and the requests after it are answered normally, so that a hidden retry succeeds
and is seen.
"""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = [
    "COMMITTED",
    "CONNECTION",
    "FAULTS",
    "MUTE",
    "OF_BYTES",
    "PINNED_ONLY",
    "PORTAL",
    "READS_ONLY",
    "SILENT",
    "STRUCTURED_ONLY",
    "Fault",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        kind: what happens (see FAULTS).
        at: which request meets it, from 0.
        status: the status it answers with, where it answers.
        retry_after: the Retry-After header it sends, where it sends one. `{date+N}` is the HTTP
            date N seconds from now.
    """

    kind: str
    at: int = 0
    status: int | None = None
    retry_after: str | None = None

    @property
    def name(self) -> str:
        """A name to print: kind, status and header."""
        shown = self.kind if self.status is None else f"{self.kind} {self.status}"
        return shown if self.retry_after is None else f"{shown}, Retry-After: {self.retry_after}"

    def as_json(self) -> dict[str, Any]:
        """For the server."""
        return asdict(self)


CONNECTION = frozenset({"refused", "untrusted certificate", "other host's certificate"})
"""Faults that happen before any request: nothing can have been applied."""

MUTE = "mute handshake"
"""A connection that is taken and never becomes one of TLS: only a deadline around connecting ends
it, and who has one around the whole call cannot tell whether anything was sent."""

COMMITTED = frozenset(
    {
        "reset after commit", "closed after commit", "stall after commit", "reset in body",
        "truncated body", "bad chunking", "wrong content type", "invalid body", "invalid utf-8",
        "stall in body", "slow body", "slow headers", "conflicting lengths", "endless body",
        "garbage status line", "corrupted body",
    }
)  # fmt: skip
"""Faults after which the request has been applied although no usable answer arrives."""

SILENT = frozenset(
    {MUTE, "stall", "stall after commit", "stall in body", "slow body", "slow headers"}
)
"""Faults that only a deadline ends."""

PORTAL = frozenset({"html page", "empty answer"})
"""A 200 that does not come from the service (a captive portal, a proxy): nothing was applied."""

READS_ONLY = frozenset({"stale read"})
"""Faults that mean something only to an operation that reads."""

PINNED_ONLY = frozenset({"corrupted body"})
"""Faults that only a read by digest can see: the same length, one bit wrong."""

STRUCTURED_ONLY = frozenset({"invalid body", "invalid utf-8", "wrong content type"})
"""Faults of an answer with a grammar; opaque bytes have none."""

OF_BYTES = CONNECTION | {
    MUTE, "reset before commit", "closed before commit", "stall", "reset after commit",
    "closed after commit", "stall after commit", "reset in body", "truncated body",
    "stall in body", "slow body", "garbage status line",
}  # fmt: skip
"""Faults of bytes, which any protocol can meet; all others are HTTP's own."""

_REFUSALS = (400, 401, 403, 404, 409, 412, 413, 422)
_FAILURES = (500, 502, 503, 504)
_SURPRISES = (201, 202, 204, 206, 304)
_RETRY_AFTER = ("2", "{date+3}", "soon", "86400", None)

FAULTS: tuple[Fault, ...] = (
    *(Fault("status", status=status) for status in (*_REFUSALS, *_FAILURES)),
    *(Fault("status", status=429, retry_after=after) for after in _RETRY_AFTER),
    Fault("status", status=503, retry_after="2"),
    *(Fault("bare status", status=status) for status in _SURPRISES),
    Fault("redirect", status=302),
    Fault("redirect", status=307),
    Fault("redirect", status=308),
    *(Fault(kind) for kind in sorted(CONNECTION)),
    Fault("reset before commit"),
    Fault("closed before commit"),
    Fault("stall"),
    Fault(MUTE),
    *(Fault(kind) for kind in sorted(PORTAL)),
    *(Fault(kind) for kind in sorted(COMMITTED)),
    Fault("stale read"),
)
"""Every fault, in the order in which it is tried."""
