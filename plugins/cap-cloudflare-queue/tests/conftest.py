"""The backends that the suites run on, and a server that answers `remote` from a script.

The scripted server holds the quirks of this client. The certifier runs the whole matrix, every
exercise under every fault, against a reference of the vendor's API.
"""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from cap_cloudflare_queue.config import MockConfig, RemoteConfig
from cap_cloudflare_queue.mock import MockQueue
from cap_cloudflare_queue.remote import RemoteQueue
from core_caps.clock import SystemClock, VirtualClock
from core_caps.contract.pytest_plugin import Backend
from core_caps.rng import SeededRng
from core_caps.secret import Secret

TOKEN = "canary-token-7f3a"
_stores = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(*ids): the rows that this test proves")


LUCK = {
    "in order": {"reorder": False, "duplicate_rate": 0.0, "lost_ack_rate": 0.0},
    "in any order": {"duplicate_rate": 0.0, "lost_ack_rate": 0.0},
    "as it comes": {},
}


@pytest.fixture(params=LUCK)
def backend(request: pytest.FixtureRequest) -> Backend:
    """The mock: exactly once, in any order, and with the bad luck that it has by itself."""
    clock, store, rng = VirtualClock(), f"contract-{next(_stores)}", SeededRng()

    def make(capability: str) -> MockQueue:
        config = MockConfig(store=store, **LUCK[request.param])
        return MockQueue(config, clock=clock, rng=rng)

    return Backend("mock", make, clock, advance=clock.advance)


@dataclass
class Request:
    """A request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Step = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]
"""The bytes of an answer, or what to do instead of answering."""


@dataclass
class Script:
    """A server that answers its requests one step after the other; the last step repeats."""

    steps: Sequence[Step]
    requests: list[Request] = field(default_factory=list)
    serving: list[asyncio.Task[None]] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.append(task)
        self.connected.set()
        try:
            while True:
                self.requests.append(await self._request(reader))
                step = self.steps[min(len(self.requests), len(self.steps)) - 1]
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                else:
                    await step(writer)
                    if writer.is_closing():
                        break
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _request(self, reader: asyncio.StreamReader) -> Request:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = (line.partition(":") for line in head[1:] if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return Request(method, target, headers, body)

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Script"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/client/v4"
        try:
            yield self
        finally:
            server.close()
            for task in self.serving:
                task.cancel()
            await asyncio.gather(*self.serving, return_exceptions=True)

    @property
    def connections(self) -> int:
        return len(self.serving)


class Wire:
    """What the tests of `remote` need: answers as bytes, a script, a client of it."""

    token = TOKEN

    def __init__(self, transport: str) -> None:
        self.transport = transport

    def answer(
        self, status: int, body: bytes = b"", content_type: str = "application/json", *more: str
    ) -> bytes:
        head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *more]
        if content_type:
            head.append(f"Content-Type: {content_type}")
        return "\r\n".join([*head, "", ""]).encode() + body

    def envelope(self, result: Any = None, **more: Any) -> bytes:
        content = {"success": True, "errors": [], "messages": [], "result": result, **more}
        return self.answer(200, json.dumps(content).encode())

    def refusal(self, status: int, code: int = 0, message: str = "", *more: str) -> bytes:
        errors = [{"code": code, "message": message}] if code else []
        content = {"success": False, "errors": errors, "messages": [], "result": None}
        return self.answer(status, json.dumps(content).encode(), "application/json", *more)

    def pulled(self, *messages: dict[str, Any]) -> bytes:
        """The answer to a pull: each message has what is said of it, and the rest made up."""
        made = [
            {
                "id": f"id-{number}",
                "body": "hello",
                "attempts": 1,
                "timestamp_ms": 1_700_000_000_123,
                "lease_id": f"lease-{number}",
                "metadata": {"CF-Content-Type": "text"},
                **message,
            }
            for number, message in enumerate(messages)
        ]
        return self.envelope({"message_backlog_count": len(made), "messages": made})

    def settled(self, acks: int = 0, retries: int = 0, **warnings: str) -> bytes:
        result = {"ackCount": acks, "retryCount": retries, "warnings": warnings}
        return self.envelope(result)

    def script(self, *steps: Step) -> Script:
        return Script(steps)

    def client(self, url: str, **settings: Any) -> RemoteQueue:
        config = RemoteConfig(
            account_id="acc",
            queue_id="q",
            api_token=Secret(TOKEN),
            base_url=url,
            transport=self.transport,  # type: ignore[arg-type]
            **{"timeout_seconds": 5.0, **settings},
        )
        return RemoteQueue(config, clock=SystemClock(), rng=SeededRng())

    def run(
        self, steps: Sequence[Step], use: Callable[[RemoteQueue], Awaitable[Any]], **settings: Any
    ) -> tuple[Script, Any]:
        """What `use` returns or raises, and the script with the requests that arrived."""

        async def main() -> tuple[Script, Any]:
            async with (
                Script(steps).running() as script,
                self.client(script.url, **settings) as queue,
            ):
                try:
                    return script, await use(queue)
                except Exception as error:
                    return script, error

        return asyncio.run(main())


@pytest.fixture(params=["httpx", "aiohttp"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A scripted service, reached by each transport."""
    return Wire(request.param)
