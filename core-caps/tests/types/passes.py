"""What a type checker must accept; pyright reads this file, nobody runs it."""

from collections.abc import AsyncIterator, Iterator
from typing import assert_type

from core_caps import (
    BlobReader,
    BlobStore,
    Cache,
    Dedupe,
    DurableObject,
    DurableObjectReader,
    EnvironmentSecrets,
    FolderSecrets,
    Http,
    HttpReader,
    KeyValue,
    KeyValueReader,
    KeyValueWriter,
    Opening,
    Policy,
    Queue,
    QueueReceiver,
    QueueSender,
    Secret,
    Secrets,
    VirtualClock,
    Webhooks,
    connect,
    hookimpl,
    limited,
    retrying,
    sync,
)
from core_caps.calls.observe import CallRecord
from core_caps.capabilities.blob_store import Blob, ObjectInfo
from core_caps.capabilities.dedupe import Done, Fresh, InProgress
from core_caps.capabilities.http import Response
from core_caps.capabilities.object_stub import Namespace
from core_caps.capabilities.payments import Customer, Event, Payments
from core_caps.capabilities.queue import Message
from core_caps.capabilities.sql import Rows, Sql, SqlReader
from core_caps.capabilities.sync_blob_store import SyncBlobReader, SyncBlobStore
from core_caps.capabilities.sync_cache import SyncCache
from core_caps.capabilities.sync_dedupe import SyncDedupe
from core_caps.capabilities.sync_durable_object import SyncDurableObject, SyncDurableObjectReader
from core_caps.capabilities.sync_http import SyncHttp
from core_caps.capabilities.sync_key_value import SyncKeyValue, SyncKeyValueReader
from core_caps.capabilities.sync_payments import SyncPayments
from core_caps.capabilities.sync_queue import SyncQueue, SyncQueueReceiver, SyncQueueSender
from core_caps.capabilities.sync_sql import SyncSql, SyncSqlReader


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


async def secrets() -> None:
    store: Secrets = FolderSecrets("/run/secrets")
    assert_type(await store.get("NAME"), Secret | None)
    async with connect(KeyValue, secrets=store) as kv:
        assert_type(kv, KeyValue)
    with sync.connect(KeyValue, secrets=EnvironmentSecrets()) as kv:
        assert_type(kv, SyncKeyValue)


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
    with sync.connect(Sql) as sql:
        assert_type(sql, SyncSql)
        assert_type(sql.query("SELECT 1"), Rows)
    with sync.connect(SqlReader) as sql_reader:
        assert_type(sql_reader, SyncSqlReader)
    with sync.connect(Queue) as queue:
        assert_type(queue, SyncQueue)
        queue.ack([delivery.lease for delivery in queue.pull(limit=5)])
    with sync.connect(QueueSender) as sender:
        assert_type(sender, SyncQueueSender)
    with sync.connect(QueueReceiver) as receiver:
        assert_type(receiver, SyncQueueReceiver)
    with sync.connect(Dedupe) as dedupe:
        assert_type(dedupe, SyncDedupe)
        assert_type(dedupe.reserve("k", owner="me", lease_seconds=60), Fresh | InProgress | Done)
    with sync.connect(DurableObject) as objects:
        assert_type(objects, SyncDurableObject)
        assert_type(objects.get(objects.new_id(), "k"), bytes | None)
    with sync.connect(DurableObjectReader) as object_reader:
        assert_type(object_reader, SyncDurableObjectReader)
    with sync.connect(Cache) as cache:
        assert_type(cache, SyncCache)
        assert_type(cache.get("k"), bytes | None)


async def objects() -> None:
    async with connect(DurableObject) as objects:
        assert_type(objects, DurableObject)
        assert_type(await Namespace(objects).by_name("n").compare_and_set("k", None, b"v"), bool)


async def payments() -> None:
    async with connect(Payments) as payer:
        made = await payer.create_customer(idempotency_key="k")
        assert_type(made, Customer)
    async with connect(Webhooks) as receiver:
        assert_type(await receiver.parse_webhook(b"{}", "t=1,v1=a"), Event)
    with sync.connect(Payments) as blocking:
        assert_type(blocking, SyncPayments)
        assert_type(blocking.get_customer("cus_1"), Customer | None)


async def web() -> None:
    async with connect(Http) as http:
        assert_type(http, Http)
        assert_type((await http.get("https://a.example/")).raise_for_status(), Response)
        assert_type(await http.get_pinned("https://a.example/", "sha256:"), bytes | None)
    async with connect(HttpReader) as reader:
        assert_type(reader, HttpReader)
    with sync.connect(Http) as blocking:
        assert_type(blocking, SyncHttp)
        assert_type(list(blocking.open("https://a.example/")), list[bytes])


async def queues() -> None:
    async with connect(Queue) as queue:
        assert_type(queue, Queue)
        await queue.send_batch([Message(b"body", key="k")])
        await queue.retry([each.lease for each in await queue.pull()], delay_seconds=5)
    async with connect(QueueReceiver) as receiver:
        assert_type(receiver, QueueReceiver)


@hookimpl
def flows_open(opening: Opening) -> object:
    provider = opening.load()
    return provider(opening.settings(provider.Config), clock=opening.clock, rng=opening.rng)
