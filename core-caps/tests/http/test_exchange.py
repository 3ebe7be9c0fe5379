"""One request and its whole answer, by each transport: what every provider over HTTP relies on."""

import asyncio
import dataclasses
import socket
import traceback
from typing import Any

import pytest
from core_caps.clock import VirtualClock
from core_caps.errors import (
    BackendNotInstalled,
    ContainerNotFound,
    InvalidArgument,
    Outcome,
    PermissionDenied,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    TimedOut,
    Unavailable,
)
from core_caps.http import envelope, exchange, failures, transports
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.testing import CloudflareWire, Script
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("P4-03", "AL-07")

FAILURES = failures.Failures(
    envelope.refusal,
    hints={InvalidArgument: "look it up"},
    by_status=failures.BY_STATUS,
    by_code={**envelope.GATEWAY_CODES, 77: PermissionDenied},
)


class Client:
    """The smallest provider: every call is one exchange."""

    def __init__(self, url: str, **given: Any) -> None:
        made = {"timeout_seconds": 5.0, "connect_timeout_seconds": 5.0, **given}
        token = Secret(CloudflareWire.token)
        headers = {"Authorization": f"Bearer {token.reveal()}"}
        self.service = Service("cap-test", url, FAILURES, headers, (token,), **made)

    async def __aenter__(self) -> "Client":
        self.exchange = Exchange(self.service, VirtualClock())
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.exchange.close()

    async def call(self, accepts: Any = None, **given: Any) -> Any:
        asked = {"writes": False, "read": envelope.envelope, "size_bytes_max": 1000, **given}
        call = Call("act", asked.pop("method", "GET"), "/thing", **asked)
        work = self.exchange.send(call, accepts)
        return await self.exchange.in_time("act", work, writes=call.writes)


class Wire(CloudflareWire):
    def client(self, url: str, **settings: Any) -> Client:
        return Client(url, transport=self.transport, **settings)


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param)


def test_a_request_has_what_the_service_and_the_call_say(wire: Wire) -> None:
    body = b"x" * (exchange.SLICE_BYTES + 1)
    sent = {"method": "PUT", "writes": True, "body": body, "headers": {"X-One": "1"}}
    script, result = wire.run([wire.envelope(5)], lambda client: client.call(**sent))
    assert result["result"] == 5
    (request,) = script.requests
    assert (request.method, request.target) == ("PUT", "/client/v4/thing")
    assert request.body == body
    headers = request.headers
    assert headers["authorization"] == f"Bearer {wire.token}"
    assert headers["user-agent"] == "cap-test"
    assert headers["content-type"] == "application/json"
    assert headers["content-length"] == str(len(body))
    assert headers["x-one"] == "1"
    assert "transfer-encoding" not in headers


@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, 0, InvalidArgument),
        (400, 77, PermissionDenied),
        (400, 7003, ContainerNotFound),
        (403, 77, PermissionDenied),
        (418, 77, ProtocolViolation),
        (429, 0, RateLimited),
        (503, 77, Unavailable),
        (204, 0, ProtocolViolation),
        (302, 0, ProtocolViolation),
    ],
)
def test_a_refusal_is_what_the_table_says(
    wire: Wire, status: int, code: int, kind: type[ProviderError], writes: bool
) -> None:
    refusal = wire.refusal(status, code, "no") if status != 204 else wire.answer(204)
    _, error = wire.run([refusal], lambda client: client.call(writes=writes))
    assert type(error) is kind
    refused = 400 <= status < 500 or not writes
    assert error.outcome is (Outcome.NOT_APPLIED if refused else Outcome.UNKNOWN)
    assert error.status == status


def test_what_is_accepted_is_none(wire: Wire) -> None:
    def accepts(status: int, refusal: failures.Refusal) -> bool:
        return status == 404 and 9 in refusal.codes

    for code, expected in ((9, type(None)), (8, ContainerNotFound)):
        _, found = wire.run([wire.refusal(404, code, "no")], lambda client: client.call(accepts))
        assert type(found) is expected


def test_a_body_has_a_bound(wire: Wire) -> None:
    _, error = wire.run([wire.envelope("x" * 1000)], lambda client: client.call(writes=True))
    assert type(error) is ProtocolViolation
    assert "longer than 1000 bytes" in str(error)
    assert error.outcome is Outcome.UNKNOWN


def test_one_deadline_for_all_requests(wire: Wire) -> None:
    async def slowly(writer: Any) -> None:
        await asyncio.sleep(30)

    _, error = wire.run([slowly], lambda client: client.call(writes=True), timeout_seconds=0.2)
    assert type(error) is TimedOut
    assert error.outcome is Outcome.UNKNOWN
    assert error.__context__ is None


