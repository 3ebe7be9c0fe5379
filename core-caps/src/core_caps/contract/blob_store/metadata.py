"""Promises about what is kept beside the bytes."""

from dataclasses import replace

from core_caps.capabilities.blob_store import BlobStore, HttpMetadata
from core_caps.contract.blob_store.reading import absent, holds
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument

__all__ = ["CASES", "CUSTOM", "HTTP"]

HTTP = HttpMetadata(
    content_type="text/plain; charset=utf-8",
    content_language="de-CH",
    content_disposition='attachment; filename="a b.txt"',
    content_encoding="identity",
    cache_control="max-age=60, private",
    expires_at=1_800_000_000,
)

CUSTOM = {
    "plain": "value",
    "with-dash": "a b  c",
    "with.dot_and_underscore": "=;,\"'<>&%2F+",
    "unicode": "grüße, 世界 \U0001f511",
    "empty": "",
    "long": "ü" * 300,
    "json": '{"a": [1, "é"]}',
}


@promise("get", "head", "put")
async def custom_metadata_comes_back_exactly(store: BlobStore, world: World) -> None:
    """Text in any script, empty, long, and what an encoding on the way could mistake."""
    key = at(world, "custom", "a")
    info = await store.put(key, b"value", metadata=CUSTOM)
    expect("put tells the metadata", dict(info.metadata) == CUSTOM, info.metadata)
    got = await holds(store, world, key, b"value", "a put is seen")
    head = await store.head(key)
    for told in (got, head):
        expect(
            "custom metadata comes back exactly",
            told is not None and dict(told.metadata) == CUSTOM,
            told and dict(told.metadata),
        )


@promise("get", "head", "put")
async def what_looks_encoded_comes_back_or_is_refused(store: BlobStore, world: World) -> None:
    """Text that has the form of an encoding on the way is never handed out decoded."""
    for name, value in (("word", "=?utf-8?B?aGk=?="), ("quoted", "a =?UTF-8?Q?=C3=BC?= b")):
        key = at(world, "looks-encoded", name)
        try:
            await store.put(key, b"value", metadata={"a": value})
        except InvalidArgument:
            await absent(store, world, key, "a refused put stores nothing")
            continue
        info = await holds(store, world, key, b"value", "a put is seen")
        expect("what looks encoded comes back as it is", info.metadata.get("a") == value, info)


@promise("get", "head", "put")
async def http_metadata_comes_back_exactly(store: BlobStore, world: World) -> None:
    """All six fields, and each alone."""
    kept = {name: getattr(HTTP, name) for name in HttpMetadata.__dataclass_fields__}
    for name, http in (
        ("all", HTTP),
        *((name, replace(HttpMetadata(), **{name: value})) for name, value in kept.items()),
    ):
        key = at(world, "http", name)
        await store.put(key, b"value", http=http)
        got = await holds(store, world, key, b"value", "a put is seen")
        head = await store.head(key)
        for told in (got, head):
            # A store may say application/octet-stream where no type was given: it means that.
            shown = None if told is None else told.http
            if shown is not None and http.content_type is None:
                shown = replace(shown, content_type=None)
            expect(f"HTTP metadata comes back exactly ({name})", shown == http, shown)


@promise("get", "put")
async def without_metadata_there_is_none(store: BlobStore, world: World) -> None:
    """Nothing is invented."""
    key = at(world, "none", "a")
    await store.put(key, b"value")
    info = await holds(store, world, key, b"value", "a put is seen")
    expect("no custom metadata is invented", not info.metadata, info.metadata)
    invented = replace(info.http, content_type=None) != HttpMetadata()
    expect("no HTTP metadata is invented but the type", not invented, info.http)


