"""Promises about single objects: what is put comes back, whole, and nothing else does."""

from core_caps.capabilities.blob_store import BlobStore, HttpMetadata
from core_caps.contract.blob_store.reading import absent, holds, listed
from core_caps.contract.reading import at, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES", "TRICKY_NAMES"]

TRICKY_NAMES = (
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "a//b",
    "a/",
    "A/b",
    "a",
    "a b",
    "a ",
    "?x=1&y=2#z",
    "a+b",
    "a:b;c,d=e@f!g$h'i(j)k*l",
    '"<>[]{}|\\^`',
    "~-_.",
    "...",
    "é",
    "ключ",
    "鍵",
    "\U0001f511",
)
"""Names that an unescaped path or a decoded escape would confuse."""

_CONTENTS = (
    b"plain",
    b"",
    bytes(range(256)),
    b"\xff\xfe\xfd",
    b"line\r\nline\nline\r",
    b"\x1f\x8b\x08\x00not gzip",
    b"<Error><Code>NoSuchKey</Code></Error>",
    b"x" * 300_000,
)

_CLOCKS_APART_SECONDS = 300
"""How far the service's clock may be from the case's, the waiting for a write to show included."""


@promise("get", "head")
async def an_absent_object_is_none(store: BlobStore, world: World) -> None:
    """Never stored: None to both reads, not an error and not b""."""
    await absent(store, world, at(world, "absent", "never"), "an absent object is None")


@promise("get", "put")
async def an_object_comes_back_exactly(store: BlobStore, world: World) -> None:
    """Empty, all byte values, line ends, what looks compressed or like an answer, and long."""
    for number, content in enumerate(_CONTENTS):
        key = at(world, "exact", str(number))
        await store.put(key, content)
        await holds(store, world, key, content, "an object comes back byte for byte")


@promise("get", "put", "delete", "list")
async def keys_are_kept_exactly(store: BlobStore, world: World) -> None:
    """Slashes, escapes, blanks and other scripts name different objects and list as written."""
    keys = [at(world, "names", name) for name in TRICKY_NAMES]
    for key in keys:
        await store.put(key, key.encode())
    for key in keys:
        await holds(store, world, key, key.encode(), f"the key {key!r} names one object")
    await seen(
        world,
        "a listing shows every key as it was written, in byte order",
        lambda: listed(store, at(world, "names")),
        lambda found: [info.key for info in found[0]] == sorted(keys, key=str.encode),
    )
    await store.delete(keys[0])
    await absent(store, world, keys[0], "a deleted object is absent")
    await holds(store, world, keys[1], keys[1].encode(), "deleting one key leaves similar ones")


@promise("get", "head", "put", "list")
async def every_read_tells_the_same(store: BlobStore, world: World) -> None:
    """put, head, get and list agree on key, size and etag; the etag has no quotes."""
    key = at(world, "same", "a")
    put = await store.put(key, b"content")
    expect("put tells key and size", (put.key, put.size_bytes) == (key, 7), put)
    expect("an etag is there, without quotes", put.etag != "" and '"' not in put.etag, put.etag)
    got = await holds(store, world, key, b"content", "a put is seen")
    head = await store.head(key)
    lines, _ = await listed(store, key)
    told = [got, head, *lines]
    expect(
        "get, head and list tell what put told",
        len(told) == 3
        and all(
            each is not None and (each.key, each.size_bytes, each.etag) == (key, 7, put.etag)
            for each in told
        ),
        told,
    )


@promise("get", "head", "put")
async def put_replaces_the_whole_object(store: BlobStore, world: World) -> None:
    """Content, etag and both kinds of metadata are the last put's alone."""
    key = at(world, "replace", "a")
    first = await store.put(
        key, b"first, the longest", http=HttpMetadata(cache_control="no-store"), metadata={"a": "1"}
    )
    second = await store.put(key, b"second", metadata={"b": "2"})
    info = await holds(store, world, key, b"second", "put replaces the content")
    expect("another content has another etag", first.etag != second.etag, second.etag)
    expect("put replaces the custom metadata", dict(info.metadata) == {"b": "2"}, info.metadata)
    expect("put replaces the HTTP metadata", info.http.cache_control is None, info.http)


@promise("get", "head", "list", "put")
async def every_read_tells_when_it_was_stored(store: BlobStore, world: World) -> None:
    """In seconds since 1970, whatever the unit or the time zone of the wire; or not at all."""
    key = at(world, "when", "a")
    before = world.clock.now()
    put = await store.put(key, b"content")
    got = await holds(store, world, key, b"content", "a put is seen")
    lines, _ = await listed(store, key)
    for told in (put, got, await store.head(key), *lines):
        when = told and told.uploaded_at
        near = when is None or -_CLOCKS_APART_SECONDS <= when - before <= _CLOCKS_APART_SECONDS
        expect("uploaded_at is the time of the put, in seconds since 1970", near, (when, before))


@promise("get", "head", "put")
async def what_is_stored_is_a_copy(store: BlobStore, world: World) -> None:
    """Changing the metadata that was passed in, or returned, changes nothing that is stored."""
    key = at(world, "copy-of", "a")
    given = {"a": "1"}
    put = await store.put(key, b"value", metadata=given)
    given["more"] = "argument"
    got = await holds(store, world, key, b"value", "a put is seen")
    for told in (put, got, await store.head(key)):
        kept = told and told.metadata
        expect("what is stored and returned is a copy", kept == {"a": "1"}, kept)
        if isinstance(kept, dict):
            kept["more"] = "result"


@promise("get", "put")
async def the_same_put_twice_is_once(store: BlobStore, world: World) -> None:
    """A repeated put converges: a retry is safe."""
    key = at(world, "twice", "a")
    await store.put(key, b"value", metadata={"a": "1"})
    await store.put(key, b"value", metadata={"a": "1"})
    info = await holds(store, world, key, b"value", "the same put twice is once")
    expect("the same put twice is once", dict(info.metadata) == {"a": "1"}, info.metadata)


@promise("get", "head", "put", "delete")
async def delete_removes_the_object(store: BlobStore, world: World) -> None:
    """It is gone to every read; a later put starts anew."""
    key = at(world, "delete", "a")
    await store.put(key, b"value", metadata={"old": "1"})
    result: object = await store.delete(key)
    expect("delete returns None", result is None, result)
    await absent(store, world, key, "a deleted object is absent")
    await store.put(key, b"again")
    info = await holds(store, world, key, b"again", "a deleted key can be put again")
    expect("nothing of the deleted object stays", not info.metadata, info.metadata)


@promise("delete")
async def deleting_an_absent_object_is_success(store: BlobStore, world: World) -> None:
    """Never stored, and deleted before: both succeed."""
    key = at(world, "delete-absent", "a")
    await store.delete(key)
    await store.delete(key)


CASES = (
    an_absent_object_is_none,
    an_object_comes_back_exactly,
    keys_are_kept_exactly,
    every_read_tells_the_same,
    every_read_tells_when_it_was_stored,
    what_is_stored_is_a_copy,
    put_replaces_the_whole_object,
    the_same_put_twice_is_once,
    delete_removes_the_object,
    deleting_an_absent_object_is_success,
)
