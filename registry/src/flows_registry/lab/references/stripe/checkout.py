"""Checkout sessions: what they ask for, and how they end.

https://docs.stripe.com/api/checkout/sessions
"""

import itertools
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from flows_registry.lab.references.stripe.book import Book, Row
from flows_registry.lab.references.stripe.fields import chargeable, need
from flows_registry.lab.references.stripe.refusal import Refusal

__all__ = ["create", "expire"]

Given = dict[str, Any]

# https://docs.stripe.com/api/checkout/sessions/create
_OPEN_SECONDS: Final = 24 * 3600
_ITEMS_MAX: Final = 100
_RECURRING_MAX: Final = 20


class _Item(NamedTuple):
    """What an item costs, all of it."""

    cost: int
    currency: str
    recurs: bool


def create(book: Book, given: Given, _: str, key: str | None) -> Row:
    need(given, "mode", "success_url")
    mode = given["mode"]
    if mode not in ("payment", "subscription", "setup"):
        raise Refusal.parameter("Invalid mode", "mode")
    total, code = _kept(given) if mode == "setup" else _summed(book, given, mode)
    if "customer" in given:
        book.get("customer", given["customer"], "customer")
    row = book.add(
        "cs_test",
        "checkout.session",
        mode=mode,
        status="open",
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        amount_total=total,
        currency=code,
        customer=given.get("customer"),
        payment_intent=None,
        success_url=given["success_url"],
        cancel_url=given.get("cancel_url"),
        metadata=given["metadata"],
        expires_at=int(book.now()) + _OPEN_SECONDS,
    )
    row["url"] = f"https://checkout.stripe.com/c/pay/{row['id']}"
    return row


def _kept(given: Given) -> tuple[None, str | None]:
    """A session that keeps a payment method: no amount, and maybe no currency."""
    if any(name.startswith("line_items") for name in given):
        raise Refusal.parameter("Nothing is paid for in `setup` mode.", "line_items")
    if "payment_method_types[0]" not in given:
        need(given, "currency")
    return None, given.get("currency")


def _summed(book: Book, given: Given, mode: str) -> tuple[int, str]:
    """What the items cost together, and in which currency."""
    items = list(_items(book, given))
    if not 1 <= len(items) <= _ITEMS_MAX:
        raise Refusal.parameter("A session has 1 to 100 items.", "line_items")
    recurring = sum(item.recurs for item in items)
    if (recurring > 0) != (mode == "subscription"):
        raise Refusal.parameter("The prices do not fit the mode.", "mode")
    if mode == "subscription" and max(recurring, len(items) - recurring) > _RECURRING_MAX:
        raise Refusal.parameter("A subscription has too many items.", "line_items")
    if len({item.currency for item in items}) != 1:
        raise Refusal.parameter("All line items must have the same currency.", "line_items")
    total, code = sum(item.cost for item in items), items[0].currency
    if mode == "payment" and total:
        chargeable(total, code, None)
    return total, code


def _items(book: Book, given: Given) -> Iterator[_Item]:
    for number in itertools.count():
        item = f"line_items[{number}]"
        if not any(name.startswith(item) for name in given):
            return
        if f"{item}[price]" in given:
            price = book.get("price", given[f"{item}[price]"], f"{item}[price]")
            cost, code = price["unit_amount"], price["currency"]
            recurs = price["recurring"] is not None
        else:
            inline = f"{item}[price_data]"
            need(given, f"{inline}[unit_amount]", f"{inline}[currency]",
                 f"{inline}[product_data][name]")  # fmt: skip
            cost, code = given[f"{inline}[unit_amount]"], given[f"{inline}[currency]"]
            recurs = f"{inline}[recurring][interval]" in given
        quantity = given.get(f"{item}[quantity]", 0)
        if quantity < 1:
            raise Refusal.parameter("Invalid quantity", f"{item}[quantity]")
        yield _Item(cost * quantity, code, recurs)


def expire(book: Book, given: Given, name: str, key: str | None) -> Row:
    row = book.get("checkout.session", name, "session", status=404)
    if row["status"] != "open":
        raise Refusal(400, 'Only Checkout Sessions with a status in ["open"] can be expired.',
                      began=True)  # fmt: skip
    row |= {"status": "expired", "url": None}
    book.happened("checkout.session.expired", row, key)
    return row
