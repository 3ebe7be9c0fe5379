"""Promises about refunds: in parts or whole, and never more than was paid."""

from core_caps.capabilities.payments import Payments, Refund
from core_caps.contract.payment_service.reading import (
    AMOUNT,
    CURRENCY,
    paid,
    refused_with,
    unmet,
)
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument, PreconditionFailed

__all__ = ["CASES"]


@promise("create_payment_intent", "create_refund", "get_refund")
async def a_payment_is_refunded_in_parts(payments: Payments, world: World) -> None:
    """So much, then all that is left, and then there is nothing left."""
    made = await paid(payments, world, "parts", 1000)
    for amount, given in ((600, 600), (None, 400)):
        refund = await payments.create_refund(
            made.id,
            amount=amount,
            metadata={"part": str(given)},
            idempotency_key=at(world, "parts", str(amount)),
        )
        wanted = Refund(refund.id, made.id, given, CURRENCY, refund.status, {"part": str(given)})
        expect(
            "a refund is as much as was asked for, or all that is left", refund == wanted, refund
        )
        expect("it is made or on its way", refund.status in ("succeeded", "pending"), refund)
        await seen(
            world,
            "a refund is read as it was made",
            lambda refund=refund: payments.get_refund(refund.id),
            lambda found, refund=refund: found is not None and found.amount == refund.amount,
        )
    for amount in (None, 1):
        await unmet(
            "what was given back is not given back again",
            payments.create_refund(
                made.id, amount=amount, idempotency_key=at(world, "parts", f"more-{amount}")
            ),
        )


@promise("create_payment_intent", "create_refund")
async def no_more_is_refunded_than_was_paid(payments: Payments, world: World) -> None:
    """Neither at once nor in sum; a refused refund takes nothing of what is left."""
    made = await paid(payments, world, "more", 1000)
    for number, (amount, possible) in enumerate(((1001, False), (600, True), (401, False))):
        call = payments.create_refund(
            made.id, amount=amount, idempotency_key=at(world, "more", str(number))
        )
        if possible:
            await call
        else:
            await refused("more than is left is refused", call)
    last = await payments.create_refund(
        made.id, amount=400, idempotency_key=at(world, "more", "last")
    )
    expect("what is left is given back", last.amount == 400, last)


@promise("create_payment_intent", "create_refund")
async def what_was_not_paid_is_not_refunded(payments: Payments, world: World) -> None:
    """A payment that was only begun has nothing to give back."""
    made = await payments.create_payment_intent(
        AMOUNT, CURRENCY, idempotency_key=at(world, "unpaid", "create")
    )
    await refused_with(
        (InvalidArgument, PreconditionFailed),
        "what was not paid is not refunded",
        payments.create_refund(made.id, idempotency_key=at(world, "unpaid", "refund")),
    )


CASES = (
    a_payment_is_refunded_in_parts,
    no_more_is_refunded_than_was_paid,
    what_was_not_paid_is_not_refunded,
)
