"""The one table: what R2 or the wire says → our error and its outcome.

    never sent      refused, unresolvable, TLS refused             NOT_APPLIED
    refused         any 4xx, 304                                   NOT_APPLIED
    unclear         5xx, a lost or unusable answer                 reads NOT_APPLIED, writes UNKNOWN

Codes: https://developers.cloudflare.com/r2/api/error-codes/ and, where R2 keeps S3's name,
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from xml.etree import ElementTree as ET

from core_caps.errors import (
    ClientClosed,
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

from cap_cloudflare_r2.translate import seconds_of

__all__ = [
    "Refusal",
    "closed",
    "garbled",
    "lost",
    "refusal_of",
    "refused",
    "timed_out",
    "unreachable",
]

RETRY_AFTER_SECONDS_MAX = 86_400.0
"""A longer Retry-After is not believed: a day is the longest wait that we hand on."""

_BY_CODE: Mapping[str, type[ProviderError]] = {
    "Unauthorized": Unauthenticated,
    "ExpiredRequest": Unauthenticated,
    "ExpiredToken": Unauthenticated,
    "InvalidAccessKeyId": Unauthenticated,
    "InvalidToken": Unauthenticated,
    "SignatureDoesNotMatch": Unauthenticated,
    "AuthorizationHeaderMalformed": Unauthenticated,
    "RequestTimeTooSkewed": Unauthenticated,
    "NoSuchBucket": ContainerNotFound,
    "PreconditionFailed": PreconditionFailed,
    "NoSuchUpload": Conflict,
    "OperationAborted": Conflict,
    "ConditionalRequestConflict": Conflict,
    "SlowDown": RateLimited,
    "TooManyRequests": RateLimited,
    # The service did not receive what was sent: the wire broke it, not the caller.
    "IncompleteBody": Unavailable,
    "ClientDisconnect": Unavailable,
    "RequestTimeout": Unavailable,
    "BadDigest": ProtocolViolation,
    "InvalidDigest": ProtocolViolation,
    "XAmzContentSHA256Mismatch": ProtocolViolation,
}

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    304: PreconditionFailed,  # the condition of a read
    401: Unauthenticated,
    403: PermissionDenied,
    405: ProtocolViolation,
    408: Unavailable,
    409: Conflict,
    412: PreconditionFailed,
    429: RateLimited,
}

_HINTS: Mapping[type[ProviderError], str] = {
    Unauthenticated: "check access_key_id and secret_access_key, and this machine's clock",
    PermissionDenied: "give the R2 API token 'Object Read & Write' on this bucket",
    ContainerNotFound: "check account_id and bucket",
    PreconditionFailed: "read the current etag and decide again",
    ProtocolViolation: "check base_url; see whether the service is really R2",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success.

    Attributes:
        status: the HTTP status; 200 for an error inside a success.
        code: S3's error code, or empty where the body names none (a HEAD has no body).
        message: S3's message, shortened.
        retry_after_seconds: the wait that the service asked for, or None.
    """

    status: int
    code: str = ""
    message: str = ""
    retry_after_seconds: float | None = None


def refusal_of(status: int, headers: Mapping[str, str], body: bytes, *, now: float) -> Refusal:
    """Read an unsuccessful answer; a body that is no S3 error leaves the code empty."""
    code, message = _error_body(body)
    wait = _retry_after(headers.get("retry-after"), now)
    return Refusal(status, code, message, wait)


def refused(refusal: Refusal, *, operation: str, writes: bool) -> ProviderError:
    """The error for an unsuccessful answer."""
    status = refusal.status
    kind = _kind(refusal)
    # S3 may answer 200 and then refuse in the body; a refusal it names is still one.
    named = status == 200 and refusal.code in _BY_CODE and kind is not RateLimited
    unclear = not (300 <= status < 500 or named)
    if kind is ProtocolViolation and 300 <= status < 400:
        said = f"answered with a redirect ({status}), which is never followed"
    else:
        said = f"was refused: {_status(status)}"
    detail = " ".join(filter(None, (refusal.code, refusal.message)))
    return kind(
        f"{operation} {said}" + (f" ({detail})" if detail else ""),
        hint=_HINTS.get(kind, ""),
        outcome=_unclear(writes) if unclear else Outcome.NOT_APPLIED,
        retry_after_seconds=refusal.retry_after_seconds,
        status=status,
    )


