"""Neon over HTTP: RemoteSql.query beside bare httpx that posts the same body to the same server.

One local HTTP server in another process answers both with the same ten rows. Bare httpx posts the
very bytes that ours sends, with the same headers, pool and timeouts, and reads the JSON; ours also
counts the statement's parameters, checks the answer (type, length, bound, deadline, shape) and
makes values of its text. Each keeps IN_FLIGHT queries going at once; one at a time is shown as
well.

    python benchmarks/neon_http.py [--json]
"""

import asyncio
import contextlib
import json
import multiprocessing
import sys
from collections.abc import Callable, Coroutine, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

import httpx
from cap_postgres_neon.config import RemoteConfig
from cap_postgres_neon.remote import RemoteSql
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng
from core_caps.secret import Secret

sys.path.insert(0, str(Path(__file__).parent))
from side_by_side import Comparison, compare, report

CALLS, IN_FLIGHT = 200, 20
STATEMENT = "SELECT id, name, seen FROM visitors WHERE id > $1 ORDER BY id LIMIT 10"
FIELDS = [
    {
        "name": name, "dataTypeID": type_id, "tableID": 16_384, "columnID": number,
        "dataTypeSize": 8, "dataTypeModifier": -1, "format": "text",
    }
    for number, (name, type_id) in enumerate((("id", 20), ("name", 25), ("seen", 1184)), 1)
]  # fmt: skip
ROWS = [[str(n), f"visitor {n}", "2026-01-02 03:04:05.678901+00"] for n in range(1, 11)]
NONE = {"command": "SELECT", "rowCount": 1, "rows": [], "fields": [], "rowAsArray": True}
RESULT = {**NONE, "rowCount": 10, "rows": ROWS, "fields": FIELDS}
BODY = json.dumps({"results": [NONE, RESULT]}, separators=(",", ":")).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)


class _Answering(asyncio.Protocol):
    """The least that answers a POST, and that tells what it was sent."""

    heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.waiting = bytearray()

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        head, end, body = self.waiting.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if end and len(body) >= length:
            type(self).heard = bytes(body)
            self.waiting.clear()
            self.transport.write(ANSWER)


def _serve(line: Connection) -> None:
    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(_Answering, "127.0.0.1", 0)
        line.send(server.sockets[0].getsockname()[1])
        asyncio.get_running_loop().add_reader(line.fileno(), tell)
        await server.serve_forever()

    def tell() -> None:
        line.recv()
        line.send(_Answering.heard)

    asyncio.run(main())


@contextlib.contextmanager
def server() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A port, and what tells the last body that came."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=_serve, args=(there,), daemon=True)
    process.start()

    def heard() -> bytes:
        here.send("?")
        return here.recv()

    try:
        yield here.recv(), heard
    finally:
        process.terminate()
        process.join()


async def many(call: Callable[[], Coroutine[Any, Any, object]], at_once: int) -> None:
    """So many calls, so many of them at a time."""

    async def some() -> None:
        for _ in range(CALLS // at_once):
            await call()

    await asyncio.gather(*(some() for _ in range(at_once)))


def ours(port: int, transport: Literal["auto", "httpx"]) -> RemoteSql:
    config = RemoteConfig(
        "ep-x.eu.aws.neon.tech", "neondb", "owner", Secret("secret"),
        api_host="127.0.0.1", api_port=port, tls=False, transport=transport,
    )  # fmt: skip
    return RemoteSql(config, clock=SystemClock(), rng=SystemRng())


def bare(port: int) -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=100)
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=30)


HEADERS = {
    "Neon-Connection-String": "postgresql://owner:secret@ep-x.eu.aws.neon.tech/neondb",
    "Neon-Raw-Text-Output": "true",
    "Neon-Array-Mode": "true",
    "Neon-Batch-Read-Only": "true",
    "Content-Type": "application/json",
}


def main() -> None:
    comparisons: list[Comparison] = []
    with server() as (port, heard), asyncio.Runner() as runner:
        client = bare(port)
        for transport in ("httpx", "auto"):
            sql = ours(port, transport)
            runner.run(sql.__aenter__())

            async def query(sql: RemoteSql = sql) -> None:
                found = await sql.query(STATEMENT, (0,))
                assert len(found.rows) == 10

            runner.run(query())
            body = heard()

            async def post(body: bytes = body) -> None:
                answer = await client.post("/sql", content=body, headers=HEADERS)
                assert len(answer.json()["results"][1]["rows"]) == 10

            for at_once, goal in ((IN_FLIGHT, "<= 1.2x"), (1, "<= 1.2x")):
                comparisons.append(
                    compare(
                        f"{CALLS} queries, {at_once} at a time, transport {transport}",
                        lambda at_once=at_once, query=query: runner.run(many(query, at_once)),
                        lambda at_once=at_once, post=post: runner.run(many(post, at_once)),
                        goal=goal,
                    )
                )
            runner.run(sql.__aexit__(None, None, None))
        runner.run(client.aclose())
    report(comparisons)


if __name__ == "__main__":
    main()
