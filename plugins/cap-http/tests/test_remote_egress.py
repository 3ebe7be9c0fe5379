"""Where `remote` goes: to allowed hosts, at addresses that were looked at, over verified TLS."""

import asyncio
import socket
import ssl
from typing import Any

import pytest
import trustme
from cap_http.config import RemoteConfig
from cap_http.egress import Egress, hosts_of, networks_of
from cap_http.urls import parsed
from core_caps.errors import ConfigInvalid, EgressRefused, Outcome, TimedOut, Unavailable
from core_caps.http.testing import Script

pytestmark = pytest.mark.feature("S2-09", "CK-04", "P4-05")

PRIVATE = [
    *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255"),
    *("240.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1"),
    *("2001:db8::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"),
    *("64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::127.0.0.1", "fec0::1"),
]
PUBLIC = ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    egress = Egress(hosts_of("a.example:443"))
    with pytest.raises(EgressRefused) as refused:
        egress.allowed("a.example", ["1.1.1.1", address])
    assert refused.value.outcome is Outcome.NOT_APPLIED
    assert "private_networks" in refused.value.hint


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed(address: str) -> None:
    assert Egress(frozenset()).allowed("a.example", [address]) == [address]


def test_a_network_may_be_allowed_and_nothing_beside_it() -> None:
    egress = Egress(frozenset(), networks=networks_of("10.1.0.0/16, 127.0.0.1 fd00::/8"))
    for address in ("10.1.255.255", "127.0.0.1", "fd00::1", "::ffff:10.1.0.1"):
        assert egress.allowed("a", [address])
    for address in ("10.2.0.0", "127.0.0.2", "fe80::1"):
        with pytest.raises(EgressRefused):
            egress.allowed("a", [address])


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        *(("hosts", text) for text in ("a.example", "a.example:https", "*:443", "*.a.example:443")),
        *(("hosts", text) for text in ("https://a.example:443", "a.example:0", "u@a.example:443")),
        *(("hosts", text) for text in ("a.example:65536", "a.example/b:443", "127.1:443", 5)),
        *(("private_networks", text) for text in ("10.0.0.1/8", "all", "10.0.0.0/33", None)),
        *(("plain_http", given) for given in ("yes", 1)),
        *(("redirects_max", given) for given in (-1, 21, 1.5, True)),
        *(("timeout_seconds", given) for given in (0, -1, float("nan"), "5", True)),
        *(("body_size_bytes_max", given) for given in (0, -1, 1.5, True)),
    ],
)
def test_a_setting_that_cannot_hold_is_refused(setting: str, text: Any) -> None:
    with pytest.raises(ConfigInvalid, match=setting):
        RemoteConfig(**{"hosts": "a.example:443", setting: text})


@pytest.mark.parametrize(
    ("setting", "text", "says"),
    [
        ("hosts", "a.example", "api.example.com:443"),
        ("hosts", "*.a.example:443", "each is to be named"),
        ("private_networks", "10.0.0.1/8", "10.0.0.0/8"),
        ("private_networks", "localhost", "10.1.0.0/16, 127.0.0.1"),
    ],
)
def test_a_setting_that_is_refused_says_how_it_is_written(
    setting: str, text: str, says: str
) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        RemoteConfig(**{"hosts": "a.example:443", setting: text})
    assert says in str(refused.value)


def test_who_writes_http_is_told_to_write_https() -> None:
    """And not to allow port 80 first."""
    with pytest.raises(EgressRefused) as refused:
        Egress(hosts_of("a.example:443")).check(parsed("http://a.example/"))
    assert "https://" in refused.value.hint


