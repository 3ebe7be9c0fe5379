"""Refunds: a part or all, and never more than is left.

https://docs.stripe.com/api/refunds
"""

from cap_stripe.simulation.account import Account, Cause, Thing
from cap_stripe.simulation.charges import check_step
from cap_stripe.simulation.forms import Params
from cap_stripe.simulation.refusals import unexpected, wrong

__all__ = ["create"]


def create(account: Account, params: Params, cause: Cause) -> Thing:
    """Give back part of a payment, or all that is left of it."""
    name = params.text("payment_intent", required=True) or ""
    amount, metadata = params.whole("amount", least=1), params.metadata()
    reason = params.text("reason")
    params.finish()
    intent = account.find("payment_intent", name, "payment_intent")
    if intent["status"] != "succeeded":
        raise unexpected(
            f"This PaymentIntent ({name}) does not have a successful charge to refund.",
            "payment_intent_unexpected_state",
        )
    charge = account.find("charge", intent["latest_charge"])
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        raise unexpected(
            f"Charge {charge['id']} has already been refunded.", "charge_already_refunded"
        )
    if amount is not None and amount > left:
        raise wrong(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            "amount",
        )
    given = left if amount is None else amount
    check_step(given, charge["currency"], "amount")
    made = account.made(
        "re",
        "refund",
        amount=given,
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=name,
        reason=reason,
        status="succeeded",
        metadata=metadata,
    )
    charge["amount_refunded"] += given
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    account.tell("refund.created", made, cause)
    account.tell("charge.refunded", charge, cause)
    return made
