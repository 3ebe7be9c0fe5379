"""Uploads in parts: equal, whole or nothing, and never left behind."""

import asyncio
import base64
import hashlib
import re
import threading
import time
import zlib
from urllib.parse import parse_qs, urlsplit

import pytest
from core_caps.errors import (
    InvalidArgument,
    Outcome,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unavailable,
)

from .scripted import HANG_UP, SILENCE, Scripted, answer, document, refusal, until

pytestmark = pytest.mark.feature("PH2-03", "P4-03")

NOT_APPLIED, UNKNOWN = Outcome.NOT_APPLIED, Outcome.UNKNOWN
MIB = 1024 * 1024
PART = 5 * MIB


class Uploads:
    """A small S3: objects, and uploads in parts, with R2's rule of equal parts."""

    def __init__(self, **faults):
        self.faults = faults
        self.objects, self.open, self.log = {}, {}, []
        self.in_flight, self.in_flight_most = 0, 0
        self._lock = threading.Lock()

    def __call__(self, request):
        query = parse_qs(urlsplit(request.target).query, keep_blank_values=True)
        kind = self._kind(request.method, query)
        self.log.append(kind)
        fault = self.faults.get(kind)
        commit, reply = fault if isinstance(fault, tuple) else (False, fault)
        if fault is None or commit:
            done = getattr(self, f"_{kind}")(request, query)
            return done if fault is None else reply
        return reply

    @staticmethod
    def _kind(method, query):
        if "uploads" in query:
            return "create"
        if "partNumber" in query:
            return "part"
        if "uploadId" in query:
            return {"POST": "complete", "DELETE": "abort"}[method]
        return {"PUT": "put", "HEAD": "head"}[method]

    def _create(self, request, query):
        assert request.headers["x-amz-checksum-algorithm"] == "CRC32"
        upload = f"upload/{len(self.log)}+="
        self.open[upload] = {}
        return document("InitiateMultipartUploadResult", f"<UploadId>{upload}</UploadId>")

    def _part(self, request, query):
        crc32 = base64.b64encode(zlib.crc32(request.body).to_bytes(4, "big")).decode()
        assert request.headers["x-amz-checksum-crc32"] == crc32
        assert request.headers["x-amz-content-sha256"] == "UNSIGNED-PAYLOAD"
        parts = self.open.get(query["uploadId"][0])
        if parts is None:
            return refusal(404, "NoSuchUpload")
        parts[int(query["partNumber"][0])] = request.body
        return answer(200, headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})

    def _complete(self, request, query):
        parts = self.open.pop(query["uploadId"][0], None)
        if parts is None:
            return refusal(404, "NoSuchUpload")
        numbers = [int(n) for n in re.findall(rb"<PartNumber>(\d+)</PartNumber>", request.body)]
        assert numbers == sorted(parts), "every part once, in order"
        assert request.body.count(b"<ChecksumCRC32>") == len(parts)
        sizes = [len(parts[number]) for number in numbers]
        assert all(size == sizes[0] >= PART for size in sizes[:-1]), "equal parts"
        assert sizes[-1] <= sizes[0]
        self.objects["k"] = b"".join(parts[number] for number in numbers)
        return document("CompleteMultipartUploadResult", f'<ETag>"e-{len(parts)}"</ETag>')

    def _abort(self, request, query):
        known = self.open.pop(query["uploadId"][0], None)
        return answer(204) if known is not None else refusal(404, "NoSuchUpload")

    def _put(self, request, query):
        digest = hashlib.md5(request.body)
        assert request.headers["content-md5"] == base64.b64encode(digest.digest()).decode()
        self.objects["k"] = request.body
        return answer(200, headers={"ETag": f'"{digest.hexdigest()}"'})

    def _head(self, request, query):
        if "k" not in self.objects:
            return answer(404)
        headers = {"ETag": '"now"', "Content-Length": str(len(self.objects["k"]))}
        return answer(200, headers=headers, length=False)


