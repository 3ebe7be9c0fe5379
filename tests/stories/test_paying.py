"""Money is taken once, given back once, and what a webhook starts begins once."""

import json
from typing import Any, cast

import pytest
from core_caps.capabilities.dedupe import Dedupe, Done, InProgress
from core_caps.capabilities.payments import CARD_CHARGED, Event, InlineItem, Payments, key_problem
from core_caps.capabilities.queue import Delivery, Queue
from core_caps.capabilities.sql import Sql
from core_caps.errors import SignatureInvalid
from core_caps.keys import idempotency_key

from .world import (
    DEDUPE,
    EVENTS,
    LEASE_SECONDS,
    PAYMENTS,
    QUEUES,
    SQL,
    TTL_SECONDS,
    Backend,
    Crash,
    World,
    names,
    work_off,
)

seeds = pytest.mark.parametrize("world", range(5), indirect=True, ids=lambda seed: f"seed {seed}")


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
@pytest.mark.parametrize("paid_with", **names(PAYMENTS))
@pytest.mark.parametrize("known_in", **names(DEDUPE))
async def test_an_invoice_is_charged_once_and_given_back_once(
    world: World, known_in: Backend, paid_with: Backend
) -> None:
    invoices: Queue = await world.open(Queue, QUEUES[0])
    payments: Payments = await world.open(Payments, paid_with)
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
@pytest.mark.parametrize("paid_with", **names(PAYMENTS))
@pytest.mark.parametrize("kept_in", **names(SQL))
async def test_a_webhook_that_comes_twice_starts_one_schedule(
    world: World, kept_in: Backend, paid_with: Backend
) -> None:
    payments: Payments = await world.open(Payments, paid_with)
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
