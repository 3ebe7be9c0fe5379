"""How `remote` treats connections: none made, lost, slow, cancelled, closed; never used twice."""

import asyncio
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from core_caps.errors import (
    ClientClosed,
    Outcome,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unavailable,
)

pytestmark = pytest.mark.feature("W2-01", "P4-03", "AL-07")

CALLS = {
    "get": lambda kv: kv.get("a"),
    "list": lambda kv: kv.list(),
    "put": lambda kv: kv.put("a", b"v"),
    "delete": lambda kv: kv.delete("a"),
    "put_many": lambda kv: kv.put_many({"a": b"v"}),
}
EVERY_CALL = pytest.mark.parametrize("operation", CALLS)


def _outcome(operation: str) -> Outcome:
    return Outcome.NOT_APPLIED if operation in ("get", "list") else Outcome.UNKNOWN


async def _hang_up(writer: Any) -> None:
    writer.close()


async def _reset(writer: Any) -> None:
    writer.transport.abort()


async def _stall(writer: Any) -> None:
    await asyncio.sleep(30)


@EVERY_CALL
@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9",  # discard: refused
        "https://name.invalid",
    ],
)
def test_no_connection_is_not_applied(wire: Any, operation: str, url: str) -> None:
    async def main() -> Any:
        async with wire.client(url) as kv:
            return await CALLS[operation](kv)

    with pytest.raises((Unavailable, TimedOut)) as caught:
        asyncio.run(main())
    assert caught.value.outcome is Outcome.NOT_APPLIED
    assert caught.value.__context__ is None


@EVERY_CALL
@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""], ids=["http", "none"]
)
def test_a_port_that_speaks_no_tls_is_not_applied(
    wire: Any, operation: str, greeting: bytes
) -> None:
    async def main() -> Any:
        silent: list[Any] = []

        async def serve(reader: Any, writer: Any) -> None:
            silent.append(writer)
            writer.write(greeting)

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            async with wire.client(url, timeout_seconds=5, connect_timeout_seconds=0.3) as kv:
                return await CALLS[operation](kv)
        finally:
            server.close()
            for writer in silent:
                writer.close()

    with pytest.raises(Unavailable if greeting else TimedOut) as caught:
        asyncio.run(main())
    assert caught.value.outcome is Outcome.NOT_APPLIED


def test_certificates_are_checked_against_ssl_cert_file(
    wire: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trustme = pytest.importorskip("trustme")
    authority, other = trustme.CA(), trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)

    async def main() -> Any:
        script = wire.script(wire.value(b"v"))
        async with script.running(tls=server), wire.client(script.url) as kv:
            return await kv.get("a")

    for trusted in (authority, other):
        trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        if trusted is authority:
            assert asyncio.run(main()) == b"v"
        else:
            with pytest.raises(Unavailable, match=r"(?i)certificate") as caught:
                asyncio.run(main())
            assert caught.value.outcome is Outcome.NOT_APPLIED


