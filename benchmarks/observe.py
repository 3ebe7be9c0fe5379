"""What a guarded view adds to a call: nobody listening, then somebody listening.

Each timing runs a batch of awaited calls on one event loop; the figure is seconds per call.
"""

import asyncio
import time
from collections.abc import Callable

from core_caps import KeyValue, SystemClock
from core_caps.calls.access import view_of
from core_caps.calls.observe import CallRecord, observed
from side_by_side import Comparison, compare, measure, report

BATCH = 20_000


class Provider:
    """The least a provider can do."""

    async def get(self, key: str) -> bytes | None:
        return None


def per_call(get: Callable[[str], object]) -> Callable[[], float]:
    """The time of one awaited call, measured over a batch on one loop."""

    async def batch() -> float:
        started = time.perf_counter()
        for _ in range(BATCH):
            await get("k")  # type: ignore[misc]
        return (time.perf_counter() - started) / BATCH

    return lambda: asyncio.run(batch())


def comparisons() -> list[Comparison]:
    """A call as it is, through a silent view, and through one that is listened to."""
    provider = Provider()
    records: list[CallRecord] = []
    listened = observed(
        provider.get,
        capability="kv",
        operation="get",
        hints=("resource::kv::read",),
        streams=False,
        observer=lambda record: records.clear(),
        clock=SystemClock(),
    )
    bare = per_call(provider.get)
    silent = per_call(view_of(KeyValue, {"get": provider.get}).get)
    heard = per_call(view_of(KeyValue, {"get": listened}).get)

    def added(through: Callable[[], float]) -> Callable[[], float]:
        return lambda: max(1e-12, through() - bare())

    return [
        measure("added by a view, nobody listens", added(silent), goal="<= 1 µs"),
        measure("added by a view, somebody listens", added(heard)),
        compare("view ÷ bare call", silent, bare),
    ]


if __name__ == "__main__":
    report(comparisons())
