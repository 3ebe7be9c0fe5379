"""Promises about limits: exactly at one works; one beyond is refused and nothing is written."""

from collections.abc import Awaitable, Callable

from core_caps.capabilities.key_value import Entry, KeyValue
from core_caps.claims.operation import operations_of
from core_caps.contract.key_value.reading import absent, holds, lists, same
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES", "refused_whole"]


async def refused_whole(
    kv: KeyValue, world: World, key: str, promised: str, call: Callable[[], Awaitable[object]]
) -> None:
    """Check that a call is refused and leaves the key's value and metadata as they were."""
    before = Entry(b"before", {"before": True})
    await kv.put(key, before.value, metadata=before.metadata)
    await seen(
        world, "a put is seen", lambda: kv.get_with_metadata(key), lambda entry: entry == before
    )
    await refused(promised, call())
    after = await kv.get_with_metadata(key)
    expect(f"{promised}: the old value stays", after == before, after)


@promise("get", "put", "delete", "list")
async def an_empty_key_is_refused(kv: KeyValue, world: World) -> None:
    """No operation takes ""; nothing is sent."""
    for promised, call in (
        ("put refuses an empty key", lambda: kv.put("", b"value")),
        ("get refuses an empty key", lambda: kv.get("")),
        ("delete refuses an empty key", lambda: kv.delete("")),
    ):
        await refused(promised, call())


@promise("get", "put")
async def a_key_without_utf8_form_is_refused(kv: KeyValue, world: World) -> None:
    """A lone surrogate cannot be sent, and is not replaced by something else."""
    key = at(world, "surrogate", "\ud800")
    await refused("a lone surrogate is refused", kv.put(key, b"value"))
    await refused("a lone surrogate is refused", kv.get(key))


@promise("get", "put", "delete", "list", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(kv: KeyValue, world: World) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    stem = at(world, "key-max")
    room = greatest - len(stem.encode())
    for longest in (stem + "k" * room, stem + "é" * (room // 2) + "k" * (room % 2)):
        await kv.put(longest, b"value")
        await holds(kv, world, longest, b"value", f"a key of {greatest} bytes works")
        await lists(kv, world, longest, [longest], f"a key of {greatest} bytes is listed")
        other = await kv.get(longest[:-1] + "z")
        expect("long keys that differ in their last letter stay apart", other is None, other)
        beyond = longest + "k"
        promised = f"a key of {greatest + 1} bytes is refused"
        for call in (
            lambda beyond=beyond: kv.put(beyond, b"value"),
            lambda beyond=beyond: kv.get(beyond),
            lambda beyond=beyond: kv.delete(beyond),
        ):
            await refused(promised, call())
        await holds(kv, world, longest, b"value", "a refused key touches no other")
        await kv.delete(longest)
        await absent(kv, world, longest, f"a key of {greatest} bytes can be deleted")


@promise("get", "get_with_metadata", "put", "delete", limits=("value_size_bytes_max",))
async def the_greatest_value_works_and_one_byte_more_does_not(kv: KeyValue, world: World) -> None:
    """The documented maximum comes back whole; one byte more is InvalidArgument."""
    greatest = world.limits["value_size_bytes_max"]
    key = at(world, "value-max")
    value = b"\x00\xffvalue-" * (greatest // 8) + b"x" * (greatest % 8)
    await kv.put(key, value)
    await seen(
        world,
        f"a value of {greatest} bytes comes back whole",
        lambda: same(kv, key, value),
        lambda verdict: verdict == "the same",
    )
    await refused_whole(
        kv, world, key, f"{greatest + 1} bytes are refused", lambda: kv.put(key, value + b"x")
    )
    await kv.delete(key)


@promise("get_with_metadata", "put", limits=("metadata_size_bytes_max",))
async def the_greatest_metadata_works_and_one_byte_more_does_not(
    kv: KeyValue, world: World
) -> None:
    """The bytes of its compact JSON in UTF-8 count."""
    greatest = world.limits["metadata_size_bytes_max"]
    key = at(world, "metadata-max")
    room = greatest - len('{"m":""}')
    for text in ("m" * room, "é" * (room // 2) + "m" * (room % 2)):
        await kv.put(key, b"value", metadata={"m": text})
        await seen(
            world,
            f"metadata of {greatest} bytes works",
            lambda: kv.get_with_metadata(key),
            lambda entry, text=text: entry == Entry(b"value", {"m": text}),
        )
        await refused_whole(
            kv,
            world,
            key,
            f"metadata of {greatest + 1} bytes is refused",
            lambda text=text: kv.put(key, b"value", metadata={"m": text + "m"}),
        )


@promise("get", "get_with_metadata", "put")
async def metadata_that_is_no_json_is_refused(kv: KeyValue, world: World) -> None:
    """Bytes, sets, NaN and keys that are no text have no JSON form; nothing is guessed."""
    key = at(world, "metadata-json")
    bad: tuple[dict[object, object], ...] = (
        {"a": b"x"},
        {"a": {1}},
        {"a": float("nan")},
        {"a": float("inf")},
        {1: "a"},
        {"a": {2: "b"}},
        {"a": "\ud800"},
    )
    for metadata in bad:
        await refused_whole(
            kv,
            world,
            key,
            f"metadata {metadata!r} is refused",
            lambda metadata=metadata: kv.put(key, b"value", metadata=metadata),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        )


@promise("get", "get_with_metadata", "put")
async def a_value_that_is_no_bytes_is_refused(kv: KeyValue, world: World) -> None:
    """Text is not encoded on the caller's behalf."""
    key = at(world, "text")
    await refused_whole(
        kv,
        world,
        key,
        "a str is no value",
        lambda: kv.put(key, "text"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    )


@promise()
async def an_undeclared_operation_is_absent(kv: KeyValue, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(KeyValue).keys() - world.operations
    present = sorted(name for name in others if hasattr(kv, name))
    expect("an operation that is not declared is not there", not present, present)


CASES = (
    an_empty_key_is_refused,
    a_key_without_utf8_form_is_refused,
    the_longest_key_works_and_one_byte_more_does_not,
    the_greatest_value_works_and_one_byte_more_does_not,
    the_greatest_metadata_works_and_one_byte_more_does_not,
    metadata_that_is_no_json_is_refused,
    a_value_that_is_no_bytes_is_refused,
    an_undeclared_operation_is_absent,
)
