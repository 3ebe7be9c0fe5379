"""Promises about payments: made in one step or two, declined, given up; once, and no more."""

from core_caps.capabilities.payments import CARD_CHARGED, CARD_DECLINED, PaymentIntent, Payments
from core_caps.contract.payment_service.reading import AMOUNT, CURRENCY, absent, paid, unmet
from core_caps.contract.reading import at, seen
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import Outcome, PaymentDeclined

__all__ = ["CASES"]


@promise("create_payment_intent", "confirm_payment_intent", "get_payment_intent")
async def a_payment_is_made_in_two_steps(payments: Payments, world: World) -> None:
    """Nothing is received before it is confirmed, and then all of it."""
    made = await payments.create_payment_intent(
        AMOUNT, CURRENCY, idempotency_key=at(world, "steps", "create")
    )
    wanted = PaymentIntent(made.id, AMOUNT, CURRENCY, "requires_payment_method")
    expect("a new payment waits for a payment method", made == wanted, made)
    other = await payments.create_payment_intent(
        AMOUNT, CURRENCY, payment_method=CARD_CHARGED, idempotency_key=at(world, "steps", "other")
    )
    expect("with one it waits to be confirmed", other.status == "requires_confirmation", other)
    for intent, method in ((made, CARD_CHARGED), (other, "")):
        done = await payments.confirm_payment_intent(
            intent.id,
            payment_method=method,
            idempotency_key=at(world, "steps", f"confirm{method}"),
        )
        wanted = PaymentIntent(intent.id, AMOUNT, CURRENCY, "succeeded", AMOUNT)
        expect("a confirmed payment has received all", done == wanted, done)
        await seen(
            world,
            "a payment is read as it became",
            lambda intent=intent: payments.get_payment_intent(intent.id),
            lambda found, wanted=wanted: found == wanted,
        )


@promise("create_payment_intent", "get_payment_intent")
async def a_payment_is_made_at_once(payments: Payments, world: World) -> None:
    """With `confirm`, in the currency's smallest unit, which for the yen is the yen."""
    for amount, currency in ((50, "usd"), (5000, "jpy")):
        made = await payments.create_payment_intent(
            amount,
            currency,
            payment_method=CARD_CHARGED,
            confirm=True,
            idempotency_key=at(world, "once", currency),
        )
        wanted = PaymentIntent(made.id, amount, currency, "succeeded", amount)
        expect("a payment is made at once", made == wanted, made)


@promise("create_payment_intent", "confirm_payment_intent", "get_payment_intent")
async def a_declined_payment_moves_no_money(payments: Payments, world: World) -> None:
    """It says why, names the payment, and another method can make it."""
    key = at(world, "declined", "create")

    async def attempt() -> PaymentDeclined:
        declined = await expect_error(
            PaymentDeclined,
            "a card that the bank refuses is declined",
            payments.create_payment_intent(
                AMOUNT,
                CURRENCY,
                payment_method=CARD_DECLINED,
                confirm=True,
                idempotency_key=key,
            ),
        )
        known = declined.outcome is Outcome.NOT_APPLIED and bool(declined.reason)
        expect("a decline is NOT_APPLIED and says why", known, declined)
        return declined

    first = await attempt()
    again = await attempt()
    same = first.payment_intent == again.payment_intent and bool(first.payment_intent)
    expect("a repeat is the same decline of the same payment", same, again)
    left = await payments.get_payment_intent(first.payment_intent)
    waits = left is not None and (left.status, left.received) == ("requires_payment_method", 0)
    expect("a declined payment has received nothing", waits, left)
    done = await payments.confirm_payment_intent(
        first.payment_intent,
        payment_method=CARD_CHARGED,
        idempotency_key=at(world, "declined", "another method"),
    )
    expect("another method makes it", (done.status, done.received) == ("succeeded", AMOUNT), done)


@promise("create_payment_intent", "confirm_payment_intent", "cancel_payment_intent")
async def a_payment_that_was_made_stays_made(payments: Payments, world: World) -> None:
    """It is not made again under another key, and cannot be given up."""
    made = await paid(payments, world, "stays")
    await unmet(
        "a payment that was made is not made again",
        payments.confirm_payment_intent(
            made.id, payment_method=CARD_CHARGED, idempotency_key=at(world, "stays", "again")
        ),
    )
    await unmet(
        "a payment that was made is not given up",
        payments.cancel_payment_intent(made.id, idempotency_key=at(world, "stays", "cancel")),
    )


@promise("create_payment_intent", "confirm_payment_intent", "cancel_payment_intent")
async def a_payment_that_was_given_up_is_not_made(payments: Payments, world: World) -> None:
    """It is canceled once and for all."""
    made = await payments.create_payment_intent(
        AMOUNT, CURRENCY, idempotency_key=at(world, "given-up", "create")
    )
    done = await payments.cancel_payment_intent(
        made.id, idempotency_key=at(world, "given-up", "cancel")
    )
    expect("a payment is given up", (done.id, done.status) == (made.id, "canceled"), done)
    await unmet(
        "a payment that was given up is not made",
        payments.confirm_payment_intent(
            made.id, payment_method=CARD_CHARGED, idempotency_key=at(world, "given-up", "confirm")
        ),
    )
    await unmet(
        "a payment is given up once",
        payments.cancel_payment_intent(made.id, idempotency_key=at(world, "given-up", "again")),
    )


@promise()
async def what_does_not_exist_is_none_to_a_read(payments: Payments, world: World) -> None:
    """And ObjectAbsent to a write, which changes nothing."""
    reads = {
        "get_customer": ("cus_unknown", "cus/unknown?&#%2F é"),
        "get_checkout_session": ("cs_test_unknown",),
        "get_payment_intent": ("pi_unknown", "pi unknown"),
        "get_refund": ("re_unknown",),
    }
    for name, ids in reads.items():
        for unknown in ids if name in world.operations else ():
            found = await getattr(payments, name)(unknown)
            expect(f"{name} of what does not exist is None", found is None, found)
    writes = {
        "expire_checkout_session": "cs_test_unknown",
        "confirm_payment_intent": "pi_unknown",
        "cancel_payment_intent": "pi_unknown",
        "create_refund": "pi_unknown",
    }
    for name, unknown in writes.items():
        if name in world.operations:
            call = getattr(payments, name)(unknown, idempotency_key=at(world, "absent", name))
            await absent(f"{name} of what does not exist is refused", call)
    if "create_payment_intent" in world.operations:
        await absent(
            "a payment of an unknown customer is refused",
            payments.create_payment_intent(
                AMOUNT,
                CURRENCY,
                customer="cus_unknown",
                idempotency_key=at(world, "absent", "customer"),
            ),
        )


CASES = (
    a_payment_is_made_in_two_steps,
    a_payment_is_made_at_once,
    a_declined_payment_moves_no_money,
    a_payment_that_was_made_stays_made,
    a_payment_that_was_given_up_is_not_made,
    what_does_not_exist_is_none_to_a_read,
)