def blocks(total, size=MIB):
    data = hashlib.sha256(str(total).encode()).digest() * (total // 32 + 1)
    data = data[:total]
    return data, [data[start : start + size] for start in range(0, total, size)]


async def source(chunks, fail=None, wait=None):
    for chunk in chunks:
        yield chunk
    if wait is not None:
        await wait
    if fail is not None:
        raise fail


@pytest.mark.parametrize(
    ("total", "chunk", "parts"),
    [
        (0, 1, 0),
        (1, 1, 0),
        (PART - 1, MIB, 0),
        (PART, MIB, 0),
        (PART + 1, MIB, 2),
        (2 * PART, PART, 2),
        (2 * PART, 2 * PART, 2),
        (3 * PART + 7, 700_001, 4),
        (PART + 10, 20_011, 2),
    ],
)
async def test_a_stream_becomes_equal_parts_or_one_request(client, total, chunk, parts):
    data, chunks = blocks(total, chunk)
    service = Uploads()
    with Scripted(service) as server:
        async with client(server.url) as store:
            info = await store.put("k", source(chunks), size_bytes=total)
    assert service.objects["k"] == data
    assert info.size_bytes == total
    assert service.log == (["put"] if not parts else ["create", *["part"] * parts, "complete"])
    assert info.etag == (f"e-{parts}" if parts else hashlib.md5(data).hexdigest())


async def test_a_source_may_reuse_its_buffer(client):
    async def reusing():
        buffer = bytearray(MIB)
        for number in range(12):
            buffer[:] = bytes([number]) * MIB
            yield buffer

    service = Uploads()
    with Scripted(service) as server:
        async with client(server.url) as store:
            await store.put("k", reusing())
    assert service.objects["k"] == b"".join(bytes([n]) * MIB for n in range(12))


async def test_a_large_value_is_sent_in_parts_of_its_own_memory(client, monkeypatch):
    from cap_cloudflare_r2 import limits

    monkeypatch.setattr(limits, "PUT_WHOLE_BYTES_MAX", 6 * MIB)
    data, _ = blocks(11 * MIB + 5)
    service = Uploads()
    with Scripted(service) as server:
        async with client(server.url) as store:
            await store.put("k", data)
    assert service.objects["k"] == data
    assert service.log.count("part") == 3


FAULTS = {
    "part refused": ({"part": refusal(400, "BadDigest")}, ProtocolViolation, NOT_APPLIED),
    "part failed": ({"part": refusal(500, "InternalError")}, Unavailable, NOT_APPLIED),
    "part lost": ({"part": HANG_UP}, Unavailable, NOT_APPLIED),
    "part silent": ({"part": SILENCE}, TimedOut, NOT_APPLIED),
    "part without etag": ({"part": answer(200)}, ProtocolViolation, NOT_APPLIED),
    "complete refused": (
        {"complete": refusal(412, "PreconditionFailed")},
        PreconditionFailed,
        NOT_APPLIED,
    ),
    "complete failed": ({"complete": refusal(500, "InternalError")}, Unavailable, UNKNOWN),
    "complete failed inside": ({"complete": refusal(200, "InternalError")}, Unavailable, UNKNOWN),
    "complete garbled": ({"complete": answer(200, b"<html/>")}, ProtocolViolation, UNKNOWN),
    "complete lost": ({"complete": HANG_UP}, Unavailable, UNKNOWN),
    "complete silent": ({"complete": SILENCE}, TimedOut, UNKNOWN),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_failed_upload_is_aborted(client, fault):
    faults, kind, outcome = FAULTS[fault]
    service = Uploads(**faults)
    _, chunks = blocks(4 * PART)
    with Scripted(service) as server:
        async with client(server.url, timeout_seconds=1.0) as store:
            with pytest.raises(ProviderError) as caught:
                await store.put("k", source(chunks))
    assert type(caught.value) is kind
    assert caught.value.outcome is outcome
    assert service.log.count("abort") == 1
    assert not service.open, "nothing is left behind"
    assert not service.objects


@pytest.mark.parametrize("lost", [HANG_UP, refusal(500, "InternalError"), answer(200, b"")])
async def test_an_upload_that_completed_unheard_is_unknown_and_stays(client, lost):
    service = Uploads(complete=(True, lost))
    data, chunks = blocks(2 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            with pytest.raises(ProviderError) as caught:
                await store.put("k", source(chunks))
    assert caught.value.outcome is UNKNOWN
    assert service.objects["k"] == data, "the abort cannot touch what was completed"
    assert not service.open


@pytest.mark.parametrize("fault", [refusal(403, "AccessDenied"), HANG_UP, answer(200, b"")])
async def test_an_upload_that_never_began_stores_nothing(client, fault):
    service = Uploads(create=fault)
    _, chunks = blocks(2 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            with pytest.raises(ProviderError):
                await store.put("k", source(chunks))
    assert service.log == ["create"]


async def test_a_source_that_dies_leaves_nothing(client):
    service = Uploads()
    _, chunks = blocks(3 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            with pytest.raises(ZeroDivisionError):
                await store.put("k", source(chunks, fail=ZeroDivisionError()))
    assert service.log[-1] == "abort"
    assert not service.open
    assert not service.objects


@pytest.mark.parametrize("stated", [3 * PART - 1, 3 * PART + 1])
async def test_a_stream_of_another_size_leaves_nothing(client, stated):
    service = Uploads()
    _, chunks = blocks(3 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            with pytest.raises(InvalidArgument) as caught:
                await store.put("k", source(chunks), size_bytes=stated)
    assert caught.value.outcome is NOT_APPLIED
    assert not service.open
    assert not service.objects


async def test_a_cancelled_upload_leaves_nothing(client):
    service = Uploads()
    _, chunks = blocks(3 * PART)
    waiting = asyncio.get_running_loop().create_future()
    with Scripted(service) as server:
        async with client(server.url) as store:
            task = asyncio.create_task(store.put("k", source(chunks, wait=waiting)))
            await until(lambda: service.log.count("part") >= 2)
            start = time.monotonic()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert time.monotonic() - start < 1.0
    assert service.log[-1] == "abort"
    assert not service.open


async def test_an_upload_cancelled_twice_is_still_aborted(client):
    service = Uploads(part=SILENCE)
    _, chunks = blocks(3 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            task = asyncio.create_task(store.put("k", source(chunks)))
            await until(lambda: "part" in service.log)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not service.open


async def test_an_abort_that_hangs_is_bounded_and_told(client):
    service = Uploads(part=refusal(500, "InternalError"), abort=SILENCE)
    _, chunks = blocks(2 * PART)
    with Scripted(service) as server:
        async with client(server.url, abort_timeout_seconds=0.2) as store:
            start = time.monotonic()
            with pytest.raises(Unavailable) as caught:
                await store.put("k", source(chunks))
            assert time.monotonic() - start < 2.0
    assert caught.value.outcome is UNKNOWN, "nobody confirmed that nothing was applied"
    assert "could not be aborted" in "".join(caught.value.__notes__)


async def test_conditions_are_asked_before_much_is_sent_and_again_at_the_end(client):
    service = Uploads()
    data, chunks = blocks(2 * PART)
    with Scripted(service) as server:
        async with client(server.url) as store:
            await store.put("k", source(chunks), if_none_match="*")
            assert server.requests[-1].headers["if-none-match"] == "*"
            await store.put("k", source(chunks), if_match="now")
            assert server.requests[-1].headers["if-match"] == '"now"'
            service.log.clear()
            for conditions in ({"if_none_match": "*"}, {"if_match": "old"}):
                with pytest.raises(PreconditionFailed):
                    await store.put("k", source(chunks), **conditions)
    assert service.log == ["head", "head"], "nothing was sent"
    assert service.objects["k"] == data


async def test_only_so_many_parts_are_in_flight(client):
    import resource

    service = Uploads()
    held, most, lock = [0], [0], threading.Lock()

    def slow(request):
        if "partNumber" in request.target:
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            time.sleep(0.02)
            with lock:
                held[0] -= 1
        return service(request)

    with Scripted(slow) as server:
        server._lock = _NoLock()
        async with client(server.url, parts_in_flight=2) as store:
            await store.put("k", source([b"x" * MIB] * 40))
    assert most[0] == 2
    assert resource  # memory is measured by benchmarks/r2_transfer.py


class _NoLock:
    def __enter__(self):
        return self

    def __exit__(self, *exc):
        return None


async def test_more_parts_than_there_may_be(client, monkeypatch):
    from cap_cloudflare_r2 import limits
    from cap_cloudflare_r2.transfer import _part_size

    assert _part_size(8 * MIB, None) == 8 * MIB
    assert _part_size(8 * MIB, 80_000 * MIB) == 8 * MIB
    assert _part_size(8 * MIB, 80_000 * MIB + 1) == 9 * MIB
    monkeypatch.setattr(limits, "PARTS_MAX", 2)
    service = Uploads()
    with Scripted(service) as server:
        async with client(server.url) as store:
            with pytest.raises(InvalidArgument, match="size_bytes"):
                await store.put("k", source([b"x" * PART] * 3))
    assert not service.open
