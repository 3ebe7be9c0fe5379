"""Promises about conditions: a read or write happens only if the etag is, or is not, this one."""

import asyncio

from core_caps.capabilities.blob_store import BlobStore, ByteRange, ObjectInfo
from core_caps.contract.blob_store.reading import absent, holds, read_stream, streamed, unmet
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, promise, violated
from core_caps.errors import Conflict, PreconditionFailed

__all__ = ["CASES"]

_OTHER = "0123456789abcdef0123456789abcdef"


@promise("get", "put")
async def get_if_match_reads_only_that_version(store: BlobStore, world: World) -> None:
    """The etag's own version is read, ranges too; another is PreconditionFailed."""
    key = at(world, "get-match", "a")
    first = await store.put(key, b"first")
    found = await store.get(key, if_match=first.etag)
    expect("if_match reads its own version", found is not None and found.data == b"first", found)
    part = await store.get(key, if_match=first.etag, range=ByteRange(1, 2))
    expect("if_match reads a range", part is not None and part.data == b"ir", part)
    await store.put(key, b"second")
    await unmet("if_match refuses an old etag", store.get(key, if_match=first.etag))
    await unmet(
        "if_match refuses an old etag with a range",
        store.get(key, if_match=first.etag, range=ByteRange(0, 1)),
    )


@promise("get", "put")
async def get_if_none_match_reads_only_another_version(store: BlobStore, world: World) -> None:
    """A reader that has the version is told so; one that has not gets the object."""
    key = at(world, "get-none-match", "a")
    first = await store.put(key, b"first")
    await unmet("if_none_match refuses its version", store.get(key, if_none_match=first.etag))
    await store.put(key, b"second")
    found = await store.get(key, if_none_match=first.etag)
    expect("if_none_match reads another", found is not None and found.data == b"second", found)


@promise("get")
async def a_conditional_read_of_nothing_is_none(store: BlobStore, world: World) -> None:
    """Absence is None whatever the condition."""
    key = at(world, "get-absent", "never")
    for found in (
        await store.get(key, if_match=_OTHER),
        await store.get(key, if_none_match=_OTHER),
    ):
        expect("a conditional read of an absent object is None", found is None, found)


@promise("open", "put")
async def open_if_match_streams_only_that_version(store: BlobStore, world: World) -> None:
    """As get does."""
    key = at(world, "open-match", "a")
    first = await store.put(key, b"first")
    found = await read_stream(store, key, first.etag)
    expect("open reads its own version", found == b"first", found)
    await store.put(key, b"second")
    await unmet("open refuses an old etag", read_stream(store, key, first.etag))


@promise("get", "put")
async def put_if_none_match_creates_once(store: BlobStore, world: World) -> None:
    """`*` stores where there is nothing; a second time it fails and the first object stays."""
    key = at(world, "create", "a")
    await store.put(key, b"first", if_none_match="*", metadata={"a": "1"})
    await holds(store, world, key, b"first", "if_none_match='*' creates")
    for again in (b"second", streamed([b"sec", b"ond"])):
        await unmet("if_none_match='*' does not replace", store.put(key, again, if_none_match="*"))
    info = await holds(store, world, key, b"first", "a refused put leaves the object")
    expect("a refused put leaves the metadata", dict(info.metadata) == {"a": "1"}, info.metadata)


@promise("get", "put", "delete")
async def put_if_none_match_creates_after_a_delete(store: BlobStore, world: World) -> None:
    """A deleted object is not there."""
    key = at(world, "create-again", "a")
    await store.put(key, b"first")
    await store.delete(key)
    await absent(store, world, key, "a deleted object is absent")
    await store.put(key, b"second", if_none_match="*")
    await holds(store, world, key, b"second", "if_none_match='*' creates after a delete")


@promise("get", "put")
async def put_if_match_replaces_only_that_version(store: BlobStore, world: World) -> None:
    """Compare and swap: the writer with the current etag wins, the other changes nothing."""
    key = at(world, "swap", "a")
    first = await store.put(key, b"first")
    second = await store.put(key, b"second", if_match=first.etag)
    await holds(store, world, key, b"second", "if_match replaces its version")
    for stale in (b"third", streamed([b"third"])):
        await unmet("if_match refuses a stale etag", store.put(key, stale, if_match=first.etag))
    info = await holds(store, world, key, b"second", "a refused put leaves the object")
    expect("a refused put leaves the etag", info.etag == second.etag, info.etag)


@promise("get", "head", "put")
async def put_if_match_creates_nothing(store: BlobStore, world: World) -> None:
    """There is no version to match where there is no object."""
    key = at(world, "swap-absent", "a")
    await unmet("if_match needs an object", store.put(key, b"value", if_match=_OTHER))
    await absent(store, world, key, "a refused put creates nothing")


@promise("get", "put", needs=(("consistency", "linearizable"),))
async def of_many_creators_one_wins(store: BlobStore, world: World) -> None:
    """Racing puts with if_none_match='*': exactly one succeeds, and its content stands."""
    key = at(world, "race", "a")

    async def create(number: int) -> ObjectInfo | Exception:
        try:
            return await store.put(key, b"from %d" % number, if_none_match="*")
        except (PreconditionFailed, Conflict) as error:
            return error

    results = await asyncio.gather(*(create(number) for number in range(5)))
    winners = [n for n, result in enumerate(results) if isinstance(result, ObjectInfo)]
    if len(winners) != 1:
        violated("exactly one of several creators wins", winners)
    await holds(store, world, key, b"from %d" % winners[0], "the winner's content stands")


@promise("get", "put", needs=(("consistency", "linearizable"),))
async def no_swap_is_lost(store: BlobStore, world: World) -> None:
    """Two clients count with if_match: every success is one step, none overwrites another."""
    key = at(world, "count", "a")
    await store.put(key, b"0")
    async with world.reopen() as other:

        async def count(client: BlobStore) -> int:
            steps = 0
            for _ in range(6):
                found = await client.get(key)
                if found is None:
                    violated("the counter is there", None)
                try:
                    following = b"%d" % (int(found.data) + 1)
                    await client.put(key, following, if_match=found.info.etag)
                except (PreconditionFailed, Conflict):
                    continue
                steps += 1
            return steps

        steps = sum(await asyncio.gather(count(store), count(other)))
    found = await store.get(key)
    expect("each success counts once", found is not None and int(found.data) == steps, found)


@promise("get", "put", "open")
async def an_etag_in_quotes_is_refused(store: BlobStore, world: World) -> None:
    """Quotes belong to the wire; an etag that still has them would match nothing, silently."""
    key = at(world, "quoted", "a")
    info = await store.put(key, b"value")
    for bad in (f'"{info.etag}"', f'W/"{info.etag}"', "", "a\r\nb: c"):
        await refused(f"{bad!r} is no etag for get", store.get(key, if_match=bad))
        await refused(f"{bad!r} is no etag for get", store.get(key, if_none_match=bad))
        await refused(f"{bad!r} is no etag for put", store.put(key, b"new", if_match=bad))
        await refused(f"{bad!r} is no etag for open", read_stream(store, key, bad))
    expect("nothing was written", await read_stream(store, key) == b"value", key)


CASES = (
    get_if_match_reads_only_that_version,
    get_if_none_match_reads_only_another_version,
    a_conditional_read_of_nothing_is_none,
    open_if_match_streams_only_that_version,
    put_if_none_match_creates_once,
    put_if_none_match_creates_after_a_delete,
    put_if_match_replaces_only_that_version,
    put_if_match_creates_nothing,
    of_many_creators_one_wins,
    no_swap_is_lost,
    an_etag_in_quotes_is_refused,
)
