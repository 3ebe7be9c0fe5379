"""What the stories ask of the capabilities comes true on every plugin that provides them.

A worker takes from a queue that delivers at least once, crashes wherever it can, and comes back:
what it does to the world is there once.
"""

import asyncio
import contextlib
import hashlib
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from core_caps import connect
from core_caps.capabilities.dedupe import Dedupe, Done, InProgress, retention_problem
from core_caps.capabilities.durable_object import DurableObject
from core_caps.capabilities.object_stub import DurableObjectContext
from core_caps.capabilities.payments import CARD_CHARGED, Event, InlineItem, Payments, key_problem
from core_caps.capabilities.queue import Delivery, Message, Queue
from core_caps.capabilities.sql import Sql, SqlValue, Statement
from core_caps.clock import VirtualClock
from core_caps.errors import Conflict, KeyCollision, LeaseExpired, Outcome, SignatureInvalid
from core_caps.keys import idempotency_key
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
)
DEDUPE: Sequence[Backend] = (
    ("local", "mock"),
    ("local", "local"),
    ("cloudflare-do", "mock"),
    ("postgres-neon", "mock"),
)
QUEUES: Sequence[Backend] = (("cloudflare-queue", "mock"), ("local", "mock"), ("local", "local"))


def _names(backends: Sequence[Backend]) -> Any:
    return {"argvalues": backends, "ids": ["-".join(backend) for backend in backends]}


class Crash(BaseException):
    """A process that ends here."""


