"""The one table: what PostgreSQL, or the way to it, says → our error and its outcome.

A command that fails undoes its transaction, so that whatever is refused before the commit was sent
is NOT_APPLIED, and so is a connection that is lost by then. With a commit under way it depends on
who says what: PostgreSQL's plain ERROR has undone it; a connection that is lost, a session that
ends with the error, and a pooler that lost the server leave it open: UNKNOWN.
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
        "": ProtocolViolation,  # an error without a code is none of PostgreSQL's
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
    (re.compile(r"database .* does not exist"), ContainerNotFound),
    (re.compile(r"authentication failed|role .* does not exist|no password"), Unauthenticated),
)
"""What an English server says to whom it does not let in; libpq keeps the SQLSTATE to itself. In
another language it is Unavailable, with the same outcome."""

_NO_COMMIT = ("08001", "08004", "25", "28", "3D", "53300", "57P03")
"""No session was begun, or the transaction was still open: it had not come to the commit."""

_UNCLEAR = ("08", "40003", "57P", "58", "XX")
"""Of a commit: the connection, the session or the server broke; 08P01 is how a pooler says so.
https://github.com/pgbouncer/pgbouncer/blob/master/src/proto.c (send_pooler_error)"""

_SESSION_ENDS = ("FATAL", "PANIC")
_MAY_BE_COMMITTED = "read what is there before repeating: it may be committed"

HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        Conflict: "read what is there and decide again",
        ContainerNotFound: "check the settings host and database",
        InvalidArgument: "correct the statement or its parameters",
        PermissionDenied: "grant the role what the statement needs",
        ProtocolViolation: "check the settings, and whatever stands between here and the database",
        TimedOut: "make the statement faster, or raise timeout_seconds",
        Unauthenticated: "check the setting user and the secret password",
        Unavailable: "wrap the provider in core_caps.retrying: it repeats what may be repeated",
    }
)


def refused(operation: str, problem: Refused) -> ProviderError:
    """The error for what the database refused."""
    state = problem.sqlstate
    kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or InvalidArgument
    outcome = _outcome(_may_be_committed(problem))
    hint = _hint(kind, outcome)
    if state == "25006":
        hint = "write through execute or batch"
    return kind(
        f"{operation} was refused: {problem.message} (SQLSTATE {state})",
        hint=hint,
        outcome=outcome,
        status=problem.status,
    )


def _may_be_committed(problem: Refused) -> bool:
    state = problem.sqlstate
    if not problem.committing or state.startswith(_NO_COMMIT):
        return False
    return not state or state.startswith(_UNCLEAR) or problem.severity in _SESSION_ENDS


def _outcome(may_be_committed: bool) -> Outcome:
    return Outcome.UNKNOWN if may_be_committed else Outcome.NOT_APPLIED


def _hint(kind: type[ProviderError], outcome: Outcome) -> str:
    return _MAY_BE_COMMITTED if outcome is Outcome.UNKNOWN else HINTS[kind]


def unconnected(operation: str, problem: str, *, late: bool = False) -> ProviderError:
    """The error where no connection was made, so that nothing was sent.

    libpq tells why in words only.
    """
    kind: type[ProviderError] = TimedOut if late else Unavailable
    hint = "check the settings, name resolution, certificates and the network"
    for pattern, meant in _AT_THE_DOOR:
        if pattern.search(problem):
            kind, hint = meant, HINTS[meant]
    return kind(
        f"{operation} found no connection: {problem}", hint=hint, outcome=Outcome.NOT_APPLIED
    )


def lost(operation: str, problem: str, *, committing: bool) -> ProviderError:
    """The error for a connection that ended without an answer."""
    outcome = _outcome(committing)
    return Unavailable(
        f"the connection of {operation} was lost: {problem}",
        hint=_hint(Unavailable, outcome),
        outcome=outcome,
    )


def unanswered(
    operation: str, problem: str, *, outcome: Outcome, status: int | None = None
) -> ProviderError:
    """The error where somebody between here and the database lost it."""
    return Unavailable(
        f"{operation} was not answered by the database: {problem}",
        hint=_hint(Unavailable, outcome),
        outcome=outcome,
        status=status,
    )


def late(operation: str, timeout_seconds: float, *, committing: bool) -> ProviderError:
    """The error for a call that has no complete answer at its deadline."""
    outcome = _outcome(committing)
    return TimedOut(
        f"{operation} had no complete answer after {timeout_seconds:g} seconds",
        hint=_hint(TimedOut, outcome),
        outcome=outcome,
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
