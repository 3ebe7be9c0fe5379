"""The vendor's limits, each with its source."""

from collections.abc import Mapping
from types import MappingProxyType

__all__ = [
    "AMOUNT_UNITS_MAX",
    "AMOUNT_UNITS_MAX_OF",
    "EMAIL_CHARACTERS_MAX",
    "EVENT_TYPES_MAX",
    "IDEMPOTENCY_KEY_CHARACTERS_MAX",
    "LINE_ITEMS_MAX",
    "METADATA_KEYS_MAX",
    "METADATA_KEY_CHARACTERS_MAX",
    "METADATA_VALUE_CHARACTERS_MAX",
    "PAGE_ITEMS_MAX",
    "RECURRING_ITEMS_MAX",
    "USD_UNITS_MIN",
    "WEBHOOK_AGE_SECONDS_MAX",
]

AMOUNT_UNITS_MAX = 99_999_999
"""Eight digits. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

AMOUNT_UNITS_MAX_OF: Mapping[str, int] = MappingProxyType({"idr": 999_999_999_999})
"""The currencies with more. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

USD_UNITS_MIN = 50
"""What a payment in dollars is at least; each currency that accounts settle in has its own.
https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts"""

EMAIL_CHARACTERS_MAX = 512
"""https://docs.stripe.com/api/customers/create#create_customer-email"""

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

RECURRING_ITEMS_MAX = 20
"""In a session that recurs: of items that recur, and again of those that do not.
https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items"""

PAGE_ITEMS_MAX = 100
"""https://docs.stripe.com/api/pagination"""

WEBHOOK_AGE_SECONDS_MAX = 300
"""What the vendor's libraries tolerate. https://docs.stripe.com/webhooks#verify-official-libraries"""

EVENT_TYPES_MAX = 20
"""https://docs.stripe.com/api/events/list#list_events-types"""
