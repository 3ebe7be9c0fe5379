"""The mock's site: resources in memory, as `core_caps.contract.web_site.site` has them.

GET and HEAD give what PUT, POST and PATCH left there, DELETE removes it; each resource has an ETag,
which `if-none-match` and `if-match` are compared with. POST makes a resource below its URL. What
comes again under an idempotency key is answered as it was. Below `/-/` statuses, redirects and
echoes can be had for the asking.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qs

from core_caps.capabilities.http import KEY_HEADER

from cap_http.requests import Request
from cap_http.routes import Declared
from cap_http.urls import Url

__all__ = ["Site"]

_BELOW = re.compile(r"/-/(status|redirect|echo)(?:/([2-5][0-9]{2}))?(?:\?(.*))?", re.DOTALL)
_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class _Resource:
    body: bytes
    type: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    @property
    def headers(self) -> dict[str, str]:
        return {"content-type": self.type, "etag": self.etag}


_Asked = tuple[str, Url, bytes | None]


@dataclass(slots=True)
class Site:
    """What stands where, how much was made below each URL, and what was said under each key."""

    resources: dict[Url, _Resource] = field(default_factory=dict[Url, _Resource])
    made: Counter[Url] = field(default_factory=Counter[Url])
    keyed: dict[str, tuple[_Asked, Declared]] = field(
        default_factory=dict[str, tuple[_Asked, Declared]]
    )

    def answer(self, request: Request) -> Declared:
        """Apply a request and answer it."""
        below = _BELOW.fullmatch(request.url.target)
        if below is not None:
            return _on_demand(request, below)
        if not request.writes:
            return self._read(request)
        key = request.headers.get(KEY_HEADER, "")
        asked = request.method, request.url, request.body
        if key in self.keyed:
            known, answer = self.keyed[key]
            return answer if known == asked else _said(422, "this key was another request's\n")
        answer = self._write(request)
        if key and answer.status < 400:
            self.keyed[key] = asked, answer
        return answer

    def _read(self, request: Request) -> Declared:
        found = self.resources.get(request.url)
        if found is None:
            return _absent()
        if _matches(request.headers.get("if-none-match"), found):
            return Declared(304, {"etag": found.etag})
        return Declared(200, found.headers, found.body)

    def _write(self, request: Request) -> Declared:
        url, body = request.url, request.body or b""
        kind = request.headers.get("content-type", _OCTETS)
        found = self.resources.get(url)
        if not _may_write(request.headers, found):
            return _said(412, "something else is here\n")
        match request.method:
            case "PUT":
                self.resources[url] = _Resource(body, kind)
                return Declared(201 if found is None else 204)
            case "POST":
                self.made[url] += 1
                below = f"{url.target}/{self.made[url]}"
                self.resources[replace(url, target=below)] = _Resource(body, kind)
                return Declared(201, {"location": below})
            case _ if found is None:
                return _absent()
            case "PATCH":
                self.resources[url] = _Resource(found.body + body, found.type)
            case _:
                del self.resources[url]
        return Declared(204)


def _on_demand(request: Request, below: re.Match[str]) -> Declared:
    what, number, query = below.groups()
    fields = parse_qs(query or "", keep_blank_values=True)
    if what == "echo":
        return _echo(request)
    if number is None:
        return _absent()
    name, field_name = ("retry-after", "retry-after") if what == "status" else ("location", "to")
    headers = {name: fields[field_name][0]} if field_name in fields else {}
    body = b"" if number in ("204", "304") else f"status {number}\n".encode()
    return Declared(int(number), headers, body)


def _echo(request: Request) -> Declared:
    sent = {"host": request.url.authority, **request.headers}
    if request.body is not None:
        sent["content-length"] = str(len(request.body))
    lines = [f"{request.method} {request.url.target}"]
    lines += [f"{name}: {sent[name]}" for name in sorted(sent)]
    head = "\n".join(lines).encode()
    return Declared(200, {"content-type": "text/plain"}, head + b"\n\n" + (request.body or b""))


def _may_write(headers: Mapping[str, str], found: _Resource | None) -> bool:
    """Whether the conditions hold: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2"""
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted is not None and (found is None or not _matches(wanted, found)):
        return False
    return unwanted is None or found is None or not _matches(unwanted, found)


def _matches(header: str | None, found: _Resource) -> bool:
    if header is None:
        return False
    return header.strip() == "*" or found.etag in [each.strip() for each in header.split(",")]


def _absent() -> Declared:
    return _said(404, "nothing is here\n")


def _said(status: int, text: str) -> Declared:
    return Declared(status, {"content-type": "text/plain"}, text.encode())
