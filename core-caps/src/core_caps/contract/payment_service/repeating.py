"""Promises about idempotency keys: the same call twice is once, and a key is for one call."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from core_caps.capabilities.payments import (
    CARD_CHARGED,
    CheckoutSession,
    Customer,
    PaymentIntent,
    Payments,
    Price,
    Refund,
)
from core_caps.contract.payment_service.reading import (
    AMOUNT,
    CURRENCY,
    SUCCESS_URL,
    caused_by,
    item,
    paid,
)
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import Conflict, KeyCollision, Outcome

__all__ = ["CASES"]

_Made = Customer | Price | CheckoutSession | PaymentIntent | Refund
_AT_ONCE = 6


@promise(
    "create_customer",
    "create_price",
    "create_checkout_session",
    "create_payment_intent",
    "create_refund",
    "list_events",
)
async def what_is_created_twice_under_one_key_is_one(payments: Payments, world: World) -> None:
    """The same answer, and nothing new happened."""
    bought = [await item(payments, world, "twice", 1000)]
    made = await paid(payments, world, "twice", 1000)
    creating: Mapping[str, Callable[[str], Awaitable[_Made]]] = {
        "customer": lambda key: payments.create_customer(email="a@b.de", idempotency_key=key),
        "price": lambda key: payments.create_price(
            500, CURRENCY, product_name="Alert", idempotency_key=key
        ),
        "session": lambda key: payments.create_checkout_session(
            bought, success_url=SUCCESS_URL, idempotency_key=key
        ),
        "payment": lambda key: payments.create_payment_intent(
            AMOUNT, CURRENCY, payment_method=CARD_CHARGED, confirm=True, idempotency_key=key
        ),
        "refund": lambda key: payments.create_refund(made.id, amount=600, idempotency_key=key),
    }
    for name, create in creating.items():
        key = at(world, "twice", name)
        first = await create(key)
        told = await caused_by(payments, key)
        for _ in range(2):
            again = await create(key)
            expect(f"a {name} made again under its key is the first", again == first, again)
        after = await caused_by(payments, key)
        nothing = [event.id for event in after] == [event.id for event in told]
        expect(f"and nothing new happened to a {name}", nothing, after)


@promise("create_price", "create_checkout_session", "expire_checkout_session")
async def a_session_expired_twice_under_one_key_is_once(payments: Payments, world: World) -> None:
    """Answered as the first time, although it is not open any more."""
    made = await payments.create_checkout_session(
        [await item(payments, world, "expire-twice")],
        success_url=SUCCESS_URL,
        idempotency_key=at(world, "expire-twice", "s"),
    )
    for _ in range(2):
        expired = await payments.expire_checkout_session(
            made.id, idempotency_key=at(world, "expire-twice", "e")
        )
        expect("expired once", (expired.id, expired.status) == (made.id, "expired"), expired)


@promise("create_payment_intent", "confirm_payment_intent", "cancel_payment_intent")
async def a_payment_confirmed_twice_under_one_key_is_made_once(
    payments: Payments, world: World
) -> None:
    """Answered as the first time; giving one up, too."""
    ids: list[str] = []
    for number in range(2):
        made = await payments.create_payment_intent(
            AMOUNT, CURRENCY, idempotency_key=at(world, "confirm-twice", str(number))
        )
        ids.append(made.id)
    for _ in range(2):
        done = await payments.confirm_payment_intent(
            ids[0], payment_method=CARD_CHARGED, idempotency_key=at(world, "confirm-twice", "y")
        )
        expect("made once", (done.status, done.received) == ("succeeded", AMOUNT), done)
        gone = await payments.cancel_payment_intent(
            ids[1], idempotency_key=at(world, "confirm-twice", "n")
        )
        expect("given up once", gone.status == "canceled", gone)


@promise("create_customer", "create_payment_intent", "list_events")
async def a_key_is_for_one_call(payments: Payments, world: World) -> None:
    """With other arguments, or for another operation, it collides; nothing happens."""
    key = at(world, "collision", "k")
    await payments.create_customer(email="ada@example.com", idempotency_key=key)
    told = await caused_by(payments, key)
    others: Sequence[Callable[[], Awaitable[object]]] = (
        lambda: payments.create_customer(email="eve@example.com", idempotency_key=key),
        lambda: payments.create_customer(
            email="ada@example.com", metadata={"a": "b"}, idempotency_key=key
        ),
        lambda: payments.create_payment_intent(AMOUNT, CURRENCY, idempotency_key=key),
    )
    for call in others:
        error = await expect_error(KeyCollision, "a key is for one call", call())
        expect("the key is named", tuple(error.keys) == (key,), error.keys)
        expect("a collision is NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
    after = await caused_by(payments, key)
    expect("a collision changes nothing", len(after) == len(told), after)


@promise("create_payment_intent", "list_events")
async def many_at_once_under_one_key_are_one(payments: Payments, world: World) -> None:
    """Whoever comes while the first is at work is told so, or is given its answer."""
    key = at(world, "at-once", "k")

    async def attempt() -> str:
        try:
            made = await payments.create_payment_intent(
                AMOUNT, CURRENCY, payment_method=CARD_CHARGED, confirm=True, idempotency_key=key
            )
        except Conflict as error:
            expect("NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
            return ""
        return made.id

    made = set(await asyncio.gather(*(attempt() for _ in range(_AT_ONCE)))) - {""}
    expect("many at once under one key are one payment", len(made) == 1, made)
    paid_events = [
        event for event in await caused_by(payments, key) if event.object.get("id") in made
    ]
    types = [event.type for event in paid_events]
    expect("each thing happened once", len(types) == len(set(types)) > 0, types)


@promise("create_payment_intent")
async def a_refused_call_leaves_its_key_free(payments: Payments, world: World) -> None:
    """What was never begun is not remembered."""
    key = at(world, "free", "k")
    await refused(
        "a negative amount is refused",
        payments.create_payment_intent(-1, CURRENCY, idempotency_key=key),
    )
    made = await payments.create_payment_intent(AMOUNT, CURRENCY, idempotency_key=key)
    expect("the key of a refused call is free", made.amount == AMOUNT, made)


CASES = (
    what_is_created_twice_under_one_key_is_one,
    a_session_expired_twice_under_one_key_is_once,
    a_payment_confirmed_twice_under_one_key_is_made_once,
    a_key_is_for_one_call,
    many_at_once_under_one_key_are_one,
    a_refused_call_leaves_its_key_free,
)
