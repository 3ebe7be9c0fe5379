"""Promises about prices and checkout sessions."""

from core_caps.capabilities.payments import InlineItem, Interval, LineItem, Payments
from core_caps.contract.payment_service.customers import METADATA
from core_caps.contract.payment_service.reading import (
    CURRENCY,
    SUCCESS_URL,
    absent,
    item,
    refused_with,
    unmet,
)
from core_caps.contract.reading import at, refused, seen
from core_caps.contract.suite import World, expect, promise
from core_caps.errors import InvalidArgument, PreconditionFailed

__all__ = ["CASES"]


@promise("create_price")
async def a_price_is_what_it_was_created_as(payments: Payments, world: World) -> None:
    """Its amount is whole and exact, in the smallest unit; its product has an id."""
    wanted: tuple[tuple[int, str, Interval | None], ...] = (
        (1, "jpy", None),
        (99_999_999, "usd", None),
        (1999, "eur", "month"),
    )
    for amount, currency, interval in wanted:
        made = await payments.create_price(
            amount,
            currency,
            product_name="Alert ☂",
            interval=interval,
            idempotency_key=at(world, "price", currency),
        )
        given = (made.amount, made.currency, made.interval)
        expect("a price is what it was created as", given == (amount, currency, interval), made)
        expect("an amount is a whole number", type(made.amount) is int, made)
        expect("a price and its product have ids", bool(made.id and made.product), made)


@promise("create_price", "create_checkout_session", "get_checkout_session", "create_customer")
async def a_checkout_session_sums_its_items(payments: Payments, world: World) -> None:
    """It is open, unpaid, has an address and its metadata, and is read as it was created."""
    one = await item(payments, world, "session", 1999)
    other = await item(payments, world, "session", 250)
    customer = await payments.create_customer(idempotency_key=at(world, "session", "customer"))
    made = await payments.create_checkout_session(
        [one, LineItem(other.price, 3), InlineItem("Extra", 1, CURRENCY, 2)],
        success_url=f"{SUCCESS_URL}?session={{CHECKOUT_SESSION_ID}}",
        cancel_url="https://example.com/",
        customer=customer.id,
        metadata=METADATA,
        idempotency_key=at(world, "session", "s"),
    )
    expect("the items are summed", (made.amount, made.currency) == (2751, CURRENCY), made)
    expect("it is open and unpaid", (made.status, made.payment_status) == ("open", "unpaid"), made)
    expect("it has an address", made.url.startswith(("https://", "http://")), made)
    expect("it has its customer", made.customer == customer.id, made)
    expect("it has its metadata", dict(made.metadata) == METADATA, made)
    expect("it ends some time from now", made.expires_at > world.clock.now(), made)
    await seen(
        world,
        "a session is read as it was created",
        lambda: payments.get_checkout_session(made.id),
        lambda found: found == made,
    )


@promise("create_price", "create_checkout_session", "list_checkout_sessions", "create_customer")
async def sessions_are_listed_page_by_page(payments: Payments, world: World) -> None:
    """The newest first, each once; of one customer, or all."""
    bought = [await item(payments, world, "listed")]
    customer = await payments.create_customer(idempotency_key=at(world, "listed", "customer"))
    made: list[str] = []
    for number in range(5):
        session = await payments.create_checkout_session(
            bought,
            success_url=SUCCESS_URL,
            customer=customer.id if number else "",
            idempotency_key=at(world, "listed", str(number)),
        )
        made.insert(0, session.id)
    listed: list[str] = []
    cursor: str | None = None
    for _ in range(len(made)):
        page = await payments.list_checkout_sessions(customer=customer.id, limit=2, cursor=cursor)
        expect("a page has no more than was asked for", len(page.sessions) <= 2, page)
        listed += [session.id for session in page.sessions]
        cursor = page.cursor
        if cursor is None:
            break
    expect(
        "a customer's sessions are listed, each once, the newest first", listed == made[:4], made
    )
    every = [session.id for session in (await payments.list_checkout_sessions()).sessions]
    expect("all of them are listed", set(made) <= set(every), every)


