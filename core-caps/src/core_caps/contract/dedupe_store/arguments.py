"""Promises about arguments: what is empty, out of range or of another type is refused whole.

A table of calls: what a type checker would refuse is met at run time too.
"""

import datetime as dt
import math
from collections.abc import Iterator

from core_caps.capabilities.dedupe import Commit, Dedupe, Reservation
from core_caps.claims.operation import operations_of
from core_caps.contract.dedupe_store.reading import LEASE_SECONDS, TTL_SECONDS, fresh, in_progress
from core_caps.contract.reading import all_refused, at, refused
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_LEASE = {"lease_seconds": LEASE_SECONDS}
_TTL = {"ttl_seconds": TTL_SECONDS}
_NO_NAME = (None, 5, 1.5, True, b"bytes", ("a", "tuple"), "", "lone surrogate \ud800")
_NO_SECONDS = (None, "60", True, math.nan, math.inf, 0, -1, -0.5, dt.timedelta(minutes=1))
_NO_BYTES = (None, 5, True, "text", ["list"])


def wrong_calls(key: str) -> Iterator[Call]:
    """Calls that no provider takes, with `key` where another argument is the wrong one."""
    one = {"owner": "one"}
    for bad in _NO_NAME:
        yield Call("reserve", (bad,), {**one, **_LEASE})
        yield Call("reserve", (key,), {"owner": bad, **_LEASE})
        yield Call("reserve_many", ([Reservation(key), Reservation(bad)],), {**one, **_LEASE})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("reserve_many", ([Reservation(key)],), {"owner": bad, **_LEASE})
        yield Call("commit", (bad,), {**one, **_TTL})
        yield Call("commit", (key,), {"owner": bad, **_TTL})
        yield Call("commit_many", ([Commit(bad)],), {**one, **_TTL})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("commit_many", ([Commit(key)],), {"owner": bad, **_TTL})
        yield Call("release", (bad,), one)
        yield Call("release", (key,), {"owner": bad})
        yield Call("release_many", ([key, bad],), one)
        yield Call("release_many", ([key],), {"owner": bad})
    for bad in _NO_SECONDS:
        yield Call("reserve", (key,), {**one, "lease_seconds": bad})
        yield Call("reserve_many", ([Reservation(key)],), {**one, "lease_seconds": bad})
        yield Call("commit", (key,), {**one, "ttl_seconds": bad})
        yield Call("commit_many", ([Commit(key)],), {**one, "ttl_seconds": bad})
    for bad in _NO_BYTES:
        yield Call("reserve", (key,), {**one, **_LEASE, "payload": bad})
        yield Call("reserve_many", ([Reservation(key, bad)],), {**one, **_LEASE})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("commit", (key,), {**one, **_TTL, "result": bad})
        yield Call("commit_many", ([Commit(key, bad)],), {**one, **_TTL})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for bad in (None, 5, "text", b"bytes"):
        yield Call("reserve_many", (bad,), {**one, **_LEASE})
        yield Call("commit_many", (bad,), {**one, **_TTL})
        yield Call("release_many", (bad,), one)
    for bad in (None, 5, b"bytes", "text", ("a", "tuple")):
        yield Call("reserve_many", ([Reservation(key), bad],), {**one, **_LEASE})
        yield Call("commit_many", ([bad],), {**one, **_TTL})


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(dedupe: Dedupe, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is reserved."""
    key = at(world, "arguments")
    await all_refused(dedupe, world, wrong_calls(key))
    if "reserve" in world.operations:
        await fresh(dedupe, key, "two", "a refused call reserves nothing")


@promise("reserve", "commit", "release")
async def what_is_empty_is_refused(dedupe: Dedupe, world: World) -> None:
    """A key, an owner, a lease and a time are something."""
    key = at(world, "empty")
    await refused("an empty key is refused", dedupe.reserve("", owner="one", lease_seconds=60))
    await refused("an empty owner is refused", dedupe.reserve(key, owner="", lease_seconds=60))
    for seconds in (0, -1, 0.0):
        await refused(
            f"a lease of {seconds} s is refused",
            dedupe.reserve(key, owner="one", lease_seconds=seconds),
        )
    await fresh(dedupe, key, "one", "a refused call reserves nothing")
    for seconds in (0, -1, 0.0):
        await refused(
            f"a result remembered for {seconds} s is refused",
            dedupe.commit(key, owner="one", ttl_seconds=seconds),
        )
    await refused("an empty owner is refused", dedupe.release(key, owner=""))
    await in_progress(dedupe, key, "a refused call changes nothing")


@promise("reserve", "commit")
async def fractions_of_a_second_are_taken(dedupe: Dedupe, world: World) -> None:
    """Seconds are numbers, whole or not."""
    key = at(world, "fraction")
    await fresh(dedupe, key, "one", "a lease of 600.5 s is taken", lease_seconds=600.5)
    await in_progress(dedupe, key, "and holds")
    await dedupe.commit(key, owner="one", ttl_seconds=3600.25)


@promise("reserve", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(dedupe: Dedupe, world: World) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    stem = at(world, "key-max")
    room = greatest - len(stem.encode())
    for longest in (stem + "k" * room, stem + "é" * (room // 2) + "k" * (room % 2)):
        await fresh(dedupe, longest, "one", f"a key of {greatest} bytes works")
        await refused(
            f"a key of {greatest + 1} bytes is refused",
            dedupe.reserve(longest + "k", owner="one", lease_seconds=LEASE_SECONDS),
        )
        await in_progress(dedupe, longest, "a refused key touches no other")


@promise()
async def an_undeclared_operation_is_absent(dedupe: Dedupe, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Dedupe).keys() - world.operations
    present = sorted(name for name in others if hasattr(dedupe, name))
    expect("an operation that is not declared is not there", not present, present)


CASES = (
    an_argument_of_another_type_is_refused,
    what_is_empty_is_refused,
    fractions_of_a_second_are_taken,
    the_longest_key_works_and_one_byte_more_does_not,
    an_undeclared_operation_is_absent,
)
