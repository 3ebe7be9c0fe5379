"""Several clients of one service: each has a connection, and its calls in its own order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from core_caps.contract.suite import Call

from .opening import opened

__all__ = ["clients", "looking", "taken"]

Step = Callable[[Any, Call, list[Any]], Awaitable[dict[str, Any]]]
"""Makes a call on a connection, given the results before, to which it adds its own."""


@asynccontextmanager
async def clients(case: Mapping[str, Any], first: Any) -> AsyncGenerator[list[Any]]:
    """The connections of all the case's clients, of which one is open already."""
    count = 1 + max((client for client, _ in case["turns"]), default=0)
    async with AsyncExitStack() as stack:
        more = [await stack.enter_async_context(opened(case)) for _ in range(1, count)]
        yield [first, *more]


async def taken(
    case: Mapping[str, Any],
    connections: Sequence[Any],
    calls: Sequence[Call],
    results: list[Any],
    step: Step,
) -> list[dict[str, Any]]:
    """What came of each call, every client making its own in turn, and all clients at once."""
    first = len(results)
    results += [None] * len(calls)
    reports: list[dict[str, Any]] = [{} for _ in calls]

    async def session(client: int) -> None:
        for number, (whose, after_seconds) in enumerate(case["turns"]):
            if whose == client:
                await asyncio.sleep(after_seconds)
                known = list(results)
                reports[number] = await step(connections[client], calls[number], known)
                results[first + number] = known[-1]

    await asyncio.gather(*(session(client) for client in range(len(connections))))
    return reports


@asynccontextmanager
async def looking(case: Mapping[str, Any], connection: Any) -> AsyncGenerator[Any]:
    """Who looks at what was left: where there are several clients, one more that remembers
    nothing, once all has settled."""
    if not case["turns"]:
        yield connection
        return
    await asyncio.sleep(case["settle_seconds"])
    async with opened(case) as fresh:
        yield fresh
