"""An origin server over one state: resources, conditions, keys, redirects, echoes.

What it does with each method is what `core_caps.contract.web_site.site` says; where that leaves
something open, RFC 9110 says it. https://www.rfc-editor.org/rfc/rfc9110
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

__all__ = ["FACTORY", "HttpSite"]

_KEY_HEADER: Final = "idempotency-key"
_NUMBER = re.compile(r"/-/(?:status|redirect)/([2-5][0-9][0-9])(?:\?(.*))?", re.DOTALL)
_PLAIN: Final = (("Content-Type", "text/plain"),)


@dataclass(frozen=True, slots=True)
class _Held:
    """A resource: its content and what it is."""

    content: bytes
    kind: str

    @property
    def etag(self) -> str:
        """A strong entity tag: section 8.8.3."""
        return f'"{hashlib.sha1(self.content, usedforsecurity=False).hexdigest()}"'

    def shown(self) -> dict[str, Any]:
        """For the state."""
        digest = hashlib.sha256(self.content).hexdigest()
        return {"size": len(self.content), "sha256": digest, "type": self.kind}


class HttpSite:
    """Every host that is asked, each with resources of its own.

    Args:
        settings: none of them matters to a server.
        secrets: nor does any of these.
        now: time changes nothing here.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._held: dict[str, _Held] = {}
        self._children: dict[str, int] = {}
        self._keyed: dict[str, tuple[str, Response]] = {}

    def scopes(self, request: Request) -> tuple[str, ...]:
        """An origin asks for nothing."""
        del request
        return ()

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        if request.raw_path.startswith("/-/"):
            return _on_demand(request)
        method = _METHODS.get(request.method)
        if method is None:
            return _said(405, "no such method here", ("Allow", ", ".join(_METHODS)))
        place = f"{request.host.lower()}{request.target}"
        key = request.header(_KEY_HEADER)
        if request.method in _READING or not key:
            return method(self, place, request)
        digest = hashlib.sha256(request.body).hexdigest()
        identity = f"{request.method} {place} {digest}"
        if key in self._keyed:
            known, answered = self._keyed[key]
            return answered if known == identity else _said(422, "the key is another request's")
        response = method(self, place, request)
        if response.status < 400:
            self._keyed[key] = identity, response
        return response

    def state(self) -> Mapping[str, Any]:
        """Every resource, how many each had below it, and which keys were used for what."""
        return {
            "resources": {place: self._held[place].shown() for place in sorted(self._held)},
            "children": {place: self._children[place] for place in sorted(self._children)},
            "keys": {key: self._keyed[key][0] for key in sorted(self._keyed)},
        }

    def reset(self) -> None:
        """Forget everything."""
        self._held.clear()
        self._children.clear()
        self._keyed.clear()

    def _get(self, place: str, request: Request) -> Response:
        held = self._held.get(place)
        if held is None:
            return _nothing()
        headers = (("Content-Type", held.kind), ("ETag", held.etag))
        if _listed(request.header("if-none-match"), held):
            return Response(304, headers[1:])
        return Response(200, headers, held.content)

    def _put(self, place: str, request: Request) -> Response:
        held = self._held.get(place)
        if _unmet(request, held):
            return _said(412, "the condition does not hold")
        self._held[place] = _sent(request)
        return Response(201 if held is None else 204)

    def _post(self, place: str, request: Request) -> Response:
        number = self._children.get(place, 0) + 1
        self._children[place] = number
        self._held[f"{place}/{number}"] = _sent(request)
        return Response(201, (("Location", f"{request.target}/{number}"),))

    def _patch(self, place: str, request: Request) -> Response:
        held = self._held.get(place)
        if held is None:
            return _nothing()
        if _unmet(request, held):
            return _said(412, "the condition does not hold")
        self._held[place] = replace(held, content=held.content + request.body)
        return Response(204)

    def _delete(self, place: str, request: Request) -> Response:
        held = self._held.get(place)
        if held is None:
            return _nothing()
        if _unmet(request, held):
            return _said(412, "the condition does not hold")
        del self._held[place]
        return Response(204)


_READING: Final = frozenset({"GET", "HEAD"})
_METHODS: Final[Mapping[str, Callable[[HttpSite, str, Request], Response]]] = {
    "GET": HttpSite._get,  # pyright: ignore[reportPrivateUsage]
    "HEAD": HttpSite._get,  # pyright: ignore[reportPrivateUsage]
    "PUT": HttpSite._put,  # pyright: ignore[reportPrivateUsage]
    "POST": HttpSite._post,  # pyright: ignore[reportPrivateUsage]
    "PATCH": HttpSite._patch,  # pyright: ignore[reportPrivateUsage]
    "DELETE": HttpSite._delete,  # pyright: ignore[reportPrivateUsage]
}


def _on_demand(request: Request) -> Response:
    """What is answered as it is asked for; nothing changes."""
    if request.target == "/-/echo":
        return _echo(request)
    found = _NUMBER.fullmatch(request.target)
    if found is None:
        return _nothing()
    status, (name, _, value) = int(found[1]), (found[2] or "").partition("=")
    headers: tuple[tuple[str, str], ...] = ()
    for asked, header in (("retry-after", "Retry-After"), ("to", "Location")):
        if name == asked and "\n" not in unquote(value) and "\r" not in unquote(value):
            headers = ((header, unquote(value)),)
    return Response(status, headers, f"this is a {status}\n".encode())


def _echo(request: Request) -> Response:
    lines = sorted(f"{name}: {value}" for name, value in request.headers)
    head = "\n".join([f"{request.method} {request.target}", *lines])
    return Response(200, _PLAIN, head.encode("latin-1", "replace") + b"\n\n" + request.body)


def _sent(request: Request) -> _Held:
    return _Held(request.body, request.header("content-type") or "application/octet-stream")


def _unmet(request: Request, held: _Held | None) -> bool:
    """Whether a condition forbids the write: section 13.2.2."""
    wanted, unwanted = request.header("if-match"), request.header("if-none-match")
    if wanted is not None and (held is None or not _listed(wanted, held)):
        return True
    return held is not None and _listed(unwanted, held)


def _listed(tags: str | None, held: _Held) -> bool:
    given = [tag.strip() for tag in (tags or "").split(",")]
    return "*" in given or held.etag in given


def _nothing() -> Response:
    return _said(404, "nothing is here")


def _said(status: int, text: str, *headers: tuple[str, str]) -> Response:
    return Response(status, (*_PLAIN, *headers), f"{text}\n".encode())


def _failure(status: int) -> Response:
    """A server documents no error answer of its own: the status is all that counts."""
    return Response(status, _PLAIN, f"failed with {status}\n".encode())


FACTORY = ReferenceFactory("http", HttpSite, _failure)
