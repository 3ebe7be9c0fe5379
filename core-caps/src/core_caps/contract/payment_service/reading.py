"""How the cases make payments, look at what became of them, and see a call refused."""

from collections.abc import Awaitable

from core_caps.capabilities.payments import (
    CARD_CHARGED,
    Event,
    LineItem,
    PaymentIntent,
    Payments,
)
from core_caps.contract.reading import at
from core_caps.contract.suite import World, expect, expect_error, violated
from core_caps.errors import ObjectAbsent, Outcome, PreconditionFailed, ProviderError

__all__ = [
    "AMOUNT",
    "CURRENCY",
    "SUCCESS_URL",
    "absent",
    "caused_by",
    "item",
    "paid",
    "refused_with",
    "unmet",
]

AMOUNT, CURRENCY = 1999, "usd"
SUCCESS_URL = "https://example.com/thanks"

_PAGES_MAX = 20


async def item(payments: Payments, world: World, case: str, amount: int = AMOUNT) -> LineItem:
    """One of something that costs so much."""
    price = await payments.create_price(
        amount,
        CURRENCY,
        product_name="Alert",
        idempotency_key=at(world, case, f"price-{amount}"),
    )
    return LineItem(price.id)


async def paid(payments: Payments, world: World, case: str, amount: int = AMOUNT) -> PaymentIntent:
    """A payment that was made."""
    made = await payments.create_payment_intent(
        amount,
        CURRENCY,
        payment_method=CARD_CHARGED,
        confirm=True,
        idempotency_key=at(world, case, f"paid-{amount}"),
    )
    expect("a payment by a good card succeeds", made.status == "succeeded", made)
    return made


async def caused_by(payments: Payments, key: str) -> list[Event]:
    """The events of the request with this idempotency key, the newest first."""
    found: list[Event] = []
    cursor: str | None = None
    for _ in range(_PAGES_MAX):
        page = await payments.list_events(cursor=cursor)
        found += [event for event in page.events if event.idempotency_key == key]
        cursor = page.cursor
        if cursor is None:
            break
    return found


async def absent(promised: str, call: Awaitable[object]) -> None:
    """Check that a write says that what it is about does not exist."""
    await refused_with((ObjectAbsent,), promised, call)


async def unmet(promised: str, call: Awaitable[object]) -> None:
    """Check that a write says that the state of its object does not allow it."""
    await refused_with((PreconditionFailed,), promised, call)


async def refused_with(
    errors: tuple[type[ProviderError], ...], promised: str, call: Awaitable[object]
) -> None:
    """Check that a call fails with one of these errors, and changed nothing."""
    error = await expect_error(ProviderError, promised, call)
    if not isinstance(error, errors):
        violated(promised, f"{type(error).__name__}: {error.message}")
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
