"""The bytes of objects on their way: received in pieces, read in parts, verified."""

from collections.abc import AsyncIterator
from typing import BinaryIO, cast

from core_caps.capabilities.blob_store import ByteRange, ObjectInfo
from core_caps.errors import InvalidArgument, ProtocolViolation

from cap_local.contents import Aside

__all__ = ["CHUNK_BYTES", "bounds", "chunks_of", "part", "received", "verify"]

CHUNK_BYTES = 256 * 1024


def bounds(wanted: ByteRange, info: ObjectInfo) -> tuple[int, int]:
    """Where a range begins, and how long it is at most."""
    size, length = info.size_bytes, wanted.length
    start = max(size - (length or 0), 0) if wanted.offset is None else wanted.offset
    if start >= size:
        raise InvalidArgument(
            f"the range starts at {start}; the object has {size} bytes",
            hint="head(key) tells the size",
        )
    return start, size if length is None else length


def part(file: BinaryIO, start: int, length: int) -> bytes:
    """Some bytes of a file."""
    file.seek(start)
    return file.read(length)


def verify(info: ObjectInfo, size: int, digest: str) -> None:
    """Refuse bytes that are not those of the object."""
    if (size, digest) != (info.size_bytes, info.etag):
        raise ProtocolViolation(
            f"the bytes of {info.key!r} are not those that were stored",
            hint="the disk or somebody changed them: restore the folder",
        )


def chunks_of(data: object) -> AsyncIterator[bytes]:
    """The data as a stream."""
    if isinstance(data, bytes | bytearray | memoryview):
        return _whole(bytes(cast("bytes", data)))
    if not hasattr(data, "__aiter__"):
        raise InvalidArgument(
            f"data is bytes or an async iterator of bytes, not {type(data).__name__}",
            hint="encode text: text.encode(); write a stream as an async generator",
        )
    return cast("AsyncIterator[bytes]", data)


async def _whole(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def received(aside: Aside, chunks: AsyncIterator[bytes], stated: int | None) -> int:
    """Write a stream aside in pieces of some size; how long it was."""
    size, piece = 0, bytearray()
    async for chunk in chunks:
        if not isinstance(cast("object", chunk), bytes | bytearray | memoryview):
            raise InvalidArgument(f"a chunk of the stream is {type(chunk).__name__}, not bytes")
        size += len(chunk)
        piece += chunk
        if stated is not None and size > stated:
            break
        if len(piece) >= CHUNK_BYTES:
            await aside.write(bytes(piece))
            piece.clear()
    if stated is not None and size != stated:
        raise InvalidArgument(
            f"size_bytes says {stated}, and the stream has another size",
            hint="leave size_bytes out where the size is not known",
        )
    await aside.write(bytes(piece))
    return size
