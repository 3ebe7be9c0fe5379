"""Promises about clients: several on one site, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.http import Http
from core_caps.contract.reading import closed
from core_caps.contract.suite import World, expect, promise
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import place
from core_caps.contract.web_site.streams import all_of

__all__ = ["CASES"]


@promise("get", "put", "delete")
async def two_clients_see_one_site(http: Http, world: World) -> None:
    """What one puts or deletes the other finds: a client keeps no copies of its own."""
    url = place(world, "share")
    async with world.reopen() as other:
        for writer, reader, body in ((http, other, b"one"), (other, http, b"two")):
            await writer.put(url, body)
            for client in (reader, writer):
                found = await client.get(url)
                expect("each client finds what was put last", found.body == body, found)
        await other.delete(url)
        found = await http.get(url)
        expect("and what was deleted absent", found.status == 404, found)


@promise()
async def a_closed_client_refuses_every_operation(http: Http, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, place(world, "closed", "a")))


@promise("get", "put")
async def closing_one_client_leaves_the_others_open(http: Http, world: World) -> None:
    """What a closed client was asked to do changed nothing; the others go on."""
    url = place(world, "closed", "b")
    await http.put(url, b"value")
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, url))
    found = await http.get(url)
    expect("closing one client leaves the others open", found.body == b"value", found)


def _calls(http: Http, url: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "get": lambda: http.get(url),
        "head": lambda: http.head(url),
        "open": lambda: all_of(http, url),
        "get_pinned": lambda: http.get_pinned(url, digest_of(b"")),
        "put": lambda: http.put(url, b"changed"),
        "post": lambda: http.post(url, b"changed"),
        "patch": lambda: http.patch(url, b"changed"),
        "delete": lambda: http.delete(url),
    }


CASES = (
    two_clients_see_one_site,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
