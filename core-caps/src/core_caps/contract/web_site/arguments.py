"""Promises about arguments of another type: each is refused, and nothing is sent.

A table of calls: what a type checker would refuse is met at run time too.
"""

from collections.abc import Iterator

from core_caps.capabilities.http import Http
from core_caps.contract.reading import all_refused
from core_caps.contract.suite import Call, World, expect, promise
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import place

__all__ = ["CASES", "wrong_calls"]

_NO_TEXT = (None, 5, 1.5, True, b"bytes", ("a", "tuple"), "lone surrogate \ud800")
_NO_HEADERS = (5, True, "a: b", ["a"], [("a", "b")], {"a": 5}, {"a": None}, {5: "a"}, {b"a": b"b"})
_NO_BODY = (None, 5, True, "text", ["list"])


def wrong_calls(url: str) -> Iterator[Call]:
    """Calls that no provider takes, with `url` where another argument is the wrong one."""
    for bad in _NO_TEXT:
        for name in ("get", "head", "open", "delete"):
            yield Call(name, (bad,))
        for name in ("put", "post", "patch"):
            yield Call(name, (bad, b"body"))
            yield Call(name, (url, b"body"), {"idempotency_key": bad})
        yield Call("delete", (url,), {"idempotency_key": bad})
        yield Call("get_pinned", (bad, digest_of(b"")))
        yield Call("get_pinned", (url, bad))
    for bad in _NO_HEADERS:
        for name in ("get", "head", "open", "delete"):
            yield Call(name, (url,), {"headers": bad})
        for name in ("put", "post", "patch"):
            yield Call(name, (url, b"body"), {"headers": bad})
    for bad in _NO_BODY:
        for name in ("put", "post", "patch"):
            yield Call(name, (url, bad))


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(http: Http, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is kept."""
    url = place(world, "arguments")
    await all_refused(http, world, wrong_calls(url))
    if "get" in world.operations:
        for each in (url, f"{url}/1"):
            found = await http.get(each)
            expect("a refused call does nothing", found.status == 404, found)


CASES = (an_argument_of_another_type_is_refused,)
