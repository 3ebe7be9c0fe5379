"""Http: requests to the hosts that a deployment allows, each with its whole, bounded answer.

What a server answers is an answer, whatever its status: `get` of something absent gives a Response
with status 404, and `response.raise_for_status()` makes an error of it. Errors are raised where no
whole answer came (Unavailable, TimedOut, ProtocolViolation), and where nothing was sent at all: a
host that is not allowed (EgressRefused), an argument that is no URL or header (InvalidArgument).
Only `get_pinned` and `open`, whose result has no place for a status, raise what a status says.

Nothing is ever repeated. Reads follow redirects, a few, to allowed hosts, never from https to http,
and take along to another origin only what says how an answer is wanted; writes follow none.

`HttpReader` and `HttpWriter` are the two halves a flow may be limited to.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, Self

from core_caps.claims.operation import Repeat, capability, operation
from core_caps.errors import (
    Conflict,
    InvalidArgument,
    ObjectAbsent,
    Outcome,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

__all__ = [
    "KEY_HEADER",
    "TRAVELLING_HEADERS",
    "Http",
    "HttpReader",
    "HttpWriter",
    "Response",
    "status_error",
]

KEY_HEADER = "idempotency-key"
"""The header in which the key of a write travels.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ puts it in quotes; the
services that know the header (Stripe and Adyen, say) want it bare, and so it is sent.
"""

TRAVELLING_HEADERS = frozenset(
    {
        "accept",
        "accept-language",
        "cache-control",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
        "user-agent",
    }
)
"""What a redirect takes along to another origin: how an answer is wanted, and which.

Any other header may be a credential under a name of its own, and stays with the origin (scheme,
host and port) that it was given for. A condition left behind would make another answer of it.
"""

_READING = frozenset({"GET", "HEAD"})

_KINDS: Mapping[int, type[ProviderError]] = MappingProxyType(
    {
        400: InvalidArgument,
        401: Unauthenticated,
        402: PermissionDenied,
        403: PermissionDenied,
        404: ObjectAbsent,
        408: Unavailable,
        409: Conflict,
        410: ObjectAbsent,
        412: PreconditionFailed,
        413: InvalidArgument,
        414: InvalidArgument,
        415: InvalidArgument,
        421: Unavailable,
        422: InvalidArgument,
        425: Unavailable,
        428: PreconditionFailed,
        429: RateLimited,
        431: InvalidArgument,
    }
)
"""What a refusal says by its status alone; any other 4xx is a ProtocolViolation."""

_QUERY = re.compile(r"[?#].*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered.

    Attributes:
        status: the status code, 200 to 599.
        headers: by name in lower case. What came several times is joined by ", ", and `set-cookie`,
            which cannot be joined so, by line ends.
        body: the whole content, its coding undone; b"" in answer to `head`.
        url: where it came from, after redirects.
        method: of the request that it answers.
        retry_after_seconds: the wait that the server asked for, counted from its arrival, or None.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    url: str = ""
    method: str = "GET"
    retry_after_seconds: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked, 200 to 299."""
        return 200 <= self.status < 300

    def raise_for_status(self) -> Self:
        """The response itself, if it is `ok`.

        Raises:
            ProviderError: it is not: ObjectAbsent for 404 and 410, RateLimited for 429,
                Unavailable for 5xx and so on, with outcome and retry_after_seconds. A write that
                met a 3xx or 5xx may have been applied: UNKNOWN.
        """
        if self.ok:
            return self
        raise status_error(
            self.status, self.method, self.url, retry_after_seconds=self.retry_after_seconds
        )


def status_error(
    status: int, method: str, url: str, *, retry_after_seconds: float | None = None
) -> ProviderError:
    """The error that a status other than a success says; the URL is shown without its query."""
    refused = 400 <= status < 500 or method in _READING
    kind = Unavailable if status >= 500 else _KINDS.get(status, ProtocolViolation)
    return kind(
        f"{method} {_QUERY.sub('', url)} was answered with status {status}",
        hint=_hint(kind, method, status),
        outcome=Outcome.NOT_APPLIED if refused else Outcome.UNKNOWN,
        retry_after_seconds=retry_after_seconds,
        status=status,
    )


def _hint(kind: type[ProviderError], method: str, status: int) -> str:
    if status == 304:
        return "nothing changed: use what came with the etag or date that was sent"
    if 300 <= status < 400 and method in _READING:
        return "read where `location` says, if it does, or have the binding follow redirects"
    if 300 <= status < 400:
        return "a write is not redirected: make it again where `location` says, if it is to be"
    if kind is ProtocolViolation:
        return "see what the server documents of this status"
    return _HINTS.get(kind, "")


