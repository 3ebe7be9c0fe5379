"""What an argument must be, checked before anything is sent."""

import re

from core_caps.errors import InvalidArgument

__all__ = ["amount", "key", "name", "owner"]

OWNER_LETTERS_MAX = 100
CENTS_MAX = 10**12

_NAME = re.compile(r"[a-z0-9-]{1,64}")
_KEY = re.compile(r"[!-~]{1,128}")


def name(given: str) -> str:
    """The name of an account."""
    if not isinstance(given, str) or not _NAME.fullmatch(given):
        raise InvalidArgument("the name of an account is 1 to 64 of a-z, 0-9 and -")
    return given


def owner(given: str) -> str:
    """The owner of an account."""
    if not isinstance(given, str) or not 1 <= len(given) <= OWNER_LETTERS_MAX:
        raise InvalidArgument(f"an owner has 1 to {OWNER_LETTERS_MAX} letters")
    return given


def amount(given: int) -> int:
    """An amount to post."""
    if not isinstance(given, int) or isinstance(given, bool) or not 0 < abs(given) <= CENTS_MAX:
        raise InvalidArgument(f"an amount is an integer from 1 to {CENTS_MAX}, or below 0 alike")
    return given


def key(given: str) -> str:
    """An idempotency key."""
    if not isinstance(given, str) or not _KEY.fullmatch(given):
        raise InvalidArgument("an idempotency key is 1 to 128 visible ASCII letters")
    return given
