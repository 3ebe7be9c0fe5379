"""Promises about streams: the whole content in order, or an error; leaving early is allowed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from core_caps.capabilities.http import Http
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.contract.web_site.site import place, redirect, status
from core_caps.errors import ObjectAbsent, Outcome, ProviderError, RateLimited, Unavailable

__all__ = ["CASES", "all_of"]

_BODY = bytes(range(251)) * 4000


async def all_of(http: Http, url: str) -> bytes:
    """The whole content of a stream."""
    return b"".join([chunk async for chunk in http.open(url)])


@promise("open", "put")
async def a_stream_gives_the_whole_content(http: Http, world: World) -> None:
    """In order, byte for byte, as bytes; of nothing nothing; after a redirect too."""
    for number, body in enumerate((_BODY, b"", b"x")):
        url = place(world, "stream", str(number))
        await http.put(url, body)
        for where in (url, redirect(302, url)):
            found = await all_of(http, where)
            expect("a stream gives the whole content", found == body, len(found))
    chunks = [chunk async for chunk in http.open(place(world, "stream", "0"))]
    others = {type(chunk).__name__ for chunk in chunks if type(chunk) is not bytes}
    expect("chunks are bytes", not others, others)


@promise("open")
async def a_stream_of_what_is_absent_fails(http: Http, world: World) -> None:
    """ObjectAbsent, NOT_APPLIED: no empty stream, nor the page that says so."""
    for url in (place(world, "absent"), status(410)):
        error = await expect_error(
            ObjectAbsent, "a stream of what is absent fails", all_of(http, url)
        )
        expect("a read changes nothing", error.outcome is Outcome.NOT_APPLIED, error.outcome)


@promise("open")
async def a_stream_of_a_failure_fails(http: Http, world: World) -> None:
    """Every status but 200 is raised, with the wait that was asked for."""
    for number in (201, 202, 204, 206, 300, 304, 400, 401, 403, 418, 500):
        promised = f"a stream that is answered with {number} fails"
        error = await expect_error(ProviderError, promised, all_of(http, status(number)))
        expect(f"{promised}, and says so", error.status == number, error.status)
    for number, kind in ((429, RateLimited), (503, Unavailable)):
        promised = f"a {number} is {kind.__name__}"
        error = await expect_error(kind, promised, all_of(http, status(number, "7")))
        told = error.retry_after_seconds
        expect("with the wait that was asked for", told == 7, told)


@promise("open", "get", "put")
async def a_stream_may_be_left(http: Http, world: World) -> None:
    """Never begun, left after a chunk, or closed; other calls go on meanwhile and afterwards."""
    url = place(world, "left")
    await http.put(url, _BODY)
    http.open(url)
    async with aclosing(cast("AsyncGenerator[bytes]", http.open(url))) as stream:
        first = await anext(stream)
        expect("a chunk is the beginning", bool(first) and _BODY.startswith(first), first[:40])
        found = await http.get(url)
        expect("other calls go on meanwhile", found.body == _BODY, found.status)
    for _ in range(3):
        async with aclosing(cast("AsyncGenerator[bytes]", http.open(url))) as stream:
            async for _chunk in stream:
                break
    found = await all_of(http, url)
    expect("other streams are whole afterwards", found == _BODY, len(found))


CASES = (
    a_stream_gives_the_whole_content,
    a_stream_of_what_is_absent_fails,
    a_stream_of_a_failure_fails,
    a_stream_may_be_left,
)
