"""Promises about arguments of another type: each is refused, and nothing is sent or taken.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator

from core_caps.capabilities.queue import Message, Queue
from core_caps.contract.message_queue.reading import pulled
from core_caps.contract.reading import all_refused
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_NO_BODY = (None, 5, True, "text", ["list"])
_NO_KEY = (None, 5, True, b"bytes", ("a", "tuple"), "lone surrogate \ud800")
_NO_SECONDS = ("60", 60.5, True, math.nan, -1, dt.timedelta(minutes=1))
_NO_SEQUENCE = (None, 5, "text", b"bytes")


def wrong_calls() -> Iterator[Call]:
    """Calls that no provider takes."""
    for bad in _NO_BODY:
        yield Call("send", (bad,))
        yield Call("send_batch", ([Message(b"body"), Message(bad)],))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for bad in _NO_KEY:
        yield Call("send", (b"body",), {"key": bad})
        yield Call("send_batch", ([Message(b"body", key=bad)],))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for bad in _NO_SECONDS:
        yield Call("send", (b"body",), {"delay_seconds": bad})
        yield Call("send_batch", ([Message(b"body", delay_seconds=bad)],))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("retry", (["lease"],), {"delay_seconds": bad})
        yield Call("pull", (), {"visibility_seconds": bad})
    for bad in _NO_SEQUENCE:
        yield Call("send_batch", (bad,))
        yield Call("ack", (bad,))
        yield Call("retry", (bad,))
    for bad in (None, 5, b"bytes", "text", ("a", "tuple")):
        yield Call("send_batch", ([Message(b"body"), bad],))
    for bad in (None, 5, b"bytes", ("a", "tuple")):
        yield Call("ack", ([bad],))
        yield Call("retry", ([bad],))
    for bad in (None, "10", 1.5, True, math.nan, 0, -1):
        yield Call("pull", (), {"limit": bad})


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(queue: Queue, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is sent."""
    await all_refused(queue, world, wrong_calls())
    if "pull" in world.operations:
        left = await pulled(queue, world)
        expect("a refused call sends nothing", not left, left)


CASES = (an_argument_of_another_type_is_refused,)
