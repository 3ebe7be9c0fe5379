"""Downloads as streams: verified, in bounded memory, and on several connections where it pays.

An object begins on one connection. When it is long, has no checksum to hold it against as a whole
(it was uploaded in parts), and its beginning came quickly, the rest is read in ranges of that same
version, a few at a time: one connection to a distant store is slower than the line.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncGenerator
from concurrent.futures import Future
from contextlib import aclosing

from core_caps.capabilities.blob_store import ByteRange
from core_caps.errors import Conflict, PreconditionFailed, ProviderError

from cap_cloudflare_r2.answers import etag_of, is_md5, whole_size
from cap_cloudflare_r2.requests import Requests
from cap_cloudflare_r2.wire import Exchange

__all__ = ["CHUNK_BYTES", "SEGMENT_BYTES", "stream"]

_MIB = 1024 * 1024

CHUNK_BYTES = 2 * _MIB
"""How much of a connection is taken at a time; two such chunks are in memory."""

SEGMENT_BYTES = 8 * _MIB
"""The range that one connection of several reads."""

SEVERAL_BYTES_MIN = 64 * _MIB
"""A shorter object stays on its one connection: giving that up would cost more than it brings."""

QUICK = 0.1
"""The share of the deadline in which a first segment must have come: several at once share the
line, and each must still meet its deadline."""


async def stream(
    requests: Requests, key: str, found: Exchange, *, seconds: float, in_flight: int
) -> AsyncGenerator[bytes]:
    """The body of an answered GET, chunk by chunk; the last one only when all is verified.

    Raises:
        Conflict: the object was replaced while it was read.
        ProtocolViolation: the body is truncated, or its MD5 is not the etag.
    """
    try:
        etag, size = etag_of(found), found.size_bytes or 0
    except ProviderError:
        requests.drop(found, None)
        raise
    several = not is_md5(etag) and in_flight > 1 and size >= SEVERAL_BYTES_MIN
    received = 0
    begin = _one(requests, found, etag, seconds=seconds, leave=SEGMENT_BYTES if several else None)
    async with aclosing(begin) as chunks:
        async for chunk in chunks:
            received += len(chunk)
            yield chunk
            del chunk
    if received < size:
        rest = _several(requests, key, etag, received, size, seconds=seconds, in_flight=in_flight)
        async with aclosing(rest) as segments:
            async for segment in segments:
                yield segment
                del segment


async def _one(
    requests: Requests, found: Exchange, etag: str, *, seconds: float, leave: int | None
) -> AsyncGenerator[bytes]:
    """The body over its own connection; given up after `leave` bytes when they came quickly."""
    ahead: Future[bytes] | None = None
    md5 = hashlib.md5(usedforsecurity=False) if is_md5(etag) else None
    begun, received, chunk = _now(), 0, b""
    try:
        ahead = requests.read_ahead(found, CHUNK_BYTES)
        while ahead is not None:
            chunk = await requests.finish(found, ahead, seconds=seconds)
            ahead = None
            received += len(chunk)
            if received == leave and _now() - begun < seconds * QUICK:
                break
            if len(chunk) == CHUNK_BYTES:
                # The next chunk arrives while this one is hashed and used.
                ahead = requests.read_ahead(found, CHUNK_BYTES)
            if md5 is not None:
                await requests.add_in_thread(md5.update, chunk)
            if ahead is not None:
                yield chunk
        if md5 is not None and md5.hexdigest() != etag:
            raise found.garbled(f"the content's MD5 is not the etag {etag}")
    finally:
        requests.drop(found, ahead)
    if chunk:
        yield chunk


async def _several(
    requests: Requests,
    key: str,
    etag: str,
    start: int,
    size: int,
    *,
    seconds: float,
    in_flight: int,
) -> AsyncGenerator[bytes]:
    coming: deque[asyncio.Task[bytes]] = deque()
    try:
        while start < size or coming:
            while start < size and len(coming) < in_flight:
                wanted = ByteRange(start, min(SEGMENT_BYTES, size - start))
                work = _segment(requests, key, etag, wanted, seconds)
                coming.append(asyncio.create_task(work))
                start += SEGMENT_BYTES
            segment = await coming[0]
            coming.popleft()
            yield segment
            del segment
    finally:
        for task in coming:
            task.cancel()
        if coming:
            await asyncio.wait(coming)
        for task in coming:
            if not task.cancelled():
                task.exception()  # looked at: the first failure is the one that is told


async def _segment(
    requests: Requests, key: str, etag: str, wanted: ByteRange, seconds: float
) -> bytes:
    try:
        found = await requests.get("open", key, seconds=seconds, wanted=wanted, if_match=etag)
    except PreconditionFailed as error:
        raise Conflict(f"open: {key!r} was replaced while it was read", status=412) from error
    if found is None:
        raise Conflict(f"open: {key!r} was deleted while it was read", status=404)
    whole_size(found, wanted)
    return found.body


def _now() -> float:
    return asyncio.get_running_loop().time()
