"""Ids: their first letters say what they are of, so that one of another kind is told at once.

What has a foreign prefix is refused; what has none that is known is asked for, because the ids of
older objects may be any text. https://docs.stripe.com/api
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from core_caps.errors import InvalidArgument

from cap_stripe.arguments import checked_text

__all__ = ["checked_id", "is_id"]

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")

_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "ch": "a charge",
        "cs": "a checkout session",
        "cus": "a customer",
        "evt": "an event",
        "in": "an invoice",
        "pi": "a payment",
        "plink": "a payment link",
        "pm": "a payment method",
        "price": "a price",
        "prod": "a product",
        "pyr": "a refund",
        "re": "a refund",
        "seti": "a setup intent",
        "sub": "a subscription",
    }
)
_SECRETS = ("sk_", "rk_", "whsec_")


def checked_id(kind: str, id: str) -> str:
    """The id of an object of this kind, as far as its prefix tells.

    Raises:
        InvalidArgument: it is no text, the id of something of another kind, or a secret.
    """
    checked_text(f"the id of {kind}", id)
    if id.startswith(_SECRETS) or "_secret_" in id:
        raise InvalidArgument(
            f"a secret was given where the id of {kind} belongs", hint="pass the object's id"
        )
    prefix, underscore, _ = id.partition("_")
    found = _KINDS.get(prefix, kind) if underscore else kind
    if found != kind:
        raise InvalidArgument(
            f"{id[:80]!r} is the id of {found}, not of {kind}",
            hint=f"pass on the id of {kind}: {_prefixes(kind)}",
        )
    return id


def is_id(text: str) -> bool:
    """Whether an object may have this id; of one that none can have, nothing is asked."""
    return _ID.fullmatch(text) is not None


def _prefixes(kind: str) -> str:
    return " or ".join(f"{prefix}_…" for prefix, each in _KINDS.items() if each == kind)
