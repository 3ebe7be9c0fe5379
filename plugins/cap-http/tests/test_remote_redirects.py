"""Redirects between real servers: where they may lead, and what goes along."""

import asyncio
import ssl
from typing import Any

import pytest
import trustme
from core_caps.errors import EgressRefused, Outcome, ProtocolViolation
from core_caps.http.testing import Script

pytestmark = pytest.mark.feature("S2-09")

CREDENTIALS = {"authorization": "Bearer t", "cookie": "a=b", "x-api-key": "k", "x-other": "c"}
WANTED = {"accept": "text/plain", "range": "bytes=0-4", "if-range": '"a"', "user-agent": "me"}


def between(wire, to: str, *, allowed: bool = True, **settings: Any) -> tuple[Script, Script, Any]:
    """A GET that one server redirects to another; both, and what came of it."""

    async def main() -> tuple[Script, Script, Any]:
        async with Script([wire.answer(200, b"found")]).running() as second:
            location = f"Location: {to.format(second=second.url)}"
            async with Script([wire.answer(302, b"moved", location)]).running() as first:
                urls = (first.url, second.url) if allowed else (first.url,)
                async with wire.client(*urls, **settings) as http:
                    try:
                        found = await http.get(f"{first.url}/a", headers=CREDENTIALS | WANTED)
                    except Exception as error:
                        return first, second, error
                    return first, second, found

    return asyncio.run(main())


def test_another_origin_gets_no_credentials(wire) -> None:
    first, second, found = between(wire, "{second}/b?c")
    assert (found.body, found.url) == (b"found", f"{second.url}/b?c")
    host = {"host": first.url[7:]}
    assert first.requests[0].headers == CREDENTIALS | WANTED | host | {
        "accept-encoding": "identity"
    }
    host = {"host": second.url[7:]}
    assert second.requests[0].headers == WANTED | host | {"accept-encoding": "identity"}


def test_a_host_that_is_not_allowed_is_not_even_connected_to(wire) -> None:
    _, second, error = between(wire, "{second}/b", allowed=False)
    assert isinstance(error, EgressRefused)
    assert error.outcome is Outcome.NOT_APPLIED
    assert second.url[7:] in error.hint
    assert "redirects" in str(error)
    assert not second.connected.is_set()


def test_without_redirects_each_is_an_answer(wire) -> None:
    _, second, found = between(wire, "{second}/b", redirects_max=0)
    assert (found.status, found.body) == (302, b"moved")
    assert found.headers["location"] == f"{second.url}/b"


@pytest.mark.parametrize("redirects_max", [1, 3])
def test_so_many_redirects_and_no_more(wire, redirects_max: int) -> None:
    steps = [wire.answer(301, b"", "Location: /again")]
    script, error = wire.run(
        steps, lambda http, url: http.get(f"{url}/"), redirects_max=redirects_max
    )
    assert isinstance(error, ProtocolViolation)
    assert len(script.requests) == redirects_max + 1
    steps = [*steps * redirects_max, wire.answer(200)]
    _, found = wire.run(steps, lambda http, url: http.get(f"{url}/"), redirects_max=redirects_max)
    assert found.status == 200


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/é?ü", "/%C3%A9?%C3%BC"),
        ("/a b", "/a%20b"),
        ("c/../d", "/a/d"),
        ("?x=1", "/a/b?x=1"),
        ("#part", "/a/b"),
        ("/%2e", None),
        ("/%zz", None),
        ("http://", None),
        ("mailto:a@b.example", None),
    ],
)
def test_a_location_is_read_as_browsers_read_it(wire, location: str, target: str | None) -> None:
    answer = wire.answer(302, b"", f"Location: {location}")
    script, found = wire.run([answer, wire.answer(200)], lambda http, url: http.get(f"{url}/a/b"))
    if target is None:
        assert isinstance(found, ProtocolViolation)
        assert len(script.requests) == 1
    else:
        assert script.requests[1].target == target


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_write_is_made_a_second_time(wire, status: int) -> None:
    async def use(http: Any, url: str) -> list[int]:
        made = [
            await http.post(f"{url}/", b"body"),
            await http.put(f"{url}/", b"body"),
            await http.patch(f"{url}/", b"body"),
            await http.delete(f"{url}/"),
        ]
        with pytest.raises(ProtocolViolation) as raised:
            made[0].raise_for_status()
        assert raised.value.outcome is Outcome.UNKNOWN
        return [each.status for each in made]

    script, statuses = wire.run([wire.answer(status, b"", "Location: /b")], use)
    assert statuses == [status] * 4
    assert [request.target for request in script.requests] == ["/"] * 4


def test_no_redirect_leads_out_of_tls(wire, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although http:// is allowed, and the host is."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def main() -> tuple[Script, Exception]:
        async with Script([wire.answer(200)]).running() as plain:
            answer = wire.answer(302, b"", f"Location: {plain.url}/")
            async with (
                Script([answer]).running(context) as secure,
                wire.client(secure.url, plain.url) as http,
            ):
                with pytest.raises(EgressRefused) as refused:
                    await http.get(f"{secure.url}/")
        return plain, refused.value

    plain, error = asyncio.run(main())
    assert "https to http" in str(error)
    assert not plain.connected.is_set()
