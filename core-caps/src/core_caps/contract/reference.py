"""The shape of a reference server: a request in, a response out, a state to look at.

A reference is a vendor's protocol as a state machine. It holds no sockets and no clock of its own,
so a fault server can commit a request and withhold its answer, or answer without committing, and
digest the state before and after. A plugin whose wire nobody else speaks brings its own and names
it in the manifest (`reference = "cap_mail.testing:Reference"`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable
from urllib.parse import parse_qsl, unquote

__all__ = ["MakeReference", "OwnReference", "Reference", "Request", "Response", "Scoped"]


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


@runtime_checkable
class Scoped(Protocol):
    """What a reference may tell besides: which of the vendor's permissions a request needs.

    Without it nobody can say whether the `scopes` of a backend are the least that do.
    """

    def scopes(self, request: Request) -> Sequence[str] | None:
        """The permissions any one of which suffices, as the vendor calls them, the least first;
        none where a valid credential is enough, None where that is not known. It looks at no
        state and changes none."""
        ...


class OwnReference(Reference, Protocol):
    """A reference that a plugin brings for its own wire."""

    def failure(self, status: int) -> Response:
        """The vendor's documented error answer for a status; it looks at no state."""
        ...


MakeReference = Callable[[Mapping[str, Any], Mapping[str, str], Callable[[], float]], OwnReference]
"""What the manifest names: `(settings, secrets, now) → OwnReference`.

`settings` are the backend's example settings, `secrets` the made-up credentials that the plugin is
given, both by the names of its manifest; `now()` is seconds since 1970.
"""
