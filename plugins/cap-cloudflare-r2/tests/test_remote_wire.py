"""Connections and bodies: nothing shorter than promised, and everything let go."""

import asyncio
import gc
import hashlib
import threading
import time

import pytest
from core_caps.capabilities.blob_store import ByteRange
from core_caps.errors import (
    ClientClosed,
    Outcome,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unavailable,
)

from .scripted import HANG_UP, SILENCE, Cut, Dripping, Scripted, answer, refusal, stored, until

pytestmark = pytest.mark.feature("P4-03", "PH2-03")

NOT_APPLIED, UNKNOWN = Outcome.NOT_APPLIED, Outcome.UNKNOWN
ETAG = {"ETag": f'"{hashlib.md5(b"content").hexdigest()}"'}


async def collected(stream):
    return b"".join([chunk async for chunk in stream])


BROKEN_BODIES = {
    "shorter": Cut(answer(200, b"content", ETAG)[:-1]),
    "no body": Cut(answer(200, b"content", ETAG)[:-7]),
    "no length": Cut(answer(200, b"content", ETAG, length=False)),
    "two lengths": Cut(answer(200, b"content", {**ETAG, "Content-Length": "3"})),
    "bad length": Cut(answer(200, b"content", {**ETAG, "Content-Length": "seven"}, length=False)),
    "negative length": Cut(answer(200, b"content", {**ETAG, "Content-Length": "-7"}, length=False)),
    "other content": stored(b"content").replace(b"\r\n\r\ncontent", b"\r\n\r\ncontenT"),
    "no etag": answer(200, b"content"),
    "weak etag": answer(200, b"content", {"ETag": 'W/"e"'}),
    "two etags": answer(200, b"content", {"ETag": '"a"', "etag": '"b"'}),
    "bad chunks": Cut(
        answer(200, b"zz\r\ncontent\r\n", {**ETAG, "Transfer-Encoding": "chunked"}, length=False)
    ),
    "unended chunks": Cut(
        answer(200, b"7\r\ncontent\r\n", {**ETAG, "Transfer-Encoding": "chunked"}, length=False)
    ),
    "short chunk": Cut(
        answer(200, b"7\r\ncont", {**ETAG, "Transfer-Encoding": "chunked"}, length=False)
    ),
    "part of it": answer(206, b"content", {**ETAG, "Content-Range": "bytes 0-6/7"}),
}


@pytest.mark.parametrize("broken", BROKEN_BODIES)
@pytest.mark.parametrize("operation", ["get", "open"])
async def test_a_body_that_is_not_the_object_is_never_handed_out(client, operation, broken):
    with Scripted([BROKEN_BODIES[broken]]) as server:
        async with client(server.url) as store:
            call = store.get("k") if operation == "get" else collected(store.open("k"))
            with pytest.raises(ProtocolViolation) as caught:
                await call
    assert caught.value.outcome is NOT_APPLIED
    assert len(server.requests) == 1


async def test_a_body_in_chunks_is_the_object(client):
    chunked = b"3\r\ncon\r\n4;x=y\r\ntent\r\n0\r\n\r\n"
    whole = answer(200, chunked, {**ETAG, "Transfer-Encoding": "chunked"}, length=False)
    with Scripted([whole, whole, stored()]) as server:
        async with client(server.url) as store:
            assert (await store.get("k")).data == b"content"
            assert await collected(store.open("k")) == b"content"
            assert (await store.get("k")).data == b"content"
        assert server.connections == 1


async def test_a_reset_in_the_middle_is_unavailable(client):
    cut = Cut(answer(200, b"x" * 100_000, {"ETag": '"e-1"'})[:-1000], reset=True)
    with Scripted([cut, cut]) as server:
        async with client(server.url) as store:
            for call in (store.get("k"), collected(store.open("k"))):
                with pytest.raises((Unavailable, ProtocolViolation)) as caught:
                    await call
                assert caught.value.outcome is NOT_APPLIED