def unreachable(reason: object, *, operation: str, address: str) -> ProviderError:
    """The error for a connection that was never made."""
    return Unavailable(
        f"{operation}: {address} cannot be reached: {_reason(reason)}",
        hint="check base_url, the network and, for a certificate, ca_bundle",
        outcome=Outcome.NOT_APPLIED,
    )


def lost(reason: object, *, operation: str, writes: bool) -> ProviderError:
    """The error for a connection that broke after the request may have been sent."""
    return Unavailable(
        f"{operation}: the connection broke: {_reason(reason)}", outcome=_unclear(writes)
    )


def garbled(what: str, *, operation: str, writes: bool, status: int | None = None) -> ProviderError:
    """The error for an answer that the protocol does not allow."""
    return ProtocolViolation(
        f"{operation}: {what}",
        hint=_HINTS[ProtocolViolation],
        outcome=_unclear(writes),
        status=status,
    )


def timed_out(seconds: float, *, operation: str, writes: bool, sent: bool) -> ProviderError:
    """The error for a deadline that passed."""
    return TimedOut(
        f"{operation}: no complete answer within {seconds:g} s",
        hint="raise timeout_seconds, or try again",
        outcome=_unclear(writes and sent),
    )


def closed(*, operation: str, writes: bool = False, sent: bool = False) -> ProviderError:
    """The error for a call on a client that is closed, or that closed under the call."""
    return ClientClosed(
        f"{operation}: the R2 client is not open",
        hint="use it inside its `async with` block",
        outcome=_unclear(writes and sent),
    )


def _kind(refusal: Refusal) -> type[ProviderError]:
    by_code = _BY_CODE.get(refusal.code)
    if refusal.status >= 500:
        return RateLimited if by_code is RateLimited else Unavailable
    if by_code is not None:
        return by_code
    if refusal.status in _BY_STATUS:
        return _BY_STATUS[refusal.status]
    if refusal.status == 404:
        # Where an object may be absent the caller has taken NoSuchKey for None before this.
        return ContainerNotFound if refusal.code else ProtocolViolation
    if 400 <= refusal.status < 500:
        return InvalidArgument
    return Unavailable if refusal.code == "InternalError" else ProtocolViolation


def _unclear(writes: bool) -> Outcome:
    return Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED


def _error_body(body: bytes) -> tuple[str, str]:
    try:
        root = ET.fromstring(body)  # noqa: S314 (expat bounds entity expansion)
    except (ET.ParseError, ValueError, LookupError):
        return "", ""
    if root.tag.rpartition("}")[2] != "Error":
        return "", ""
    found = {child.tag.rpartition("}")[2]: child.text or "" for child in root}
    code = found.get("Code", "").strip()
    message = re.sub(r"\s+", " ", found.get("Message", "")).strip()
    return (code if re.fullmatch(r"\w{1,80}", code) else ""), message[:200]


def _retry_after(text: str | None, now: float) -> float | None:
    """The wait in a Retry-After header: seconds or a date; what is neither is not a wait.

    Source: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        wait = float(text[:12])
    else:
        due = seconds_of(text)
        if due is None:
            return None
        wait = max(0.0, due - now)
    return min(wait, RETRY_AFTER_SECONDS_MAX)


def _status(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _reason(reason: object) -> str:
    """An OS error's own words; nothing in them comes from a request, so no secret is shown."""
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror
    return f"{type(reason).__name__}: {reason}" if isinstance(reason, Exception) else str(reason)
