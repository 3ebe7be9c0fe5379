"""A relay between a client and PostgreSQL that breaks the connection where a test wants it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any


@dataclass
class Relay:
    """What goes through, and where it ends.

    Attributes:
        conninfo: how a client comes through it.
        breaks_before: the client's bytes with this in them are not passed on; all ends there.
        breaks_after: they are, and no answer to them comes back.
        silent_after: they are, and nothing comes back while the connection stays.
        last_words: what the client is told where it breaks.
        connections: how many were made.
    """

    conninfo: Mapping[str, Any]
    breaks_before: bytes | None = None
    breaks_after: bytes | None = None
    silent_after: bytes | None = None
    last_words: bytes = b""
    connections: int = 0

    def heal(self) -> None:
        """Break nothing from now on."""
        self.breaks_before = self.breaks_after = self.silent_after = None
        self.last_words = b""


@asynccontextmanager
async def relayed(conninfo: Mapping[str, Any]) -> AsyncIterator[Relay]:
    """A relay in front of this server."""
    relay = Relay({})
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        relay.connections += 1
        try:
            await _between(relay, conninfo, reader, writer)
        finally:
            writer.close()
            serving.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    relay.conninfo = {**conninfo, "host": "127.0.0.1", "port": port, "sslmode": "disable"}
    try:
        yield relay
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def _between(
    relay: Relay,
    conninfo: Mapping[str, Any],
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    host, port = str(conninfo["host"]), conninfo.get("port", 5432)
    if host.startswith("/"):
        back, forth = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    else:
        back, forth = await asyncio.open_connection(host, port)
    mute = asyncio.Event()

    async def answers() -> None:
        while data := await back.read(65_536):
            if not mute.is_set():
                writer.write(data)
        writer.close()

    answering = asyncio.create_task(answers())
    try:
        while data := await reader.read(65_536):
            if relay.breaks_before is not None and relay.breaks_before in data:
                writer.write(relay.last_words)
                return
            if relay.silent_after is not None and relay.silent_after in data:
                mute.set()
            if relay.breaks_after is not None and relay.breaks_after in data:
                mute.set()
                forth.write(data)
                await asyncio.sleep(0.1)  # the server has done it by then
                writer.write(relay.last_words)
                return
            forth.write(data)
    finally:
        answering.cancel()
        with suppress(asyncio.CancelledError, OSError):
            await answering
        forth.close()
