"""Test payment methods, and what a bank says to each.

https://docs.stripe.com/testing
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["Decline", "decline_of", "is_known", "needs_action"]


class Decline(NamedTuple):
    """Why a bank said no."""

    code: str
    decline_code: str | None
    message: str


_GOOD = frozenset(
    {"pm_card_visa", "pm_card_visa_debit", "pm_card_mastercard", "pm_card_amex", "pm_card_us"}
)
_ACTION = frozenset({"pm_card_authenticationRequired", "pm_card_threeDSecure2Required"})
_DECLINED = "Your card was declined."
_DECLINES: Mapping[str, Decline] = MappingProxyType(
    {
        "pm_card_chargeDeclined": Decline("card_declined", "generic_decline", _DECLINED),
        "pm_card_visa_chargeDeclined": Decline("card_declined", "generic_decline", _DECLINED),
        "pm_card_chargeDeclinedInsufficientFunds": Decline(
            "card_declined", "insufficient_funds", "Your card has insufficient funds."
        ),
        "pm_card_visa_chargeDeclinedLostCard": Decline("card_declined", "lost_card", _DECLINED),
        "pm_card_visa_chargeDeclinedStolenCard": Decline("card_declined", "stolen_card", _DECLINED),
        "pm_card_chargeDeclinedExpiredCard": Decline(
            "expired_card", None, "Your card has expired."
        ),
        "pm_card_chargeDeclinedIncorrectCvc": Decline(
            "incorrect_cvc", None, "Your card's security code is incorrect."
        ),
        "pm_card_chargeDeclinedProcessingError": Decline(
            "processing_error",
            None,
            "An error occurred while processing your card. Try again in a little bit.",
        ),
    }
)


def is_known(method: str) -> bool:
    """Whether there is such a payment method."""
    return method in _GOOD or method in _ACTION or method in _DECLINES


def needs_action(method: str) -> bool:
    """Whether the bank wants to see its customer first."""
    return method in _ACTION


def decline_of(method: str) -> Decline | None:
    """Why the bank says no, or None where it does not."""
    return _DECLINES.get(method)