@pytest.mark.parametrize(
    ("wanted", "content_range", "body"),
    [
        (ByteRange(2, 3), "bytes 2-4/7", b"nt"),
        (ByteRange(2, 3), "bytes 1-3/7", b"ont"),
        (ByteRange(2, 3), "bytes 2-4/*", b"nte"),
        (ByteRange(2, 3), "", b"nte"),
        (ByteRange(2), "bytes 2-5/7", b"nten"),
        (ByteRange(None, 3), "bytes 0-2/7", b"con"),
        (ByteRange(0, 100), "bytes 0-99/7", b"content"),
    ],
)
async def test_a_range_must_be_the_one_asked_for(client, wanted, content_range, body):
    part = answer(
        206, body, {**ETAG, **({"Content-Range": content_range} if content_range else {})}
    )
    with Scripted([part, stored()]) as server:
        async with client(server.url) as store:
            with pytest.raises(ProtocolViolation):
                await store.get("k", range=wanted)
            with pytest.raises(ProtocolViolation):
                await store.get("k", range=wanted)  # 200: the whole, where a part was asked for


@pytest.mark.parametrize(
    ("wanted", "header"),
    [
        (ByteRange(2, 3), "bytes=2-4"),
        (ByteRange(2), "bytes=2-"),
        (ByteRange(0, 1), "bytes=0-0"),
        (ByteRange(None, 3), "bytes=-3"),
        (ByteRange(), None),
        (None, None),
    ],
)
async def test_ranges_as_sent(client, wanted, header):
    with Scripted([refusal(404, "NoSuchKey")]) as server:
        async with client(server.url) as store:
            await store.get("k", range=wanted)
    assert server.requests[0].headers.get("range") == header


async def test_connections_are_kept_and_a_closed_one_is_not_used_again(client):
    closing = answer(200, b"content", {**ETAG, "Connection": "close"})
    with Scripted([stored(), stored(), closing, stored()]) as server:
        async with client(server.url) as store:
            for _ in range(4):
                assert (await store.get("k")).data == b"content"
        assert server.connections == 2
    with Scripted([Cut(stored()), stored()]) as server:
        async with client(server.url) as store:
            await store.get("k")
            await asyncio.sleep(0.05)
            assert (await store.get("k")).data == b"content"
        assert server.connections == 2


async def test_a_refusal_keeps_the_connection(client):
    with Scripted([refusal(403, "AccessDenied"), stored()]) as server:
        async with client(server.url) as store:
            with pytest.raises(ProviderError):
                await store.get("k")
            await store.get("k")
        assert server.connections == 1


