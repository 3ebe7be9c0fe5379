"""Promises about keys, pinned reads, signed URLs, and clients side by side."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

from core_caps.capabilities.blob_store import BlobStore
from core_caps.claims.operation import operations_of
from core_caps.contract.blob_store.reading import absent, holds, read_stream, streamed
from core_caps.contract.reading import at, closed, refused, seen
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import ProtocolViolation

__all__ = ["CASES"]


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@promise("get_by_hash", "put")
async def a_pinned_read_gives_its_content(store: BlobStore, world: World) -> None:
    """The key is the digest; the content is what it pins, for ever."""
    for content in (b"pinned", b"", b"x" * 200_000):
        digest = _digest(world.prefix.encode() + content)
        await store.put(digest, world.prefix.encode() + content)
        await seen(
            world,
            "get_by_hash gives the content of the digest",
            lambda digest=digest: store.get_by_hash(digest),
            lambda found, content=content: found == world.prefix.encode() + content,
        )
    missing = await store.get_by_hash(_digest(b"never stored " + world.prefix.encode()))
    expect("an absent content is None", missing is None, missing)


@promise("get_by_hash", "get", "put", "delete")
async def a_pinned_read_is_verified(store: BlobStore, world: World) -> None:
    """Another content under a digest is ProtocolViolation, never handed out."""
    digest = _digest(b"right " + world.prefix.encode())
    for wrong in (b"wrong", b""):
        await store.put(digest, wrong)
        await holds(store, world, digest, wrong, "a put is seen")
        await expect_error(
            ProtocolViolation, "another content is not handed out", store.get_by_hash(digest)
        )
    await store.delete(digest)


@promise("get_by_hash")
async def a_digest_of_another_form_is_refused(store: BlobStore, world: World) -> None:
    """One spelling per content: sha256, lower case, 64 digits."""
    good = hashlib.sha256(b"").hexdigest()
    for bad in (
        "",
        good,
        f"sha256:{good[:-1]}",
        f"sha256:{good}0",
        f"md5:{good}",
        f"sha256:{good[:-1]}g",
    ):
        await refused(f"{bad!r} is no digest", store.get_by_hash(bad))


@promise("get", "head", "open", "put", "delete", "copy")
async def an_impossible_key_is_refused(store: BlobStore, world: World) -> None:
    """Empty, or without a UTF-8 form."""
    fine = at(world, "fine", "a")
    await store.put(fine, b"value")
    for bad in ("", at(world, "surrogate", "\ud800")):
        for call in _keyed(store, bad, fine):
            await refused(f"the key {bad!r} is refused", call())


@promise("get", "head", "open", "put", "delete", "copy", limits=("key_size_bytes_max",))
async def the_longest_key_works_and_one_byte_more_does_not(store: BlobStore, world: World) -> None:
    """Bytes of UTF-8 count, not letters."""
    greatest = world.limits["key_size_bytes_max"]
    stem = at(world, "key-max")
    room = greatest - len(stem.encode())
    fine = at(world, "key-fine", "a")
    await store.put(fine, b"value")
    for longest in (stem + "k" * room, stem + "é" * (room // 2) + "k" * (room % 2)):
        await store.put(longest, b"value")
        await holds(store, world, longest, b"value", f"a key of {greatest} bytes works")
        for call in _keyed(store, longest + "k", fine):
            await refused(f"a key of {greatest + 1} bytes is refused", call())
        await store.delete(longest)
        await absent(store, world, longest, f"a key of {greatest} bytes can be deleted")


@promise("presign")
async def a_signed_url_names_its_object(store: BlobStore, world: World) -> None:
    """Absolute, with the key in its path; GET and PUT are two URLs, two keys too."""
    key = at(world, "presign", "a b/é?x#y")
    get, put = await store.presign(key), await store.presign(key, method="PUT")
    for url in (get, put):
        parts = urlsplit(url)
        expect("a signed URL is absolute", bool(parts.scheme and parts.netloc), url)
        expect("a signed URL is plain ASCII", url.isascii() and url.isprintable(), url)
        expect("a signed URL names its object", unquote(parts.path).endswith(key), parts.path)
        expect("a signed URL carries its signature apart", bool(parts.query), url)
    expect("GET and PUT are signed apart", get != put, get)
    other = await store.presign(at(world, "presign", "b"))
    expect("each key is signed apart", other != get, other)


@promise("presign", limits=("presign_seconds_max",))
async def a_signed_url_lives_only_so_long(store: BlobStore, world: World) -> None:
    """The documented longest life works; more, none and less than none are refused."""
    key = at(world, "presign-life", "a")
    longest = world.limits["presign_seconds_max"]
    urls = {await store.presign(key, expires_in_seconds=s) for s in (1, 60, longest)}
    expect("the life is part of the URL", len(urls) == 3, urls)
    for bad in (0, -1, longest + 1):
        await refused(f"a life of {bad} s", store.presign(key, expires_in_seconds=bad))


@promise("presign", needs_time=True)
async def a_signed_url_begins_when_it_is_made(store: BlobStore, world: World) -> None:
    """The clock is the only thing that makes two equal calls differ."""
    key = at(world, "presign-time", "a")
    first, again = await store.presign(key), await store.presign(key)
    expect("at one moment the same call gives the same URL", first == again, (first, again))
    assert world.advance is not None
    await world.advance(10)
    expect("later it gives another", await store.presign(key) != first, first)


@promise("get", "head", "put", "delete", "list")
async def two_clients_share_the_store(store: BlobStore, world: World) -> None:
    """What one writes or deletes the other comes to see."""
    key = at(world, "share", "a")
    async with world.reopen() as other:
        await store.put(key, b"from one")
        await holds(other, world, key, b"from one", "another client sees a put")
        await other.put(key, b"from the other")
        await holds(store, world, key, b"from the other", "this client sees another's put")
        await other.delete(key)
        await absent(store, world, key, "this client sees another's delete")


@promise("get", "put", needs=(("durability", "process"),))
async def closing_a_client_loses_nothing(store: BlobStore, world: World) -> None:
    """An object outlives the client that stored it."""
    key = at(world, "outlive", "a")
    async with world.reopen() as other:
        await other.put(key, b"value")
    await holds(store, world, key, b"value", "an object outlives the client that stored it")


@promise("get", "put")
async def many_calls_at_once_do_not_mix(store: BlobStore, world: World) -> None:
    """Forty writers and forty readers, each with its own content."""
    keys = [at(world, "many", str(number)) for number in range(40)]
    await asyncio.gather(*(store.put(key, key.encode() * 100) for key in keys))
    await seen(
        world,
        "calls at once do not mix",
        lambda: asyncio.gather(*(store.get(key) for key in keys)),
        lambda found: (
            [each and each.data for each in found] == [key.encode() * 100 for key in keys]
        ),
    )


@promise()
async def a_closed_client_refuses_every_operation(store: BlobStore, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, at(world, "closed", "a")))


@promise("get", "put")
async def closing_one_client_leaves_the_others_open(store: BlobStore, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    key = at(world, "closed", "a")
    await store.put(key, b"value")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, key))
    await holds(store, world, key, b"value", "closing one client leaves the others open")


@promise()
async def an_undeclared_operation_is_absent(store: BlobStore, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(BlobStore).keys() - world.operations
    present = sorted(name for name in others if hasattr(store, name))
    expect("an operation that is not declared is not there", not present, present)


def _keyed(store: BlobStore, key: str, fine: str) -> tuple[Callable[[], Awaitable[Any]], ...]:
    return (
        lambda: store.get(key),
        lambda: store.head(key),
        lambda: read_stream(store, key),
        lambda: store.put(key, b"value"),
        lambda: store.put(key, streamed([b"value"])),
        lambda: store.delete(key),
        lambda: store.copy(key, fine),
        lambda: store.copy(fine, key),
    )


def _calls(store: BlobStore, key: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    async def source() -> AsyncIterator[bytes]:
        yield b"changed"

    return {
        "get": lambda: store.get(key),
        "open": lambda: read_stream(store, key),
        "head": lambda: store.head(key),
        "list": store.list,
        "get_by_hash": lambda: store.get_by_hash(_digest(b"")),
        "put": lambda: store.put(key, source()),
        "delete": lambda: store.delete(key),
        "copy": lambda: store.copy(key, key + "2"),
        "presign": lambda: store.presign(key),
    }


CASES = (
    a_pinned_read_gives_its_content,
    a_pinned_read_is_verified,
    a_digest_of_another_form_is_refused,
    an_impossible_key_is_refused,
    the_longest_key_works_and_one_byte_more_does_not,
    a_signed_url_names_its_object,
    a_signed_url_lives_only_so_long,
    a_signed_url_begins_when_it_is_made,
    two_clients_share_the_store,
    closing_a_client_loses_nothing,
    many_calls_at_once_do_not_mix,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
    an_undeclared_operation_is_absent,
)
