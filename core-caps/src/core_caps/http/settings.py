"""The settings of a client over HTTP, and what each must be. Needs the standard library only."""

import re
from typing import Any, Literal
from urllib.parse import urlsplit

from core_caps.secret import Secret
from core_caps.settings import need, need_choice, need_match, need_seconds

__all__ = [
    "THIS_MACHINE",
    "Transport",
    "need_connection",
    "need_endpoint",
    "need_identifier",
    "need_token",
]

Transport = Literal["auto", "httpx", "aiohttp"]
"""How HTTP is spoken: `auto` takes aiohttp where httpx-aiohttp is installed."""

THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
"""Where HTTP is spoken without TLS, if at all: nobody stands between."""

_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")


def need_connection(config: object) -> None:
    """What every client has: `timeout_seconds`, `connect_timeout_seconds` and `transport`."""
    need_seconds(config, "timeout_seconds", "connect_timeout_seconds")
    need_choice(config, "transport", "auto", "httpx", "aiohttp")


def need_endpoint(config: object, *names: str) -> None:
    """Each is the URL that every path is put behind: over TLS, but for this machine."""
    for name in names:
        need(_is_endpoint(getattr(config, name)), name, "https://…, or http:// on this machine")


def need_identifier(config: object, *names: str) -> None:
    """Each can stand in a path as it is."""
    form = "letters, digits, - and _, at most 64"
    need_match(config, *names, pattern=_IDENTIFIER, form=form)


def need_token(config: object, *names: str) -> None:
    """Each is a secret that can stand in a header."""
    for name in names:
        given: Any = getattr(config, name)
        holds = isinstance(given, Secret) and _is_header_text(given.reveal())
        need(holds, name, "a Secret of printable ASCII without spaces")


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
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in THIS_MACHINE)
