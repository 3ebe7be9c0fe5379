"""Carries bytes between TCP and unix sockets, so that a network namespace reaches a simulator
outside it through a file. Run as a module inside the namespace, or started in this process:

    python -m flows_registry.lab.simulators.relay tcp:127.0.0.1:9000 unix:/run/lab/s3.sock
"""

import asyncio
import contextlib
import sys
import threading
from collections.abc import Coroutine, Generator
from typing import Any

__all__ = ["relayed"]

_CHUNK_BYTES = 64 * 1024
_START_SECONDS_MAX = 10.0


@contextlib.contextmanager
def relayed(listen: str, connect: str) -> Generator[str]:
    """Relay in a thread of this process; yields the address that it listens on.

    Args:
        listen: `tcp:HOST:PORT` (port 0 takes a free one) or `unix:PATH`.
        connect: where each connection is carried to, in the same form.

    Raises:
        OSError: the address cannot be listened on.
        ValueError: an address has another form.
    """
    loop = asyncio.new_event_loop()
    ready: list[str | BaseException] = []
    told, ended = threading.Event(), asyncio.Event()

    async def work() -> None:
        async with contextlib.AsyncExitStack() as stack:
            try:
                ready.append(await _listening(stack, listen, connect))
            except (OSError, ValueError) as error:
                ready.append(error)
                return
            finally:
                told.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: _run(loop, work()), daemon=True)
    thread.start()
    told.wait(_START_SECONDS_MAX)
    try:
        address = ready[0]
        if isinstance(address, BaseException):
            raise address
        yield address
    finally:
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            loop.call_soon_threadsafe(ended.set)
        thread.join(_START_SECONDS_MAX)


def _run(loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(work)


async def _listening(stack: contextlib.AsyncExitStack, listen: str, connect: str) -> str:
    _parts(connect)
    carried: set[asyncio.Task[None]] = set()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carried.add(task)
        try:
            await _carry(reader, writer, connect)
        finally:
            carried.discard(task)

    kind, host, port = _parts(listen)
    if kind == "unix":
        server = await asyncio.start_unix_server(accepted, host)
        address = listen
    else:
        server = await asyncio.start_server(accepted, host, port)
        address = f"tcp:{host}:{server.sockets[0].getsockname()[1]}"

    async def close() -> None:
        server.close()
        for task in tuple(carried):
            task.cancel()
        await asyncio.gather(*carried, return_exceptions=True)

    stack.push_async_callback(close)
    return address


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connect: str) -> None:
    kind, host, port = _parts(connect)
    try:
        if kind == "unix":
            far_reader, far_writer = await asyncio.open_unix_connection(host)
        else:
            far_reader, far_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.transport.abort()  # whoever connected sees what we saw: nobody is there
        return
    try:
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))
    finally:
        for each in (writer, far_writer):
            each.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Bytes in one direction, and the end of them; a broken side ends both."""
    try:
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


def _parts(address: str) -> tuple[str, str, int]:
    kind, _, rest = address.partition(":")
    host, _, port = rest.rpartition(":")
    if kind == "unix" and rest:
        return kind, rest, 0
    if kind == "tcp" and host and port.isdigit():
        return kind, host, int(port)
    raise ValueError(f"{address!r} is neither tcp:HOST:PORT nor unix:PATH")


def _main(listen: str, connect: str) -> None:
    with relayed(listen, connect) as address:
        print(address, flush=True)
        sys.stdin.read()  # the end of standard input is the end of the relay


if __name__ == "__main__":
    _main(*sys.argv[1:])
