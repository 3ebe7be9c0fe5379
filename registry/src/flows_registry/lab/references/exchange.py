"""The shape of a reference server: a request in, a response out, a state to look at.

A reference holds no sockets and no clock of its own, so the fault server can commit a request and
withhold its answer, or answer without committing, and digest the state before and after.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote

__all__ = ["Reference", "ReferenceFactory", "Request", "Response"]


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request, whole.

    Attributes:
        method: upper case.
        host: the Host header, or the SNI name where there is none; without port.
        target: path and query exactly as sent.
        headers: as sent, in order, names in lower case.
        body: the content, transfer encoding already removed.
        scheme: "https" or "http".
    """

    method: str
    host: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    scheme: str = "https"

    def header(self, name: str) -> str | None:
        """The first header of that lower-case name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def raw_path(self) -> str:
        """The path as sent, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def path(self) -> str:
        """The path, decoded."""
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        """The query, decoded; of repeated names the last."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response, whole. The server adds Content-Length and Connection.

    Attributes:
        status: the status code.
        headers: in order.
        body: the content; for HEAD the content that GET would have.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Reference(Protocol):
    """One vendor's protocol over one state.

    It answers as the vendor documents, authentication and limits included, and repeats itself:
    the same requests at the same times give the same bytes.
    """

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it. Never raises: what it does not know is a 4xx."""
        ...

    def state(self) -> Mapping[str, Any]:
        """The whole state as JSON-shaped data with sorted, stable content; reads change nothing."""
        ...

    def reset(self) -> None:
        """Back to the empty state."""
        ...


@dataclass(frozen=True, slots=True)
class ReferenceFactory:
    """How to make one reference.

    Attributes:
        wire: the name that manifests use.
        create: `(settings, secrets, now) → Reference`; `settings` are the backend's example
            settings and defaults, `secrets` the canary credentials the plugin was given, both by
            the names of its manifest; `now()` is seconds since 1970.
        failure: the vendor's documented error answer for a status: `(status) → Response`, used
            where a fault answers with a status of its own.
    """

    wire: str
    create: Callable[[Mapping[str, Any], Mapping[str, str], Callable[[], float]], Reference]
    failure: Callable[[int], Response]
