"""Every call leaves one record, whatever becomes of it, and a record holds no value."""

import asyncio
import gc
import logging
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from core_caps import VirtualClock
from core_caps.calls.observe import CallRecord, observed
from core_caps.capabilities.blob_store import Blob, ObjectInfo
from core_caps.errors import Outcome, RateLimited, Unavailable


class Watched:
    """A call under observation on a clock of its own."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.records: list[CallRecord] = []
        self.listen: Callable[[CallRecord], None] = self.records.append

    def watch(self, call: Callable[..., Any], *, streams: bool = False) -> Callable[..., Any]:
        return observed(
            call,
            capability="blob",
            operation="op",
            hints=("resource::blob::read",),
            streams=streams,
            observer=lambda record: self.listen(record),
            clock=self.clock,
        )

    @property
    def only(self) -> CallRecord:
        (record,) = self.records
        return record


@pytest.fixture
def watched() -> Watched:
    return Watched()


async def test_a_call_is_measured_by_the_injected_clock(watched: Watched) -> None:
    async def call(key: str, data: bytes, *, more: bytearray) -> Blob:
        watched.clock.advance(2.5)
        return Blob(b"1234", ObjectInfo(key, 4, "etag"))

    assert (await watched.watch(call)("key", b"12", more=bytearray(b"3"))).data == b"1234"
    assert watched.only == CallRecord(
        capability="blob",
        operation="op",
        hints=("resource::blob::read",),
        status="ok",
        outcome=None,
        error=None,
        bytes_in=3,
        bytes_out=4,
        duration_seconds=2.5,
        attempt=1,
    )


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (RateLimited("the key is hunter2"), Outcome.NOT_APPLIED, "CAP126"),
        (Unavailable("hunter2", outcome=Outcome.APPLIED), Outcome.APPLIED, "CAP127"),
        (ValueError("hunter2"), Outcome.UNKNOWN, "ValueError"),
    ],
)
@pytest.mark.parametrize("streams", [False, True])
async def test_an_error_is_recorded_by_code_and_passes_through(
    watched: Watched, error: Exception, outcome: Outcome, code: str, streams: bool
) -> None:
    async def call() -> None:
        raise error

    async def stream() -> AsyncIterator[bytes]:
        yield b"12"
        raise error

    async def read() -> None:
        async for _ in watched.watch(stream, streams=True)():
            pass

    with pytest.raises(type(error)) as raised:
        await (read() if streams else watched.watch(call)())
    assert raised.value is error
    record = watched.only
    assert (record.status, record.outcome, record.error) == ("error", outcome, code)
    assert record.bytes_out == (2 if streams else 0)
    assert "hunter2" not in repr(record)


async def test_cancellation_is_recorded(watched: Watched) -> None:
    async def call() -> None:
        await asyncio.sleep(60)

    task = asyncio.create_task(watched.watch(call)())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (watched.only.status, watched.only.outcome) == ("cancelled", Outcome.UNKNOWN)


async def test_a_stream_is_recorded_at_its_end(watched: Watched) -> None:
    async def stream(key: str) -> AsyncIterator[bytes]:
        for _ in range(3):
            watched.clock.advance(1.0)
            yield b"1234"

    chunks = watched.watch(stream, streams=True)("key")
    assert await anext(chunks) == b"1234"
    assert watched.records == []
    assert [chunk async for chunk in chunks] == [b"1234"] * 2
    assert (watched.only.bytes_out, watched.only.duration_seconds) == (12, 3.0)


async def test_leaving_a_stream_early_closes_its_source_and_is_no_failure(
    watched: Watched,
) -> None:
    closed: list[bool] = []

    async def stream() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x"
        finally:
            closed.append(True)

    chunks = watched.watch(stream, streams=True)()
    await anext(chunks)
    await chunks.aclose()
    assert closed == [True]
    assert (watched.only.status, watched.only.bytes_out) == ("ok", 1)


async def test_a_stream_left_to_the_collector_is_recorded_too(watched: Watched) -> None:
    async def stream() -> AsyncIterator[bytes]:
        while True:
            yield b"x"

    async for _ in watched.watch(stream, streams=True)():
        break
    gc.collect()
    for _ in range(5):
        await asyncio.sleep(0)
    assert watched.only.status == "ok"


async def test_the_bytes_of_a_stream_argument_are_counted_and_its_errors_pass(
    watched: Watched,
) -> None:
    async def call(data: AsyncIterator[bytes]) -> int:
        return sum([len(chunk) async for chunk in data])

    async def source() -> AsyncIterator[bytes]:
        yield b"12"
        yield b"345"

    assert await watched.watch(call)(source()) == 5
    assert watched.records.pop().bytes_in == 5

    async def broken() -> AsyncIterator[bytes]:
        yield b"12"
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await watched.watch(call)(broken())
    assert (watched.only.bytes_in, watched.only.error) == (2, "OSError")


async def test_bytes_within_mappings_are_counted(watched: Watched) -> None:
    async def call(entries: dict[str, bytes]) -> dict[str, bytes | None]:
        return {"a": b"12", "b": None}

    await watched.watch(call)({"a": b"123", "b": b"4"})
    assert (watched.only.bytes_in, watched.only.bytes_out) == (4, 2)


async def test_a_listener_that_raises_breaks_nothing(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    def listen(record: CallRecord) -> None:
        raise RuntimeError("listener")

    watched.listen = listen

    async def call() -> int:
        return 1

    with caplog.at_level(logging.ERROR):
        assert await watched.watch(call)() == 1
    assert "an observer of calls failed" in caplog.text


async def test_a_call_that_fails_before_it_begins_is_recorded(watched: Watched) -> None:
    def stream(key: str) -> AsyncIterator[bytes]:
        raise ValueError(key)

    with pytest.raises(ValueError, match="k"):
        watched.watch(stream, streams=True)("k")
    assert watched.only.error == "ValueError"


def test_observation_costs_no_import_of_asyncio_or_logging() -> None:
    import subprocess

    script = "import sys, core_caps.calls.observe; print({'asyncio', 'logging'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"