CALLS = {
    "get": (False, lambda s: s.get("k")),
    "open": (False, lambda s: collected(s.open("k"))),
    "head": (False, lambda s: s.head("k")),
    "list": (False, lambda s: s.list()),
    "put": (True, lambda s: s.put("k", b"value")),
    "delete": (True, lambda s: s.delete("k")),
    "copy": (False, lambda s: s.copy("k", "l")),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_a_silent_service_is_timed_out(client, operation):
    writes, call = CALLS[operation]
    with Scripted([SILENCE]) as server:
        async with client(server.url, timeout_seconds=0.2) as store:
            start = time.monotonic()
            with pytest.raises(TimedOut) as caught:
                await call(store)
            assert time.monotonic() - start < 1.0
            assert caught.value.outcome is (UNKNOWN if writes else NOT_APPLIED)
        assert server.wait_until_let_go()


@pytest.mark.parametrize("operation", ["get", "open", "list"])
async def test_a_dripping_body_is_timed_out_as_a_whole(client, operation):
    _, call = CALLS[operation]
    head = answer(200, b"", {**ETAG, "Content-Length": "1000"}, length=False)
    with Scripted([Dripping(head, b"x" * 1000)]) as server:
        async with client(server.url, timeout_seconds=0.3) as store:
            start = time.monotonic()
            with pytest.raises(TimedOut):
                await call(store)
            assert time.monotonic() - start < 1.2
        assert server.wait_until_let_go()


async def test_a_dripping_head_is_timed_out(client):
    with Scripted([Dripping(b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000)]) as server:
        async with client(server.url, timeout_seconds=0.3) as store:
            with pytest.raises(TimedOut):
                await store.delete("k")
        assert server.wait_until_let_go()


@pytest.mark.parametrize("operation", CALLS)
async def test_a_cancelled_call_lets_go_at_once(client, operation):
    _, call = CALLS[operation]
    with Scripted([SILENCE, stored()]) as server:
        async with client(server.url, threads=1) as store:
            task = asyncio.create_task(call(store))
            await until(lambda: server.requests)
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 0.4
            assert server.wait_until_let_go(0.5), "the socket is freed"
            assert (await store.get("k")).data == b"content", "the only thread is free again"


async def test_a_call_cancelled_in_the_queue_was_never_sent(client):
    with Scripted([SILENCE, stored()]) as server:
        async with client(server.url, threads=1) as store:
            first = asyncio.create_task(store.get("first"))
            await until(lambda: server.requests)
            second = asyncio.create_task(store.delete("second"))
            await asyncio.sleep(0.05)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            first.cancel()
            await asyncio.wait({first})
            await store.get("third")
        assert [request.target.split("/")[-1] for request in server.requests] == ["first", "third"]


async def test_a_call_that_waits_its_turn_too_long_was_never_sent(client):
    with Scripted([SILENCE]) as server:
        async with client(server.url, threads=1, timeout_seconds=0.5) as store:
            first = asyncio.create_task(store.get("first"))
            await until(lambda: server.requests)
            store._seconds = 0.1
            with pytest.raises(TimedOut) as caught:
                await store.delete("second")
            assert caught.value.outcome is NOT_APPLIED
            with pytest.raises(TimedOut):
                await first
        assert len(server.requests) == 1


async def test_closing_the_client_ends_what_is_running(client):
    with Scripted([SILENCE]) as server:
        store = client(server.url)
        async with store:
            task = asyncio.create_task(store.delete("k"))
            await until(lambda: server.requests)
        with pytest.raises(ClientClosed) as caught:
            await asyncio.wait_for(task, 1)
        assert caught.value.outcome is UNKNOWN
        assert server.wait_until_let_go()


MIB = 1024 * 1024
LONG = b"".join(bytes([number % 251]) * 4096 for number in range(2000))  # 8 MiB


async def test_a_stream_left_early_lets_go(client):
    with Scripted(lambda _: stored(LONG)) as server:
        async with client(server.url, threads=2) as store:
            for turn in range(6):
                stream = store.open("k")
                assert len(await anext(stream)) > 0
                if turn % 2:
                    await stream.aclose()
                else:
                    del stream
                    gc.collect()
                    await asyncio.sleep(0.01)
            assert (await asyncio.wait_for(store.get("k"), 5)).data == LONG


async def test_a_stream_in_chunks_is_the_object_and_keeps_its_connection(client):
    with Scripted(lambda _: stored(LONG)) as server:
        async with client(server.url) as store:
            chunks = [chunk async for chunk in store.open("k")]
            assert b"".join(chunks) == LONG
            assert len(chunks) > 2
            assert await collected(store.open("k")) == LONG
        assert server.connections == 1


async def test_a_corrupt_stream_fails_at_its_end(client):
    corrupt = stored(LONG)[:-1] + b"!"
    with Scripted([corrupt]) as server:
        async with client(server.url) as store:
            received = 0
            with pytest.raises(ProtocolViolation):  # noqa: PT012
                async for chunk in store.open("k"):
                    received += len(chunk)
            assert received < len(LONG), "the last chunk is held back until all is verified"


async def test_streams_that_nobody_reads_hold_no_thread(client):
    with Scripted(lambda _: stored(LONG)) as server:
        async with client(server.url, threads=1) as store:
            streams = [store.open("k") for _ in range(4)]
            for stream in streams:
                await anext(stream)
            assert (await asyncio.wait_for(store.get("k"), 5)).data == LONG
            for stream in streams:
                await stream.aclose()


async def test_a_slow_reader_gets_everything(client):
    with Scripted(lambda _: stored(LONG)) as server:
        async with client(server.url, timeout_seconds=0.5) as store:
            received = []
            async for chunk in store.open("k"):
                received.append(chunk)
                await asyncio.sleep(0.1)
            assert b"".join(received) == LONG


@pytest.mark.parametrize("size", [0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB])
@pytest.mark.parametrize("etag", ["md5", "e-2"])
async def test_streams_of_every_size_end_where_they_should(client, size, etag):
    body = b"x" * size
    etag = hashlib.md5(body).hexdigest() if etag == "md5" else etag
    with Scripted(lambda _: answer(200, body, {"ETag": f'"{etag}"'})) as server:
        async with client(server.url) as store:
            for _ in range(3):
                chunks = [chunk async for chunk in store.open("k")]
                assert b"".join(chunks) == body
                assert all(chunks), "no chunk is empty"
        assert server.connections == 1


async def test_a_stream_of_a_closed_client_says_so(client):
    with Scripted(lambda _: stored(LONG * 3)) as server:
        async with client(server.url) as store:
            stream = store.open("k")
            await anext(stream)
        with pytest.raises(ClientClosed):
            async for _ in stream:
                pass


async def test_a_cancelled_stream_lets_go(client):
    head = answer(200, b"", {"ETag": '"e-2"', "Content-Length": str(1 << 30)}, length=False)
    with Scripted([Dripping(head + b"x" * (3 << 20), b"y" * 1000)]) as server:
        async with client(server.url) as store:
            task = asyncio.create_task(collected(store.open("k")))
            await asyncio.sleep(0.2)
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 0.5
        assert server.wait_until_let_go(1.0)


async def test_no_thread_outlives_the_client(client):
    before = threading.active_count()
    with Scripted(lambda _: stored()) as server:
        async with client(server.url) as store:
            await asyncio.gather(*(store.get("k") for _ in range(30)))
        own = [each for each in threading.enumerate() if "cap-cloudflare-r2" in each.name]
        for each in own:
            each.join(1)
        assert not [each for each in own if each.is_alive()]
    assert server.connections <= 8, "no more connections than threads"
    assert before >= 1


async def test_an_early_answer_to_a_long_body_is_heard(client):
    def script(request):
        return refusal(403, "AccessDenied")

    with Scripted(script) as server:
        async with client(server.url) as store:
            with pytest.raises(ProviderError) as caught:
                await store.put("k", b"x" * 20_000_000)
    assert caught.value.outcome is NOT_APPLIED


@pytest.mark.parametrize("trust", [False, True])
async def test_tls_is_verified(client, tmp_path, monkeypatch, trust):
    import ssl

    trustme = pytest.importorskip("trustme")
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    with Scripted(lambda _: stored(LONG), tls=context) as server:
        for settings in ({"ca_bundle": str(bundle)} if trust else {},):
            async with client(server.url, **settings) as store:
                if trust:
                    assert (await store.get("k")).data == LONG
                    assert await collected(store.open("k")) == LONG
                    stream = store.open("k")
                    await anext(stream)
                    await stream.aclose()
                else:
                    with pytest.raises(Unavailable) as caught:
                        await store.put("k", b"v")
                    assert caught.value.outcome is NOT_APPLIED
        if trust:
            monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
            async with client(server.url) as store:
                assert (await store.get("k")).data == LONG
        assert len(server.requests) == (4 if trust else 0)


async def test_hanging_up_on_every_request_is_never_retried(client):
    with Scripted(lambda _: HANG_UP) as server:
        async with client(server.url) as store:
            for _, call in CALLS.values():
                with pytest.raises(ProviderError):
                    await call(store)
        assert len(server.requests) == len(CALLS)
