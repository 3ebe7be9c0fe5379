"""What a type checker must accept; pyright reads this file, nobody runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from core_caps import (
    BlobReader,
    BlobStore,
    KeyValue,
    KeyValueReader,
    KeyValueWriter,
    Opening,
    Policy,
    Secret,
    VirtualClock,
    connect,
    hookimpl,
    limited,
    retrying,
    sync,
)
from core_caps.calls.observe import CallRecord
from core_caps.capabilities.blob_store import Blob, ObjectInfo
from core_caps.capabilities.sync_blob_store import SyncBlobReader, SyncBlobStore
from core_caps.capabilities.sync_key_value import SyncKeyValue, SyncKeyValueReader


async def whole() -> None:
    records: list[CallRecord] = []
    async with connect(
        KeyValue,
        "cloudflare-kv",
        backend="mock",
        config={"stale_seconds": 60},
        secrets={"api_token": Secret("t"), "other": "text"},
        clock=VirtualClock(),
        observe=records.append,
        access=["resource::kv::read"],
        retry=Policy(max_attempts=2),
    ) as kv:
        assert_type(kv, KeyValue)
        await kv.put("greeting", b"hello", ttl_seconds=3600)
        assert_type(await kv.get("greeting"), bytes | None)


async def half() -> None:
    async with connect(KeyValueReader) as reader:
        assert_type(reader, KeyValueReader)
    async with connect(KeyValueWriter) as writer:
        await writer.delete("k")


async def narrowed(kv: KeyValue, blobs: BlobStore) -> None:
    assert_type(limited(kv, KeyValueReader), KeyValueReader)
    assert_type(limited(blobs, BlobReader, hints=["blob_read"]), BlobReader)
    needs_reader(kv)
    needs_reader(limited(kv, KeyValueReader))
    again = retrying(kv, Policy(max_attempts=2), clock=VirtualClock())
    assert_type(again, KeyValue)
    async for chunk in blobs.open("k"):
        assert_type(chunk, bytes)
    assert_type(await blobs.get("k"), Blob | None)


def needs_reader(reader: KeyValueReader) -> None: ...


async def source() -> AsyncIterator[bytes]:
    yield b"x"


async def streams(blobs: BlobStore) -> None:
    assert_type(await blobs.put("k", source()), ObjectInfo)


def chunks() -> Iterator[bytes]:
    yield b"x"


def synchronous() -> None:
    with sync.connect(KeyValue, "cloudflare-kv", backend="mock") as kv:
        assert_type(kv, SyncKeyValue)
        assert_type(kv.get("k"), bytes | None)
    with sync.connect(KeyValueReader, retry=Policy()) as reader:
        assert_type(reader, SyncKeyValueReader)
    with sync.connect(BlobStore) as blobs:
        assert_type(blobs, SyncBlobStore)
        blobs.put("k", chunks())
        for chunk in blobs.open("k"):
            assert_type(chunk, bytes)
    with sync.connect(BlobReader) as blob_reader:
        assert_type(blob_reader, SyncBlobReader)


@hookimpl
def flows_open(opening: Opening) -> object:
    provider = opening.load()
    return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
