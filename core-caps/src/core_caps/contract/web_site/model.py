"""What the site would answer: histories, a sequential model, and what may be compared."""

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple, cast

from core_caps.capabilities.http import Response
from core_caps.contract.suite import Call
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import NOTHING, SECOND, SITE
from core_caps.errors import ObjectAbsent, ProtocolViolation

__all__ = ["SiteModel", "answered", "comparable", "generate", "read_back"]

_URLS = (f"{SITE}/a", f"{SITE}/a/b", f"{SITE}/%C3%A9%252F?x=1", f"{SECOND}/a")
_BODIES = (b"", b"v", b"value", bytes(range(256)), b"x" * 5000)
_TYPES = ("text/plain", "application/octet-stream")
_KEYS = ("", "", "first", "second")
_COMPARED = ("content-type", "location")


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over four URLs, with empty, binary and long contents, and keys used again."""
    weights = {"get": 4, "head": 1, "open": 1, "get_pinned": 1}
    weights |= {"put": 5, "post": 3, "patch": 2, "delete": 2}
    names = [name for name in weights if name in operations]
    chosen = source.choices(names, [weights[name] for name in names], k=length)
    return [_call(source, name) for name in chosen]


class _Held(NamedTuple):
    body: bytes
    type: str


class SiteModel:
    """A dictionary of resources by URL, and the answers that were given under a key."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._made: Counter[str] = Counter()
        self._keyed: dict[str, tuple[object, object]] = {}

    def apply(self, call: Call) -> object:
        """The comparable result of a call.

        Raises:
            ObjectAbsent: a stream of what is absent.
            ProtocolViolation: a pinned content is another by now.
        """
        url, body = cast("str", call.args[0]), call.args[1] if len(call.args) > 1 else b""
        match call.operation:
            case "open":
                return self._open(url)
            case "get_pinned":
                return self._pinned(url, cast("str", body))
            case "get" | "head":
                return self._read(url, call.operation.upper())
            case _:
                return self._write(call, url, cast("bytes", body))

    def state(self) -> object:
        """The resources by URL, content and type, and how many were made below each."""
        held = {url: tuple(held) for url, held in sorted(self._held.items())}
        return {"held": held, "made": dict(sorted(self._made.items()))}

    def _open(self, url: str) -> bytes:
        if url not in self._held:
            raise ObjectAbsent(url)
        return self._held[url].body

    def _pinned(self, url: str, digest: str) -> bytes | None:
        held = self._held.get(url)
        if held is not None and digest_of(held.body) != digest:
            raise ProtocolViolation("another content")
        return None if held is None else held.body

    def _read(self, url: str, method: str) -> object:
        held = self._held.get(url)
        if held is None:
            return _answer(404, method, url, NOTHING)
        return _answer(200, method, url, b"" if method == "HEAD" else held.body, held.type)

    def _write(self, call: Call, url: str, body: bytes) -> object:
        key = cast("str", call.kwargs.get("idempotency_key", ""))
        given = call.operation, url, body
        if key in self._keyed:
            known, answer = self._keyed[key]
            return answer if known == given else _answer(422, call.operation.upper(), url)
        status, answer = self._written(call.operation, url, body, _type_of(call))
        if key and status < 400:
            self._keyed[key] = given, answer
        return answer

    def _written(self, operation: str, url: str, body: bytes, kind: str) -> tuple[int, object]:
        held, method, location = self._held.get(url), operation.upper(), ""
        match operation:
            case "put":
                status = 201 if held is None else 204
                self._held[url] = _Held(body, kind)
            case "post":
                self._made[url] += 1
                made = f"{url}/{self._made[url]}"
                status, location = 201, made.removeprefix(SITE).removeprefix(SECOND)
                self._held[made] = _Held(body, kind)
            case "patch" if held is not None:
                status = 204
                self._held[url] = held._replace(body=held.body + body)
            case _:
                status = 404 if held is None else 204
                self._held.pop(url, None)
        return status, _answer(status, method, url, b"", "", location)


def comparable(call: Call, result: object) -> object:
    """An answer without the headers in which honest servers differ; of errors, without content."""
    if not isinstance(result, Response):
        return result
    kept = [result.headers.get(name, "") if result.ok else "" for name in _COMPARED]
    # What writes are answered with is said by status and location.
    said = result.body if result.method in ("GET", "HEAD") else b""
    return _answer(result.status, result.method, result.url, said, *kept)


def answered(call: Call, result: object) -> int | None:
    """The status that a result tells: whatever it was, nobody was told anything else.

    A stream is of a 200 alone, whoever sent it.
    """
    if isinstance(result, Response):
        return result.status
    return 200 if call.operation == "open" else None


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Every URL that the calls name, and what may have been made below it."""
    urls = dict.fromkeys(cast("str", call.args[0]) for call in calls if call.args)
    posts = Counter(call.args[0] for call in calls if call.operation == "post")
    below = [f"{url}/{number + 1}" for url, count in posts.items() for number in range(count)]
    return [Call("get", (url,)) for url in (*urls, *below)]


def _answer(
    status: int, method: str, url: str, body: bytes = b"", kind: str = "", location: str = ""
) -> object:
    if status == 404 and method != "GET":
        body = b""
    return {
        "status": status,
        "method": method,
        "url": url,
        "body": body if len(body) < 1000 else hashlib.sha256(body).hexdigest(),
        "type": kind,
        "location": location,
    }


def _type_of(call: Call) -> str:
    headers = cast("Mapping[str, str]", call.kwargs.get("headers") or {})
    return headers.get("content-type", "application/octet-stream")


def _call(source: random.Random, name: str) -> Call:
    url = source.choice(_URLS)
    if name == "get_pinned":
        return Call(name, (url, digest_of(source.choice(_BODIES))))
    if name in ("get", "head", "open"):
        return Call(name, (url,))
    key = source.choice(_KEYS)
    named: dict[str, object] = {"idempotency_key": f"{name} {key}".replace(" ", "-")} if key else {}
    if name == "delete":
        return Call(name, (url,), named)
    named["headers"] = {"content-type": source.choice(_TYPES)}
    return Call(name, (url, source.choice(_BODIES)), named)
