"""A worker takes from a queue that delivers at least once, crashes wherever it can, and comes back:
what it does to the world is there once.
"""

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from core_caps.capabilities.dedupe import Dedupe, Done, InProgress, retention_problem
from core_caps.capabilities.queue import Delivery, Message, Queue
from core_caps.capabilities.sql import Sql, Statement
from core_caps.errors import KeyCollision, Outcome
from core_caps.keys import idempotency_key

from .world import (
    DEDUPE,
    DELIVERIES_MAX,
    EVENTS,
    LEASE_SECONDS,
    QUEUES,
    SQL,
    TTL_SECONDS,
    VISIBILITY_SECONDS,
    Backend,
    Crash,
    World,
    names,
    work_off,
)

seeds = pytest.mark.parametrize("world", range(5), indirect=True, ids=lambda seed: f"seed {seed}")


@pytest.mark.feature("S5-07", "CW-13")
@seeds
@pytest.mark.parametrize("kept_in", **names(SQL))
@pytest.mark.parametrize("taken_from", **names(QUEUES))
async def test_a_sink_knows_what_it_has(
    world: World, kept_in: Backend, taken_from: Backend
) -> None:
    """At least once into the sink; its key, of user, event and time, makes it once."""
    sql: Sql = await world.open(Sql, kept_in)
    queue: Queue = await world.open(Queue, taken_from)
    await sql.execute("CREATE TABLE clicks (person TEXT PRIMARY KEY, seen INTEGER NOT NULL)")
    clicks = [{"user": f"user-{n % 3}", "event": n, "ts": 1_750_000_000 + n} for n in range(EVENTS)]
    for click in (*clicks, *clicks[:4]):  # who sends may repeat itself, too
        await queue.send(json.dumps(click).encode(), key=_key(click))

    async def count(delivery: Delivery) -> None:
        click = json.loads(delivery.body)
        assert delivery.key == _key(click)
        world.crash()
        await sql.execute(
            "INSERT INTO clicks (person, seen) VALUES ($1, 1) "
            "ON CONFLICT (person) DO UPDATE SET seen = clicks.seen + 1",
            [click["user"]],
            key=delivery.key,
        )

    await work_off(queue, world, count)
    rows = await sql.query("SELECT person, seen FROM clicks ORDER BY person")
    assert dict(rows.rows) == Counter(click["user"] for click in clicks)  # type: ignore[arg-type]


def _key(click: dict[str, Any]) -> str:
    return str(idempotency_key("clicks", "sink", click["user"], click))


def _order_key(order: dict[str, Any]) -> str:
    return str(idempotency_key("order_eox", "upsert", "", {"order": order["id"]}))


UPSERT = (
    "INSERT INTO orders (id, amount, writes) VALUES ($1, $2, 1) "
    "ON CONFLICT (id) DO UPDATE SET amount = excluded.amount, writes = orders.writes + 1"
)


