"""Promises about streams: bounded, whole or nothing, and let go when nobody wants the rest."""

import asyncio
import hashlib
from collections.abc import AsyncIterator

from core_caps.capabilities.blob_store import BlobStore
from core_caps.contract.blob_store.reading import absent, holds, read_stream, streamed
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import (
    Stream,
    StreamBroken,
    World,
    expect,
    expect_error,
    promise,
    violated,
)
from core_caps.errors import ObjectAbsent, Outcome

__all__ = ["CASES"]

_LARGE_CHUNKS = 11
_CHUNK_BYTES = 1024 * 1024


def _large(case: str) -> list[bytes]:
    """Chunks of together 11 MiB: at least two parts of an upload in parts."""
    seed = hashlib.sha256(case.encode()).digest()
    return [
        hashlib.sha256(seed + bytes([number])).digest() * (_CHUNK_BYTES // 32)
        for number in range(_LARGE_CHUNKS)
    ]


@promise("open", "put")
async def open_streams_the_whole_object(store: BlobStore, world: World) -> None:
    """Empty, short and longer than one chunk."""
    for size in (0, 1, 1000, 3_000_001):
        key = at(world, "open", str(size))
        data = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        await store.put(key, data)
        await seen(
            world,
            f"open streams all {size} bytes",
            lambda key=key: read_stream(store, key),
            lambda found, data=data: found == data,
        )


@promise("open")
async def open_of_nothing_says_so(store: BlobStore, world: World) -> None:
    """A stream has no None: it is ObjectAbsent, when the first chunk is asked for."""
    error = await expect_error(
        ObjectAbsent,
        "open of nothing is ObjectAbsent",
        read_stream(store, at(world, "open-absent", "never")),
    )
    expect("nothing changed", error.outcome is Outcome.NOT_APPLIED, error.outcome)


@promise("open", "get", "put")
async def leaving_a_stream_early_lets_it_go(store: BlobStore, world: World) -> None:
    """Many streams left after one chunk take nothing away from the next call."""
    key = at(world, "leave", "a")
    data = b"x" * 3_000_000
    await store.put(key, data)
    await holds(store, world, key, data, "a put is seen")
    for turn in range(20):
        stream = store.open(key)
        async for chunk in stream:
            expect("a chunk is there", len(chunk) > 0, chunk)
            break
        close = getattr(stream, "aclose", None)
        if turn % 2 and close is not None:
            await close()
    found = await asyncio.wait_for(store.get(key), 30)
    expect("streams that were left take nothing", found is not None and found.data == data, found)


@promise("get", "put")
async def a_stream_is_stored_as_its_bytes(store: BlobStore, world: World) -> None:
    """No chunk, empty chunks, many small ones: the object is their concatenation."""
    for name, chunks in (
        ("none", []),
        ("empty", [b"", b"", b""]),
        ("one", [b"one"]),
        ("holes", [b"a", b"", b"bc", b""]),
        ("many", [bytes([number % 256]) for number in range(3000)]),
        ("uneven", [b"x" * 70_000, b"y", b"z" * 65_536]),
    ):
        key = at(world, "stream", name)
        expected = b"".join(chunks)
        info = await store.put(key, streamed(chunks), metadata={"from": "stream"})
        expect("put tells the stream's size", info.size_bytes == len(expected), info)
        info = await holds(store, world, key, expected, "a stream is stored as its bytes")
        expect("with its metadata", dict(info.metadata) == {"from": "stream"}, info.metadata)


@promise("open", "head", "put", limits=("part_size_bytes_min",))
async def a_large_stream_is_stored_as_its_bytes(store: BlobStore, world: World) -> None:
    """Longer than a part: every byte, in order, once; metadata as on a small one."""
    key = at(world, "large", "a")
    chunks = _large("large")
    info = await store.put(key, streamed(chunks), metadata={"large": "grüße"})
    expected = b"".join(chunks)
    await seen(
        world,
        "a large stream is stored as its bytes",
        lambda: _digest(store, key),
        lambda found: found == hashlib.sha256(expected).hexdigest(),
    )
    head = await store.head(key)
    expect(
        "head tells what put told",
        head is not None and (head.size_bytes, head.etag) == (len(expected), info.etag),
        head,
    )
    expect(
        "with its metadata", head is not None and dict(head.metadata) == dict(info.metadata), head
    )


@promise("get", "head", "list", "put")
async def a_stream_that_breaks_stores_nothing(store: BlobStore, world: World) -> None:
    """The source's own error comes out; the old object stays, and where none was, none is."""
    old, new = at(world, "broken", "old"), at(world, "broken", "new")
    await store.put(old, b"before")
    for after in (0, 1, 2):
        for key in (old, new):
            source = Stream((b"half", b"way"), breaks_after=after)
            await _breaks(store, key, source)
    await holds(store, world, old, b"before", "a broken stream leaves the old object")
    await absent(store, world, new, "a broken stream stores nothing")
    page = await store.list(prefix=at(world, "broken"))
    expect("a broken stream lists nothing", page.keys == [old], page.keys)


@promise("get", "head", "put", limits=("part_size_bytes_min",))
async def a_large_stream_that_breaks_stores_nothing(store: BlobStore, world: World) -> None:
    """Also when parts of it were sent already."""
    key = at(world, "large-broken", "a")
    await store.put(key, b"before")
    source = Stream(tuple(_large("broken")), breaks_after=_LARGE_CHUNKS - 1)
    await _breaks(store, key, source)
    await holds(store, world, key, b"before", "a broken upload leaves the old object")


@promise("get", "head", "put", limits=("part_size_bytes_min",))
async def a_cancelled_put_stores_nothing(store: BlobStore, world: World) -> None:
    """The task is cancelled half-way: the old object stays and the client goes on."""
    key = at(world, "cancel", "a")
    await store.put(key, b"before")
    waiting = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        for chunk in _large("cancel"):
            yield chunk
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(store.put(key, source()))
    reached = asyncio.create_task(waiting.wait())
    await asyncio.wait({task, reached}, return_when=asyncio.FIRST_COMPLETED)
    reached.cancel()
    task.cancel()
    await asyncio.wait({task})
    expect("a cancelled put is cancelled", task.cancelled(), task)
    await holds(store, world, key, b"before", "a cancelled put leaves the old object")


@promise("get", "head", "put")
async def a_stream_of_another_size_is_refused(store: BlobStore, world: World) -> None:
    """size_bytes is a promise: more or fewer bytes are InvalidArgument and nothing is stored."""
    key = at(world, "size", "a")
    for stated in (0, 5, 7, 1000):
        await refused(
            f"a stream of 6 bytes is not one of {stated}",
            store.put(key, streamed([b"abc", b"def"]), size_bytes=stated),
        )
        await refused(f"6 bytes are not {stated}", store.put(key, b"abcdef", size_bytes=stated))
    await absent(store, world, key, "a refused put stores nothing")
    await store.put(key, streamed([b"abc", b"def"]), size_bytes=6)
    await holds(store, world, key, b"abcdef", "a stream of its stated size is stored")


async def _breaks(store: BlobStore, key: str, source: Stream) -> None:
    try:
        result = await store.put(key, source.open())
    except StreamBroken:
        return
    violated("the source's own error comes out of put", result)


async def _digest(store: BlobStore, key: str) -> str:
    digest = hashlib.sha256()
    async for chunk in store.open(key):
        digest.update(chunk)
    return digest.hexdigest()


CASES = (
    open_streams_the_whole_object,
    open_of_nothing_says_so,
    leaving_a_stream_early_lets_it_go,
    a_stream_is_stored_as_its_bytes,
    a_large_stream_is_stored_as_its_bytes,
    a_stream_that_breaks_stores_nothing,
    a_large_stream_that_breaks_stores_nothing,
    a_cancelled_put_stores_nothing,
    a_stream_of_another_size_is_refused,
)
