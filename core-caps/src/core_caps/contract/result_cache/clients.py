"""Promises about clients: several on one cache, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.cache import Cache
from core_caps.contract.reading import at, closed
from core_caps.contract.result_cache.reading import TTL_SECONDS, forgot, keeps, some_kept
from core_caps.contract.suite import World, promise

__all__ = ["CASES"]


@promise("get", "put", "delete")
async def two_clients_never_disagree(cache: Cache, world: World) -> None:
    """What one replaced or deleted the other does not give: at once only where that is promised."""
    key = at(world, "share")
    async with world.reopen() as other:
        await cache.put(key, b"from one", ttl_seconds=TTL_SECONDS)
        await keeps(cache, world, key, b"from one", "this client sees its own put, or nothing")
        await keeps(other, world, key, b"from one", "another client sees a put, or nothing")
        await other.put(key, b"from the other", ttl_seconds=TTL_SECONDS)
        await keeps(cache, world, key, b"from the other", "this client sees another's put, or not")
        await keeps(other, world, key, b"from the other", "the other sees its own put, or not")
        await cache.delete(key)
        await forgot(other, world, key, "what one deleted is gone for the other")


@promise("get", "put", needs=(("durability", "process"),))
async def closing_a_client_keeps_something(cache: Cache, world: World) -> None:
    """Of many values some outlive the client that put them."""
    keys = [at(world, "outlive", str(number)) for number in range(20)]
    async with world.reopen() as other:
        for key in keys:
            await other.put(key, key.encode(), ttl_seconds=TTL_SECONDS)
    await some_kept(cache, world, keys, "of 20 values some outlive the client that put them")


@promise()
async def a_closed_client_refuses_every_operation(cache: Cache, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, at(world, "closed", "a")))


@promise("get", "put")
async def closing_one_client_leaves_the_others_open(cache: Cache, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    key = at(world, "closed", "b")
    await cache.put(key, b"value", ttl_seconds=TTL_SECONDS)
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, key))
    await keeps(cache, world, key, b"value", "closing one client leaves the others open")


def _calls(cache: Cache, key: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "get": lambda: cache.get(key),
        "put": lambda: cache.put(key, b"changed", ttl_seconds=TTL_SECONDS),
        "delete": lambda: cache.delete(key),
    }


CASES = (
    two_clients_never_disagree,
    closing_a_client_keeps_something,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
