"""KV reads: RemoteKv.get with the fast transport beside bare httpx, default and fast.

One local HTTP server in another process answers all three with the same 100 bytes. Each client
keeps IN_FLIGHT reads going at once, with equal timeouts and pools: then the client's own work is
measured. One at a time, mostly the way to the other process and back is; it is shown without a
goal. Ours checks what it reads (type, length, bound, deadline); bare httpx does not.

    python benchmarks/kv_reads.py [--json]
"""

import asyncio
import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Coroutine, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from cap_cloudflare_kv.config import RemoteConfig
from cap_cloudflare_kv.remote import RemoteKv
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from core_caps.secret import Secret
from httpx_aiohttp import AiohttpTransport

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import Comparison, compare, report

CALLS = 300
IN_FLIGHT = 50
VALUE = b"v" * 100
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(VALUE), VALUE)
)


class _Answering(asyncio.Protocol):
    """The least that answers a GET: the server must not be what is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(ANSWER * data.count(b"\r\n\r\n"))


def _serve(ready: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        ready.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextlib.contextmanager
def server() -> Iterator[int]:
    """The port of a server in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        process.terminate()
        process.join()


def timed(
    runner: asyncio.Runner, get: Callable[[], Coroutine[Any, Any, bytes | None]], in_flight: int
) -> Callable[[], None]:
    """A work that reads CALLS times, so many at once."""

    async def reads(left: Iterator[int]) -> None:
        for _ in left:
            assert await get() == VALUE

    async def all_reads() -> None:
        left = iter(range(CALLS))
        await asyncio.gather(*(reads(left) for _ in range(in_flight)))

    return lambda: runner.run(all_reads())


def bare(client: httpx.AsyncClient, url: str) -> Callable[[], Coroutine[Any, Any, bytes]]:
    """What a careless caller would write."""

    async def get() -> bytes:
        response = await client.get(url, headers={"Authorization": "Bearer token"})
        response.raise_for_status()
        return response.content

    return get


def main() -> None:
    with server() as port, asyncio.Runner() as runner:
        base_url = f"http://127.0.0.1:{port}/client/v4"
        config = RemoteConfig("acc", "ns", Secret("token"), base_url, transport="aiohttp")
        url = f"{base_url}/accounts/acc/storage/kv/namespaces/ns/values/greeting"
        kv = RemoteKv(config, clock=SystemClock(), rng=SystemRng())
        plain = httpx.AsyncClient(timeout=30)
        fast = httpx.AsyncClient(transport=AiohttpTransport(), timeout=30)
        for client in (kv, plain, fast):
            runner.run(client.__aenter__())
        reads = {
            "ours": lambda: kv.get("greeting"),
            "plain": bare(plain, url),
            "fast": bare(fast, url),
        }

        def row(name: str, peer: str, goal: str, in_flight: int) -> Comparison:
            works = (timed(runner, reads[side], in_flight) for side in ("ours", peer))
            return compare(name, *works, goal=goal, calls=1)

        comparisons = [
            row(f"{IN_FLIGHT} at once / httpx as it comes", "plain", ">= 4.5x", IN_FLIGHT),
            row(f"{IN_FLIGHT} at once / bare httpx, fast too", "fast", ">= 0.9x", IN_FLIGHT),
            row("one at a time / httpx as it comes", "plain", "", 1),
            row("one at a time / bare httpx, fast too", "fast", "", 1),
        ]
        for client in (kv, plain, fast):
            runner.run(client.__aexit__(None, None, None))
    report(comparisons)


if __name__ == "__main__":
    main()
