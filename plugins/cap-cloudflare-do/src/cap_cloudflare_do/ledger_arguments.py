"""The checks of what Dedupe is called with; both backends make them before anything is sent."""

import math
from collections.abc import Sequence
from typing import cast

from core_caps.capabilities.dedupe import Commit, Reservation
from core_caps.errors import InvalidArgument

from cap_cloudflare_do.limits import (
    BATCH_KEYS_MAX,
    KEY_SIZE_BYTES_MAX,
    PAYLOAD_SIZE_BYTES_MAX,
    RESULT_SIZE_BYTES_MAX,
    TRANSACTION_SIZE_BYTES_MAX,
    checked_bytes,
    checked_key,
    sequence,
    text,
)

__all__ = [
    "checked_commits",
    "checked_given_back",
    "checked_owner",
    "checked_payload",
    "checked_reservations",
    "checked_seconds",
]

_SECONDS_MAX = 2**40
"""Some 35 000 years: what is longer has no date."""


def checked_owner(owner: str) -> str:
    """The owner.

    Raises:
        InvalidArgument: it is no text, empty, or too long; NOT_APPLIED.
    """
    if not 0 < len(text(owner, "an owner").encode()) <= KEY_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"an owner has 1 to {KEY_SIZE_BYTES_MAX} bytes",
            hint="name the attempt: a UUID for each worker and message",
        )
    return owner


def checked_seconds(seconds: float, name: str) -> float:
    """A length of time above zero.

    Raises:
        InvalidArgument: it is none; NOT_APPLIED.
    """
    given = cast("object", seconds)
    number = isinstance(given, int | float) and not isinstance(given, bool)
    if not number or not math.isfinite(seconds) or not 0 < seconds <= _SECONDS_MAX:
        raise InvalidArgument(
            f"{name} is {given!r}; it is a number of seconds above 0", hint="60 is a minute"
        )
    return float(seconds)


def checked_payload(payload: bytes) -> bytes:
    """The digest of what is worked on.

    Raises:
        InvalidArgument: it is no bytes, or too long for a digest; NOT_APPLIED.
    """
    checked = checked_bytes(payload, "a payload")
    if len(checked) > PAYLOAD_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"a payload has {len(checked)} bytes; the limit is {PAYLOAD_SIZE_BYTES_MAX}",
            hint="give a digest of it",
        )
    return checked


def checked_reservations(reservations: Sequence[Reservation]) -> dict[str, bytes]:
    """The payloads of a batch, by key.

    Raises:
        InvalidArgument: it is no sequence of Reservations, a key is given twice, or a limit is
            broken; NOT_APPLIED.
    """
    checked: dict[str, bytes] = {}
    for each in sequence(reservations, "reservations", BATCH_KEYS_MAX):
        if not isinstance(each, Reservation):
            raise InvalidArgument(
                f"reservations are Reservations, not {type(each).__name__}",
                hint="from core_caps.capabilities.dedupe import Reservation",
            )
        _add(checked, each.key, checked_payload(each.payload))
    return checked


def checked_commits(commits: Sequence[Commit]) -> dict[str, bytes]:
    """The results of a batch, by key.

    Raises:
        InvalidArgument: it is no sequence of Commits, a key is given twice, or a limit is broken;
            NOT_APPLIED.
    """
    checked: dict[str, bytes] = {}
    for each in sequence(commits, "commits", BATCH_KEYS_MAX):
        if not isinstance(each, Commit):
            raise InvalidArgument(
                f"commits are Commits, not {type(each).__name__}",
                hint="from core_caps.capabilities.dedupe import Commit",
            )
        result = checked_bytes(each.result, "a result")
        if len(result) > RESULT_SIZE_BYTES_MAX:
            raise InvalidArgument(
                f"a result has {len(result)} bytes; the limit is {RESULT_SIZE_BYTES_MAX}",
                hint="keep it in a blob store and commit its name",
            )
        _add(checked, each.key, result)
    size_bytes = sum(map(len, checked.values()))
    if size_bytes > TRANSACTION_SIZE_BYTES_MAX:
        raise InvalidArgument(
            f"the results have {size_bytes} bytes; the limit is {TRANSACTION_SIZE_BYTES_MAX}",
            hint="commit them in several batches",
        )
    return checked


def checked_given_back(keys: Sequence[str]) -> list[str]:
    """The keys that are given back, each once.

    Raises:
        InvalidArgument: it is no sequence of keys, or they are too many; NOT_APPLIED.
    """
    given = sequence(keys, "keys", BATCH_KEYS_MAX)
    return list(dict.fromkeys(checked_key(cast("str", key)) for key in given))


def _add(checked: dict[str, bytes], key: str, value: bytes) -> None:
    if checked_key(key) in checked:
        raise InvalidArgument("a batch has a key twice", hint="give each key once")
    checked[key] = value