_HINTS: Mapping[type[ProviderError], str] = MappingProxyType(
    {
        InvalidArgument: "correct what was sent; a repeat is answered the same",
        Unauthenticated: "give a credential that the server accepts, in `authorization`",
        PermissionDenied: "ask whoever runs the server for the permission",
        ObjectAbsent: "nothing is there: check the URL",
        Conflict: "read what is there now and decide anew",
        PreconditionFailed: "read what is there now and decide anew",
        RateLimited: "wait for retry_after_seconds, or send less",
        Unavailable: "wait and repeat; if the outcome is UNKNOWN, under the same idempotency key",
    }
)


class HttpReader(Protocol):
    """The half of Http that asks a server to change nothing: GET and HEAD."""

    @operation("resource::http::read")
    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """What is at the URL; any status is an answer.

        Args:
            url: `https://host/path?query`, percent-encoded, without user or fragment.
            headers: more headers, by name. Those of the connection itself are not to be given; of
                the others a redirect takes only TRAVELLING_HEADERS to another origin.

        Raises:
            EgressRefused: the host, or one that it redirects to, is not allowed.
            InvalidArgument: it is no URL, or no header.
            ProtocolViolation: the answer is broken, too long, or redirects without an end.
        """
        ...

    @operation("resource::http::read")
    async def head(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response:
        """What `get` would answer, without the content."""
        ...

    @operation("resource::http::read", streams=True)
    def open(self, url: str, *, headers: Mapping[str, str] | None = None) -> AsyncIterator[bytes]:
        """The content at the URL as a stream of chunks in bounded memory.

        Leaving the loop early, or closing the iterator, frees the connection.

        Raises:
            ObjectAbsent: nothing is there (404, 410).
            ProviderError: any other status but 200, and 206 where a `range` was asked for, as
                `raise_for_status` has it.
            ProtocolViolation: the stream ended early or is too long; raised where that shows, so
                act on the bytes only once the loop has finished.
        """
        ...

    @operation("resource::http::read::pinned")
    async def get_pinned(self, url: str, digest: str) -> bytes | None:
        """The content at the URL, which must have this digest: the pinned read. None is absent.

        Whatever else stands there by then is refused, so the same call gives the same bytes or an
        error, for ever.

        Args:
            url: where the content is.
            digest: `sha256:` and 64 hexadecimal digits, of the content with its coding undone.

        Raises:
            InvalidArgument: the URL or the digest has another form.
            ProtocolViolation: the bytes that arrived have another digest.
            ProviderError: any other status but 200, 404 and 410, as `raise_for_status` has it.
        """
        ...


class HttpWriter(Protocol):
    """The half of Http that may change something. A redirect is an answer and is not followed.

    PUT and DELETE made twice are made once, as RFC 9110 section 9.2.2 defines them. POST and PATCH
    are not: give the idempotency key that was derived for the piece of work (`core_caps.keys`),
    which travels in the header `Idempotency-Key`; whether the server knows a repeat by it is the
    server's to say.
    """

    @operation("resource::http::write", repeat=Repeat.KEYED, key="idempotency_key", travels=True)
    async def post(
        self,
        url: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have the content processed by what is at the URL; any status is an answer.

        Args:
            url: as in `get`.
            body: the content; say what it is in `content-type`.
            headers: more headers, by name.
            idempotency_key: the key of this piece of work, visible ASCII, or "" for none.

        Raises:
            EgressRefused: the host is not allowed; NOT_APPLIED.
            InvalidArgument: it is no URL, header or key; NOT_APPLIED.
            ProtocolViolation: the answer is broken or too long; UNKNOWN.
        """
        ...

    @operation("resource::http::write")
    async def put(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have the content stand at the URL; any status is an answer."""
        ...

    @operation("resource::http::write", repeat=Repeat.KEYED, key="idempotency_key", travels=True)
    async def patch(
        self,
        url: str,
        body: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Change what is at the URL as the content says; any status is an answer."""
        ...

    @operation("resource::http::write")
    async def delete(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        idempotency_key: str = "",
    ) -> Response:
        """Have nothing stand at the URL; any status is an answer, 404 of a repeat too."""
        ...


@capability("http", version=1)
class Http(HttpReader, HttpWriter, Protocol):
    """The web, as far as a deployment allows it."""
