"""Promises about clients: several on one account, and one that is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

from core_caps.capabilities.payments import CARD_CHARGED, LineItem, Payments
from core_caps.contract.payment_service.reading import AMOUNT, CURRENCY, SUCCESS_URL
from core_caps.contract.reading import at, closed, seen
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("create_payment_intent", "confirm_payment_intent", "get_payment_intent")
async def two_clients_share_the_account(payments: Payments, world: World) -> None:
    """What one creates the other confirms; a key is one key for both."""
    key = at(world, "share", "create")
    made = await payments.create_payment_intent(AMOUNT, CURRENCY, idempotency_key=key)
    async with world.reopen() as other:
        again = await other.create_payment_intent(AMOUNT, CURRENCY, idempotency_key=key)
        expect("a key is one key for every client", again.id == made.id, again)
        await other.confirm_payment_intent(
            made.id, payment_method=CARD_CHARGED, idempotency_key=at(world, "share", "confirm")
        )
    await seen(
        world,
        "what another client did is seen, also when it is closed",
        lambda: payments.get_payment_intent(made.id),
        lambda found: found is not None and found.status == "succeeded",
    )


@promise()
async def a_closed_client_refuses_every_operation(payments: Payments, world: World) -> None:
    """ClientClosed, NOT_APPLIED, and nothing is sent."""
    async with world.reopen() as other:
        pass
    await closed(world, _calls(other, at(world, "closed")))


@promise("create_customer", "get_customer")
async def closing_one_client_leaves_the_others_open(payments: Payments, world: World) -> None:
    """They go on."""
    async with world.reopen():
        pass
    made = await payments.create_customer(idempotency_key=at(world, "open", "k"))
    expect("closing one client leaves the others open", bool(made.id), made)


def _calls(payments: Payments, key: str) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "get_customer": lambda: payments.get_customer("cus_1"),
        "get_checkout_session": lambda: payments.get_checkout_session("cs_1"),
        "list_checkout_sessions": payments.list_checkout_sessions,
        "get_payment_intent": lambda: payments.get_payment_intent("pi_1"),
        "get_refund": lambda: payments.get_refund("re_1"),
        "list_events": payments.list_events,
        "create_customer": lambda: payments.create_customer(idempotency_key=key),
        "create_price": lambda: payments.create_price(
            AMOUNT, CURRENCY, product_name="Alert", idempotency_key=key
        ),
        "create_checkout_session": lambda: payments.create_checkout_session(
            [LineItem("price_1")], success_url=SUCCESS_URL, idempotency_key=key
        ),
        "expire_checkout_session": lambda: payments.expire_checkout_session(
            "cs_1", idempotency_key=key
        ),
        "create_payment_intent": lambda: payments.create_payment_intent(
            AMOUNT, CURRENCY, idempotency_key=key
        ),
        "confirm_payment_intent": lambda: payments.confirm_payment_intent(
            "pi_1", idempotency_key=key
        ),
        "cancel_payment_intent": lambda: payments.cancel_payment_intent(
            "pi_1", idempotency_key=key
        ),
        "create_refund": lambda: payments.create_refund("pi_1", idempotency_key=key),
        "parse_webhook": lambda: payments.parse_webhook(b"{}", "t=1,v1=a"),
        "sign_webhook": lambda: payments.sign_webhook(b"{}"),
    }


CASES = (
    two_clients_share_the_account,
    a_closed_client_refuses_every_operation,
    closing_one_client_leaves_the_others_open,
)
