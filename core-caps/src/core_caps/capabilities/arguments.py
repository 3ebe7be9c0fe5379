"""Arguments that several capabilities have, each held against its type before anything is done."""

from collections.abc import Sequence
from typing import TypeVar, cast

from core_caps.errors import InvalidArgument

__all__ = ["SECONDS_MAX", "checked_bytes", "checked_list", "checked_seconds", "checked_text"]

_ITEM = TypeVar("_ITEM")

SECONDS_MAX = 3.2e10
"""A thousand years: beyond that there are no dates."""


def checked_text(given: object, what: str) -> str:
    """Text that has a UTF-8 form.

    Raises:
        InvalidArgument: it is no such text; NOT_APPLIED.
    """
    if not isinstance(given, str):
        raise InvalidArgument(f"{what} is text, not {type(given).__name__}", hint="give a str")
    if not given.isascii() and any("\ud800" <= letter <= "\udfff" for letter in given):
        raise InvalidArgument(
            f"{what} holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        )
    return given


def checked_bytes(given: object, what: str) -> bytes:
    """Bytes of their own.

    Raises:
        InvalidArgument: it is no bytes; NOT_APPLIED.
    """
    if isinstance(given, bytes):
        return given
    if not isinstance(given, bytearray | memoryview):
        raise InvalidArgument(
            f"{what} is bytes, not {type(given).__name__}", hint="encode it: text.encode()"
        )
    return bytes(cast("bytearray", given))


def checked_seconds(given: object, name: str) -> float:
    """A length of time above zero.

    Raises:
        InvalidArgument: it is none; NOT_APPLIED.
    """
    if (
        not isinstance(given, int | float)
        or isinstance(given, bool)
        or not 0 < given <= SECONDS_MAX
    ):
        raise InvalidArgument(
            f"{name} is {given!r}; it is a number of seconds above 0, of a thousand years at most",
            hint="60 is a minute",
        )
    return float(given)


def checked_list(
    given: object, kind: type[_ITEM], name: str, most: int | None = None
) -> list[_ITEM]:
    """Several things of a kind, so many at most.

    Raises:
        InvalidArgument: it is no sequence, there are more, or one is of another kind; NOT_APPLIED.
    """
    if isinstance(given, str | bytes | bytearray | memoryview) or not isinstance(given, Sequence):
        raise InvalidArgument(
            f"{name} is a sequence, not {type(cast('object', given)).__name__}",
            hint=f"give a list of {kind.__name__}",
        )
    items = list(cast("Sequence[_ITEM]", given))
    if most is not None and len(items) > most:
        raise InvalidArgument(
            f"{len(items)} {name} in one call; the limit is {most}", hint="split them"
        )
    for item in items:
        if not isinstance(item, kind):
            raise InvalidArgument(
                f"{name} holds {kind.__name__}, not {type(item).__name__}",
                hint=f"give a list of {kind.__name__}",
            )
    return items
