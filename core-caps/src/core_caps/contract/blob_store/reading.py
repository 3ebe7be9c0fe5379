"""How the cases look at what a write did."""

from collections.abc import AsyncIterator, Awaitable, Iterable

from core_caps.capabilities.blob_store import BlobStore, ObjectInfo
from core_caps.contract.reading import seen
from core_caps.contract.suite import World, expect, expect_error, violated
from core_caps.errors import Outcome, PreconditionFailed

__all__ = [
    "absent",
    "holds",
    "listed",
    "read_stream",
    "streamed",
    "unmet",
]


async def holds(store: BlobStore, world: World, key: str, data: bytes, promised: str) -> ObjectInfo:
    """Check that the object has this content, and return what the store knows of it."""
    found = await seen(
        world,
        promised,
        lambda: store.get(key),
        lambda found: found is not None and found.data == data,
    )
    if found is None:
        violated(promised, None)
    # A str equals no bytes, but a bytearray does, and would change under its reader.
    expect(f"{promised}, as bytes", type(found.data) is bytes, type(found.data))
    expect(
        f"{promised}, with its key and size",
        (found.info.key, found.info.size_bytes) == (key, len(data)),
        found.info,
    )
    return found.info


async def absent(store: BlobStore, world: World, key: str, promised: str) -> None:
    """Check that there is no such object, to get and to head."""
    await seen(world, promised, lambda: store.get(key), lambda found: found is None)
    await seen(world, promised, lambda: store.head(key), lambda found: found is None)


async def unmet(promised: str, call: Awaitable[object]) -> PreconditionFailed:
    """Check that a call fails for its condition, and says that nothing changed."""
    error = await expect_error(PreconditionFailed, promised, call)
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
    return error


async def listed(
    store: BlobStore,
    prefix: str,
    *,
    delimiter: str | None = None,
    limit: int = 1000,
    pages_max: int = 400,
) -> tuple[list[ObjectInfo], list[str]]:
    """All objects and common prefixes of a listing, following its cursors."""
    objects: list[ObjectInfo] = []
    prefixes: list[str] = []
    cursor: str | None = None
    for _ in range(pages_max):
        page = await store.list(prefix=prefix, delimiter=delimiter, limit=limit, cursor=cursor)
        lines = len(page.objects) + len(page.prefixes)
        expect(f"a page has at most {limit} lines", lines <= limit, lines)
        objects.extend(page.objects)
        prefixes.extend(page.prefixes)
        cursor = page.cursor
        if cursor is None:
            return objects, prefixes
    return violated("a listing ends", f"no end after {pages_max} pages of at most {limit} lines")


async def read_stream(store: BlobStore, key: str, if_match: str | None = None) -> bytes:
    """The object through `open`, to its end."""
    content = bytearray()
    async for chunk in store.open(key, if_match=if_match):
        expect("a chunk is bytes", type(chunk) is bytes, type(chunk))
        content += chunk
    return bytes(content)


async def streamed(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A stream over these chunks."""
    for chunk in chunks:
        yield chunk