@promise("create_price", "create_checkout_session", "expire_checkout_session")
async def an_expired_session_stays_expired(payments: Payments, world: World) -> None:
    """It has no address any more, and cannot be expired again."""
    made = await payments.create_checkout_session(
        [await item(payments, world, "expired")],
        success_url=SUCCESS_URL,
        idempotency_key=at(world, "expired", "s"),
    )
    expired = await payments.expire_checkout_session(
        made.id, idempotency_key=at(world, "expired", "once")
    )
    given = (expired.id, expired.status, expired.url)
    expect("an expired session says so", given == (made.id, "expired", ""), expired)
    await unmet(
        "a session that is not open cannot be expired",
        payments.expire_checkout_session(made.id, idempotency_key=at(world, "expired", "again")),
    )


@promise("create_price", "create_checkout_session")
async def prices_and_sessions_agree_on_recurring(payments: Payments, world: World) -> None:
    """A recurring session takes recurring prices only, and another none of them alone."""
    once = await item(payments, world, "recurring")
    monthly = await payments.create_price(
        500,
        CURRENCY,
        product_name="Alert",
        interval="month",
        idempotency_key=at(world, "recurring", "price"),
    )
    made = await payments.create_checkout_session(
        [LineItem(monthly.id, 2)],
        success_url=SUCCESS_URL,
        recurring=True,
        idempotency_key=at(world, "recurring", "s"),
    )
    expect("a recurring session is made", (made.amount, made.status) == (1000, "open"), made)
    for recurring, bought in ((True, once), (False, LineItem(monthly.id))):
        await refused_with(
            (InvalidArgument, PreconditionFailed),
            "a session whose prices do not fit is refused",
            payments.create_checkout_session(
                [bought],
                success_url=SUCCESS_URL,
                recurring=recurring,
                idempotency_key=at(world, "recurring", f"unfit-{recurring}"),
            ),
        )


@promise("create_checkout_session", "list_checkout_sessions")
async def a_session_needs_what_exists(payments: Payments, world: World) -> None:
    """Items, each of a price that there is; nothing is created otherwise."""
    await refused(
        "a session without items is refused",
        payments.create_checkout_session(
            [], success_url=SUCCESS_URL, idempotency_key=at(world, "needs", "none")
        ),
    )
    await absent(
        "a session of an unknown price is refused",
        payments.create_checkout_session(
            [LineItem("price_unknown")],
            success_url=SUCCESS_URL,
            idempotency_key=at(world, "needs", "price"),
        ),
    )
    if not world.prefix:
        left = await payments.list_checkout_sessions()
        expect("a refused session is not created", not left.sessions, left)


@promise("create_checkout_session", "list_checkout_sessions")
async def a_page_leads_to_an_address(payments: Payments, world: World) -> None:
    """With its scheme, whether the customer paid or not; nothing is created otherwise."""
    nowhere = ("example.com/thanks", "/thanks", "https://", "no address")
    pages = [("", ""), *((bad, "") for bad in nowhere), *((SUCCESS_URL, bad) for bad in nowhere)]
    for number, (success_url, cancel_url) in enumerate(pages):
        await refused(
            f"a page that leads to {success_url!r} or {cancel_url!r} is refused",
            payments.create_checkout_session(
                [InlineItem("Alert", 1999, CURRENCY)],
                success_url=success_url,
                cancel_url=cancel_url,
                idempotency_key=at(world, "address", str(number)),
            ),
        )
    if not world.prefix:
        left = await payments.list_checkout_sessions()
        expect("a session that leads nowhere is not created", not left.sessions, left)


CASES = (
    a_price_is_what_it_was_created_as,
    a_checkout_session_sums_its_items,
    sessions_are_listed_page_by_page,
    an_expired_session_stays_expired,
    prices_and_sessions_agree_on_recurring,
    a_session_needs_what_exists,
    a_page_leads_to_an_address,
)
