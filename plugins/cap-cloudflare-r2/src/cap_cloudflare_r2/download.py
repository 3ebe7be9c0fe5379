"""Downloads as streams: verified, in bounded memory, taken a little ahead of their reader."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator

from cap_cloudflare_r2.answers import etag_of, is_md5
from cap_cloudflare_r2.requests import Requests
from cap_cloudflare_r2.wire import Exchange

__all__ = ["CHUNKS_AHEAD", "CHUNK_BYTES", "stream"]

CHUNK_BYTES = 1024 * 1024
"""How much is handed out at a time; larger chunks leave the processor's cache before their use."""

CHUNKS_AHEAD = 2
"""How many chunks are in memory before anybody asks for them."""


async def stream(requests: Requests, found: Exchange, *, seconds: float) -> AsyncGenerator[bytes]:
    """The body of an answered GET, chunk by chunk; the last one only when all is verified.

    Raises:
        ProtocolViolation: the body is truncated, or its MD5 is not the etag.
    """
    pump = requests.pump(found, CHUNK_BYTES, CHUNKS_AHEAD)
    try:
        etag = etag_of(found)
        md5 = hashlib.md5(usedforsecurity=False) if is_md5(etag) else None
        held = b""
        while chunk := await pump.next(seconds=seconds):
            hashing = None if md5 is None else requests.in_thread(md5.update, chunk)
            try:
                if held:
                    yield held
            finally:
                if hashing is not None:
                    await asyncio.wait((hashing,))
            held = chunk
        if md5 is not None and md5.hexdigest() != etag:
            raise found.garbled(f"the content's MD5 is not the etag {etag}")
    finally:
        pump.drop()
    if held:
        yield held
