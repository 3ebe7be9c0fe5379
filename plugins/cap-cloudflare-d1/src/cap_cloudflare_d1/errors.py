"""The one table: what the service said → our error class; the outcomes are core_caps.http's.

What SQLite itself refuses ends with the name of its code and was not applied: a batch is undone
with its first failing statement. Codes of the API:
https://developers.cloudflare.com/d1/observability/debug-d1/ and its answers.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)
from core_caps.http.envelope import GATEWAY_CODES, refusal
from core_caps.http.failures import BY_STATUS, Failures, Refusal

__all__ = ["FAILURES", "is_taken", "refused_by_sqlite"]

_SQLITE = re.compile(r": SQLITE_([A-Z]+)(?: \(extended: \w+\))?(?: \[\d+\])?\Z")
_TAKEN = re.compile(r"(?:D1_ERROR: )?UNIQUE constraint failed: _flows_keys\.key\b")
_OVERLOADED = "D1 DB is overloaded"

_BY_SQLITE: Mapping[str, type[ProviderError]] = MappingProxyType(
    {
        "CONSTRAINT": Conflict,
        "BUSY": Unavailable,
        "LOCKED": Unavailable,
        "FULL": Unavailable,
        "INTERRUPT": Unavailable,
        "AUTH": InvalidArgument,
        "ERROR": InvalidArgument,
        "MISMATCH": InvalidArgument,
        "MISUSE": InvalidArgument,
        "RANGE": InvalidArgument,
        "TOOBIG": InvalidArgument,
    }
)
"""What SQLite refuses before anything is kept; a damaged disk is none of it.
https://www.sqlite.org/rescode.html"""

_HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        Unauthenticated: "check the secret api_token: missing, mistyped or expired",
        PermissionDenied: "grant the token the scope 'D1 Edit', and check account_id",
        ContainerNotFound: "check account_id, database_id (not the database's name) and base_url",
        InvalidArgument: "correct the statement; D1 tells what it runs: "
        "https://developers.cloudflare.com/d1/sql-api/sql-statements/",
        Conflict: "read what is there and decide again",
        PreconditionFailed: "the API documents no conditions; check base_url",
        RateLimited: "wait, or wrap the provider in core_caps.retrying",
        Unavailable: "read what is there, or repeat what has a key: it is applied once",
        ProtocolViolation: "check base_url, and whatever stands between here and the service",
    }
)


def refused_by_sqlite(text: str, hint: str = "") -> ProviderError:
    """The error for what SQLite says, its code's name at the end; nothing was applied."""
    kind = _certain(Refusal((), text)) or InvalidArgument
    return kind(text, hint=hint or _HINTS[kind], outcome=InvalidArgument.default_outcome)


def is_taken(status: int, refusal: Refusal) -> bool:
    """Whether a batch was undone because its key was used before."""
    return _TAKEN.match(refusal.detail) is not None


def _certain(refusal: Refusal) -> type[ProviderError] | None:
    if _OVERLOADED in refusal.detail:
        return RateLimited
    found = _SQLITE.search(refusal.detail)
    return _BY_SQLITE.get(found[1]) if found else None


FAILURES = Failures(
    refusal,
    hints=_HINTS,
    by_status=BY_STATUS,
    by_code={
        **GATEWAY_CODES,
        7400: InvalidArgument,  # the request is not what the API documents
        7403: PermissionDenied,  # the account is not valid, or not for this token
        7404: ContainerNotFound,  # the database could not be found
        7500: InvalidArgument,  # the statement fails
    },
    certain=_certain,
)