def test_proxies_of_the_environment_are_not_used(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, value = wire.run([wire.value(b"v")], CALLS["get"])
    assert value == b"v"


@EVERY_CALL
@pytest.mark.parametrize("step", [_hang_up, _reset], ids=["closed", "reset"])
def test_a_lost_connection_is_unknown_for_a_write(wire: Any, operation: str, step: Any) -> None:
    script, error = wire.run([step], CALLS[operation])
    assert isinstance(error, Unavailable)
    assert error.outcome is _outcome(operation)
    assert len(script.requests) == 1


@EVERY_CALL
def test_a_reused_connection_that_fails_is_not_tried_again(wire: Any, operation: str) -> None:
    async def use(kv: Any) -> Any:
        assert await kv.get("first") == b"v"
        return await CALLS[operation](kv)

    script, error = wire.run([wire.value(b"v"), _hang_up], use)
    assert isinstance(error, Unavailable)
    assert error.outcome is _outcome(operation)
    assert (script.connections, len(script.requests)) == (1, 2)


@EVERY_CALL
def test_a_reset_within_the_body_gives_no_value(wire: Any, operation: str) -> None:
    kind = "application/octet-stream" if operation == "get" else "application/json"

    async def step(writer: Any) -> None:
        whole = wire.answer(200, b'{"success": true, "result": []}' * 99, kind)
        writer.write(whole[:200])
        await writer.drain()
        writer.transport.abort()

    _, error = wire.run([step], CALLS[operation])
    assert isinstance(error, ProtocolViolation | Unavailable)
    assert error.outcome is _outcome(operation)


@EVERY_CALL
def test_a_silent_service_meets_the_deadline(wire: Any, operation: str) -> None:
    start = time.monotonic()
    _, error = wire.run([_stall], CALLS[operation], timeout_seconds=0.2)
    assert isinstance(error, TimedOut)
    assert error.outcome is _outcome(operation)
    assert time.monotonic() - start < 2
    assert error.__context__ is None


def test_a_slow_body_does_not_outlive_the_deadline(wire: Any) -> None:
    async def drip(writer: Any) -> None:
        writer.write(wire.value(b"v" * 1000)[:-1000])
        for _ in range(1000):
            writer.write(b"v")
            await writer.drain()
            await asyncio.sleep(0.02)

    start = time.monotonic()
    _, error = wire.run([drip], CALLS["get"], timeout_seconds=0.3)
    assert isinstance(error, TimedOut)
    assert time.monotonic() - start < 2


def test_two_requests_share_one_deadline(wire: Any) -> None:
    async def slowly(writer: Any) -> None:
        await asyncio.sleep(0.2)
        writer.write(wire.value(b"v"))

    start = time.monotonic()
    _, error = wire.run([slowly, _stall], lambda kv: kv.get_with_metadata("a"), timeout_seconds=0.4)
    assert isinstance(error, TimedOut)
    assert time.monotonic() - start < 0.6


@pytest.mark.parametrize("size_bytes", [1, 8_000_000])
def test_a_cancelled_call_frees_its_connection(wire: Any, size_bytes: int) -> None:
    async def main() -> float:
        script = wire.script(_stall)
        async with script.running(), wire.client(script.url) as kv:
            call = asyncio.create_task(kv.put("a", bytes(size_bytes)))
            await script.connected.wait()
            await asyncio.sleep(0.05)
            call.cancel()
            start = time.monotonic()
            with pytest.raises(asyncio.CancelledError):
                await call
            return time.monotonic() - start

    assert asyncio.run(main()) < 0.25


def test_a_cancelled_call_closes_its_connection_at_once(wire: Any) -> None:
    async def main() -> None:
        closed = asyncio.Event()

        async def serve(reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.read() == b""  # until the client closes
            closed.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with wire.client(f"http://127.0.0.1:{port}") as kv:
            call = asyncio.create_task(kv.get("a"))
            await asyncio.sleep(0.1)
            call.cancel()
            await asyncio.wait_for(closed.wait(), 0.5)
        server.close()

    asyncio.run(main())


def test_a_failed_call_leaves_the_client_usable(wire: Any) -> None:
    async def use(kv: Any) -> Any:
        for _ in range(3):
            with pytest.raises(ProviderError):
                await kv.get("a")
        return await kv.get("a")

    _, value = wire.run(
        [_reset, wire.answer(200, b"x", "text/html"), _hang_up, wire.value(b"v")], use
    )
    assert value == b"v"


def test_connections_are_reused(wire: Any) -> None:
    async def use(kv: Any) -> None:
        for _ in range(5):
            assert await kv.get("a") == b"v"

    script, failed = wire.run([wire.value(b"v")], use)
    assert failed is None
    assert (script.connections, len(script.requests)) == (1, 5)


def test_a_closed_client_says_so(wire: Any) -> None:
    async def main() -> None:
        client = wire.client("http://127.0.0.1:9")
        with pytest.raises(ClientClosed):
            await client.get("a")
        async with client:
            pass
        with pytest.raises(ClientClosed):
            await client.put("a", b"v")

    asyncio.run(main())
