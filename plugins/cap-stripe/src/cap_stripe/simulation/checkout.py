"""Checkout sessions: opened, paid on, expired by somebody or by time.

https://docs.stripe.com/api/checkout/sessions
"""

from typing import NamedTuple

from cap_stripe.limits import LINE_ITEMS_MAX, RECURRING_ITEMS_MAX
from cap_stripe.simulation import intents
from cap_stripe.simulation.account import Account, Cause, Thing
from cap_stripe.simulation.catalog import recurring_of
from cap_stripe.simulation.charges import check_charge
from cap_stripe.simulation.forms import Params
from cap_stripe.simulation.refusals import unexpected, wrong

__all__ = ["complete", "create", "expire", "expire_old"]

OPEN_SECONDS = 86_400
"""https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at"""

_PAGE = "https://checkout.stripe.com/c/pay/{id}"
_TOTAL = "The Checkout Session's total amount due must add up to"


class _Cost(NamedTuple):
    """What a session asks for; nothing where it only keeps a payment method."""

    amount: int | None
    currency: str | None


def create(account: Account, params: Params, cause: Cause) -> Thing:
    """A new session, open for a day."""
    mode = params.text("mode", required=True)
    if mode not in ("payment", "subscription", "setup"):
        raise wrong(f"Invalid mode: must be payment, subscription or setup, not {mode}", "mode")
    success_url, cancel_url = params.url("success_url", required=True), params.url("cancel_url")
    metadata, customer = params.metadata(), params.text("customer")
    reference = params.text("client_reference_id")
    cost = _kept(params) if mode == "setup" else _paid_for(account, params, mode)
    params.finish()
    if customer is not None:
        account.find("customer", customer, "customer")
    made = account.made(
        "cs_test",
        "checkout.session",
        mode=mode,
        status="open",
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        amount_total=cost.amount,
        currency=cost.currency,
        customer=customer,
        client_reference_id=reference,
        payment_intent=None,
        success_url=success_url,
        cancel_url=cancel_url,
        metadata=metadata,
        expires_at=int(account.now()) + OPEN_SECONDS,
    )
    made["url"] = _PAGE.format(id=made["id"])
    return made


def expire(account: Account, id: str, params: Params, cause: Cause | None) -> Thing:
    """Close an open session."""
    params.finish()
    found = account.find("checkout.session", id, "session", in_path=True)
    if found["status"] != "open":
        raise unexpected(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{found['status']}`.",
            None,
        )
    return _expired(account, found, cause)


def expire_old(account: Account) -> None:
    """Close the sessions whose time is up."""
    for found in list(account.all("checkout.session")):
        if found["status"] == "open" and found["expires_at"] <= account.now():
            _expired(account, found, None)


def complete(account: Account, id: str, method: str) -> Thing:
    """What happens when somebody pays on a session's page with this payment method.

    Raises:
        Refusal: the session is not open, or the bank says no; then it stays open.
    """
    found = account.find("checkout.session", id, "session", in_path=True)
    if found["status"] != "open":
        raise unexpected(f"The session has a status of `{found['status']}`.", None)
    if found["mode"] == "payment" and found["amount_total"]:
        intent = intents.paid(account, found, method)
        found["payment_intent"] = intent["id"]
    paid = "paid" if found["amount_total"] else "no_payment_required"
    found.update(status="complete", payment_status=paid, url=None)
    account.tell("checkout.session.completed", found, None)
    return found


def _expired(account: Account, found: Thing, cause: Cause | None) -> Thing:
    found.update(status="expired", url=None)
    account.tell("checkout.session.expired", found, cause)
    return found


def _kept(params: Params) -> _Cost:
    """A session that keeps a payment method for later; nothing is paid for."""
    if params.each("line_items"):
        raise wrong("You can not pass `line_items` in `setup` mode.", "line_items")
    methods = params.texts("payment_method_types")
    return _Cost(None, params.text("currency") if methods else params.currency())


def _paid_for(account: Account, params: Params, mode: str) -> _Cost:
    """All items together."""
    items = params.each("line_items")
    if not 1 <= len(items) <= LINE_ITEMS_MAX:
        raise wrong(f"A session has 1 to {LINE_ITEMS_MAX} line items.", "line_items")
    priced = [_priced(account, item, number) for number, item in enumerate(items)]
    _check_mode(mode, priced)
    currencies = {price["currency"] for price, _ in priced}
    if len(currencies) > 1:
        raise wrong("All line items must have the same currency.", "line_items")
    amount = sum(price["unit_amount"] * quantity for price, quantity in priced)
    currency = currencies.pop()
    if mode == "payment" and amount:  # nothing at all can be had
        check_charge(amount, currency, _TOTAL, None)
    return _Cost(amount, currency)


def _priced(account: Account, item: Params, number: int) -> tuple[Thing, int]:
    """What an item costs, and how many of it."""
    quantity = item.whole("quantity", required=True, least=1) or 0
    price, inline = item.text("price"), item.below("price_data")
    if (price is None) == (inline is None):
        raise wrong("Specify either `price` or `price_data`.", f"line_items[{number}]")
    if inline is None:
        return account.find("price", price or "", f"line_items[{number}][price]"), quantity
    named = inline.below("product_data")
    if named is None or named.text("name", required=True) is None:
        raise wrong("An item needs a name.", "product_data", "parameter_missing")
    amount, currency = inline.money("unit_amount", least=0)
    recurring = recurring_of(inline)
    return {"unit_amount": amount, "currency": currency, "recurring": recurring}, quantity


def _check_mode(mode: str, priced: list[tuple[Thing, int]]) -> None:
    recurring = sum(price["recurring"] is not None for price, _ in priced)
    recurs = recurring > 0
    if mode == "payment" and recurs:
        raise wrong(
            "You specified `payment` mode but passed a recurring price. Either switch to "
            "`subscription` mode or use only one-time prices.",
            "mode",
        )
    if mode == "subscription" and not recurs:
        raise wrong(
            "You must provide at least one recurring price in `subscription` mode when using "
            "prices.",
            "line_items",
        )
    most = max(recurring, len(priced) - recurring)
    if mode == "subscription" and most > RECURRING_ITEMS_MAX:
        raise wrong(
            f"A subscription has up to {RECURRING_ITEMS_MAX} recurring line items, and up to "
            f"{RECURRING_ITEMS_MAX} others.",
            "line_items",
        )
