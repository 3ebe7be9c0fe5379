"""A server that answers from a script: what the tests of a client over HTTP need.

It holds the quirks of one client. The certifier runs the whole matrix, every exercise under every
fault, against a reference of the vendor's API.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["TOKEN", "CloudflareWire", "Request", "Script", "Step", "Wire"]

TOKEN = "canary-token-7f3a"  # noqa: S105 (no secret: tests look for it in errors)


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
    """A server that answers its requests one step after the other; the last step repeats.

    Attributes:
        path: what its URL ends with.
        requests: what arrived.
        connected: set once somebody connected.
        url: where it is, while it runs.
    """

    steps: Sequence[Step]
    path: str = ""
    requests: list[Request] = field(default_factory=list[Request])
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _serving: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncGenerator["Script"]:
        """The server, on a port of its own."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        port = server.sockets[0].getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}{self.path}"
        try:
            yield self
        finally:
            server.close()
            for task in self._serving:
                task.cancel()
            await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def connections(self) -> int:
        """How many were made."""
        return len(self._serving)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.append(task)
        self.connected.set()
        try:
            while not writer.is_closing():
                self.requests.append(await _request(reader))
                step = self.steps[min(len(self.requests), len(self.steps)) - 1]
                if isinstance(step, bytes):
                    writer.write(step)
                    await writer.drain()
                else:
                    await step(writer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class Wire:
    """Answers as bytes, a script, a client of it; a plugin's own says how its client is made.

    Args:
        transport: how the client speaks HTTP.
    """

    token = TOKEN
    path = ""

    def __init__(self, transport: str) -> None:
        self.transport: Any = transport

    def client(self, url: str, **settings: Any) -> Any:
        """A provider that is yet to be entered."""
        raise NotImplementedError

    def answer(
        self, status: int, body: bytes = b"", content_type: str = "application/json", *more: str
    ) -> bytes:
        """An answer with its length, and more headers as lines."""
        head = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *more]
        if content_type:
            head.append(f"Content-Type: {content_type}")
        return "\r\n".join([*head, "", ""]).encode() + body

    def script(self, *steps: Step) -> Script:
        """A server that is yet to run."""
        return Script(steps, self.path)

    def run(
        self, steps: Sequence[Step], use: Callable[[Any], Awaitable[Any]], **settings: Any
    ) -> tuple[Script, Any]:
        """What `use` returns or raises, and the script with the requests that arrived."""

        async def main() -> tuple[Script, Any]:
            async with (
                self.script(*steps).running() as script,
                self.client(script.url, **settings) as client,
            ):
                try:
                    return script, await use(client)
                except Exception as error:
                    return script, error

        return asyncio.run(main())


class CloudflareWire(Wire):
    """Answers in the envelope of one vendor's API v4."""

    path = "/client/v4"

    def envelope(self, result: Any = None, **more: Any) -> bytes:
        """A success."""
        content: dict[str, Any] = {"success": True, "errors": [], "messages": [], "result": result}
        return self.answer(200, json.dumps(content | more).encode())

    def refusal(self, status: int, code: int = 0, message: str = "", *more: str) -> bytes:
        """A refusal; without a code it gives no reason."""
        content: dict[str, Any] = {"success": False, "messages": [], "result": None}
        content["errors"] = [{"code": code, "message": message}] if code else []
        return self.answer(status, json.dumps(content).encode(), "application/json", *more)


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = (line.partition(":") for line in head[1:] if line)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)
