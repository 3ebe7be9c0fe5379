"""A story's world: capabilities on backends of its choice, one clock, workers that crash."""

import contextlib
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from cap_stripe.server import Server
from core_caps import connect
from core_caps.capabilities.queue import Delivery, Queue
from core_caps.clock import VirtualClock
from core_caps.errors import LeaseExpired
from core_caps.rng import SeededRng

EVENTS = 12
LEASE_SECONDS, VISIBILITY_SECONDS, DELIVERIES_MAX = 20.0, 30.0, 100
TTL_SECONDS = VISIBILITY_SECONDS * DELIVERIES_MAX

Backend = tuple[str, str]
SQL: Sequence[Backend] = (
    ("local", "mock"),
    ("local", "local"),
    ("cloudflare-d1", "mock"),
    ("postgres-neon", "mock"),
    ("postgres-neon", "tcp"),
)
DEDUPE: Sequence[Backend] = (
    ("local", "mock"),
    ("local", "local"),
    ("cloudflare-do", "mock"),
    ("postgres-neon", "mock"),
)
"""Without the real PostgreSQL, whose clock, by which leases run out, is its own."""

QUEUES: Sequence[Backend] = (("cloudflare-queue", "mock"), ("local", "mock"), ("local", "local"))
PAYMENTS: Sequence[Backend] = (("stripe", "mock"), ("stripe", "remote"))


def names(backends: Sequence[Backend]) -> Any:
    """The arguments of `parametrize` for these backends."""
    return {"argvalues": backends, "ids": ["-".join(backend) for backend in backends]}


class Crash(BaseException):
    """A process that ends here."""


class World:
    """The capabilities of one test, opened on backends of its choice, on one virtual clock.

    Args:
        folder: where what is local lies.
        seed: of the world's luck.
        database: makes an empty database on a real PostgreSQL; what libpq connects to it by.
    """

    def __init__(self, folder: Path, seed: int, database: Callable[[], Mapping[str, Any]]) -> None:
        self.clock = VirtualClock(1_750_000_000.0)
        self.source = random.Random(seed)
        self._folder = folder
        self._seed = seed
        self._database = database
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def open(
        self, capability: type[Any], backend: Backend, binding: Mapping[str, Any] | None = None
    ) -> Any:
        """A client of the backend, open as long as the world is."""
        plugin, kind = backend
        given = await self.binding(backend) if binding is None else binding
        opened = connect(
            capability, plugin, backend=kind, clock=self.clock, rng=SeededRng(), **given
        )
        return await self._open.enter_async_context(opened)

    async def binding(self, backend: Backend) -> dict[str, Any]:
        """The settings and secrets that lead there; the service runs as long as the world does."""
        match backend:
            case _, "local":
                return {"config": {"path": str(self._folder)}}
            case "cloudflare-queue", _:
                config = {"seed": self._seed, "duplicate_rate": 0.3, "lost_ack_rate": 0.2}
                return {"config": {**config, "max_retries": DELIVERIES_MAX - 1}}
            case "postgres-neon", "tcp":
                found = self._database()
                config = {name: found[name] for name in ("host", "port", "user")}
                config |= {"database": found["dbname"], "sslmode": "disable"}
                return {"config": config, "secrets": {"password": "none"}}
            case "stripe", "remote":
                account = Server(clock=self.clock, rng=SeededRng())
                server = await self._open.enter_async_context(account)
                secrets = {"api_key": "sk_test_1", "webhook_secret": "whsec_test"}
                return {"config": {"base_url": server.url}, "secrets": secrets}
            case _:
                return {}

    def crash(self, rate: float = 0.2) -> None:
        """End the process here, perhaps."""
        if self.source.random() < rate:
            raise Crash


async def work_off(queue: Queue, world: World, work: Callable[[Delivery], Awaitable[None]]) -> None:
    """A consumer that acknowledges what it worked on, until nothing comes any more.

    After a crash the next one begins when leases have run out.
    """
    quiet = 0
    while quiet < 3:  # an acknowledgement that was lost brings its message back
        world.clock.advance(VISIBILITY_SECONDS + 1)
        batch = await queue.pull(limit=10, visibility_seconds=int(VISIBILITY_SECONDS))
        quiet = 0 if batch else quiet + 1
        with contextlib.suppress(Crash, LeaseExpired):
            for delivery in batch:
                await work(delivery)
                world.crash()
                await queue.ack([delivery.lease])
