"""Promises about arguments of another type: each is refused, and nothing is stored.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator
from typing import Any

from core_caps.capabilities.blob_store import BlobStore, ByteRange, HttpMetadata
from core_caps.contract.reading import all_refused, at
from core_caps.contract.suite import Call, Stream, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_NO_TEXT: tuple[Any, ...] = (None, 5, 1.5, True, b"bytes", ("a", "tuple"))
_NO_KEY = (*_NO_TEXT, "", "lone surrogate \ud800")
_NO_ETAG = (*_NO_TEXT[1:], "", '"quoted"')
_NO_NUMBER: tuple[Any, ...] = ("10", 1.5, True, math.nan, -1)
_NO_TIME: tuple[Any, ...] = ("2100-01-01", 1.5, True, -1, dt.datetime(2100, 1, 1))  # noqa: DTZ001


def wrong_calls(key: str) -> Iterator[Call]:
    """Calls that no provider takes, with `key` where another argument is the wrong one."""
    yield from _wrong_names(key)
    yield from _wrong_contents(key)
    for bad in _NO_ETAG:
        for operation in ("get", "open"):
            yield Call(operation, (key,), {"if_match": bad})
        yield Call("get", (key,), {"if_none_match": bad})
        for name in ("if_match", "if_none_match"):
            yield Call("put", (key, b"value"), {name: bad})
    for bad in (5, "0-1", (0, 1), *map(ByteRange, _NO_NUMBER), *(_upto(n) for n in _NO_NUMBER)):
        yield Call("get", (key,), {"range": bad})
    for bad in (*_NO_NUMBER, None, 0):
        yield Call("list", (), {"limit": bad})
        yield Call("presign", (key,), {"expires_in_seconds": bad})
    for bad in ("DELETE", "get", None, 5, b"GET", ["GET"]):
        yield Call("presign", (key,), {"method": bad})


def _wrong_names(key: str) -> Iterator[Call]:
    for bad in _NO_KEY:
        for operation in ("get", "open", "head", "delete", "presign", "get_by_hash"):
            yield Call(operation, (bad,))
        yield Call("put", (bad, b"value"))
        yield Call("put", (bad, Stream((b"value",))))
        yield Call("copy", (bad, key))
        yield Call("copy", (key, bad))
    for bad in (*_NO_TEXT, "lone surrogate \ud800"):
        yield Call("list", (), {"prefix": bad})
    for bad in (*_NO_TEXT[1:], ""):
        yield Call("list", (), {"delimiter": bad})
    for bad in _NO_TEXT[1:]:
        yield Call("list", (), {"cursor": bad})


def _wrong_contents(key: str) -> Iterator[Call]:
    for bad in (None, 5, True, "text", ["list"], [b"bytes"]):
        yield Call("put", (key, bad))
    chunks: tuple[Any, ...] = (None, 5, "text", [1])
    for bad in chunks:
        yield Call("put", (key, Stream((b"good", bad))))
    for bad in _NO_NUMBER:
        yield Call("put", (key, b"value"), {"size_bytes": bad})
        yield Call("put", (key, Stream((b"value",))), {"size_bytes": bad})
    for bad in (5, "text/plain", {"content_type": "text/plain"}):
        yield Call("put", (key, b"value"), {"http": bad})
    for bad in _NO_TEXT[1:]:
        yield Call("put", (key, b"value"), {"http": HttpMetadata(content_type=bad)})
    for bad in _NO_TIME:
        yield Call("put", (key, b"value"), {"http": HttpMetadata(expires_at=bad)})
    for bad in (5, True, "text", b"bytes", ["list"], {5: "a"}, {"a": 5}, {"a": None}, {"a": b"b"}):
        yield Call("put", (key, b"value"), {"metadata": bad})


def _upto(length: Any) -> ByteRange:
    return ByteRange(0, length)


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(store: BlobStore, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is stored."""
    await all_refused(store, world, wrong_calls(at(world, "arguments", "a")))
    if "list" in world.operations:
        page = await store.list(prefix=at(world, "arguments"))
        expect("a refused call stores nothing", page.keys == [], page.keys)


CASES = (an_argument_of_another_type_is_refused,)
