"""Bodies on their way: sent in slices, read within a bound and known to be complete."""

from collections.abc import AsyncIterator

import httpx

from core_caps.http.transports import Broken

__all__ = ["SLICE_BYTES", "error_body", "slices", "whole_body"]

SLICE_BYTES = 256 * 1024
"""How much of a request's body is handed over at once, so that a long one does not hold up the
event loop while it is encrypted."""

ERROR_BODY_BYTES_MAX = 64 * 1024
"""How much of an error answer is read; its status decides even where its body is unusable."""


async def slices(body: bytes) -> AsyncIterator[bytes]:
    """The body, a slice at a time."""
    for start in range(0, len(body), SLICE_BYTES):
        yield body[start : start + SLICE_BYTES]


async def whole_body(response: httpx.Response, size_bytes_max: int) -> bytes:
    """The body, known to be complete.

    Raises:
        Broken: it is encoded, too long, or its length is not told or not kept.
    """
    headers = response.headers
    if headers.get("content-encoding", "identity") not in ("", "identity"):
        raise Broken("it is compressed, which was not asked for")
    told = headers.get("content-length")
    if told is None and "chunked" not in headers.get("transfer-encoding", "").lower():
        raise Broken("it does not tell its length, so a part could be missing")
    body = await _bounded(response, size_bytes_max)
    if told is not None and "transfer-encoding" not in headers and str(len(body)) != told.strip():
        raise Broken(f"it has {len(body)} bytes and promises {told[:20]}")
    return body


async def error_body(response: httpx.Response) -> bytes:
    """As much of an error's body as can be used; the status says enough where it cannot."""
    try:
        return await whole_body(response, ERROR_BODY_BYTES_MAX)
    except Exception:
        return b""


async def _bounded(response: httpx.Response, size_bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size_bytes = 0
    assert isinstance(response.stream, httpx.AsyncByteStream)
    async for chunk in response.stream:
        size_bytes += len(chunk)
        if size_bytes > size_bytes_max:
            raise Broken(f"it is longer than {size_bytes_max} bytes")
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
