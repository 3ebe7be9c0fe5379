"""The one table: what PostgreSQL, or the way to it, says → our error and its outcome.

A command that fails undoes its transaction, so that whatever PostgreSQL refuses is NOT_APPLIED; but
for the two codes by which it says that it does not know. A connection that is lost before the
commit was sent has applied nothing either; one that is lost after that leaves it open: UNKNOWN.
Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unauthenticated,
    Unavailable,
)

from cap_postgres_neon.database import Refused

__all__ = [
    "HINTS",
    "late",
    "lost",
    "not_understood",
    "refused",
    "too_large",
    "unanswered",
    "unconnected",
]

_BY_STATE: Mapping[str, type[ProviderError]] = MappingProxyType(
    {
        "25P03": TimedOut,  # idle in a transaction for too long
        "25P04": TimedOut,  # the transaction took too long
        "3D000": ContainerNotFound,  # no such database
        "40002": Conflict,  # a constraint, found at the commit
        "42501": PermissionDenied,
        "55000": InvalidArgument,  # not in the state that the command needs
        "55006": Conflict,  # in use by others
        "57014": TimedOut,  # cancelled by statement_timeout
        "57P04": ContainerNotFound,  # the database was dropped
        "P0001": Conflict,  # RAISE in a function or a trigger of the user's own
        "XX000": Unavailable,
    }
)

_BY_CLASS: Mapping[str, type[ProviderError]] = MappingProxyType(
    {
        "08": Unavailable,  # the connection
        "23": Conflict,  # a constraint
        "28": Unauthenticated,
        "40": Unavailable,  # lost against another transaction
        "44": Conflict,  # WITH CHECK OPTION
        "53": Unavailable,  # no disk, memory or connections left
        "55": Unavailable,  # a lock that is not to be had
        "57": Unavailable,  # shut down, or starting up
        "58": Unavailable,  # the system around it
        "XX": Unavailable,  # PostgreSQL's own fault
    }
)
"""By the first two characters; everything else is about the statement: InvalidArgument."""

_AT_THE_DOOR = (
    (re.compile(r'database ".*" does not exist'), ContainerNotFound),
    (re.compile(r'authentication failed|role ".*" does not exist|no password'), Unauthenticated),
)
"""What the server says to whom it does not let in."""

_UNCLEAR = frozenset({"08007", "40003"})
"""The commit's outcome is not known."""

HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        Conflict: "read what is there and decide again",
        ContainerNotFound: "check the settings host and database",
        InvalidArgument: "correct the statement or its parameters",
        PermissionDenied: "grant the role what the statement needs",
        ProtocolViolation: "check the settings, and whatever stands between here and the database",
        TimedOut: "make the statement faster, or raise timeout_seconds",
        Unauthenticated: "check the setting user and the secret password",
        Unavailable: "it may be made again: wrap the provider in core_caps.retrying",
    }
)


def refused(operation: str, problem: Refused) -> ProviderError:
    """The error for what the database refused."""
    state = problem.sqlstate
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or InvalidArgument
    hint = HINTS[kind]
    if state == "25006":
        hint = "write through execute or batch"
    return kind(
        f"{operation} was refused: {problem.message} (SQLSTATE {state})",
        hint=hint,
        outcome=Outcome.UNKNOWN if state in _UNCLEAR else Outcome.NOT_APPLIED,
        status=problem.status,
    )


def unconnected(operation: str, problem: str, *, late: bool = False) -> ProviderError:
    """The error where no connection was made, so that nothing was sent.

    libpq tells why in words only.
    """
    kind: type[ProviderError] = TimedOut if late else Unavailable
    hint = "check the setting host, name resolution, certificates and the network"
    for pattern, meant in _AT_THE_DOOR:
        if pattern.search(problem):
            kind, hint = meant, HINTS[meant]
    return kind(
        f"{operation} found no connection: {problem}", hint=hint, outcome=Outcome.NOT_APPLIED
    )


def lost(operation: str, problem: str, *, committing: bool) -> ProviderError:
    """The error for a connection that ended without an answer."""
    return Unavailable(
        f"the connection of {operation} was lost: {problem}",
        hint="read what is there before repeating: it may be committed"
        if committing
        else HINTS[Unavailable],
        outcome=Outcome.UNKNOWN if committing else Outcome.NOT_APPLIED,
    )


def unanswered(
    operation: str, problem: str, *, outcome: Outcome, status: int | None = None
) -> ProviderError:
    """The error where somebody between here and the database lost it."""
    return Unavailable(
        f"{operation} was not answered by the database: {problem}",
        hint=HINTS[Unavailable],
        outcome=outcome,
        status=status,
    )


def late(operation: str, timeout_seconds: float, *, committing: bool) -> ProviderError:
    """The error for a call that has no complete answer at its deadline."""
    return TimedOut(
        f"{operation} had no complete answer after {timeout_seconds:g} seconds",
        hint=HINTS[TimedOut],
        outcome=Outcome.UNKNOWN if committing else Outcome.NOT_APPLIED,
    )


def too_large(operation: str, size_bytes_max: int, *, status: int | None = None) -> ProviderError:
    """The error for an answer of more bytes than is allowed; its transaction is undone."""
    return InvalidArgument(
        f"the answer to {operation} has more than {size_bytes_max} bytes",
        hint="ask for fewer rows at a time (LIMIT), or raise answer_size_bytes_max",
        outcome=Outcome.NOT_APPLIED,
        status=status,
    )


def not_understood(operation: str, problem: str, *, outcome: Outcome) -> ProviderError:
    """The error for an answer that is not what the protocol allows."""
    return ProtocolViolation(
        f"the answer to {operation} is not understood: {problem}",
        hint=HINTS[ProtocolViolation],
        outcome=outcome,
    )
