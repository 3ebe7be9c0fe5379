"""Money: whole numbers of a currency's smallest unit, of the currencies that can be charged.

https://docs.stripe.com/currencies
"""

from typing import cast

from core_caps.errors import InvalidArgument

from cap_stripe.limits import AMOUNT_UNITS_MAX, AMOUNT_UNITS_MAX_OF

__all__ = ["CURRENCIES", "checked_amount", "checked_currency", "greatest"]

_CODES = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd
gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp
lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab
pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs
tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""

CURRENCIES = frozenset(_CODES.split())
"""https://docs.stripe.com/currencies#presentment-currencies"""


def greatest(currency: str | None) -> int:
    """The greatest amount of a currency; of one that is not known, the greatest of any."""
    if currency is None:
        return max(AMOUNT_UNITS_MAX, *AMOUNT_UNITS_MAX_OF.values())
    return AMOUNT_UNITS_MAX_OF.get(currency, AMOUNT_UNITS_MAX)


def checked_amount(amount: int, currency: str | None, *, least: int = 1) -> int:
    """The amount in the currency's smallest unit.

    Args:
        amount: the amount.
        currency: its currency, or None where only the service knows it.
        least: the least that it may be.

    Raises:
        InvalidArgument: it is no whole number, too small or of too many digits.
    """
    given, most = cast("object", amount), greatest(currency)
    if type(given) is not int or not least <= given <= most:
        raise InvalidArgument(
            f"an amount is {given!r}; it is a whole number from {least} to {most}",
            hint="give the currency's smallest unit: 1999 and 'usd' is 19.99 dollars; see "
            "https://docs.stripe.com/currencies",
        )
    return amount


def checked_currency(currency: str) -> str:
    """The currency, if the vendor takes it.

    Raises:
        InvalidArgument: it is none of the vendor's, in lower case.
    """
    given = cast("object", currency)
    if not isinstance(given, str) or given not in CURRENCIES:
        raise InvalidArgument(
            f"{given!r} is no currency that can be charged",
            hint="write its three letters in lower case, 'usd'; see "
            "https://docs.stripe.com/currencies",
        )
    return given
