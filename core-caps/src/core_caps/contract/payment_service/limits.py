"""Promises about limits: the greatest works, and one more is refused and changes nothing."""

from collections.abc import Mapping

from core_caps.capabilities.payments import InlineItem, LineItem, Payments
from core_caps.claims.operation import operations_of
from core_caps.contract.payment_service.reading import AMOUNT, CURRENCY, SUCCESS_URL, item
from core_caps.contract.reading import at, refused
from core_caps.contract.suite import World, expect, promise

__all__ = ["CASES"]


@promise("create_payment_intent", "create_price", "create_refund", limits=("amount_units_max",))
async def an_amount_is_positive_and_within_its_limit(payments: Payments, world: World) -> None:
    """Zero, less and too much are refused."""
    greatest = world.limits["amount_units_max"]
    made = await payments.create_payment_intent(
        greatest, CURRENCY, idempotency_key=at(world, "amount", "greatest")
    )
    expect(f"{greatest} is taken", made.amount == greatest, made)
    for amount in (0, -1, -AMOUNT, greatest + 1):
        key = at(world, "amount", str(amount))
        await refused(
            f"a payment of {amount} is refused",
            payments.create_payment_intent(amount, CURRENCY, idempotency_key=key),
        )
        if amount <= 0:
            await refused(
                f"a refund of {amount} is refused",
                payments.create_refund(made.id, amount=amount, idempotency_key=key),
            )
        if amount:
            await refused(
                f"a price of {amount} is refused",
                payments.create_price(amount, CURRENCY, product_name="Alert", idempotency_key=key),
            )


@promise("create_payment_intent", "create_checkout_session", limits=("usd_units_min",))
async def a_payment_has_a_least_amount(payments: Payments, world: World) -> None:
    """So many cents are taken and one less is not; a page asks for as much, or for nothing."""
    least = world.limits["usd_units_min"]
    for amount, possible in ((least, True), (least - 1, False)):
        key = at(world, "least", str(amount))
        call = payments.create_payment_intent(amount, "usd", idempotency_key=key)
        if possible:
            made = await call
            expect(f"{amount} cents are taken", made.amount == amount, made)
        else:
            await refused(f"{amount} cents are refused", call)
    await _page_costs(payments, world, "least", {0: True, least: True, least - 1: False})


@promise("create_checkout_session", limits=("amount_units_max",))
async def a_sessions_sum_is_within_its_limit(payments: Payments, world: World) -> None:
    """However its items make it up."""
    greatest = world.limits["amount_units_max"]
    await _page_costs(payments, world, "sum", {greatest: True, greatest + 1: False})


@promise("create_checkout_session", limits=("recurring_items_max",))
async def a_session_recurs_for_so_many_items(payments: Payments, world: World) -> None:
    """The limit is taken, and one item more that recurs is refused."""
    greatest = world.limits["recurring_items_max"]
    item = InlineItem("Alert", 500, CURRENCY, interval="month")
    for count, possible in ((greatest, True), (greatest + 1, False)):
        call = payments.create_checkout_session(
            [item] * count,
            success_url=SUCCESS_URL,
            recurring=True,
            idempotency_key=at(world, "recurs", str(count)),
        )
        if possible:
            made = await call
            expect(f"{count} items are summed", made.amount == 500 * count, made)
        else:
            await refused(f"{count} items are refused", call)


@promise("create_payment_intent", "create_price")
async def a_currency_is_one_that_there_is(payments: Payments, world: World) -> None:
    """Three lower-case letters, of a currency that the service takes."""
    for currency in ("", "us", "usdd", "u$d", "zzz", "dollars"):
        key = at(world, "currency", currency)
        await refused(
            f"the currency {currency!r} is refused",
            payments.create_payment_intent(AMOUNT, currency, idempotency_key=key),
        )
        await refused(
            f"the currency {currency!r} is refused",
            payments.create_price(AMOUNT, currency, product_name="Alert", idempotency_key=key),
        )


