"""What each write does to the book. A row of the table: the parameters, and the deed.

https://docs.stripe.com/api
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flows_registry.lab.references.stripe import checkout
from flows_registry.lab.references.stripe.book import Book, Row
from flows_registry.lab.references.stripe.fields import (
    Fields,
    address,
    amount,
    boolean,
    chargeable,
    currency,
    email,
    interval,
    need,
    number,
    text,
)
from flows_registry.lab.references.stripe.refusal import Refusal

__all__ = ["ACTIONS", "CREATIONS", "DELETIONS", "Write"]

Given = dict[str, Any]

# https://docs.stripe.com/testing
_CHARGED: Final = frozenset({"pm_card_visa", "pm_card_mastercard", "pm_card_amex"})
_DECLINED: Final = {
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
}


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of POST.

    Attributes:
        fields: its parameters.
        do: `(book, parameters, id in the path, idempotency key) → the object`.
    """

    fields: Fields
    do: Callable[[Book, Given, str, str | None], Row]


def _customer(book: Book, given: Given, _: str, key: str | None) -> Row:
    row = book.add("cus", "customer", email=given.get("email"), name=given.get("name"),
                   metadata=given["metadata"])  # fmt: skip
    book.happened("customer.created", row, key)
    return row


def _forget(book: Book, name: str) -> Row:
    row = book.get("customer", name, "id", status=404)
    book.happened("customer.deleted", row, None)
    return book.forget(row)


def _price(book: Book, given: Given, _: str, key: str | None) -> Row:
    need(given, "unit_amount", "currency", "product_data[name]")
    product = book.add("prod", "product", name=given["product_data[name]"], metadata={})
    book.happened("product.created", product, key)
    every = given.get("recurring[interval]")
    row = book.add(
        "price",
        "price",
        product=product["id"],
        unit_amount=given["unit_amount"],
        currency=given["currency"],
        recurring=None if every is None else {"interval": every, "interval_count": 1},
        metadata=given["metadata"],
    )
    book.happened("price.created", row, key)
    return row


def _intent(book: Book, given: Given, _: str, key: str | None) -> Row:
    need(given, "amount", "currency")
    chargeable(given["amount"], given["currency"], "amount")
    if "customer" in given:
        book.get("customer", given["customer"], "customer")
    method = _method(given)
    if given.get("confirm") and method is None:
        raise Refusal.parameter("A payment method is missing", "payment_method",
                                "parameter_missing")  # fmt: skip
    row = book.add(
        "pi",
        "payment_intent",
        amount=given["amount"],
        amount_received=0,
        currency=given["currency"],
        customer=given.get("customer"),
        payment_method=method,
        latest_charge=None,
        status="requires_confirmation" if method else "requires_payment_method",
        metadata=given["metadata"],
    )
    book.happened("payment_intent.created", row, key)
    return _pay(book, row, key) if given.get("confirm") else row


def _confirm(book: Book, given: Given, name: str, key: str | None) -> Row:
    row = _waiting(book, name, "confirm")
    row["payment_method"] = _method(given) or row["payment_method"]
    if row["payment_method"] is None:
        raise _state("it has no payment method")
    return _pay(book, row, key)


def _cancel(book: Book, given: Given, name: str, key: str | None) -> Row:
    row = _waiting(book, name, "cancel")
    row |= {"status": "canceled", "canceled_at": int(book.now())}
    book.happened("payment_intent.canceled", row, key)
    return row


def _refund(book: Book, given: Given, _: str, key: str | None) -> Row:
    need(given, "payment_intent")
    intent = book.get("payment_intent", given["payment_intent"], "payment_intent")
    if intent["status"] != "succeeded":
        raise _state("it has no successful charge to refund")
    charge = book.rows[intent["latest_charge"]]
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise Refusal(400, "The charge has already been refunded.", began=True,
                      code="charge_already_refunded")  # fmt: skip
    back = given.get("amount", left)
    if back > left:
        raise Refusal.parameter("Refund amount is greater than unrefunded amount", "amount")
    charge["amount_refunded"] += back
    row = book.add("re", "refund", amount=back, currency=charge["currency"], status="succeeded",
                   payment_intent=intent["id"], charge=charge["id"],
                   metadata=given["metadata"])  # fmt: skip
    book.happened("refund.created", row, key)
    book.happened("charge.refunded", charge, key)
    return row


