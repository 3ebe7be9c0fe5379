"""The vendor's limits, each with its source, and the checks that refuse an argument beyond them.

Both backends check here, so that what the mock refuses is what the service would refuse and
nothing beyond a limit is ever sent.
"""

import re
from collections.abc import Mapping, Sequence
from typing import cast

from core_caps.capabilities.payments import InlineItem, LineItem
from core_caps.errors import InvalidArgument

__all__ = [
    "AMOUNT_UNITS_MAX",
    "CURRENCIES",
    "IDEMPOTENCY_KEY_CHARACTERS_MAX",
    "INTERVALS",
    "LINE_ITEMS_MAX",
    "METADATA_KEYS_MAX",
    "METADATA_KEY_CHARACTERS_MAX",
    "METADATA_VALUE_CHARACTERS_MAX",
    "PAGE_ITEMS_MAX",
    "WEBHOOK_AGE_SECONDS_MAX",
    "checked_amount",
    "checked_currency",
    "checked_flag",
    "checked_interval",
    "checked_items",
    "checked_key",
    "checked_limit",
    "checked_metadata",
    "checked_payload",
    "checked_text",
    "checked_types",
    "is_id",
]

AMOUNT_UNITS_MAX = 99_999_999
"""Eight digits. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

METADATA_KEYS_MAX = 50
"""https://docs.stripe.com/api/metadata"""

METADATA_KEY_CHARACTERS_MAX = 40
"""https://docs.stripe.com/api/metadata"""

METADATA_VALUE_CHARACTERS_MAX = 500
"""https://docs.stripe.com/api/metadata"""

IDEMPOTENCY_KEY_CHARACTERS_MAX = 255
"""https://docs.stripe.com/api/idempotent_requests"""

LINE_ITEMS_MAX = 100
"""https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items"""

PAGE_ITEMS_MAX = 100
"""https://docs.stripe.com/api/pagination"""

WEBHOOK_AGE_SECONDS_MAX = 300
"""What the vendor's libraries tolerate. https://docs.stripe.com/webhooks#verify-official-libraries"""

EVENT_TYPES_MAX = 20
"""https://docs.stripe.com/api/events/list#list_events-types"""

INTERVALS = ("day", "week", "month", "year")

_CODES = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bif bmd bnd bob brl bsd bwp byn
bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd
gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jpy kes kgs khr kmf krw kyd kzt lak lbp lkr
lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen
pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs
top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw
"""

CURRENCIES = frozenset(_CODES.split())
"""https://docs.stripe.com/currencies#presentment-currencies"""

_METADATA = "https://docs.stripe.com/api/metadata"
_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


def checked_key(key: str) -> str:
    """The idempotency key, as it stands in a header.

    Raises:
        InvalidArgument: it is empty, longer than 255 characters, or no printable ASCII.
    """
    given = checked_text("idempotency_key", key)
    if not given or len(given) > IDEMPOTENCY_KEY_CHARACTERS_MAX:
        raise InvalidArgument(
            f"an idempotency key has 1 to {IDEMPOTENCY_KEY_CHARACTERS_MAX} characters, not "
            f"{len(given)}",
            hint="derive it: str(core_caps.idempotency_key(flow, node, partition, fields))",
        )
    if not given.isascii() or not given.isprintable() or given != given.strip():
        raise InvalidArgument(
            "an idempotency key is printable ASCII", hint="use the text of a derived key"
        )
    return given


