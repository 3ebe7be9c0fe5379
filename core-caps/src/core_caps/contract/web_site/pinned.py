"""Promises about pinned reads: the content with that digest, or an error, for ever."""

import hashlib

from core_caps.capabilities.http import Http
from core_caps.contract.reading import refused
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.contract.web_site.site import place, redirect, status
from core_caps.errors import (
    Outcome,
    PermissionDenied,
    ProtocolViolation,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

__all__ = ["CASES", "digest_of"]

_NO_DIGESTS = (
    "",
    "sha256:",
    "0" * 64,
    "sha256:" + "0" * 63,
    "sha256:" + "0" * 65,
    "sha256:" + "g" * 64,
    "sha256:" + "A" * 64,
    "SHA256:" + "0" * 64,
    "md5:" + "0" * 32,
    "sha256:" + "0" * 64 + "\n",
    "sha256:" + "\u0660" * 64,
)


def digest_of(body: bytes) -> str:
    """The digest under which a content is pinned."""
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


@promise("get_pinned", "put")
async def what_has_the_digest_is_given(http: Http, world: World) -> None:
    """Byte for byte, after redirects too; and so it is again."""
    for number, body in enumerate((b"pinned", b"", bytes(range(256)) * 300)):
        url = place(world, "pinned", str(number))
        await http.put(url, body)
        for where in (url, url, redirect(302, url)):
            found = await http.get_pinned(where, digest_of(body))
            same = found == body and type(found) is bytes
            expect("the content with that digest is given", same, type(found))


@promise("get_pinned", "put")
async def what_has_another_digest_is_refused(http: Http, world: World) -> None:
    """ProtocolViolation, NOT_APPLIED: whatever stands there, and however alike."""
    url = place(world, "moved")
    for body in (b"pinned.", b"pinneD", b"", b"pinned\n"):
        await http.put(url, body)
        error = await expect_error(
            ProtocolViolation,
            "a content with another digest is refused",
            http.get_pinned(url, digest_of(b"pinned")),
        )
        expect("a read changes nothing", error.outcome is Outcome.NOT_APPLIED, error.outcome)
    await http.put(url, b"pinned")
    found = await http.get_pinned(url, digest_of(b"pinned"))
    expect("what stands there again is given again", found == b"pinned", found)


@promise("get_pinned")
async def an_absent_pinned_content_is_none(http: Http, world: World) -> None:
    """404 and 410, and nothing else: no refusal and no failure is taken for absence."""
    for url in (place(world, "absent"), status(404), status(410)):
        found = await http.get_pinned(url, digest_of(b""))
        expect("what is absent is None", found is None, found)
    for number, kind in (
        (401, Unauthenticated),
        (403, PermissionDenied),
        (429, RateLimited),
        (500, Unavailable),
        (503, Unavailable),
    ):
        promised = f"a pinned read that is answered with {number} raises {kind.__name__}"
        error = await expect_error(
            kind, promised, http.get_pinned(status(number, "7"), digest_of(b""))
        )
        told = error.outcome, error.status, error.retry_after_seconds
        expect(promised, told == (Outcome.NOT_APPLIED, number, 7), told)


@promise("get_pinned", "put")
async def no_success_but_200_is_a_content(http: Http, world: World) -> None:
    """A 204 or a 206 has the digest of nothing, or of a part."""
    for number in (202, 204, 206):
        await expect_error(
            ProtocolViolation,
            f"a pinned read that is answered with {number} gives nothing",
            http.get_pinned(status(number), digest_of(b"")),
        )


@promise("get_pinned")
async def what_is_no_digest_is_refused(http: Http, world: World) -> None:
    """Another algorithm, length or letter; nothing is sent."""
    for bad in _NO_DIGESTS:
        await refused(f"the digest {bad!r} is refused", http.get_pinned(place(world, "bad"), bad))


CASES = (
    what_has_the_digest_is_given,
    what_has_another_digest_is_refused,
    an_absent_pinned_content_is_none,
    no_success_but_200_is_a_content,
    what_is_no_digest_is_refused,
)