def _pay(book: Book, row: Row, key: str | None) -> Row:
    decline = _DECLINED.get(row["payment_method"])
    charge = book.add(
        "ch",
        "charge",
        amount=row["amount"],
        amount_refunded=0,
        currency=row["currency"],
        payment_intent=row["id"],
        status="failed" if decline else "succeeded",
    )
    row["latest_charge"] = charge["id"]
    if decline is None:
        row |= {"status": "succeeded", "amount_received": row["amount"]}
        book.happened("charge.succeeded", charge, key)
        book.happened("payment_intent.succeeded", row, key)
        return row
    row |= {"status": "requires_payment_method", "payment_method": None}
    book.happened("charge.failed", charge, key)
    book.happened("payment_intent.payment_failed", row, key)
    raise Refusal(402, "Your card was declined.", began=True, type="card_error",
                  code="card_declined", decline_code=decline, payment_intent=dict(row))  # fmt: skip


def _waiting(book: Book, name: str, verb: str) -> Row:
    """A payment that was neither made nor given up."""
    row = book.get("payment_intent", name, "intent", status=404)
    if row["status"] in ("succeeded", "canceled"):
        raise _state(f"You cannot {verb} it: its status is {row['status']}")
    return row


def _state(message: str) -> Refusal:
    return Refusal(400, message, began=True, code="payment_intent_unexpected_state")


def _method(given: Given) -> str | None:
    method = given.get("payment_method")
    if method is not None and method not in _CHARGED and method not in _DECLINED:
        raise Refusal.missing("PaymentMethod", method, "payment_method")
    return method


_METADATA: Final[Fields] = {"metadata[*]": text}
_ITEM: Final = "line_items[#][price_data]"

CREATIONS: Final[dict[str, Write]] = {
    "customers": Write({"email": email, "name": text, **_METADATA}, _customer),
    "prices": Write(
        {
            "unit_amount": amount,
            "currency": currency,
            "product_data[name]": text,
            "recurring[interval]": interval,
            **_METADATA,
        },
        _price,
    ),
    "checkout/sessions": Write(
        {
            "mode": text,
            "currency": currency,
            "payment_method_types[#]": text,
            "success_url": address,
            "cancel_url": address,
            "customer": text,
            "line_items[#][price]": text,
            "line_items[#][quantity]": number,
            f"{_ITEM}[unit_amount]": amount,
            f"{_ITEM}[currency]": currency,
            f"{_ITEM}[product_data][name]": text,
            f"{_ITEM}[recurring][interval]": interval,
            **_METADATA,
        },
        checkout.create,
    ),
    "payment_intents": Write(
        {
            "amount": amount,
            "currency": currency,
            "customer": text,
            "payment_method": text,
            "confirm": boolean,
            "automatic_payment_methods[enabled]": boolean,
            "automatic_payment_methods[allow_redirects]": text,
            **_METADATA,
        },
        _intent,
    ),
    "refunds": Write({"payment_intent": text, "amount": amount, **_METADATA}, _refund),
}
"""POST to a collection."""

ACTIONS: Final[dict[tuple[str, str], Write]] = {
    ("checkout/sessions", "expire"): Write({}, checkout.expire),
    ("payment_intents", "confirm"): Write({"payment_method": text}, _confirm),
    ("payment_intents", "cancel"): Write({"cancellation_reason": text}, _cancel),
}
"""POST to an object's action."""

DELETIONS: Final[dict[str, Callable[[Book, str], Row]]] = {"customers": _forget}
"""DELETE of an object. https://docs.stripe.com/api/customers/delete"""
