"""What a type checker must refuse: every line marked `# refused`, and no other."""

from core_caps import (
    BlobReader,
    BlobStore,
    Dedupe,
    KeyValue,
    KeyValueReader,
    KeyValueWriter,
    Policy,
    QueueSender,
    connect,
    limited,
    retrying,
    sync,
)
from core_caps.capabilities.blob_store import Blob


async def half() -> None:
    async with connect(KeyValueReader) as reader:
        await reader.get("k")
        await reader.put("k", b"v")  # refused
    async with connect(KeyValueWriter) as writer:
        await writer.get("k")  # refused
    async with connect(BlobReader) as blobs:
        await blobs.delete("k")  # refused


async def whole(kv: KeyValue, blobs: BlobStore) -> None:
    await kv.put("k", "text")  # refused
    await kv.put("k", b"v", ttl=60)  # refused
    await kv.get(1)  # refused
    await kv.increment("k")  # refused
    async for _ in blobs.open("k", range=None):  # refused
        pass
    blob: Blob = await blobs.get("k")  # refused
    print(blob)


def needs_whole(kv: KeyValue) -> None: ...


async def narrowed(kv: KeyValue) -> None:
    reader = limited(kv, KeyValueReader)
    await reader.delete("k")  # refused
    needs_whole(reader)  # refused
    await retrying(reader).put("k", b"v")  # refused
    retrying(kv, Policy(3))  # refused
    retrying(kv, Policy(attempts=3))  # refused


async def options() -> None:
    connect(KeyValue, "cloudflare-kv", backend=1)  # refused
    connect(KeyValue, "cloudflare-kv", secrets={"token": 1})  # refused
    connect(KeyValue, "cloudflare-kv", secrets=["token"])  # refused
    connect(KeyValue, "cloudflare-kv", retries=3)  # refused
    with connect(KeyValue):  # refused
        pass
    await connect(KeyValue)  # refused


def synchronous() -> None:
    with sync.connect(KeyValueReader) as reader:
        reader.put("k", b"v")  # refused
    with sync.connect(KeyValue, "cloudflare-kv", backend=1):  # refused
        pass
    with sync.connect(KeyValue, "cloudflare-kv", retry=3):  # refused
        pass
    with sync.connect(BlobStore) as blobs:
        blobs.put("k", 5)  # refused
    with sync.connect(QueueSender) as sender:
        sender.pull()  # refused
    with sync.connect(Dedupe) as dedupe:
        dedupe.commit("k", owner="me")  # refused


async def not_awaited() -> None:
    with sync.connect(KeyValue) as kv:
        await kv.put("k", b"v")  # refused
