"""Promises about answers: each is given as it came, whole, and whatever its status."""

import asyncio
import email.utils

from core_caps.capabilities.http import Http, Response
from core_caps.contract.suite import World, expect, promise
from core_caps.contract.web_site.site import (
    NOTHING,
    SECOND,
    SITE,
    echo,
    echoed,
    place,
    redirect,
    status,
)

__all__ = ["CASES"]

_BODIES = (
    b"plain",
    b"",
    b"\x00",
    bytes(range(256)),
    b"\xef\xbb\xbfmark \xff\xfe",
    b"line\r\nline\n\r\n\r\n",
    b"x" * 300_000,
)

_STATUSES = (202, 204, 300, 304, 401, 403, 404, 405, 409, 418, 429, 451, 500, 503, 504, 599)

_NAMES = (
    "a/b",
    "a%2Fb",
    "a%252Fb",
    "a//b",
    "a/",
    "A/b",
    "a",
    "a?",
    "a?x=1",
    "a?x=2",
    "a?x=1&x=2",
    "a+b",
    "a%20b",
    "a:b;c,d=e@f!g$h'i(j)k*l",
    "~-_.",
    "%C3%A9",
    "e%CC%81",
    "%F0%9F%94%91",
    "%FF",
)
"""Targets that somebody who decodes, normalises, folds or cuts one would confuse."""


@promise("get")
async def what_is_absent_is_an_answer(http: Http, world: World) -> None:
    """Never put: status 404 and what the server says with it, no error."""
    url = place(world, "absent")
    found = await http.get(url)
    expect("absence is answered with status 404", found.status == 404, found)
    expect("the content of a 404 is given, too", found.body == NOTHING, found)
    expect("a 404 is not ok", not found.ok, found)


@promise("get", "put")
async def a_body_comes_back_exactly(http: Http, world: World) -> None:
    """All byte values, text in no encoding, line ends, nothing, and much."""
    for number, body in enumerate(_BODIES):
        url = place(world, "exact", str(number))
        await http.put(url, body)
        found = await http.get(url)
        expect("a resource is answered with 200", found.status == 200 and found.ok, found.status)
        same = found.body == body and type(found.body) is bytes
        expect("a body comes back byte for byte, as bytes", same, _shown(found))


@promise("get", "put")
async def headers_are_given_by_name_in_lower_case(http: Http, world: World) -> None:
    """Both ways: what was sent arrives, and what arrives is named in lower case."""
    url = place(world, "headers")
    await http.put(url, b"{}", headers={"Content-Type": "application/x.test; v=1"})
    found = await http.get(url)
    kept = found.headers.get("content-type")
    expect("a header is given as it came", kept == "application/x.test; v=1", found.headers)
    expect("an etag is given", bool(found.headers.get("etag")), found.headers)
    cased = [name for name in found.headers if name != name.lower()]
    expect("names are in lower case", not cased, cased)
    _, sent, _ = echoed(await http.get(echo(), headers={"X-Case": "Kept \t as it is"}))
    expect("a header is sent as it was given", sent.get("x-case") == "Kept \t as it is", sent)
    expect("the host is sent", sent.get("host") == "site.example", sent)


@promise("get")
async def every_status_is_an_answer(http: Http, world: World) -> None:
    """Refusals and failures, too; what to make of them is the caller's."""
    for number in _STATUSES:
        found = await http.get(status(number))
        expect(f"status {number} is given", found.status == number, found)
        expect("only 200 to 299 are ok", found.ok == (200 <= number < 300), found)


@promise("get")
async def a_wait_that_is_asked_for_is_told(http: Http, world: World) -> None:
    """In seconds, or as a date; what is neither is None."""
    for number in (429, 503):
        found = await http.get(status(number, "7"))
        told = found.retry_after_seconds
        expect("Retry-After in seconds is told", told == 7, told)
    date = email.utils.formatdate(world.clock.now() + 100, usegmt=True)
    told = (await http.get(status(503, date))).retry_after_seconds
    expect("Retry-After as a date is told", told is not None and 90 < told <= 100, told)
    for text in ("", "soon", "-1"):
        told = (await http.get(status(503, text))).retry_after_seconds
        expect(f"of a Retry-After of {text!r} nothing is told", told is None, told)


