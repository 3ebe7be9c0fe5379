"""What a request is made of, checked before anything of it is sent."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from core_caps.capabilities.http import KEY_HEADER, TRAVELLING_HEADERS, Response, status_error
from core_caps.errors import InvalidArgument, Outcome, ProtocolViolation

from cap_http.egress import Egress
from cap_http.urls import Url, joined, parsed, shown

__all__ = [
    "Request",
    "check_content",
    "checked_body",
    "checked_digest",
    "followed",
    "headers_of",
    "reading",
    "redirected_too_often",
    "writing",
]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
"""Those that name another place: https://www.rfc-editor.org/rfc/rfc9110#section-15.4"""

HEADERS_BYTES_MAX = 32 * 1024

_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        KEY_HEADER,
    }
)
"""What is said by whoever sends: where a request goes, and where it ends."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")
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
    return _checked(Request(operation, method, parsed(url), _headers(headers)), egress)


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
    named = _headers(headers)
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
    return _broken(request, None, f"more than {redirects_max} times")


def headers_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers that arrived, by name in lower case; what came several times is joined."""
    found: dict[str, str] = {}
    for name, value in pairs:
        below = name.lower()
        between = "\n" if below == "set-cookie" else ", "
        found[below] = f"{found[below]}{between}{value}" if below in found else value
    return found


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
        raise InvalidArgument(f"a body is bytes, not {type(body).__name__}", hint="encode it")
    if len(body) > size_bytes_max:
        raise InvalidArgument(
            f"a body of {len(body)} bytes is larger than the {size_bytes_max} that may be sent",
            hint="send it in parts, or raise `request_size_bytes_max` in the binding",
        )
    return body


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


def _broken(request: Request, status: int | None, how: str) -> ProtocolViolation:
    return ProtocolViolation(
        f"{request.operation} at {request.url.authority} was redirected {how}",
        hint="ask whoever runs the server",
        outcome=Outcome.NOT_APPLIED,
        status=status,
    )


def _checked(request: Request, egress: Egress) -> Request:
    egress.check(request.url)
    return request


def _headers(given: object) -> dict[str, str]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidArgument(f"headers are a mapping, not {type(given).__name__}")
    found: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", given).items():
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidArgument("the name of a header is a text of letters, digits and -")
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            raise InvalidArgument(
                f"the value of the header {name} is not printable ASCII, or has blanks around it",
                hint="encode it",
            )
        if name.lower() in found:
            raise InvalidArgument(f"the header {name} is given twice")
        if name.lower() in _RESERVED:
            raise InvalidArgument(f"the header {name} is not to be given", hint=_instead(name))
        found[name.lower()] = value
    if sum(len(name) + len(value) for name, value in found.items()) > HEADERS_BYTES_MAX:
        raise InvalidArgument(f"the headers have more than {HEADERS_BYTES_MAX} bytes")
    return found


def _instead(name: str) -> str:
    if name.lower() == KEY_HEADER:
        return "give the key as idempotency_key"
    return "leave it away: it is the connection's own"
