"""What can be charged: at least so much in each currency, and no fractions of what has none.

https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
https://docs.stripe.com/currencies#three-decimal https://docs.stripe.com/currencies#special-cases
"""

from collections.abc import Mapping
from types import MappingProxyType

from cap_stripe.limits import USD_UNITS_MIN
from cap_stripe.money import greatest
from cap_stripe.simulation.refusals import wrong

__all__ = ["check_charge", "check_step"]

_LEAST: Mapping[str, int] = MappingProxyType(
    {
        "usd": USD_UNITS_MIN, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50,
        "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17_500, "inr": 50,
        "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200,
        "sek": 300, "sgd": 50, "thb": 1000,
    }
)  # fmt: skip
"""This account settles in each of these. Another currency would be converted, at a rate of the
day; here it has no least amount."""

_STEPS: Mapping[str, int] = MappingProxyType(
    {**dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 10), "isk": 100, "ugx": 100}
)


def check_charge(amount: int, currency: str, what: str, param: str | None) -> None:
    """Refuse what cannot be charged.

    Args:
        amount: in the currency's smallest unit.
        currency: the currency.
        what: what the amount is of, and its verb: `Amount must be`.
        param: the parameter that gave it.

    Raises:
        Refusal: it is too little, too much or no whole number of what is charged.
    """
    least, most = _LEAST.get(currency, 1), greatest(currency)
    if amount < least:
        raise wrong(f"{what} at least {least} {currency}", param, "amount_too_small")
    if amount > most:
        raise wrong(f"{what} no more than {most} {currency}", param, "amount_too_large")
    check_step(amount, currency, param)


def check_step(amount: int, currency: str, param: str | None) -> None:
    """Refuse a fraction of what the currency is charged in.

    Raises:
        Refusal: it is one.
    """
    step = _STEPS.get(currency, 1)
    if amount % step:
        raise wrong(f"Invalid amount: {currency} must be evenly divisible by {step}", param)
