"""Headers: those that are given, checked before one is sent, and those that arrive."""

import re
from collections.abc import Iterable, Mapping
from typing import cast

from core_caps.capabilities.http import KEY_HEADER
from core_caps.errors import InvalidArgument

__all__ = ["HEADERS_BYTES_MAX", "checked_header", "given_headers", "headers_of"]

HEADERS_BYTES_MAX = 32 * 1024
"""Names and values of one request together."""

_RESERVED = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        KEY_HEADER,
    }
)
"""What is said by whoever sends: where a request goes, and where it ends."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"(?:[!-~](?:[ -~\t]*[!-~])?)?")


def given_headers(given: object) -> dict[str, str]:
    """The headers that a caller gave, by name in lower case.

    Raises:
        InvalidArgument: they are no mapping, or one is not to be sent; no value is shown.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise InvalidArgument(
            f"headers are a mapping, not {type(given).__name__}",
            hint="give a dict of names to values",
        )
    found: dict[str, str] = {}
    for name, value in cast("Mapping[object, object]", given).items():
        below, text = checked_header(name, value)
        if below in found:
            raise InvalidArgument(
                f"the header {below} is given twice", hint="a name in capitals is the same name"
            )
        if below in _RESERVED:
            raise InvalidArgument(f"the header {below} is not to be given", hint=_instead(below))
        found[below] = text
    if sum(len(name) + len(value) for name, value in found.items()) > HEADERS_BYTES_MAX:
        raise InvalidArgument(
            f"the headers have more than {HEADERS_BYTES_MAX} bytes",
            hint="send what is large as a body",
        )
    return found


def checked_header(name: object, value: object) -> tuple[str, str]:
    """The header, its name in lower case.

    Raises:
        InvalidArgument: it is none; a value that took the name's place is not shown either.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidArgument(
            "a header has no name" if name == "" else "the name of a header is none",
            hint="write letters, digits and -, as in `x-request-id`",
        )
    if not isinstance(value, str):
        raise InvalidArgument(
            f"the value of the header {name} is text, not {type(value).__name__}",
            hint="leave the header away" if value is None else "give it as a str",
        )
    if not _VALUE.fullmatch(value):
        raise InvalidArgument(
            f"the value of the header {name} is not printable ASCII, or has blanks around it",
            hint="strip it, and encode what is beyond ASCII",
        )
    return name.lower(), value


def headers_of(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers that arrived, by name in lower case; what came several times is joined."""
    found: dict[str, str] = {}
    for name, value in pairs:
        below = name.lower()
        between = "\n" if below == "set-cookie" else ", "
        found[below] = f"{found[below]}{between}{value}" if below in found else value
    return found


def _instead(name: str) -> str:
    if name == KEY_HEADER:
        return "give the key as idempotency_key"
    return "leave it away: it is the connection's own"
