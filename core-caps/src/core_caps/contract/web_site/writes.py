"""Promises about writes: each is made as it was asked for, once, and under its key."""

from collections.abc import Awaitable, Callable

from core_caps.capabilities.http import KEY_HEADER, Http, Response
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, promise
from core_caps.contract.web_site.site import echo, echoed, place, redirect, status

__all__ = ["CASES"]

_LARGEST = "request_size_bytes_max"
_REDIRECTS = (301, 302, 303, 307, 308)


@promise("get", "put")
async def put_makes_and_replaces(http: Http, world: World) -> None:
    """201 where nothing stood, then 204; what stood there before is gone."""
    url = place(world, "put")
    for number, body in ((201, b"the first and longest"), (204, b"second"), (204, b"second")):
        made = await http.put(url, body)
        expect(f"put is answered with {number}", made.status == number, made)
        found = await http.get(url)
        expect("what was put stands there", found.body == body, found)


@promise("get", "put", "delete")
async def delete_removes(http: Http, world: World) -> None:
    """204; nothing stands there then, and a second one is answered with 404, no error."""
    url, other = place(world, "delete", "a"), place(world, "delete", "b")
    for each in (url, other):
        await http.put(each, b"value")
    for number in (204, 404):
        gone = await http.delete(url)
        expect(f"delete is answered with {number}", gone.status == number, gone)
        found = await http.get(url)
        expect("what was deleted is absent", found.status == 404, found)
    expect("nothing else is", (await http.get(other)).body == b"value", other)


@promise("get", "post")
async def post_makes_something_new_each_time(http: Http, world: World) -> None:
    """Without a key: the same content twice is two resources."""
    url = place(world, "post")
    made = [await http.post(url, b"entry") for _ in range(2)]
    expect("post is answered with 201", [one.status for one in made] == [201, 201], made)
    places = {one.headers.get("location") for one in made}
    expect("each post makes something of its own", len(places) == 2 and None not in places, places)
    for number in (1, 2):
        found = await http.get(f"{url}/{number}")
        expect("the content arrived", found.body == b"entry", found)


@promise("get", "put", "patch")
async def patch_changes_what_is_there(http: Http, world: World) -> None:
    """Each time; what is absent stays so, and is a 404."""
    url = place(world, "patch")
    absent = await http.patch(url, b"more")
    expect("patch of what is absent is a 404", absent.status == 404, absent)
    await http.put(url, b"one")
    for _ in range(2):
        changed = await http.patch(url, b", two")
        expect("patch is answered with 204", changed.status == 204, changed)
    found = await http.get(url)
    expect("patch changes what is there each time", found.body == b"one, two, two", found)


@promise("get", "put", "post", "patch")
async def what_comes_twice_under_one_key_is_done_once(http: Http, world: World) -> None:
    """The site knows a repeat by its key: the key arrives, the same with every attempt."""
    url, key = place(world, "keyed"), at(world, "keyed", "first")
    made = [await http.post(url, b"entry", idempotency_key=key) for _ in range(2)]
    expect("a repeat is answered as the first was", _told(made[0]) == _told(made[1]), made)
    second = await http.get(f"{url}/2")
    expect("a repeat makes nothing", second.status == 404, second)
    await http.put(url, b"one")
    for _ in range(2):
        await http.patch(url, b", two", idempotency_key=at(world, "keyed", "second"))
    found = await http.get(url)
    expect("a repeat changes nothing", found.body == b"one, two", found)
    other = await http.post(url, b"another", idempotency_key=key)
    expect("the key with another content is refused by the site", other.status == 422, other)


@promise("put", "post", "patch", "delete")
async def a_key_travels_in_its_header(http: Http, world: World) -> None:
    """As it was given, and only where one was given."""
    key = at(world, "travels", 'k~!#$%&"()*+,-./:;<=>?@[]^_`{|}')
    for method, send in _writes(http, echo()).items():
        first, sent, _ = echoed(await send(key))
        expect(f"{method} is sent so", first == f"{method} /-/echo", first)
        expect("its key travels", sent.get(KEY_HEADER) == key, sent)
        _, sent, _ = echoed(await send(""))
        expect("without a key there is no header", KEY_HEADER not in sent, sent)


@promise("put", "post", "patch", "delete")
async def every_status_of_a_write_is_an_answer(http: Http, world: World) -> None:
    """Refusals and failures, too."""
    for number in (202, 204, 400, 404, 409, 429, 500, 503):
        for method, send in _writes(http, status(number)).items():
            found = await send("")
            expect(f"{method} gives status {number}", found.status == number, found)


@promise("get", "put", "post", "patch", "delete")
async def a_write_is_never_redirected(http: Http, world: World) -> None:
    """The redirect is the answer, and nothing is done where it leads."""
    url = place(world, "redirected")
    await http.put(url, b"stays")
    for number in _REDIRECTS:
        for method, send in _writes(http, redirect(number, url)).items():
            found = await send("")
            expect(f"{method} gives status {number}", found.status == number, found)
            expect("with its Location", found.headers.get("location") == url, found.headers)
            kept = await http.get(url)
            expect(f"a {method} is not redirected", kept.body == b"stays", kept)


@promise("put", "post", "patch")
async def a_body_arrives_with_its_headers(http: Http, world: World) -> None:
    """Byte for byte, with its length and the type that was given; no type is made up."""
    body = bytes(range(256)) * 40
    headers = {"content-type": "application/x.test"}
    for send in (http.put, http.post, http.patch):
        _, sent, arrived = echoed(await send(echo(), body, headers=headers))
        expect("a body arrives byte for byte", arrived == body, len(arrived))
        expect("with its type", sent.get("content-type") == "application/x.test", sent)
        _, sent, arrived = echoed(await send(echo(), b""))
        expect("an empty body is sent, too", sent.get("content-length") == "0", sent)
        expect("no type is made up", "content-type" not in sent, sent)


@promise("get", "put", "post", "patch", limits=(_LARGEST,))
async def a_body_over_the_limit_is_refused(http: Http, world: World) -> None:
    """InvalidArgument, NOT_APPLIED: nothing of it is sent."""
    url, most = place(world, "large"), world.limits[_LARGEST]
    large = b"x" * (most + 1)
    for send in (http.put, http.post, http.patch):
        await refused(f"a body of {most + 1} bytes is refused", send(url, large))
    for each in (url, f"{url}/1"):
        found = await http.get(each)
        expect("what is refused is not sent", found.status == 404, found.status)


def _writes(http: Http, url: str) -> dict[str, Callable[[str], Awaitable[Response]]]:
    """Each write to a URL by its method; what is called gives it a key."""
    return {
        "PUT": lambda key: http.put(url, b"changed", idempotency_key=key),
        "POST": lambda key: http.post(url, b"changed", idempotency_key=key),
        "PATCH": lambda key: http.patch(url, b"changed", idempotency_key=key),
        "DELETE": lambda key: http.delete(url, idempotency_key=key),
    }


def _told(found: Response) -> tuple[int, str | None]:
    return found.status, found.headers.get("location")


CASES = (
    put_makes_and_replaces,
    delete_removes,
    post_makes_something_new_each_time,
    patch_changes_what_is_there,
    what_comes_twice_under_one_key_is_done_once,
    a_key_travels_in_its_header,
    every_status_of_a_write_is_an_answer,
    a_write_is_never_redirected,
    a_body_arrives_with_its_headers,
    a_body_over_the_limit_is_refused,
)