@promise("get", "head", "put")
async def head_tells_what_get_would(http: Http, world: World) -> None:
    """Status and headers without content; of what is absent, too."""
    url = place(world, "head")
    absent = await http.head(url)
    expect("head of what is absent is a 404", absent.status == 404, absent)
    await http.put(url, b"content", headers={"content-type": "text/plain"})
    whole, head = await http.get(url), await http.head(url)
    same = (head.status, head.url) == (whole.status, whole.url)
    expect("head has the status of get", same, head)
    for name in ("content-type", "etag"):
        expect(f"and its {name}", head.headers.get(name) == whole.headers.get(name), head)
    expect("head gives no content", head.body == b"" == absent.body, head)


@promise("get", "put")
async def resources_stay_apart(http: Http, world: World) -> None:
    """No target is decoded, normalised, folded or cut, and no host is taken for another."""
    urls = [place(world, "apart", name) for name in _NAMES]
    urls += [url.replace(SITE, SECOND) for url in urls[:2]]
    for url in urls:
        await http.put(url, url.encode())
    for url in urls:
        found = await http.get(url)
        expect(f"{url} is a resource of its own", found.body == url.encode(), found)


@promise("get", "put", "post")
async def an_answer_says_where_it_came_from(http: Http, world: World) -> None:
    """The URL as it was given, and the method."""
    url = place(world, "where", "a?x=%C3%A9&y")
    for method, found in (
        ("PUT", await http.put(url, b"")),
        ("POST", await http.post(url, b"")),
        ("GET", await http.get(url)),
    ):
        came = found.method, found.url
        expect("an answer says which request it is of", came == (method, url), came)


@promise("get")
async def a_host_is_a_name_in_any_case(http: Http, world: World) -> None:
    """Scheme and host in capitals, and the port that https has anyway."""
    url = place(world, "case")
    below = url.removeprefix(SITE)
    for same in (f"HTTPS://SITE.example{below}", f"{SITE}:443{below}"):
        found = await http.get(same)
        expect(f"{same} is allowed", found.status == 404, found)
    expect("no path is the path /", (await http.get(SITE)).status == 404, SITE)


@promise("get", "put")
async def concurrent_calls_keep_their_answers(http: Http, world: World) -> None:
    """Many calls at once on one client: each gets its own answer."""
    urls = [place(world, "concurrent", f"{number:02}") for number in range(24)]
    await asyncio.gather(*(http.put(url, url.encode() * 50) for url in urls))
    found = await asyncio.gather(*(http.get(url) for url in urls))
    wrong = [
        url
        for url, each in zip(urls, found, strict=True)
        if (each.body, each.url) != (url.encode() * 50, url)
    ]
    expect("each of many calls at once gets its own answer", not wrong, wrong)


@promise("get")
async def a_redirect_that_leads_nowhere_is_an_answer(http: Http, world: World) -> None:
    """Without Location there is nothing to follow."""
    for number in (301, 307):
        found = await http.get(redirect(number, ""))
        expect("a redirect without Location is an answer", found.status == number, found)


def _shown(found: Response) -> object:
    return f"{type(found.body).__name__} of {len(found.body)}, {bytes(found.body[:40])!r}"


CASES = (
    what_is_absent_is_an_answer,
    a_body_comes_back_exactly,
    headers_are_given_by_name_in_lower_case,
    every_status_is_an_answer,
    a_wait_that_is_asked_for_is_told,
    head_tells_what_get_would,
    resources_stay_apart,
    an_answer_says_where_it_came_from,
    a_host_is_a_name_in_any_case,
    concurrent_calls_keep_their_answers,
    a_redirect_that_leads_nowhere_is_an_answer,
)
