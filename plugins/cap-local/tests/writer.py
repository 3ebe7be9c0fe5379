"""A process that writes until it is killed, and says of each write when it was acknowledged.

python writer.py CAPABILITY FOLDER NAME
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

from cap_local.blob import LocalBlob
from cap_local.config import LocalConfig
from cap_local.kv import LocalKv
from cap_local.sql import LocalSql
from core_caps.clock import SystemClock
from core_caps.rng import SystemRng

BLOB_CHUNK = b"0123456789abcdef" * 4096


async def put(kv: LocalKv, name: str) -> None:
    await kv.put(name, name.encode() * 100, metadata={"name": name})


async def store(blob: LocalBlob, name: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield name.encode()
        for _ in range(8):
            yield BLOB_CHUNK

    await blob.put(name, chunks(), metadata={"name": name})
    await blob.put("shared", name.encode())  # each gives up the last one's bytes


async def insert(sql: LocalSql, name: str) -> None:
    await sql.execute("INSERT INTO t VALUES ($1)", (name,), key=name)


WRITERS: dict[str, tuple[Any, Any]] = {
    "kv": (LocalKv, put),
    "blob": (LocalBlob, store),
    "sql": (LocalSql, insert),
}


async def main(capability: str, folder: str, prefix: str) -> None:
    provider, write = WRITERS[capability]
    async with provider(LocalConfig(folder), clock=SystemClock(), rng=SystemRng()) as client:
        if capability == "sql":
            await client.execute("CREATE TABLE IF NOT EXISTS t (name TEXT PRIMARY KEY)")

        async def lane(lane: int) -> None:
            for number in range(1_000_000):
                name = f"{prefix}-{lane}-{number}"
                await write(client, name)
                print(name, flush=True)

        await asyncio.gather(*map(lane, range(3)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