@promise(
    "create_customer",
    limits=(
        "metadata_keys_max",
        "metadata_key_characters_max",
        "metadata_value_characters_max",
    ),
)
async def metadata_has_limits(payments: Payments, world: World) -> None:
    """How many there are, how long a name is and how long a text; letters count, not bytes."""
    most = world.limits["metadata_keys_max"]
    longest = world.limits["metadata_key_characters_max"]
    most_text = world.limits["metadata_value_characters_max"]
    greatest = {f"{number:é<{longest}}": "ü" * most_text for number in range(most)}
    made = await payments.create_customer(
        metadata=greatest, idempotency_key=at(world, "metadata-max", "greatest")
    )
    expect("the greatest metadata is kept", dict(made.metadata) == greatest, len(made.metadata))
    beyond = {
        f"{most + 1} keys": {str(number): "v" for number in range(most + 1)},
        f"a key of {longest + 1} characters": {"k" * (longest + 1): "v"},
        f"a text of {most_text + 1} characters": {"k": "v" * (most_text + 1)},
    }
    for name, metadata in beyond.items():
        await refused(
            f"metadata with {name} is refused",
            payments.create_customer(
                metadata=metadata, idempotency_key=at(world, "metadata-max", name)
            ),
        )


@promise("create_customer", limits=("idempotency_key_characters_max",))
async def the_longest_key_works_and_one_letter_more_does_not(
    payments: Payments, world: World
) -> None:
    """No key is refused, too: a write without one could be made twice."""
    longest = world.limits["idempotency_key_characters_max"]
    key = at(world, "key-max").ljust(longest, "k")
    await payments.create_customer(idempotency_key=key)
    for bad in (key + "k", ""):
        await refused(
            f"a key of {len(bad)} characters is refused",
            payments.create_customer(idempotency_key=bad),
        )


@promise("create_price", "create_checkout_session", limits=("line_items_max",))
async def a_session_has_so_many_items(payments: Payments, world: World) -> None:
    """The limit is taken, one item more is refused, and so is none of an item."""
    greatest = world.limits["line_items_max"]
    bought = await item(payments, world, "items", 10)
    made = await payments.create_checkout_session(
        [bought] * greatest,
        success_url=SUCCESS_URL,
        idempotency_key=at(world, "items", "greatest"),
    )
    expect(f"{greatest} items are summed", made.amount == 10 * greatest, made.amount)
    for items in ([bought] * (greatest + 1), [LineItem(bought.price, 0)]):
        await refused(
            "items beyond the limit are refused",
            payments.create_checkout_session(
                items,
                success_url=SUCCESS_URL,
                idempotency_key=at(world, "items", str(len(items))),
            ),
        )


@promise("list_events", "list_checkout_sessions", limits=("page_items_max",))
async def the_greatest_page_works_and_one_more_does_not(payments: Payments, world: World) -> None:
    """Of events and of sessions."""
    greatest = world.limits["page_items_max"]
    await payments.list_events(limit=greatest)
    await payments.list_checkout_sessions(limit=greatest)
    await refused(f"{greatest + 1} are refused", payments.list_events(limit=greatest + 1))
    await refused(
        f"{greatest + 1} are refused", payments.list_checkout_sessions(limit=greatest + 1)
    )


@promise()
async def an_undeclared_operation_is_absent(payments: Payments, world: World) -> None:
    """What the manifest does not provide cannot be called by accident."""
    others = operations_of(Payments).keys() - world.operations
    present = sorted(name for name in others if hasattr(payments, name))
    expect("an operation that is not declared is not there", not present, present)


async def _page_costs(
    payments: Payments, world: World, case: str, amounts: Mapping[int, bool]
) -> None:
    """Check which sums a session takes, in dollars, made of two items."""
    for amount, possible in amounts.items():
        parts = [InlineItem("Alert", part, "usd") for part in (amount // 2, amount - amount // 2)]
        call = payments.create_checkout_session(
            parts, success_url=SUCCESS_URL, idempotency_key=at(world, case, f"page-{amount}")
        )
        if possible:
            made = await call
            expect(f"a page for {amount} is made", made.amount == amount, made)
        else:
            await refused(f"a page for {amount} is refused", call)


CASES = (
    an_amount_is_positive_and_within_its_limit,
    a_payment_has_a_least_amount,
    a_sessions_sum_is_within_its_limit,
    a_session_recurs_for_so_many_items,
    a_currency_is_one_that_there_is,
    metadata_has_limits,
    the_longest_key_works_and_one_letter_more_does_not,
    a_session_has_so_many_items,
    the_greatest_page_works_and_one_more_does_not,
    an_undeclared_operation_is_absent,
)