@promise("get", "head", "put")
async def metadata_that_cannot_come_back_is_refused(store: BlobStore, world: World) -> None:
    """Line breaks would become headers of their own; nothing is cleaned up silently."""
    key = at(world, "bad-metadata", "a")
    for metadata in (
        {"a": "line\r\nx-amz-meta-b: two"},
        {"a": "nul\x00"},
        {"a\r\nb": "value"},
        {"a:b": "value"},
        {"a b": "value"},
        {"": "value"},
        {"a": "\ud800"},
    ):
        await refused(f"{metadata!r} is refused", store.put(key, b"v", metadata=metadata))
    for http in (
        HttpMetadata(content_type="text/plain\r\nx: y"),
        HttpMetadata(cache_control="a\nb"),
        HttpMetadata(content_disposition="nul\x00"),
    ):
        await refused(f"{http} is refused", store.put(key, b"v", http=http))
    await absent(store, world, key, "a refused put stores nothing")


@promise("get", "head", "put", limits=("metadata_size_bytes_max",))
async def the_greatest_metadata_works_and_one_byte_more_does_not(
    store: BlobStore, world: World
) -> None:
    """The bytes of names and values count."""
    greatest = world.limits["metadata_size_bytes_max"]
    key = at(world, "metadata-max", "a")
    most = {"m": "x" * (greatest - 1)}
    await store.put(key, b"value", metadata=most)
    info = await holds(store, world, key, b"value", "a put is seen")
    expect(f"metadata of {greatest} bytes works", dict(info.metadata) == most, len(info.metadata))
    await refused(
        f"metadata of {greatest + 1} bytes is refused",
        store.put(key, b"new", metadata={"m": "x" * greatest}),
    )
    await holds(store, world, key, b"value", "a refused put leaves the object")


@promise("get", "head", "put", "copy")
async def copy_takes_everything_along(store: BlobStore, world: World) -> None:
    """Content, both kinds of metadata; afterwards the two are independent."""
    source, target = at(world, "copy", "a b/é"), at(world, "copy", "target?x=1")
    await store.put(target, b"old target", metadata={"old": "1"})
    put = await store.put(source, b"content", http=HTTP, metadata=CUSTOM)
    info = await store.copy(source, target)
    expect(
        "copy tells the new object",
        info is not None
        and (info.key, info.size_bytes, dict(info.metadata)) == (target, 7, CUSTOM),
        info,
    )
    found = await holds(store, world, target, b"content", "copy takes the content along")
    expect("copy takes the metadata along", dict(found.metadata) == CUSTOM, dict(found.metadata))
    expect("copy takes the HTTP metadata along", found.http == HTTP, found.http)
    await store.put(source, b"changed")
    await holds(store, world, target, b"content", "a copy does not follow its source")
    expect("put and copy tell sizes alike", info is not None and put.size_bytes == 7, info)


@promise("get", "head", "put", "copy")
async def copying_nothing_is_none(store: BlobStore, world: World) -> None:
    """None, and the target stays."""
    source, target = at(world, "copy-none", "never"), at(world, "copy-none", "target")
    await store.put(target, b"target")
    found = await store.copy(source, target)
    expect("copying an absent object is None", found is None, found)
    await holds(store, world, target, b"target", "copying nothing leaves the target")
    await absent(store, world, source, "copying creates no source")


@promise("get", "put", "copy")
async def copying_onto_itself_changes_nothing(store: BlobStore, world: World) -> None:
    """The object is told and stays as it was."""
    key = at(world, "copy-self", "a")
    await store.put(key, b"value", metadata={"a": "1"})
    info = await seen(
        world, "copy onto itself", lambda: store.copy(key, key), lambda info: info is not None
    )
    expect("it is told", info is not None and info.key == key, info)
    after = await holds(store, world, key, b"value", "an object copied onto itself stays")
    expect("with its metadata", dict(after.metadata) == {"a": "1"}, after)


CASES = (
    custom_metadata_comes_back_exactly,
    what_looks_encoded_comes_back_or_is_refused,
    http_metadata_comes_back_exactly,
    without_metadata_there_is_none,
    metadata_that_cannot_come_back_is_refused,
    the_greatest_metadata_works_and_one_byte_more_does_not,
    copy_takes_everything_along,
    copying_nothing_is_none,
    copying_onto_itself_changes_nothing,
)
