"""The settings of a client over HTTP, and what each must be. Needs the standard library only."""

import re
from typing import Literal
from urllib.parse import urlsplit

from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

__all__ = [
    "Transport",
    "check_connection",
    "check_token",
    "is_identifier",
    "is_number",
    "is_whole",
    "need",
]

Transport = Literal["auto", "httpx", "aiohttp"]
"""How HTTP is spoken: `auto` takes aiohttp where httpx-aiohttp is installed."""

_TRANSPORTS = ("auto", "httpx", "aiohttp")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def need(holds: bool, setting: str, form: str) -> None:
    """Refuse a setting that does not hold.

    Raises:
        ConfigInvalid: it does not (CAP105); its value is not shown.
    """
    if not holds:
        raise ConfigInvalid(f"the setting {setting} is not {form}", hint=f"correct {setting}")


def check_connection(
    base_url: object, timeout_seconds: object, connect_timeout_seconds: object, transport: object
) -> None:
    """Refuse what is no endpoint, no wait or no transport.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105).
    """
    need(_is_endpoint(base_url), "base_url", "https://…, or http:// on this machine")
    _check_seconds("timeout_seconds", timeout_seconds)
    _check_seconds("connect_timeout_seconds", connect_timeout_seconds)
    need(transport in _TRANSPORTS, "transport", " or ".join(_TRANSPORTS))


def check_token(token: object, setting: str) -> None:
    """Refuse what cannot stand in a header.

    Raises:
        ConfigInvalid: it is no Secret, or holds a space or a control character (CAP105).
    """
    holds = isinstance(token, Secret) and _is_header_text(token.reveal())
    need(holds, setting, "a Secret of printable ASCII without spaces")


def is_identifier(given: object) -> bool:
    """Whether it is text of letters, digits, - and _, at most 64."""
    return isinstance(given, str) and _IDENTIFIER.fullmatch(given) is not None


def is_number(given: object) -> bool:
    """Whether it is a number; True and NaN are none."""
    return isinstance(given, int | float) and not isinstance(given, bool) and given == given


def is_whole(given: object) -> bool:
    """Whether it is a whole number; True is none."""
    return isinstance(given, int) and not isinstance(given, bool)


def _check_seconds(setting: str, given: object) -> None:
    holds = isinstance(given, int | float) and is_number(given) and 0 < given < 86_400
    need(holds, setting, "seconds above 0")


def _is_header_text(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def _is_endpoint(url: object) -> bool:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if parts.query or parts.fragment or parts.username or parts.password or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
