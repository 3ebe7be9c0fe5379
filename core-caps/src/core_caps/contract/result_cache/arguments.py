"""Promises about arguments of another type: each is refused, and nothing is kept.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator

from core_caps.capabilities.cache import Cache
from core_caps.contract.reading import all_refused, at
from core_caps.contract.result_cache.reading import TTL_SECONDS
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_TTL = {"ttl_seconds": TTL_SECONDS}
_NO_KEY = (None, 5, 1.5, True, b"bytes", ("a", "tuple"), "", "lone surrogate \ud800")
_NO_SECONDS = (None, "60", True, math.nan, math.inf, 0, -1, dt.timedelta(minutes=1))


def wrong_calls(key: str) -> Iterator[Call]:
    """Calls that no provider takes, with `key` where another argument is the wrong one."""
    for bad in _NO_KEY:
        yield Call("get", (bad,))
        yield Call("put", (bad, b"value"), _TTL)
        yield Call("delete", (bad,))
    for bad in (None, 5, True, "text", ["list"]):
        yield Call("put", (key, bad), _TTL)
    for bad in _NO_SECONDS:
        yield Call("put", (key, b"value"), {"ttl_seconds": bad})


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(cache: Cache, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is kept."""
    key = at(world, "arguments")
    await all_refused(cache, world, wrong_calls(key))
    if "get" in world.operations:
        found = await cache.get(key)
        expect("a refused call keeps nothing", found is None, found)


CASES = (an_argument_of_another_type_is_refused,)
