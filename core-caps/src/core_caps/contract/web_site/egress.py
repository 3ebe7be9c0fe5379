"""Promises about what is sent at all: to allowed hosts, over TLS, and only what is a request."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.http import KEY_HEADER, Http
from core_caps.claims.operation import operations_of
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import ELSEWHERE, SITE, echo, place
from core_caps.contract.web_site.streams import all_of
from core_caps.errors import EgressRefused, Outcome

__all__ = ["CASES"]

_NOT_ALLOWED = (
    f"{ELSEWHERE}/a",
    "https://site.example:8443/a",
    "https://site.example:80/a",
    "https://a.site.example/a",
    "https://example/a",
    "https://site.example.elsewhere.example/a",
    "https://elsewhere-site.example/a",
    "https://elsewhere.example/?https://site.example/",
    "https://127.0.0.1/a",
    "https://10.0.0.1/a",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/a",
    "https://[::ffff:127.0.0.1]/a",
    "https://localhost/a",
)

_IN_CLEAR = ("http://site.example/a", "http://site.example:443/a", "HTTP://SITE.EXAMPLE/a")

_NO_URLS = (
    "",
    "/a",
    "a",
    "site.example/a",
    "//site.example/a",
    "https:",
    "https:/a",
    "https:///a",
    "https://:443/a",
    "https:site.example/a",
    "ftp://site.example/a",
    "file:///etc/passwd",
    "data:,a",
    " https://site.example/a",
    "https://site.example/a ",
    "https://site.example/a b",
    "https://site.example/a\r\nx: y",
    "https://site.example/a\x00",
    "https://site.example/\x7f",
    "https://site.example/é",
    "https://s\u00eete.example/a",
    "https://site\u3002example/a",
    "https://site.example\\@elsewhere.example/a",
    "https://user@site.example/a",
    "https://user:password@site.example/a",
    "https://elsewhere.example:443@site.example/a",
    "https://@site.example/a",
    "https://site.example/a#part",
    "https://site.example/#",
    "https://site.example/%",
    "https://site.example/%zz",
    "https://site.example/a?%4",
    "https://site.example/a/../b",
    "https://site.example/./a",
    "https://site.example/%2e%2e/a",
    "https://site.example:/a",
    "https://site.example:0/a",
    "https://site.example:65536/a",
    "https://site.example:-1/a",
    "https://site.example:4 3/a",
    "https://site.example:\u0664\u0664\u0663/a",
    "https://site..example/a",
    "https://.site.example/a",
    "https://site.example./a",
    "https://-site.example/a",
    "https://si_te.exa mple/a",
    "https://0x7f.1/a",
    "https://2130706433/a",
    "https://127.1/a",
    "https://0177.0.0.1/a",
    "https://1.2.3.4.5/a",
    "https://[::1/a",
    "https://[::1%25eth0]/a",
    "https://[site.example]/a",
    "https://site.example/" + "a" * 8000,
)

_NO_HEADERS: tuple[dict[str, str], ...] = (
    {"": "value"},
    {"a b": "value"},
    {"a:": "value"},
    {"a\r\nx": "value"},
    {"é": "value"},
    {"a": "value\r\nx-injected: yes"},
    {"a": "value\nx-injected: yes"},
    {"a": "value\rx"},
    {"a": "\x00"},
    {"a": "\x7f"},
    {"a": "é"},
    {"a": " value"},
    {"a": "value "},
    {"a": "\tvalue"},
    {"a": "1", "A": "2"},
)

_RESERVED = (
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "Accept-Encoding",
    KEY_HEADER,
)


@promise()
async def a_host_that_is_not_allowed_is_refused(http: Http, world: World) -> None:
    """EgressRefused, NOT_APPLIED, by every operation and before anything is sent."""
    for number, url in enumerate(_NOT_ALLOWED):
        calls = list(_calls(http, world, url).items())
        for name, call in calls if number == 0 else calls[number % len(calls) :][:1]:
            promised = f"{name} of {url} is refused"
            error = await expect_error(EgressRefused, promised, call())
            expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
            expect("it says what to do", bool(error.hint), error.hint)


@promise()
async def nothing_is_sent_in_clear(http: Http, world: World) -> None:
    """http:// to a host that is allowed is refused as well."""
    for url in _IN_CLEAR:
        for name, call in _calls(http, world, url).items():
            await expect_error(EgressRefused, f"{name} of {url} is refused", call())


