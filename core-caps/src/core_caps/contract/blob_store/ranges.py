"""Promises about reading part of an object."""

from core_caps.capabilities.blob_store import BlobStore, ByteRange
from core_caps.contract.blob_store.reading import holds
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]

_DATA = bytes(range(200))


async def _part(store: BlobStore, key: str, wanted: ByteRange, expected: bytes) -> None:
    found = await store.get(key, range=wanted)
    promised = f"{wanted} reads {len(expected)} bytes"
    expect(promised, found is not None and found.data == expected, found and found.data)
    expect(
        "a range tells the whole object's size",
        found is not None and found.info.size_bytes == len(_DATA),
        found and found.info,
    )


@promise("get", "put")
async def a_range_reads_from_its_offset(store: BlobStore, world: World) -> None:
    """With and without a length, to the last byte, and cut off at the end."""
    key = at(world, "range", "a")
    await store.put(key, _DATA)
    await holds(store, world, key, _DATA, "a put is seen")
    await _part(store, key, ByteRange(0, 1), _DATA[:1])
    await _part(store, key, ByteRange(3, 10), _DATA[3:13])
    await _part(store, key, ByteRange(150), _DATA[150:])
    await _part(store, key, ByteRange(199, 1), _DATA[199:])
    await _part(store, key, ByteRange(190, 500), _DATA[190:])
    await _part(store, key, ByteRange(0, 200), _DATA)


@promise("get", "put")
async def a_suffix_reads_the_last_bytes(store: BlobStore, world: World) -> None:
    """A suffix longer than the object is the whole object."""
    key = at(world, "suffix", "a")
    await store.put(key, _DATA)
    await holds(store, world, key, _DATA, "a put is seen")
    await _part(store, key, ByteRange(None, 1), _DATA[-1:])
    await _part(store, key, ByteRange(None, 50), _DATA[-50:])
    await _part(store, key, ByteRange(None, 200), _DATA)
    await _part(store, key, ByteRange(None, 5000), _DATA)


@promise("get", "put")
async def the_default_range_is_the_whole(store: BlobStore, world: World) -> None:
    """ByteRange() means no range, of an empty object too."""
    for name, data in (("full", _DATA), ("empty", b"")):
        key = at(world, "whole", name)
        await store.put(key, data)
        await holds(store, world, key, data, "a put is seen")
        found = await store.get(key, range=ByteRange())
        expect("ByteRange() reads the whole", found is not None and found.data == data, found)


@promise("get", "put")
async def a_range_outside_the_object_is_refused(store: BlobStore, world: World) -> None:
    """An offset at or after the end is InvalidArgument, never b""."""
    key, empty = at(world, "outside", "a"), at(world, "outside", "empty")
    await store.put(key, _DATA)
    await store.put(empty, b"")
    await holds(store, world, key, _DATA, "a put is seen")
    await holds(store, world, empty, b"", "a put is seen")
    for outside in (ByteRange(200), ByteRange(200, 1), ByteRange(10_000, 5)):
        await refused(f"{outside} lies outside", store.get(key, range=outside))
    await refused("an empty object has no first byte", store.get(empty, range=ByteRange(0, 1)))
    await holds(store, world, key, _DATA, "a refused range leaves the client usable")


@promise("get", "put")
async def a_range_that_makes_no_sense_is_refused(store: BlobStore, world: World) -> None:
    """Negative, of no bytes, or neither offset nor length."""
    key = at(world, "nonsense", "a")
    await store.put(key, _DATA)
    for nonsense in (
        ByteRange(-1),
        ByteRange(-5, 2),
        ByteRange(0, 0),
        ByteRange(5, -1),
        ByteRange(None, 0),
        ByteRange(None, -3),
        ByteRange(None, None),
    ):
        await refused(f"{nonsense} is refused", store.get(key, range=nonsense))


@promise("get")
async def a_range_of_an_absent_object_is_none(store: BlobStore, world: World) -> None:
    """Absence comes before the range."""
    found = await store.get(at(world, "range-absent", "never"), range=ByteRange(5, 5))
    expect("a range of an absent object is None", found is None, found)


CASES = (
    a_range_reads_from_its_offset,
    a_suffix_reads_the_last_bytes,
    the_default_range_is_the_whole,
    a_range_outside_the_object_is_refused,
    a_range_that_makes_no_sense_is_refused,
    a_range_of_an_absent_object_is_none,
)
