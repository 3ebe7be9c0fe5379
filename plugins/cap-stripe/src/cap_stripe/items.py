"""What is paid for: the items of a checkout session, checked, and as parameters of a request."""

from collections.abc import Mapping, Sequence
from typing import cast

from core_caps.capabilities.payments import InlineItem, LineItem
from core_caps.errors import InvalidArgument

from cap_stripe.arguments import checked_interval, checked_name
from cap_stripe.ids import checked_id
from cap_stripe.limits import AMOUNT_UNITS_MAX, LINE_ITEMS_MAX
from cap_stripe.money import checked_amount, checked_currency

__all__ = ["checked_items", "line", "repeated"]


def checked_items(items: Sequence[LineItem | InlineItem]) -> Sequence[LineItem | InlineItem]:
    """What is paid for.

    Raises:
        InvalidArgument: it is no sequence of 1 to 100 items, or one of them cannot be.
    """
    given = cast("object", items)
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"items is a sequence of items, not {type(given).__name__}", hint="give a list"
        )
    if not 1 <= len(items) <= LINE_ITEMS_MAX:
        raise InvalidArgument(
            f"{len(items)} items; a session has 1 to {LINE_ITEMS_MAX}",
            hint="put several of one thing into one item's quantity",
        )
    for item in cast("Sequence[object]", given):
        _check_item(item)
    return items


def line(item: LineItem | InlineItem) -> Mapping[str, object]:
    """An item as a parameter."""
    if isinstance(item, LineItem):
        return {"price": item.price, "quantity": item.quantity}
    priced = {
        "unit_amount": item.amount,
        "currency": item.currency,
        "product_data": {"name": item.name},
        **repeated(item.interval),
    }
    return {"price_data": priced, "quantity": item.quantity}


def repeated(interval: str | None) -> Mapping[str, object]:
    """How often it is charged again, as a parameter."""
    return {} if interval is None else {"recurring": {"interval": interval}}


def _check_item(item: object) -> None:
    match item:
        case LineItem(price=price, quantity=quantity):
            checked_id("a price", price)
        case InlineItem(name=name, amount=amount, currency=currency, quantity=quantity):
            checked_name("an item", name)
            checked_amount(amount, checked_currency(currency), least=0)
            checked_interval(item.interval)
        case _:
            raise InvalidArgument(
                f"items are LineItems and InlineItems, not {type(item).__name__}",
                hint="from core_caps.capabilities.payments import InlineItem, LineItem",
            )
    if type(quantity) is not int or not 1 <= quantity <= AMOUNT_UNITS_MAX:
        raise InvalidArgument(f"a quantity is {quantity!r}", hint="give a whole number from 1")
