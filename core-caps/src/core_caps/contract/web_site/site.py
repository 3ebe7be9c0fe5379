"""The site that a provider is tested on: what has to stand behind `https://site.example`.

A mock plays it in memory, and for a provider that reaches the network the lab's reference server of
wire `http` does. SITE and SECOND are two hosts of it, both allowed and each with resources of its
own; ELSEWHERE is not allowed. A resource is named by its whole target, path and query, as sent.

    GET, HEAD   200 and the content with `content-type` and `etag`, or 404
    PUT         201 where nothing stood, else 204; keeps `content-type`
    DELETE      204, or 404 where nothing stood
    POST        201 and `location`: the content stands under TARGET/1, TARGET/2 and so on
    PATCH       204, the content is appended, or 404
    other       405

A write that succeeded under an idempotency key is made once, and its repeat answered as it was; the
key with another request is a 422. What lies under `/-/` holds nothing and answers every method:

    /-/status/N?retry-after=TEXT     status N, with that Retry-After (percent-decoded), if any
    /-/redirect/N?to=LOCATION        status N, with that Location (percent-decoded), if any
    /-/echo                          200 and the request as text: METHOD TARGET, its headers in
                                     lower case and sorted, an empty line, its content
"""

from collections.abc import Mapping
from urllib.parse import quote

from core_caps.capabilities.http import Response
from core_caps.contract.reading import at
from core_caps.contract.suite import World, violated

__all__ = [
    "ELSEWHERE",
    "NOTHING",
    "SECOND",
    "SITE",
    "echo",
    "echoed",
    "place",
    "redirect",
    "status",
]

SITE = "https://site.example"
SECOND = "https://second.example"
ELSEWHERE = "https://elsewhere.example"

NOTHING = b"nothing is here\n"
"""The content of the site's 404."""


def place(world: World, case: str, name: str = "") -> str:
    """A URL of this case alone."""
    return f"{SITE}/{at(world, case, name)}"


def status(number: int, retry_after: str = "") -> str:
    """The URL that is answered with this status."""
    query = f"?retry-after={quote(retry_after, safe='')}" if retry_after else ""
    return f"{SITE}/-/status/{number}{query}"


def redirect(number: int, to: str) -> str:
    """The URL that redirects there with this status; "" gives no Location."""
    return f"{SITE}/-/redirect/{number}" + (f"?to={quote(to, safe='')}" if to else "")


def echo(host: str = SITE) -> str:
    """The URL that is answered with what was sent to it."""
    return f"{host}/-/echo"


def echoed(response: Response) -> tuple[str, Mapping[str, str], bytes]:
    """The first line, the headers and the content of a request that was echoed."""
    head, found, body = response.body.partition(b"\n\n")
    if response.status != 200 or not found:
        violated("an echo is answered with what was sent", response)
    first, *lines = head.decode("latin-1").split("\n")
    pairs = (line.partition(": ") for line in lines)
    return first, {name: value for name, _, value in pairs}, body