class Outbox:
    """Orders, and beside them what is yet to be told of them, in one database."""

    def __init__(self, world: World, sql: Sql, dedupe: Dedupe, topic: Queue) -> None:
        self._world = world
        self._sql = sql
        self._dedupe = dedupe
        self._topic = topic
        self._attempts = 0

    async def make(self) -> None:
        await self._sql.batch(
            [
                Statement(
                    "CREATE TABLE orders (id TEXT PRIMARY KEY, amount INTEGER, writes INTEGER)"
                ),
                Statement("CREATE TABLE outbox (key TEXT PRIMARY KEY, body TEXT, sent INTEGER)"),
            ]
        )

    async def upsert(self, delivery: Delivery) -> None:
        """Dedupe, then the order and its outbox row in one transaction, then the record of it."""
        self._attempts += 1
        order, owner = json.loads(delivery.body), f"attempt-{self._attempts}"
        answer = await self._dedupe.reserve(
            delivery.key,
            owner=owner,
            lease_seconds=LEASE_SECONDS,
            payload=hashlib.sha256(delivery.body).digest(),
        )
        if isinstance(answer, Done):
            return
        if isinstance(answer, InProgress):
            raise Crash  # another is at it: never acknowledge
        self._world.crash()
        await self._sql.batch(
            [
                Statement(UPSERT, [order["id"], order["amount"]]),
                Statement(
                    "INSERT INTO outbox (key, body, sent) VALUES ($1, $2, 0)",
                    [delivery.key, delivery.body.decode()],
                ),
            ],
            key=delivery.key,
        )
        self._world.crash()
        await self._dedupe.commit(delivery.key, owner=owner, ttl_seconds=TTL_SECONDS)

    async def project(self) -> None:
        """Publish what is not marked as sent, each under the key of its order, and mark it."""
        while rows := (await self._sql.query("SELECT key, body FROM outbox WHERE sent = 0")).rows:
            with contextlib.suppress(Crash):
                for key, body in rows:
                    await self._topic.send(str(body).encode(), key=str(key))
                    self._world.crash()
                    await self._sql.execute("UPDATE outbox SET sent = 1 WHERE key = $1", [key])


@pytest.mark.feature("S10-03", "S10-05", "S3-07", "CW-13")
@seeds
@pytest.mark.parametrize("kept_in", **names(SQL))
@pytest.mark.parametrize("known_in", **names(DEDUPE))
async def test_an_order_is_written_and_published_once(
    world: World, kept_in: Backend, known_in: Backend
) -> None:
    orders: Queue = await world.open(Queue, QUEUES[0])
    topic: Queue = await world.open(Queue, ("local", "mock"))
    box = Outbox(
        world,
        sql := await world.open(Sql, kept_in),
        await world.open(Dedupe, known_in),
        topic,
    )
    await box.make()
    given = [{"id": f"order-{n}", "amount": 100 + n} for n in range(EVENTS)]
    await orders.send_batch(
        [Message(json.dumps(order).encode(), _order_key(order)) for order in (*given, *given[:3])]
    )
    await work_off(orders, world, box.upsert)
    await box.project()

    rows = (await sql.query("SELECT id, amount, writes FROM orders ORDER BY amount")).rows
    assert rows == tuple((order["id"], order["amount"], 1) for order in given)
    published: list[Delivery] = []
    await work_off(topic, world, _noted(published))
    assert {each.key for each in published} == {_order_key(order) for order in given}
    for each in published:  # what was published again after a crash is known by its key
        assert each.key == _order_key(json.loads(each.body))


def _noted(seen: list[Delivery]) -> Callable[[Delivery], Awaitable[None]]:
    async def note(delivery: Delivery) -> None:
        seen.append(delivery)

    return note


@pytest.mark.feature("S3-13", "S10-03")
@pytest.mark.parametrize("known_in", **names(DEDUPE))
async def test_another_order_under_a_known_key_is_a_hard_failure(
    world: World, known_in: Backend
) -> None:
    dedupe: Dedupe = await world.open(Dedupe, known_in)
    await dedupe.reserve("order-1", owner="one", lease_seconds=60, payload=b"100 EUR")
    with pytest.raises(KeyCollision, match="another payload") as refused:
        await dedupe.reserve("order-1", owner="two", lease_seconds=60, payload=b"900 EUR")
    assert (refused.value.code, refused.value.outcome) == ("IDEM099", Outcome.NOT_APPLIED)
    assert list(refused.value.keys) == ["order-1"]


@pytest.mark.feature("OP-02", "S3-07")
def test_the_worker_remembers_longer_than_its_queue_delivers() -> None:
    queue = {"visibility_seconds": VISIBILITY_SECONDS, "attempts_max": DELIVERIES_MAX}
    assert retention_problem(ttl_seconds=TTL_SECONDS, **queue) is None  # type: ignore[arg-type]
    assert retention_problem(ttl_seconds=TTL_SECONDS - 1, **queue)  # type: ignore[arg-type]