def checked_amount(amount: int, *, least: int = 1) -> int:
    """The amount in the currency's smallest unit.

    Raises:
        InvalidArgument: it is no whole number, too small or of more than eight digits.
    """
    given = cast("object", amount)
    if type(given) is not int or not least <= given <= AMOUNT_UNITS_MAX:
        raise InvalidArgument(
            f"an amount is {given!r}; it is a whole number from {least} to {AMOUNT_UNITS_MAX}",
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


def checked_interval(interval: object) -> str | None:
    """How often a price is charged again.

    Raises:
        InvalidArgument: it is none of the vendor's intervals.
    """
    if interval is None or (isinstance(interval, str) and interval in INTERVALS):
        return interval
    raise InvalidArgument(
        f"{interval!r} is no interval", hint=f"one of {', '.join(INTERVALS)}, or None"
    )


def checked_text(name: str, text: str) -> str:
    """The text, if it can travel.

    Raises:
        InvalidArgument: it is not text, or has no UTF-8 form.
    """
    given = cast("object", text)
    if not isinstance(given, str):
        raise InvalidArgument(f"{name} is text, not {type(given).__name__}", hint="give a str")
    if not given.isascii() and any("\ud800" <= letter <= "\udfff" for letter in given):
        raise InvalidArgument(
            f"{name} holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        )
    return given


def checked_flag(name: str, flag: bool) -> bool:
    """The flag.

    Raises:
        InvalidArgument: it is neither True nor False.
    """
    given = cast("object", flag)
    if not isinstance(given, bool):
        raise InvalidArgument(f"{name} is {given!r}", hint="give True or False")
    return given


def checked_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The metadata, within every limit.

    Raises:
        InvalidArgument: there is too much of it, or a name or text cannot be.
    """
    given = cast("object", metadata)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidArgument(
            f"metadata maps names to texts; it is {type(given).__name__}", hint="give a dict"
        )
    entries = dict(cast("Mapping[str, str]", given))
    if len(entries) > METADATA_KEYS_MAX:
        raise InvalidArgument(
            f"metadata has {len(entries)} keys; the limit is {METADATA_KEYS_MAX}",
            hint=f"keep them elsewhere and give their name; see {_METADATA}",
        )
    for name, text in entries.items():
        _check_entry(checked_text("a key of metadata", name), checked_text("metadata", text))
    return entries


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


def checked_limit(limit: int) -> int:
    """How long a page may be.

    Raises:
        InvalidArgument: it is no whole number from 1 to 100.
    """
    given = cast("object", limit)
    if type(given) is not int or not 1 <= given <= PAGE_ITEMS_MAX:
        raise InvalidArgument(
            f"limit is {given!r}; it is a whole number from 1 to {PAGE_ITEMS_MAX}",
            hint="go on with the page's cursor",
        )
    return given


def checked_types(types: Sequence[str]) -> list[str]:
    """The types of events.

    Raises:
        InvalidArgument: it is no sequence of at most 20 texts.
    """
    given = cast("object", types)
    if isinstance(given, str | bytes) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"types is a sequence of texts, not {type(given).__name__}", hint="give a list"
        )
    if len(types) > EVENT_TYPES_MAX:
        raise InvalidArgument(f"{len(types)} types; the limit is {EVENT_TYPES_MAX}")
    return [checked_text("a type", each) for each in types]


def checked_payload(payload: bytes) -> bytes:
    """A webhook's body as bytes of its own.

    Raises:
        InvalidArgument: it is not bytes.
    """
    given = cast("object", payload)
    if not isinstance(given, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"a payload is bytes, not {type(given).__name__}",
            hint="pass the request's body byte for byte as it came, before any parsing",
        )
    return bytes(cast("bytes", given))


def is_id(text: str) -> bool:
    """Whether an object may have this id; of one that none can have, nothing is asked."""
    return _ID.fullmatch(checked_text("an id", text)) is not None


def _check_entry(name: str, text: str) -> None:
    problem = ""
    if not 0 < len(name) <= METADATA_KEY_CHARACTERS_MAX:
        problem = f"a key has 1 to {METADATA_KEY_CHARACTERS_MAX} characters, not {len(name)}"
    elif "[" in name or "]" in name:
        problem = f"the key {name!r} holds a square bracket"
    elif not 0 < len(text) <= METADATA_VALUE_CHARACTERS_MAX:
        problem = (
            f"a text has 1 to {METADATA_VALUE_CHARACTERS_MAX} characters, not {len(text)}; an "
            "empty one would unset its key"
        )
    if problem:
        raise InvalidArgument(f"metadata: {problem}", hint=f"see {_METADATA}")


def _check_item(item: object) -> None:
    match item:
        case LineItem(price=price, quantity=quantity):
            checked_text("a price", price)
        case InlineItem(name=name, amount=amount, currency=currency, quantity=quantity):
            if not checked_text("an item's name", name):
                raise InvalidArgument("an item has no name", hint="the customer reads it")
            checked_amount(amount, least=0)
            checked_currency(currency)
            checked_interval(item.interval)
        case _:
            raise InvalidArgument(
                f"items are LineItems and InlineItems, not {type(item).__name__}",
                hint="from core_caps.capabilities.payments import InlineItem, LineItem",
            )
    if type(quantity) is not int or not 1 <= quantity <= AMOUNT_UNITS_MAX:
        raise InvalidArgument(f"a quantity is {quantity!r}", hint="give a whole number from 1")
