"""How `remote` treats connections: none made, lost, slow, cancelled, closed; never used twice."""

import asyncio
import contextlib
import ssl
from pathlib import Path
from typing import Any

import pytest
from core_caps.capabilities.queue import Message
from core_caps.errors import (
    ClientClosed,
    Outcome,
    ProtocolViolation,
    ProviderError,
    TimedOut,
    Unavailable,
)

pytestmark = pytest.mark.feature("PH2-06", "P4-03", "AL-07")

CALLS = {
    "send": lambda queue: queue.send(b"a"),
    "send_batch": lambda queue: queue.send_batch([Message(b"a")]),
    "pull": lambda queue: queue.pull(),
    "ack": lambda queue: queue.ack(["~lease"]),
    "retry": lambda queue: queue.retry(["~lease"]),
}
EVERY_CALL = pytest.mark.parametrize("operation", CALLS)


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
        async with wire.client(url) as queue:
            return await CALLS[operation](queue)

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
            async with wire.client(url, timeout_seconds=5, connect_timeout_seconds=0.3) as queue:
                return await CALLS[operation](queue)
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
        script = wire.script(wire.envelope({"messages": []}))
        async with script.running(tls=server), wire.client(script.url) as queue:
            return await queue.pull()

    for trusted in (authority, other):
        trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        if trusted is authority:
            assert asyncio.run(main()) == ()
        else:
            with pytest.raises(Unavailable, match=r"(?i)certificate") as caught:
                asyncio.run(main())
            assert caught.value.outcome is Outcome.NOT_APPLIED


def test_proxies_of_the_environment_are_not_used(
    wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    _, value = wire.run([wire.envelope({"messages": []})], CALLS["pull"])
    assert value == ()


@EVERY_CALL
@pytest.mark.parametrize("step", [_hang_up, _reset], ids=["closed", "reset"])
def test_a_lost_connection_is_unknown(wire: Any, operation: str, step: Any) -> None:
    script, error = wire.run([step], CALLS[operation])
    assert isinstance(error, Unavailable)
    assert error.outcome is Outcome.UNKNOWN
    assert len(script.requests) == 1


@EVERY_CALL
def test_a_reused_connection_that_fails_is_not_tried_again(wire: Any, operation: str) -> None:
    async def use(queue: Any) -> Any:
        assert await queue.pull() == ()
        return await CALLS[operation](queue)

    script, error = wire.run([wire.envelope({"messages": []}), _hang_up], use)
    assert isinstance(error, Unavailable)
    assert error.outcome is Outcome.UNKNOWN
    assert (script.connections, len(script.requests)) == (1, 2)


@EVERY_CALL
def test_a_reset_within_the_body_is_unknown(wire: Any, operation: str) -> None:
    async def step(writer: Any) -> None:
        whole = wire.answer(200, b'{"success": true, "result": {}}' * 99)
        writer.write(whole[:200])
        await writer.drain()
        writer.transport.abort()

    _, error = wire.run([step], CALLS[operation])
    assert isinstance(error, ProtocolViolation | Unavailable)
    assert error.outcome is Outcome.UNKNOWN


@EVERY_CALL
def test_a_silent_service_meets_the_deadline(wire: Any, operation: str) -> None:
    _, error = wire.run([_stall], CALLS[operation], timeout_seconds=0.2)
    assert isinstance(error, TimedOut)
    assert error.outcome is Outcome.UNKNOWN
    assert error.__context__ is None


def test_a_slow_body_does_not_outlive_the_deadline(wire: Any) -> None:
    async def drip(writer: Any) -> None:
        writer.write(wire.answer(200, b"{" * 100_000)[:-100_000])
        while not writer.is_closing():
            writer.write(b"{")
            await writer.drain()
            await asyncio.sleep(0.02)

    _, error = wire.run([drip], CALLS["pull"], timeout_seconds=0.3)
    assert isinstance(error, TimedOut)


@pytest.mark.parametrize("count", [1, 100], ids=["small", "large"])
def test_a_cancelled_call_closes_its_connection(wire: Any, count: int) -> None:
    async def main() -> None:
        began, closed = asyncio.Event(), asyncio.Event()

        async def serve(reader: Any, writer: Any) -> None:
            await reader.readuntil(b"\r\n\r\n")
            began.set()
            with contextlib.suppress(ConnectionError):
                while await reader.read(65_536):  # until the client closes
                    pass
            closed.set()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with wire.client(f"http://127.0.0.1:{port}", timeout_seconds=60) as queue:
            call = asyncio.create_task(queue.send_batch([Message(b"a" * 2500)] * count))
            await began.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.wait_for(closed.wait(), 10)
        server.close()

    asyncio.run(main())


def test_a_failed_call_leaves_the_client_usable(wire: Any) -> None:
    async def use(queue: Any) -> Any:
        for _ in range(3):
            with pytest.raises(ProviderError):
                await queue.pull()
        return await queue.pull()

    _, value = wire.run(
        [_reset, wire.answer(200, b"x", "text/html"), _hang_up, wire.envelope({"messages": []})],
        use,
    )
    assert value == ()


def test_connections_are_reused(wire: Any) -> None:
    async def use(queue: Any) -> None:
        for _ in range(5):
            assert await queue.pull() == ()

    script, failed = wire.run([wire.envelope({"messages": []})], use)
    assert failed is None
    assert (script.connections, len(script.requests)) == (1, 5)


def test_a_closed_client_says_so(wire: Any) -> None:
    async def main() -> None:
        client = wire.client("http://127.0.0.1:9")
        with pytest.raises(ClientClosed):
            await client.pull()
        async with client:
            pass
        with pytest.raises(ClientClosed):
            await client.send(b"a")

    asyncio.run(main())
