"""The checks that refuse an argument beyond a limit, before anything is sent.

Both backends check here, so that what the mock refuses is what the service would refuse.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from core_caps.errors import InvalidArgument
from core_caps.http.json_bodies import has_surrogate

from cap_stripe.limits import (
    EVENT_TYPES_MAX,
    IDEMPOTENCY_KEY_CHARACTERS_MAX,
    METADATA_KEY_CHARACTERS_MAX,
    METADATA_KEYS_MAX,
    METADATA_VALUE_CHARACTERS_MAX,
    PAGE_ITEMS_MAX,
)

__all__ = [
    "INTERVALS",
    "checked_flag",
    "checked_interval",
    "checked_key",
    "checked_limit",
    "checked_metadata",
    "checked_name",
    "checked_payload",
    "checked_text",
    "checked_types",
]

INTERVALS = ("day", "week", "month", "year")

_METADATA = "https://docs.stripe.com/api/metadata"


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
    if has_surrogate(given):
        raise InvalidArgument(
            f"{name} holds a lone surrogate, which has no UTF-8 form",
            hint="decode the text that it came from with its right encoding",
        )
    return given


def checked_name(what: str, name: str) -> str:
    """The name of what is paid for.

    Raises:
        InvalidArgument: it has none.
    """
    if not checked_text(f"the name of {what}", name):
        raise InvalidArgument(f"{what} has no name", hint="the customer reads it")
    return name


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
