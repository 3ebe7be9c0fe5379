"""PaymentIntents: created, confirmed, canceled; a charge for each time somebody tried to pay.

https://docs.stripe.com/api/payment_intents
"""

from cap_stripe.simulation import cards
from cap_stripe.simulation.account import Account, Cause, Thing
from cap_stripe.simulation.charges import check_charge
from cap_stripe.simulation.forms import Params
from cap_stripe.simulation.refusals import declined, missing, unexpected, wrong

__all__ = ["cancel", "confirm", "create", "paid"]

_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELABLE = (*_CONFIRMABLE, "requires_capture", "processing")


def create(account: Account, params: Params, cause: Cause) -> Thing:
    """A new payment, made at once where `confirm` says so."""
    amount, currency = params.money("amount")
    customer, metadata = params.text("customer"), params.metadata()
    method, at_once = _method(params), params.flag("confirm")
    automatic = params.below("automatic_payment_methods")
    if automatic is not None:
        automatic.flag("enabled")
        automatic.text("allow_redirects")
    params.url("return_url")
    params.finish()
    check_charge(amount, currency, "Amount must be", "amount")
    if customer is not None:
        account.find("customer", customer, "customer")
    if at_once and method is None:
        raise wrong(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "parameter_missing",
        )
    made = _made(account, amount, currency, customer, method, metadata)
    account.tell("payment_intent.created", made, cause)
    return _attempt(account, made, cause) if at_once else made


def confirm(account: Account, id: str, params: Params, cause: Cause) -> Thing:
    """Make a payment that was created."""
    found = account.find("payment_intent", id, "intent", in_path=True)
    method = _method(params)
    params.url("return_url")
    params.finish()
    _check_state(found, _CONFIRMABLE, "confirm")
    if method is None and found["payment_method"] is None:
        raise unexpected(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_intent_unexpected_state",
        )
    if method is not None:
        found["payment_method"] = method
    return _attempt(account, found, cause)


def cancel(account: Account, id: str, params: Params, cause: Cause) -> Thing:
    """Give a payment up."""
    found = account.find("payment_intent", id, "intent", in_path=True)
    reason = params.text("cancellation_reason")
    params.finish()
    _check_state(found, _CANCELABLE, "cancel")
    found.update(status="canceled", canceled_at=int(account.now()), cancellation_reason=reason)
    account.tell("payment_intent.canceled", found, cause)
    return found


def paid(account: Account, session: Thing, method: str) -> Thing:
    """The payment of a checkout session, by whoever is on its page."""
    if not cards.is_known(method):
        raise missing("PaymentMethod", method, "payment_method")
    made = _made(
        account,
        session["amount_total"],
        session["currency"],
        session["customer"],
        method,
        {},
    )
    account.tell("payment_intent.created", made, None)
    return _attempt(account, made, None)


def _made(
    account: Account,
    amount: int,
    currency: str,
    customer: str | None,
    method: str | None,
    metadata: dict[str, str],
) -> Thing:
    return account.made(
        "pi",
        "payment_intent",
        amount=amount,
        amount_received=0,
        currency=currency,
        customer=customer,
        payment_method=method,
        latest_charge=None,
        last_payment_error=None,
        status="requires_payment_method" if method is None else "requires_confirmation",
        metadata=metadata,
    )


def _method(params: Params) -> str | None:
    method = params.text("payment_method")
    if method is not None and not cards.is_known(method):
        raise missing("PaymentMethod", method, "payment_method")
    return method


def _check_state(found: Thing, allowed: tuple[str, ...], verb: str) -> None:
    if found["status"] not in allowed:
        raise unexpected(
            f"You cannot {verb} this PaymentIntent because it has a status of {found['status']}.",
            "payment_intent_unexpected_state",
            payment_intent=dict(found),
        )


def _attempt(account: Account, found: Thing, cause: Cause | None) -> Thing:
    """One try to pay: money, a question of the bank's, or a decline."""
    method = str(found["payment_method"])
    if cards.needs_action(method):
        found["status"] = "requires_action"
        account.tell("payment_intent.requires_action", found, cause)
        return found
    no = cards.decline_of(method)
    charge = account.made(
        "ch",
        "charge",
        amount=found["amount"],
        amount_refunded=0,
        currency=found["currency"],
        payment_intent=found["id"],
        paid=no is None,
        refunded=False,
        status="succeeded" if no is None else "failed",
    )
    found["latest_charge"] = charge["id"]
    if no is None:
        found.update(status="succeeded", amount_received=found["amount"], last_payment_error=None)
        account.tell("charge.succeeded", charge, cause)
        account.tell("payment_intent.succeeded", found, cause)
        return found
    error = {"type": "card_error", "code": no.code, "message": no.message}
    found.update(status="requires_payment_method", payment_method=None, last_payment_error=error)
    account.tell("charge.failed", charge, cause)
    account.tell("payment_intent.payment_failed", found, cause)
    raise declined(no.message, no.code, no.decline_code, found)