@promise()
async def what_is_no_url_is_refused(http: Http, world: World) -> None:
    """Nothing is guessed, completed or repaired: InvalidArgument, NOT_APPLIED."""
    for number, url in enumerate(_NO_URLS):
        calls = list(_calls(http, world, url).items())
        name, call = calls[number % len(calls)]
        await refused(f"{name} of {url[:60]!r} is refused", call())


@promise("get")
async def no_error_shows_a_password_or_a_query(http: Http, world: World) -> None:
    """What stands before the @ and after the ? is often a credential."""
    for url in (
        f"{SITE.replace('//', '//user:canary@')}/a",
        f"{ELSEWHERE}/a?token=canary",
        f"{SITE}/a?token=canary#part",
    ):
        try:
            await http.get(url)
        except (EgressRefused, ValueError) as error:
            expect("an error shows no credential", "canary" not in str(error), str(error))


@promise()
async def what_is_no_header_is_refused(http: Http, world: World) -> None:
    """Line ends above all: nobody smuggles in a header, or a second request."""
    url = place(world, "headers")
    for number, headers in enumerate(_NO_HEADERS):
        calls = list(_with(http, world, url, headers).items())
        name, call = calls[number % len(calls)] if calls else ("", None)
        if call is not None:
            await refused(f"{name} refuses {headers!r}", call())


@promise()
async def headers_of_the_connection_are_not_to_be_given(http: Http, world: World) -> None:
    """Those that say where a request goes and where it ends, and the one of the key."""
    url = place(world, "reserved")
    for name in _RESERVED:
        for operation, call in _with(http, world, url, {name: "1"}).items():
            await refused(f"{operation} refuses the header {name}", call())


@promise("put", "post", "patch", "delete")
async def what_is_no_key_is_refused(http: Http, world: World) -> None:
    """A key is visible ASCII: nothing that could end its header."""
    for bad in (" ", "a b", "a\r\nx: y", "a\n", "\x00", "é", "\ud800"):
        for call in (
            lambda bad=bad: http.put(echo(), b"", idempotency_key=bad),
            lambda bad=bad: http.post(echo(), b"", idempotency_key=bad),
            lambda bad=bad: http.patch(echo(), b"", idempotency_key=bad),
            lambda bad=bad: http.delete(echo(), idempotency_key=bad),
        ):
            await refused(f"the key {bad!r} is refused", call())


@promise()
async def an_undeclared_operation_is_absent(http: Http, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Http).keys() - world.operations
    present = sorted(name for name in others if hasattr(http, name))
    expect("an operation that is not declared is not there", not present, present)


def _calls(http: Http, world: World, url: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Each operation that is provided, called with this URL."""
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "get": lambda: http.get(url),
        "head": lambda: http.head(url),
        "open": lambda: all_of(http, url),
        "get_pinned": lambda: http.get_pinned(url, digest_of(b"")),
        "put": lambda: http.put(url, b""),
        "post": lambda: http.post(url, b""),
        "patch": lambda: http.patch(url, b""),
        "delete": lambda: http.delete(url),
    }
    return {name: call for name, call in calls.items() if name in world.operations}


def _with(
    http: Http, world: World, url: str, headers: dict[str, str]
) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Each operation that is provided and takes headers, called with these."""

    async def opened() -> bytes:
        return b"".join([chunk async for chunk in http.open(url, headers=headers)])

    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "get": lambda: http.get(url, headers=headers),
        "head": lambda: http.head(url, headers=headers),
        "open": opened,
        "put": lambda: http.put(url, b"", headers=headers),
        "post": lambda: http.post(url, b"", headers=headers),
        "patch": lambda: http.patch(url, b"", headers=headers),
        "delete": lambda: http.delete(url, headers=headers),
    }
    return {name: call for name, call in calls.items() if name in world.operations}


CASES = (
    a_host_that_is_not_allowed_is_refused,
    nothing_is_sent_in_clear,
    what_is_no_url_is_refused,
    no_error_shows_a_password_or_a_query,
    what_is_no_header_is_refused,
    headers_of_the_connection_are_not_to_be_given,
    what_is_no_key_is_refused,
    an_undeclared_operation_is_absent,
)
