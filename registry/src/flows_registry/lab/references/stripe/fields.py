"""What requests may say: the form's names, and what each parameter must be.

A route states its parameters in a table; what no table names is refused, as the service does.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from flows_registry.lab.references.stripe.refusal import Refusal

__all__ = [
    "Fields",
    "address",
    "amount",
    "boolean",
    "chargeable",
    "currency",
    "email",
    "interval",
    "need",
    "number",
    "read",
    "text",
]

Reader = Callable[[str, str], Any]
"""`(value, name) → what it stands for`."""

Fields = Mapping[str, Reader]
"""Parameters by name, `line_items[#][price]` for one in each item of a list, `metadata[*]` for
whatever is below."""

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
AMOUNT_MAX: Final = 99_999_999
LEAST: Final = {"usd": 50, "eur": 50, "gbp": 30, "jpy": 50, "chf": 50, "cad": 50, "aud": 50,
                "sek": 300, "nok": 300}  # fmt: skip
# https://docs.stripe.com/api/customers/create#create_customer-email
EMAIL_MAX: Final = 512
# https://docs.stripe.com/api/metadata
METADATA_KEYS_MAX: Final = 50
METADATA_KEY_MAX: Final = 40
METADATA_VALUE_MAX: Final = 500

# Those that the suites use; the service knows many more: https://docs.stripe.com/currencies
CURRENCIES: Final = frozenset({"usd", "eur", "gbp", "jpy", "chf", "cad", "aud", "sek", "nok"})
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}\Z")
_NUMBER: Final = re.compile(r"\[([0-9]{1,4})\]")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_NAME: Final = re.compile(r"\[([^\[\]]*)\]\Z")


def text(value: str, name: str) -> str:
    """Any text."""
    return value


def email(value: str, name: str) -> str:
    """An e-mail address: one @, and a domain below another."""
    user, _, domain = value.partition("@")
    whole = user and all(domain.split(".")) and "." in domain and "@" not in domain
    if not whole or len(value) > EMAIL_MAX or any(letter.isspace() for letter in value):
        raise Refusal.parameter(f"Invalid email address: {value}", name, "email_invalid")
    return value


def address(value: str, name: str) -> str:
    """A URL that says its scheme and its host. https://docs.stripe.com/error-codes#url-invalid"""
    scheme = _SCHEME.match(value)
    rest = value[scheme.end() :] if scheme else ""
    if rest[:1] in ("", "/", "?", "#") or any(letter.isspace() for letter in value):
        raise Refusal.parameter("Not a valid URL", name, "url_invalid")
    return value


def number(value: str, name: str) -> int:
    """A whole number."""
    if _WHOLE.match(value) is None:
        raise Refusal.parameter(f"Invalid integer: {value}", name, "parameter_invalid_integer")
    return int(value)


def amount(value: str, name: str) -> int:
    """Money in the smallest unit."""
    found = number(value, name)
    if found < 0 or (found == 0 and name == "amount"):
        raise Refusal.parameter("Invalid positive integer", name, "parameter_invalid_integer")
    if found > AMOUNT_MAX:
        raise Refusal.parameter(f"Amount must be no more than {AMOUNT_MAX}", name,
                                "amount_too_large")  # fmt: skip
    return found


def currency(value: str, name: str) -> str:
    """A currency's code."""
    if value.lower() not in CURRENCIES:
        raise Refusal.parameter(f"Invalid currency: {value}", name)
    return value.lower()


def chargeable(amount: int, code: str, name: str | None) -> None:
    """Refuse a sum that is too little or too much to be charged."""
    least = LEAST[code]
    if amount < least:
        raise Refusal.parameter(f"At least {least} {code}", name, "amount_too_small")
    if amount > AMOUNT_MAX:
        raise Refusal.parameter(f"At most {AMOUNT_MAX} {code}", name, "amount_too_large")


def boolean(value: str, name: str) -> bool:
    """true or false."""
    if value not in ("true", "false"):
        raise Refusal.parameter(f"Invalid boolean: {value}", name)
    return value == "true"


def interval(value: str, name: str) -> str:
    """How often it recurs."""
    if value not in ("day", "week", "month", "year"):
        raise Refusal.parameter(f"Invalid interval: {value}", name)
    return value


def read(form: str, fields: Fields) -> dict[str, Any]:
    """The parameters by their full names, numbers of lists kept; metadata in one dictionary."""
    found: dict[str, Any] = {}
    metadata: dict[str, str] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        if "metadata[*]" in fields and name.startswith("metadata["):
            _keep(metadata, name, value)
            continue
        reader = fields.get(_NUMBER.sub("[#]", name))
        if reader is None:
            raise Refusal.parameter(f"Received unknown parameter: {name}", name,
                                    "parameter_unknown")  # fmt: skip
        if value != "":
            found[name] = reader(value, name)
    if len(metadata) > METADATA_KEYS_MAX:
        raise Refusal.parameter("Metadata has too many keys", "metadata")
    if "metadata[*]" in fields:
        found["metadata"] = metadata
    return found


def need(given: Mapping[str, Any], *names: str) -> None:
    """Refuse a request without these parameters."""
    for name in names:
        if name not in given:
            raise Refusal.parameter(f"Missing required param: {name}.", name, "parameter_missing")


def _keep(metadata: dict[str, str], name: str, value: str) -> None:
    key = _NAME.search(name)
    if key is None or not 0 < len(key[1]) <= METADATA_KEY_MAX:
        raise Refusal.parameter("Metadata keys have at most 40 characters", name)
    if len(value) > METADATA_VALUE_MAX:
        raise Refusal.parameter("Metadata values have at most 500 characters", name)
    if value:
        metadata[key[1]] = value
