"""Declared answers: what the mock says of a request, whatever stands in its site.

    {
      "GET https://api.example.com/rates?day=1": {"status": 200, "body": "{\"usd\": 1.07}",
        "headers": {"content-type": "application/json"}},
      "POST https://api.example.com/orders": [{"status": 503, "headers": {"retry-after": "2"}},
        {"status": 201}]
    }

A route is a method and a whole URL. Of several answers each is given once, in order, and the last
one again and again. Content that is no text is given as `body_base64`.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import cast

from core_caps.errors import InvalidArgument

from cap_http.headers import checked_header, headers_of
from cap_http.urls import parsed

__all__ = ["Declared", "Routes", "routes_of"]

_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"})
_FIELDS = frozenset({"status", "headers", "body", "body_base64"})


@dataclass(frozen=True, slots=True)
class Declared:
    """One declared answer; `headers` are by name in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


Routes = Mapping[tuple[str, str], Sequence[Declared]]
"""(method, URL) → answers, in order."""


def routes_of(text: str) -> Routes:
    """The routes of a setting; "" has none.

    Raises:
        ValueError: it is no JSON, or an entry has another form; the text says which.
    """
    if not text:
        return MappingProxyType({})
    try:
        given = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as problem:
        raise ValueError(f"it is no JSON: {problem}") from None
    return MappingProxyType(
        {_route(name): _answers(name, answers) for name, answers in _object(given, "it").items()}
    )


def _route(name: str) -> tuple[str, str]:
    method, _, url = name.partition(" ")
    if method not in _METHODS:
        methods = ", ".join(sorted(_METHODS))
        raise ValueError(f"{name!r} does not begin with one of {methods} and a space")
    try:
        return method, str(parsed(url))
    except InvalidArgument as problem:
        raise ValueError(f"{name!r}: {problem.message}") from None


def _answers(name: str, given: object) -> Sequence[Declared]:
    several = cast("list[object]", given) if isinstance(given, list) else [given]
    if not several:
        raise ValueError(f"{name!r} has no answer")
    return tuple(_answer(name, each) for each in several)


def _answer(name: str, given: object) -> Declared:
    fields = _object(given, f"an answer of {name!r}")
    if unknown := sorted(fields.keys() - _FIELDS):
        raise ValueError(f"an answer of {name!r} has unknown fields: {', '.join(unknown)}")
    status = fields.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"an answer of {name!r} has a status that is none of 200 to 599")
    headers = _object(fields.get("headers", {}), f"the headers of {name!r}")
    try:
        pairs = [checked_header(each, value) for each, value in headers.items()]
    except InvalidArgument as problem:
        raise ValueError(f"{name!r}: {problem.message}") from None
    return Declared(status, headers_of(pairs), _body(name, fields))


def _body(name: str, fields: Mapping[str, object]) -> bytes:
    text, coded = fields.get("body", ""), fields.get("body_base64", "")
    if not isinstance(text, str) or not isinstance(coded, str) or (text and coded):
        raise ValueError(f"the body of {name!r} is one text, or one base64")
    try:
        return text.encode() if text else base64.b64decode(coded, validate=True)
    except ValueError as problem:
        raise ValueError(f"the body of {name!r}: {problem}") from None


def _object(given: object, what: str) -> Mapping[str, object]:
    if not isinstance(given, dict):
        raise ValueError(f"{what} is no object")
    return cast("dict[str, object]", given)