def test_hosts_are_compared_without_case_and_by_port() -> None:
    assert hosts_of("A.Example:443,\n[::1]:80 127.0.0.1:8080,") == {
        ("a.example", 443),
        ("[::1]", 80),
        ("127.0.0.1", 8080),
    }


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What names are answered with, one answer after the other; the last is given again."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **named: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in known:
            return real(host, port, *args, **named)
        answers = known[name]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in found for entry in real(address, port, *args, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


def test_a_name_that_points_at_this_machine_is_refused(wire, names) -> None:
    names["rebound.example"] = [["127.0.0.1"]]

    async def main() -> tuple[Script, Exception]:
        async with Script([wire.answer(200)]).running() as script:
            port = script.url.rpartition(":")[2]
            async with wire.client(f"http://rebound.example:{port}", private_networks="") as http:
                with pytest.raises(EgressRefused) as refused:
                    await http.post(f"http://rebound.example:{port}/", b"")
        return script, refused.value

    script, error = asyncio.run(main())
    assert not script.connected.is_set()
    assert error.outcome is Outcome.NOT_APPLIED
    assert "127.0.0.1" in str(error)


def test_the_address_that_was_looked_at_is_connected_to(wire, names) -> None:
    """Whoever answers otherwise the second time is not asked a second time."""
    names["rebound.example"] = [["127.0.0.1"], ["10.0.0.1"]]

    async def main() -> tuple[int, int, Exception]:
        async with Script([wire.answer(200, b"", "Connection: close")]).running() as script:
            base = f"http://rebound.example:{script.url.rpartition(':')[2]}"
            async with wire.client(base) as http:
                found = await http.get(f"{base}/")
                with pytest.raises(EgressRefused) as refused:
                    await http.get(f"{base}/")  # a new connection is looked at anew
        return found.status, script.connections, refused.value

    status, connections, error = asyncio.run(main())
    assert (status, connections) == (200, 1)
    assert "10.0.0.1" in str(error)


def test_the_next_address_is_tried_where_one_takes_no_connection(wire, names) -> None:
    names["several.example"] = [["127.0.0.9", "127.0.0.1"]]

    async def main() -> int:
        async with Script([wire.answer(200)]).running() as script:
            base = f"http://several.example:{script.url.rpartition(':')[2]}"
            async with wire.client(base) as http:
                return (await http.get(f"{base}/")).status

    assert asyncio.run(main()) == 200


def test_a_name_that_nobody_has_is_not_applied(wire, names, monkeypatch) -> None:
    def nobody(*args: Any, **named: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)

    async def main() -> Exception:
        async with wire.client("http://nobody.example:80") as http:
            with pytest.raises(Unavailable) as failed:
                await http.put("http://nobody.example/", b"")
        return failed.value

    assert asyncio.run(main()).outcome is Outcome.NOT_APPLIED


def test_no_connection_in_time_is_not_applied(wire, monkeypatch) -> None:
    async def never(*args: Any, **named: Any) -> list[Any]:
        await asyncio.sleep(30)
        return []

    monkeypatch.setattr("cap_http.connecting._addresses", never)

    async def main() -> Exception:
        async with wire.client("http://a.example:80", connect_timeout_seconds=0.1) as http:
            with pytest.raises(TimedOut) as late:
                await http.put("http://a.example/", b"")
        return late.value

    assert asyncio.run(main()).outcome is Outcome.NOT_APPLIED


def test_plain_http_must_be_allowed(wire) -> None:
    script, error = wire.run(
        [wire.answer(200)], lambda http, url: http.get(f"{url}/"), plain_http=False
    )
    assert isinstance(error, EgressRefused)
    assert "plain_http" in error.hint
    assert not script.connected.is_set()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


def _served(wire, name: str, context: ssl.SSLContext, **settings: Any) -> tuple[Script, Any]:
    """What a GET at a name gives, which a server of this machine with that certificate answers."""

    async def main() -> tuple[Script, Any]:
        async with Script([wire.answer(200, b"hello")]).running(context) as script:
            base = f"https://{name}:{script.url.rpartition(':')[2]}"
            async with wire.client(base, plain_http=False, **settings) as http:
                try:
                    return script, await http.get(f"{base}/")
                except Exception as error:
                    return script, error

    return asyncio.run(main())


def _context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def test_tls_is_spoken_with_the_name_although_an_address_is_connected_to(
    wire, names, authority, trusted
) -> None:
    names["secure.example"] = [["127.0.0.1"]]
    asked: list[str | None] = []
    context = _context(authority, "secure.example")
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    script, found = _served(wire, "secure.example", context)
    assert found.body == b"hello"
    assert asked == ["secure.example"]
    assert script.requests[0].headers["host"].startswith("secure.example:")


@pytest.mark.parametrize("trust", ["an authority that nobody knows", "another name"])
def test_who_cannot_prove_the_name_gets_nothing(
    wire, names, authority, trusted, trust: str
) -> None:
    names["secure.example"] = [["127.0.0.1"]]
    issuer = trustme.CA() if trust.startswith("an authority") else authority
    named = "secure.example" if trust.startswith("an authority") else "other.example"
    script, error = _served(wire, "secure.example", _context(issuer, named))
    assert isinstance(error, Unavailable)
    assert error.outcome is Outcome.NOT_APPLIED
    assert not script.requests
