"""Promises about redirects of reads: a few are followed, where that is allowed and safe."""

from core_caps.capabilities.http import TRAVELLING_HEADERS, Http
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.contract.web_site.site import (
    ELSEWHERE,
    SECOND,
    SITE,
    echo,
    echoed,
    place,
    redirect,
)
from core_caps.errors import EgressRefused, Outcome, ProtocolViolation

__all__ = ["CASES"]

_REDIRECTS = (301, 302, 303, 307, 308)

_WANTED = {name.title(): f"wanted as {name}" for name in sorted(TRAVELLING_HEADERS)}

_CREDENTIALS = {
    "Authorization": "Bearer t",
    "Cookie": "a=b",
    "X-Api-Key": "k",
    "X-Auth-Token": "t",
    "Private-Token": "t",
    "Accept-Token": "t",
    "Referer": "https://site.example/?token=t",
    "x-other": "whatever it is",
}
"""Under the names that services give them; any other may be one, too."""


@promise("get", "put")
async def a_read_follows_a_redirect(http: Http, world: World) -> None:
    """Whichever status redirects, and over several hops; the answer says where it came from."""
    url = place(world, "followed")
    await http.put(url, b"found")
    for number in _REDIRECTS:
        found = await http.get(redirect(number, url))
        expect(f"a {number} is followed", (found.status, found.body) == (200, b"found"), found)
        expect("the answer says where it came from", found.url == url, found.url)
    twice = await http.get(redirect(302, redirect(307, url)))
    expect("a redirect to a redirect is followed", twice.body == b"found", twice)


@promise("get", "put")
async def a_location_is_relative_to_where_it_stands(http: Http, world: World) -> None:
    """A path, a query, another host without a scheme; a fragment is of the reader."""
    url = place(world, "relative")
    below = url.removeprefix(SITE)
    await http.put(url, b"found")
    await http.put(url.replace(SITE, SECOND), b"second")
    for to, body in (
        (below, b"found"),
        (f"../..{below}", b"found"),
        (f"{below}#part", b"found"),
        (f"//second.example{below}", b"second"),
    ):
        found = await http.get(redirect(302, to))
        expect(f"a Location of {to} is followed", found.body == body, found)


@promise("head", "get", "put")
async def head_stays_head(http: Http, world: World) -> None:
    """No redirect makes a GET of it."""
    url = place(world, "head-stays")
    await http.put(url, b"found")
    for number in _REDIRECTS:
        found = await http.head(redirect(number, url))
        asked = found.status, found.method, found.url, found.body
        expect(f"head stays head after a {number}", asked == (200, "HEAD", url, b""), found)
    first, _, _ = echoed(await http.get(redirect(303, echo())))
    expect("get stays get", first == "GET /-/echo", first)


@promise("get", "head")
async def a_redirect_leads_to_no_host_that_is_not_allowed(http: Http, world: World) -> None:
    """EgressRefused, NOT_APPLIED, at the first hop or a later one; nothing is sent there."""
    for to in (
        f"{ELSEWHERE}/stolen",
        "//elsewhere.example/stolen",
        "https://site.example:8443/stolen",
        redirect(302, f"{ELSEWHERE}/stolen"),
    ):
        for read in (http.get, http.head):
            promised = f"a redirect to {to} is refused"
            error = await expect_error(EgressRefused, promised, read(redirect(302, to)))
            expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


@promise("get")
async def no_redirect_gives_up_tls(http: Http, world: World) -> None:
    """From https to http is refused, whatever the host."""
    for to in ("http://site.example/", "http://site.example:443/", "http://second.example/"):
        await expect_error(
            EgressRefused, f"a redirect to {to} is refused", http.get(redirect(301, to))
        )


@promise("get")
async def redirects_come_to_an_end(http: Http, world: World) -> None:
    """Round and round is a ProtocolViolation."""
    round_and_round = redirect(308, "#here")  # a fragment alone leads to where it stands
    await expect_error(ProtocolViolation, "redirects come to an end", http.get(round_and_round))


@promise("get")
async def a_redirect_to_no_url_is_broken(http: Http, world: World) -> None:
    """ProtocolViolation: what the server said is none."""
    for to in ("https://", "https://site.example:port/", "https://us er@site.example/", "ftp://a/"):
        promised = f"a Location of {to!r} is no place to go"
        error = await expect_error(ProtocolViolation, promised, http.get(redirect(302, to)))
        expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


@promise("get")
async def credentials_stay_with_the_origin_they_are_for(http: Http, world: World) -> None:
    """Within an origin they are sent on; to another host they are not, nor back from there."""
    headers = {**_CREDENTIALS, **_WANTED}
    _, sent, _ = echoed(await http.get(redirect(307, echo()), headers=headers))
    within = {name: sent.get(name.lower()) for name in headers}
    expect("within one origin every header is sent on", within == headers, within)
    back = redirect(307, echo()).replace(SITE, SECOND, 1)
    for to in (echo(SECOND), redirect(302, echo(SECOND)), back):
        _, sent, _ = echoed(await http.get(redirect(307, to), headers=headers))
        leaked = sent.keys() & {name.lower() for name in _CREDENTIALS}
        expect("no credential goes to another host, by whichever name", not leaked, leaked)


@promise("get")
async def another_origin_is_asked_for_the_same(http: Http, world: World) -> None:
    """What says how an answer is wanted goes along, or it would be another answer."""
    for to in (echo(SECOND), redirect(302, echo(SECOND))):
        _, sent, _ = echoed(await http.get(redirect(307, to), headers=_WANTED))
        kept = {name: sent.get(name.lower()) for name in _WANTED}
        expect("how an answer is wanted is said to another host, too", kept == _WANTED, kept)


CASES = (
    a_read_follows_a_redirect,
    a_location_is_relative_to_where_it_stands,
    head_stays_head,
    a_redirect_leads_to_no_host_that_is_not_allowed,
    no_redirect_gives_up_tls,
    redirects_come_to_an_end,
    a_redirect_to_no_url_is_broken,
    credentials_stay_with_the_origin_they_are_for,
    another_origin_is_asked_for_the_same,
)
