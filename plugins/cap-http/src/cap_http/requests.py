"""What a request is made of, checked before anything of it is sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core_caps.capabilities.http import KEY_HEADER, TRAVELLING_HEADERS, Response, status_error
from core_caps.errors import InvalidArgument, Outcome, ProtocolViolation

from cap_http.egress import Egress
from cap_http.headers import given_headers
from cap_http.urls import Url, joined, parsed, shown

__all__ = [
    "Request",
    "check_content",
    "checked_body",
    "checked_digest",
    "followed",
    "reading",
    "redirected_too_often",
    "writing",
]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Those that name another place: https://www.rfc-editor.org/rfc/rfc9110#section-15.4"""

_KEY = re.compile(r"[!-~]*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Request:
    """A request that may be sent.

    Attributes:
        operation: the operation's name, for errors.
        method: the HTTP method.
        url: where it goes.
        headers: those that the caller gave and the key's, by name in lower case.
        body: its content; None is none at all.
    """

    operation: str
    method: str
    url: Url
    headers: Mapping[str, str]
    body: bytes | None = None

    @property
    def writes(self) -> bool:
        """Whether the server may change something."""
        return self.method not in ("GET", "HEAD")


def reading(operation: str, method: str, url: object, headers: object, egress: Egress) -> Request:
    """A request that only reads.

    Raises:
        InvalidArgument: it is no URL, or no header; NOT_APPLIED.
        EgressRefused: the host is not allowed; NOT_APPLIED.
    """
    return _checked(Request(operation, method, parsed(url), given_headers(headers)), egress)


def writing(
    operation: str,
    method: str,
    url: object,
    headers: object,
    idempotency_key: object,
    egress: Egress,
    body: bytes | None = None,
) -> Request:
    """A request that may write; a body of None is none at all.

    Raises:
        InvalidArgument: it is no URL, header or key; NOT_APPLIED.
        EgressRefused: the host is not allowed; NOT_APPLIED.
    """
    if not isinstance(idempotency_key, str) or not _KEY.fullmatch(idempotency_key):
        raise InvalidArgument(
            "an idempotency key is a text of visible ASCII",
            hint="give str(core_caps.idempotency_key(…)), or hash the key",
        )
    named = given_headers(headers)
    if idempotency_key:
        named[KEY_HEADER] = idempotency_key
    return _checked(Request(operation, method, parsed(url), named, body), egress)


def followed(request: Request, answer: Response, egress: Egress) -> Request | None:
    """The request that a redirect leads to, or None where the answer is one to give.

    Raises:
        EgressRefused: it leads where the binding does not allow.
        ProtocolViolation: it leads to no URL.
    """
    location = answer.headers.get("location")
    if request.writes or answer.status not in REDIRECTS or location is None:
        return None
    try:
        url = joined(request.url, location)
    except InvalidArgument:
        what = f"to {shown(location)!r}, which is no URL"
        raise _broken(request, answer.status, what) from None
    egress.check_redirect(request.url, url)
    kept = request.headers
    if url.origin != request.url.origin:
        kept = {name: value for name, value in kept.items() if name in TRAVELLING_HEADERS}
    return replace(request, url=url, headers=kept)


def redirected_too_often(request: Request, redirects_max: int) -> ProtocolViolation:
    """The error for redirects without an end."""
    return _broken(
        request,
        None,
        f"more than {redirects_max} times",
        "ask for where they lead directly, or raise `redirects_max` in the binding",
    )


def check_content(request: Request, answer: Response) -> None:
    """Refuse an answer that is not the content which was asked for, or the range of it.

    Raises:
        ProviderError: what its status says.
    """
    if answer.status == 200 or (answer.status == 206 and "range" in request.headers):
        return
    raise status_error(
        answer.status,
        answer.method,
        answer.url,
        retry_after_seconds=answer.retry_after_seconds,
    )


def checked_body(body: object, size_bytes_max: int) -> bytes:
    """The content of a request.

    Raises:
        InvalidArgument: it is no bytes, or more of them than may be sent.
    """
    if not isinstance(body, bytes):
        raise InvalidArgument(f"a body is bytes, not {type(body).__name__}", hint=_as_bytes(body))
    if len(body) > size_bytes_max:
        raise InvalidArgument(
            f"a body of {len(body)} bytes is larger than the {size_bytes_max} that may be sent",
            hint="send it in parts, or raise `request_size_bytes_max` in the binding",
        )
    return body


def _as_bytes(body: object) -> str:
    match body:
        case str():
            return "give text.encode()"
        case bytearray() | memoryview():
            return "give bytes(…) of it, which nobody changes meanwhile"
        case None:
            return 'give b"" for an empty body'
        case _:
            return "give json.dumps(…).encode(), say, and its `content-type`"


def checked_digest(digest: object) -> str:
    """The digest.

    Raises:
        InvalidArgument: it is not `sha256:` and 64 hexadecimal digits in lower case.
    """
    if isinstance(digest, str) and _DIGEST.fullmatch(digest):
        return digest
    raise InvalidArgument(
        "this is no content digest", hint="write 'sha256:' and 64 hexadecimal digits in lower case"
    )


def _broken(
    request: Request, status: int | None, how: str, hint: str = "ask whoever runs the server"
) -> ProtocolViolation:
    return ProtocolViolation(
        f"{request.operation} at {request.url.authority} was redirected {how}",
        hint=hint,
        outcome=Outcome.NOT_APPLIED,
        status=status,
    )


def _checked(request: Request, egress: Egress) -> Request:
    egress.check(request.url)
    return request
