"""Promises about arguments: what is of another type is refused whole.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator

from core_caps.capabilities.durable_object import DurableObject, Item, ObjectRef
from core_caps.claims.operation import operations_of
from core_caps.contract.object_storage.reading import ref, stored
from core_caps.contract.reading import all_refused
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_NO_REF = (None, 5, "name", b"bytes", ("name", ""), ObjectRef(name=5), ObjectRef(id=b"id"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
_NO_KEY = (None, 5, 1.5, True, b"bytes", ("a", "tuple"), "", "lone surrogate \ud800")
_NO_VALUE = (5, True, "text", ["list"])
_NO_LIST = (5, "text", b"bytes", {"a": b"value"}, iter(()))
_NO_TIME = ("60", True, math.nan, math.inf, 0, -1, dt.timedelta(minutes=1), 1e13)


def wrong_calls(one: ObjectRef) -> Iterator[Call]:
    """Calls that no provider takes, on `one` where another argument is the wrong one."""
    for bad in _NO_REF:
        yield Call("get", (bad, "key"))
        yield Call("get_many", (bad, ["key"]))
        yield Call("list", (bad,))
        yield Call("get_alarm", (bad,))
        yield Call("put", (bad, "key", b"value"))
        yield Call("delete", (bad, "key"))
        yield Call("delete_all", (bad,))
        yield Call("transaction", (bad, []))
        yield Call("set_alarm", (bad, 4_102_444_800.0))
        yield Call("delete_alarm", (bad,))
    yield from _wrong_items(one)
    yield from _wrong_times(one)
    yield from _wrong_bounds(one)


def _wrong_items(one: ObjectRef) -> Iterator[Call]:
    for bad in _NO_KEY:
        yield Call("get", (one, bad))
        yield Call("get_many", (one, ["key", bad]))
        yield Call("put", (one, bad, b"value"))
        yield Call("delete", (one, bad))
        yield Call("transaction", (one, [Item("a", b""), Item(bad, b"")]))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("transaction", (one, [Item("a", b"")]), {"if_values": [Item(bad, b"")]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for bad in _NO_VALUE:
        yield Call("put", (one, "key", bad))
        yield Call("transaction", (one, [Item("a", b""), Item("b", bad)]))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("transaction", (one, []), {"if_values": [Item("a", bad)]})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    yield Call("put", (one, "key", None))
    for bad in _NO_LIST:
        yield Call("get_many", (one, bad))
        yield Call("transaction", (one, bad))
        yield Call("transaction", (one, [Item("a", b"")]), {"if_values": bad})
    for bad in (None, "text", b"bytes", ("a", b"tuple")):
        yield Call("transaction", (one, [Item("a", b""), bad]))


def _wrong_times(one: ObjectRef) -> Iterator[Call]:
    for bad in _NO_TIME:
        yield Call("set_alarm", (one, bad))
        yield Call("delete_alarm", (one,), {"at": bad})
    yield Call("set_alarm", (one, None))


def _wrong_bounds(one: ObjectRef) -> Iterator[Call]:
    for name in ("prefix", "start", "start_after", "end"):
        for bad in (5, b"bytes", True, "lone surrogate \ud800"):
            yield Call("list", (one,), {name: bad})
    for bad in (None, "10", True, 0, -1, 1.5):
        yield Call("list", (one,), {"limit": bad})
    for bad in (None, 1, "yes"):
        yield Call("list", (one,), {"reverse": bad})


@promise("list", courtesy=True)
async def an_argument_of_another_type_is_refused(objects: DurableObject, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is stored."""
    one = ref(world, "arguments")
    await all_refused(objects, world, wrong_calls(one))
    found = await stored(objects, one)
    expect("a refused call stores nothing", found == {}, found)


@promise("put", "get")
async def what_is_stored_is_a_copy(objects: DurableObject, world: World) -> None:
    """A buffer that changes later changes nothing that is stored."""
    one, given = ref(world, "copy"), bytearray(b"value")
    await objects.put(one, "key", given)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    given[:] = b"other"
    found = await objects.get(one, "key")
    expect("what was stored is a copy of the argument", found == b"value", found)


@promise()
async def an_undeclared_operation_is_absent(objects: DurableObject, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(DurableObject).keys() - world.operations
    present = sorted(name for name in others if hasattr(objects, name))
    expect("an operation that is not declared is not there", not present, present)


CASES = (
    an_argument_of_another_type_is_refused,
    what_is_stored_is_a_copy,
    an_undeclared_operation_is_absent,
)
