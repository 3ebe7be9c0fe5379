"""Promises about arguments of another type: each is refused, and nothing is written.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator

from core_caps.capabilities.key_value import KeyValue
from core_caps.contract.reading import all_refused, at
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_NO_TEXT = (None, 5, 1.5, True, b"bytes", ("a", "tuple"))
_NO_KEY = (*_NO_TEXT, "", "lone surrogate \ud800")
_NO_SECONDS = ("3600", 3600.5, True, math.nan, 0, -1, dt.timedelta(hours=1))
_NO_TIME = ("2100-01-01", 4_102_444_800.5, True, math.nan, 0, -1, 1, dt.datetime(2100, 1, 1))  # noqa: DTZ001


def wrong_calls(key: str) -> Iterator[Call]:
    """Calls that no provider takes, with `key` where another argument is the wrong one."""
    for bad in _NO_KEY:
        yield Call("get", (bad,))
        yield Call("get_with_metadata", (bad,))
        yield Call("get_many", ([key, bad],))
        yield Call("put", (bad, b"value"))
        yield Call("put_many", ({key: b"value", bad: b"value"},))
        yield Call("delete", (bad,))
        yield Call("delete_many", ([key, bad],))
    for bad in (None, 5, "text", b"bytes"):
        yield Call("get_many", (bad,))
        yield Call("delete_many", (bad,))
        yield Call("put_many", (bad,))
    for bad in (None, 5, True, "text", ["list"]):
        yield Call("put", (key, bad))
        yield Call("put_many", ({key: b"value", f"{key}/2": bad},))
    for bad in (5, True, "text", b"bytes", ["list"]):
        yield Call("put", (key, b"value"), {"metadata": bad})
    for bad in _NO_SECONDS:
        yield Call("put", (key, b"value"), {"ttl_seconds": bad})
    for bad in _NO_TIME:
        yield Call("put", (key, b"value"), {"expires_at": bad})
    for bad in (None, "10", 1.5, True, math.nan, 0, -1):
        yield Call("list", (), {"limit": bad})
    for bad in (*_NO_TEXT, "lone surrogate \ud800"):
        yield Call("list", (), {"prefix": bad})
    for bad in (5, True, b"bytes", ("a", "tuple")):
        yield Call("list", (), {"cursor": bad})


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(kv: KeyValue, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is written."""
    await all_refused(kv, world, wrong_calls(at(world, "arguments", "a")))
    if "list" in world.operations:
        page = await kv.list(prefix=at(world, "arguments"))
        expect("a refused call writes nothing", page.keys == [], page.keys)


CASES = (an_argument_of_another_type_is_refused,)