@pytest.mark.parametrize("writes", [True, False])
def test_nobody_is_told_to_repeat_a_write_that_may_have_arrived(wire: Wire, writes: bool) -> None:
    async def slowly(writer: Any) -> None:
        await asyncio.sleep(30)

    _, error = wire.run([slowly], lambda client: client.call(writes=writes), timeout_seconds=0.2)
    assert error.outcome is (Outcome.UNKNOWN if writes else Outcome.NOT_APPLIED)
    assert ("or repeat" in error.hint) is not writes
    assert ("read what is there" in error.hint) is writes


def _unreached(wire: Wire, url: str, **given: Any) -> ProviderError:
    async def main() -> ProviderError:
        async with wire.client(url, **given) as client:
            with pytest.raises(ProviderError) as raised:
                await client.call(writes=True)
        return raised.value

    return asyncio.run(main())


def _says_where_and_why(error: ProviderError, where: str, why: str) -> None:
    assert f"connection to {where}: {why}" in str(error)
    assert "ssl:" not in str(error)
    assert "base_url" not in error.hint  # not every plugin has that setting
    assert error.outcome is Outcome.NOT_APPLIED


def test_nobody_there_is_told_by_both_transports_alike(wire: Wire) -> None:
    error = _unreached(wire, "http://127.0.0.1:1/v1")
    assert type(error) is Unavailable
    _says_where_and_why(error, "127.0.0.1:1", "Connection refused")


def test_a_name_that_nobody_has_is_told(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*args: Any, **named: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    error = _unreached(wire, "http://nobody.example")
    _says_where_and_why(error, "nobody.example", "its name does not resolve: no such name")


def test_a_server_without_tls_is_told(wire: Wire) -> None:
    async def main() -> tuple[str, ProviderError]:
        server = await asyncio.start_server(_greets, "127.0.0.1", 0)
        where = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, wire.client(f"https://{where}") as client:
            with pytest.raises(Unavailable) as raised:
                await client.call(writes=True)
        return where, raised.value

    where, error = asyncio.run(main())
    _says_where_and_why(error, where, "TLS was not agreed on: wrong version number")


async def _greets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 this is no TLS\r\n")
    await writer.drain()
    writer.close()


def test_a_secret_is_not_shown_even_where_the_text_is_cut(wire: Wire) -> None:
    for length in range(failures.SHOWN_CHARACTERS_MAX - 40, failures.SHOWN_CHARACTERS_MAX):
        text = "m" * length + wire.token
        answer = wire.refusal(400, 77, text) if length % 2 else wire.answer(200, b"", text)
        _, error = wire.run([answer], lambda client: client.call())
        shown = "".join(traceback.TracebackException.from_exception(error).format())
        assert wire.token[:6] not in shown


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7.0), (" 7 ", 7.0), ("-1", None), ("soon", None), (None, None)]
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert failures.retry_after_seconds(header, 0.0) == seconds


def test_a_retry_after_date_is_measured_by_the_injected_clock() -> None:
    header = "Wed, 21 Oct 2015 07:28:00 GMT"
    assert failures.retry_after_seconds(header, now=1_445_412_480 - 90.5) == 90.5
    assert failures.retry_after_seconds(header, now=1_445_412_480 + 5) == 0


def test_a_transport_that_is_not_installed_names_the_plugin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BackendNotInstalled, match=r"pip install 'cap-test\[fast\]'"):
        transports.open_transport("aiohttp", tls=False, distribution="cap-test")
    transports.open_transport("auto", tls=False, distribution="cap-test")


def test_the_last_step_of_a_script_repeats(wire: Wire) -> None:
    async def use(client: Any) -> list[Any]:
        return [(await client.call())["result"] for _ in range(3)]

    script, results = wire.run([wire.envelope(1), wire.envelope(2)], use)
    assert isinstance(script, Script)
    assert results == [1, 2, 2]
    assert script.connections == 1


@pytest.mark.parametrize("status", [400, 503])
def test_what_a_refusal_says_for_certain_was_not_applied(wire: Wire, status: int) -> None:
    def certain(refusal: failures.Refusal) -> type[ProviderError] | None:
        return RateLimited if refusal.detail.startswith("full") else None

    async def use(client: Client) -> Any:
        service = dataclasses.replace(
            client.service, failures=dataclasses.replace(FAILURES, certain=certain)
        )
        exchange = Exchange(service, VirtualClock())
        call = Call("act", "PUT", "/thing", True, envelope.envelope, 1000)
        try:
            return await exchange.send(call)
        finally:
            await exchange.close()

    _, error = wire.run([wire.refusal(status, 77, "full")], use)
    assert (type(error), error.outcome) == (RateLimited, Outcome.NOT_APPLIED)
    _, error = wire.run([wire.refusal(status, 77, "empty")], use)
    kinds = {400: (PermissionDenied, Outcome.NOT_APPLIED), 503: (Unavailable, Outcome.UNKNOWN)}
    assert (type(error), error.outcome) == kinds[status]