class World:
    """The capabilities of one test, opened on backends of its choice, on one virtual clock."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.clock = VirtualClock(1_750_000_000.0)
        self.source = random.Random(seed)
        self._folder = folder
        self._seed = seed
        self._open = contextlib.AsyncExitStack()

    async def __aenter__(self) -> "World":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def open(self, capability: type[Any], backend: Backend) -> Any:
        plugin, kind = backend
        config: dict[str, object] = {"path": str(self._folder)} if kind == "local" else {}
        if plugin == "cloudflare-queue":
            config = {"seed": self._seed, "duplicate_rate": 0.3, "lost_ack_rate": 0.2}
            config["max_retries"] = DELIVERIES_MAX - 1
        opened = connect(
            capability, plugin, backend=kind, config=config, clock=self.clock, rng=SeededRng()
        )
        return await self._open.enter_async_context(opened)

    def crash(self, rate: float = 0.2) -> None:
        """End the process here, perhaps."""
        if self.source.random() < rate:
            raise Crash


@pytest.fixture
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with World(tmp_path, getattr(request, "param", 0)) as opened:
        yield opened


seeds = pytest.mark.parametrize("world", range(5), indirect=True, ids=lambda seed: f"seed {seed}")


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


@pytest.mark.feature("S5-07", "CW-13")
@seeds
@pytest.mark.parametrize("kept_in", **_names(SQL))
@pytest.mark.parametrize("taken_from", **_names(QUEUES))
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
@pytest.mark.parametrize("kept_in", **_names(SQL))
@pytest.mark.parametrize("known_in", **_names(DEDUPE))
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


class Shipping:
    """What comes after the charge, and does not work for one invoice."""

    def __init__(self, payments: Payments, dedupe: Dedupe, world: World) -> None:
        self._payments = payments
        self._dedupe = dedupe
        self._world = world
        self._attempts = 0

    async def charge(self, delivery: Delivery) -> None:
        """Charge, ship, and where that fails give the money back; each step under its own key."""
        self._attempts += 1
        invoice, owner = json.loads(delivery.body), f"attempt-{self._attempts}"
        answer = await self._dedupe.reserve(delivery.key, owner=owner, lease_seconds=LEASE_SECONDS)
        if isinstance(answer, Done):
            return
        if isinstance(answer, InProgress):
            raise Crash
        self._world.crash()
        paid = await self._payments.create_payment_intent(
            invoice["amount"],
            "eur",
            payment_method=CARD_CHARGED,
            confirm=True,
            metadata={"invoice": invoice["id"]},
            idempotency_key=delivery.key,
        )
        self._world.crash()
        if invoice["lost"]:
            await self._payments.create_refund(
                paid.id, idempotency_key=_payment_key("refund", invoice)
            )
            self._world.crash()
        await self._dedupe.commit(delivery.key, owner=owner, ttl_seconds=TTL_SECONDS)


def _payment_key(node: str, invoice: dict[str, Any]) -> str:
    return str(idempotency_key("payments", node, "", {"invoice": invoice["id"]}))


def _metadata(event: Event) -> dict[str, str]:
    return cast("dict[str, str]", event.object["metadata"])


@pytest.mark.feature("S4-04", "S4-08", "S4-16", "OP-03")
@seeds
@pytest.mark.parametrize("known_in", **_names(DEDUPE))
async def test_an_invoice_is_charged_once_and_given_back_once(
    world: World, known_in: Backend
) -> None:
    invoices: Queue = await world.open(Queue, QUEUES[0])
    payments: Payments = await world.open(Payments, ("stripe", "mock"))
    shipping = Shipping(payments, await world.open(Dedupe, known_in), world)
    given = [{"id": f"in-{n}", "amount": 5000 + n, "lost": n == 3} for n in range(EVENTS)]
    for invoice in (*given, *given[:3]):
        await invoices.send(json.dumps(invoice).encode(), key=_payment_key("charge", invoice))

    await work_off(invoices, world, shipping.charge)
    charged = (await payments.list_events(types=["payment_intent.succeeded"])).events
    assert sorted(event.object["amount"] for event in charged) == [  # type: ignore[type-var]
        invoice["amount"] for invoice in given
    ]
    for event in charged:  # the service itself names the key that the flow derives
        key = _payment_key("charge", {"id": _metadata(event)["invoice"]})
        assert key_problem(event, key) is None
    (returned,) = (await payments.list_events(types=["refund.created"])).events
    assert returned.object["amount"] == given[3]["amount"]


@pytest.mark.feature("MW-07", "MW-13", "MW-14")
@pytest.mark.parametrize("kept_in", **_names(SQL))
async def test_a_webhook_that_comes_twice_starts_one_schedule(
    world: World, kept_in: Backend
) -> None:
    payments: Payments = await world.open(Payments, ("stripe", "mock"))
    sql: Sql = await world.open(Sql, kept_in)
    await sql.execute("CREATE TABLE schedules (preference TEXT PRIMARY KEY, event TEXT NOT NULL)")
    session = await payments.create_checkout_session(
        [InlineItem("A monitor", 999, "usd")],
        success_url="https://example.com/paid",
        metadata={"preference": "p-7"},
        idempotency_key=str(idempotency_key("create_monitor", "checkout", "", {"p": "p-7"})),
    )
    assert session.url.startswith("https://")
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": int(world.clock.now()),
        "livemode": False,
        "data": {"object": {"id": session.id, "metadata": dict(session.metadata)}},
        "request": {"id": None, "idempotency_key": None},
    }
    sent = await payments.sign_webhook(json.dumps(event).encode())

    for _ in range(2):
        told = await payments.parse_webhook(sent.payload, sent.signature)
        await sql.execute(
            "INSERT INTO schedules (preference, event) VALUES ($1, $2)",
            [_metadata(told)["preference"], told.id],
            key=told.id,
        )
    with pytest.raises(SignatureInvalid):
        await payments.parse_webhook(sent.payload.replace(b"p-7", b"p-8"), sent.signature)
    assert (await sql.query("SELECT preference, event FROM schedules")).rows == (("p-7", "evt_1"),)


@pytest.mark.feature("S3-13", "S10-03")
@pytest.mark.parametrize("known_in", **_names(DEDUPE))
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


@pytest.mark.feature("MW-04", "MW-06")
@pytest.mark.parametrize("kept_in", **_names(SQL))
async def test_an_upsert_gives_the_same_id_each_time(world: World, kept_in: Backend) -> None:
    sql: Sql = await world.open(Sql, kept_in)
    await sql.execute(
        "CREATE TABLE search_criteria (id INTEGER PRIMARY KEY, zip TEXT NOT NULL, "
        "radius INTEGER NOT NULL, updated INTEGER NOT NULL, UNIQUE (zip, radius))"
    )

    async def upsert(code: str, radius: int, now: int) -> SqlValue:
        rows = await sql.execute(
            "INSERT INTO search_criteria (zip, radius, updated) VALUES ($1, $2, $3) "
            "ON CONFLICT (zip, radius) DO UPDATE SET updated = excluded.updated RETURNING id",
            [code, radius, now],
        )
        row = rows.one()
        assert row is not None
        return row["id"]

    first = await upsert("94103", 25, 1)
    assert await upsert("94103", 50, 2) != first
    assert await upsert("94103", 25, 3) == first
    kept = await sql.query("SELECT updated FROM search_criteria WHERE id = $1", [first])
    assert kept.rows == ((3,),)


RUNS = (
    "CREATE TABLE workflow_runs (id TEXT PRIMARY KEY, status TEXT NOT NULL)",
    "CREATE TABLE workflow_events (run TEXT NOT NULL REFERENCES workflow_runs (id), "
    "position INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT, PRIMARY KEY (run, position))",
    "CREATE TABLE workflow_steps (run TEXT NOT NULL, step TEXT NOT NULL, attempt INTEGER NOT NULL, "
    "output TEXT, PRIMARY KEY (run, step))",
    "CREATE TABLE workflow_hooks (token TEXT PRIMARY KEY, run TEXT NOT NULL)",
)


@pytest.mark.feature("CW-01", "CW-12", "CW-13")
@pytest.mark.parametrize("kept_in", **_names(SQL))
async def test_two_workers_that_go_on_with_one_run_do_not_both(
    world: World, kept_in: Backend
) -> None:
    """The state of a run lies in the database alone: who comes second is told so, whole."""
    sql: Sql = await world.open(Sql, kept_in)
    await sql.batch([Statement(table) for table in RUNS])
    await sql.execute("INSERT INTO workflow_runs (id, status) VALUES ($1, 'running')", ["run-1"])
    await sql.execute("INSERT INTO workflow_hooks (token, run) VALUES ($1, $2)", ["t", "run-1"])

    async def step(name: str, output: str) -> None:
        last = await sql.query(
            "SELECT coalesce(max(position), 0) FROM workflow_events WHERE run = $1", ["run-1"]
        )
        ((position,),) = last.rows
        assert isinstance(position, int)
        await write(name, output, position + 1)

    async def write(name: str, output: str, position: int) -> None:
        await sql.batch(
            [
                Statement(
                    "INSERT INTO workflow_steps (run, step, attempt, output) "
                    "VALUES ($1, $2, 1, $3) ON CONFLICT (run, step) "
                    "DO UPDATE SET attempt = workflow_steps.attempt + 1, output = excluded.output",
                    ["run-1", name, output],
                ),
                Statement(
                    "INSERT INTO workflow_events (run, position, kind, body) "
                    "VALUES ($1, $2, 'step_completed', $3)",
                    ["run-1", position, output],
                ),
            ]
        )

    await step("geocode", "37.77,-122.41")
    with pytest.raises(Conflict) as refused:
        await write("geocode", "0,0", 1)  # it read the log before the other wrote
    assert refused.value.outcome is Outcome.NOT_APPLIED
    steps = await sql.query("SELECT step, attempt, output FROM workflow_steps")
    assert steps.rows == (("geocode", 1, "37.77,-122.41"),)
    await step("upsert", "42")
    events = await sql.query("SELECT position, body FROM workflow_events ORDER BY position")
    assert events.rows == ((1, "37.77,-122.41"), (2, "42"))


@pytest.mark.feature("S2-08", "W3-01", "CW-12")
async def test_a_session_is_found_by_the_request_that_comes_next(world: World) -> None:
    """It lies outside whoever serves the request, who keeps nothing between two of them."""
    store = {"store": "sessions"}

    async def served(session_id: str, item: bytes) -> bytes | None:
        """One request, by a worker of its own: the cart as the last one left it, and more in it."""
        opened = connect(
            DurableObject, "cloudflare-do", backend="mock", config=store, clock=world.clock
        )
        async with opened as objects:
            session = DurableObjectContext.of(objects, session_id).storage
            before = await session.get("cart")
            while not await session.compare_and_set("cart", before, (before or b"") + item):
                before = await session.get("cart")
            return before

    assert await served("ada", b"a") is None
    assert await served("ada", b"b") == b"a"
    assert await served("bob", b"c") is None
    await asyncio.gather(*(served("ada", b"d") for _ in range(5)))
    assert await served("ada", b"e") == b"abddddd"
