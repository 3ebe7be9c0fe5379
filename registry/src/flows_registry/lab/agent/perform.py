"""Performing a case: open the plugin as a user would, make the calls, report what came of each."""

import asyncio
import contextlib
import itertools
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from core_caps.contract.codec import decode, encode
from core_caps.contract.suite import Call, Result, Stream

from .clients import clients, looking, taken
from .dying import die_later
from .followed import now, requests
from .hearing import HEARING
from .opening import opened
from .page import ORIGIN_SECONDS
from .telling import told
from .using import use

__all__ = ["perform", "visit"]

CHUNKS_BYTES_MAX = 256 * 1024 * 1024
_TEXT_MAX = 20_000
_MOMENTS = itertools.count()
"""Numbers the beginnings and ends of calls: where no time goes by, they tell the order."""


async def perform(
    case: dict[str, Any], arm: Callable[[], None], disarm: Callable[[], None]
) -> dict[str, Any]:
    """Run one case.

    Args:
        case: what it is opened with (see opening), the calls of `setup`, `calls` and `probe`
            (encoded), `elapsed_seconds` between setup and calls, `use` of the last result (see
            using) or None, `cancel_after_seconds` or None, the `turns` of several clients, and
            whether it `dies` while its calls are under way.
        arm: called when the state is ready and the calls under test begin.
        disarm: called when they have ended, before the probe.
    """
    report: dict[str, Any] = {"setup": [], "steps": [], "probe": []}
    results: list[Any] = []
    try:
        connection = opened(case)
        async with connection as provider, clients(case, provider) as connections:
            HEARING.hear_repr(vars(connection).get("_provider"))
            for call in decode(case["setup"]):
                report["setup"].append(await _step(provider, call, results))
            await asyncio.sleep(case["elapsed_seconds"])
            arm()
            if case["measured"]:
                tracemalloc.start()
            for _ in range(3):  # the loop notices connections that were closed meanwhile
                await asyncio.sleep(0)
            if case.get("dies"):
                die_later()
            report["steps"] = await _under_test(case, connections, results)
            if case["use"] is not None and results:
                report["answer"] = await use(results[-1], decode(case["use"]))
            if case.get("cancel_after_seconds") is not None:
                await asyncio.sleep(case["settle_seconds"])
            tracemalloc.stop()
            if case.get("dies"):
                return report
            disarm()
            async with looking(case, provider) as looker:
                for call in decode(case["probe"]):
                    report["probe"].append(await _step(looker, call, results))
    except Exception as error:
        report["opening"] = _failure("opening", error)
    return report


async def _under_test(
    case: dict[str, Any], connections: Sequence[Any], results: list[Any]
) -> list[dict[str, Any]]:
    """What came of each of the calls under test: of several clients, all at once, or in turn."""
    calls: Sequence[Call] = decode(case["calls"])
    provider = connections[0]
    if case["turns"]:
        return await taken(case, connections, calls, results, _step)
    if case.get("concurrent"):
        seen = [list(results) for _ in calls]  # what one gives, no other may refer to
        steps = await asyncio.gather(
            *(_step(provider, call, own) for call, own in zip(calls, seen, strict=True))
        )
        results += [own[-1] for own in seen]
        return steps
    cancel_after: float | None = case.get("cancel_after_seconds")
    return [await _cancellable(provider, call, results, cancel_after) for call in calls]


async def visit(case: dict[str, Any]) -> None:
    """Open the plugin and close it again, making no call."""
    async with opened(case):
        pass


async def _cancellable(
    provider: Any, call: Call, results: list[Any], after_seconds: float | None
) -> dict[str, Any]:
    if after_seconds is None:
        return await _step(provider, call, results)
    task = asyncio.ensure_future(_step(provider, call, results))
    done, _ = await asyncio.wait({task}, timeout=after_seconds)
    if done:
        return task.result()
    measured = _stopwatch()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    results.append(None)
    return {"cancelled": True, **measured()}


async def _step(provider: Any, call: Call, results: list[Any]) -> dict[str, Any]:
    """Make one call; never raises."""
    measured = _stopwatch()
    try:
        operation = getattr(provider, call.operation)
        arguments = [_argument(item, results) for item in call.args]
        named = {name: _argument(item, results) for name, item in call.kwargs.items()}
        pending = operation(*arguments, **named)
        value = await _collect(pending) if hasattr(pending, "__aiter__") else await pending
    except Exception as error:
        times = measured()
        results.append(None)
        return {"error": _failure(call.operation, error), **times}
    times = measured()
    results.append(value)
    HEARING.hear_value(call.operation, value)
    return {"value": encode(value), **times}


def _stopwatch() -> Callable[[], dict[str, Any]]:
    """A function that tells when it was made, and how much has gone by since: of the case's time,
    and of the processor's; where memory is measured, how much more was held at its highest."""
    began, began_really, before, moment = now(), time.process_time(), requests(), next(_MOMENTS)
    measures = tracemalloc.is_tracing()
    held = 0
    if measures:
        tracemalloc.reset_peak()
        held, _ = tracemalloc.get_traced_memory()
    return lambda: {
        "at_seconds": began - ORIGIN_SECONDS,
        "seconds": now() - began,
        "cpu_seconds": time.process_time() - began_really,
        "requests": (before, requests()),
        "moments": (moment, next(_MOMENTS)),
        "memory_bytes": tracemalloc.get_traced_memory()[1] - held if measures else 0,
    }


async def _collect(stream: AsyncIterator[bytes]) -> bytes | int:
    """What a stream gives; where memory is measured, how much that was."""
    chunks: list[bytes] = []
    size, measures = 0, tracemalloc.is_tracing()
    async for chunk in stream:
        size += len(chunk)
        if not measures:
            chunks.append(bytes(chunk))
        if size > CHUNKS_BYTES_MAX:
            raise OverflowError(f"the stream gave more than {CHUNKS_BYTES_MAX} bytes")
    return size if measures else b"".join(chunks)


def _argument(value: Any, results: list[Any]) -> Any:
    match value:
        case Stream():
            return value.open()
        case Result():
            return value.of(results)
        case _:
            return value


def _failure(operation: str, error: BaseException) -> dict[str, Any]:
    """An operation's error as data: its class and ancestors, what it says of the world, all its
    text; and what shows in that is heard."""
    outcome = getattr(error, "outcome", None)
    text = _told(error)
    HEARING.hear(f"the error of {operation}", text)
    return {
        "name": type(error).__name__,
        "ancestors": [
            f"{cls.__module__}:{cls.__qualname__}"
            for cls in type(error).__mro__
            if cls.__module__.startswith("core_caps")
        ],
        "code": getattr(error, "code", None),
        "outcome": getattr(outcome, "value", None),
        "retry_after_seconds": getattr(error, "retry_after_seconds", None),
        "message": str(error)[:_TEXT_MAX],
        "text": text[:_TEXT_MAX],
    }


def _told(error: BaseException) -> str:
    try:
        return told(error)
    except Exception as problem:  # an error of the plugin's own making may not show itself
        return f"{type(error).__name__}, which does not show itself: {type(problem).__name__}"
