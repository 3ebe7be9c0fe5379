"""The settings of each backend, validated when they are made."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from core_caps.errors import ConfigInvalid
from core_caps.secret import Secret

from cap_cloudflare_kv.limits import CACHE_SECONDS_MAX

__all__ = ["MockConfig", "RemoteConfig", "Transport"]

Transport = Literal["auto", "httpx", "aiohttp"]
"""How HTTP is spoken: `auto` takes aiohttp where the extra `fast` is installed."""

_TRANSPORTS = ("auto", "httpx", "aiohttp")
_IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class MockConfig:
    """How the mock behaves.

    Attributes:
        store: clients of one process that name the same store share it; "" is a store of one's
            own.
        stale_read_seconds: how old a read may be, as at one location of the vendor's network;
            absence is remembered too, and a client sees its own writes. 0 reads fresh.
        limit_write_rate: refuse a second write to one key within a second, as the service does.

    Raises:
        ConfigInvalid: a setting has the wrong type or is out of range (CAP105).
    """

    store: str = ""
    stale_read_seconds: int = 0
    limit_write_rate: bool = False

    def __post_init__(self) -> None:
        _need(isinstance(self.store, str), "store", "text")  # pyright: ignore[reportUnnecessaryIsInstance]
        _need(
            _is_number(self.stale_read_seconds)
            and 0 <= self.stale_read_seconds <= CACHE_SECONDS_MAX,
            "stale_read_seconds",
            f"a number from 0 to {CACHE_SECONDS_MAX}",
        )
        _need(isinstance(self.limit_write_rate, bool), "limit_write_rate", "true or false")  # pyright: ignore[reportUnnecessaryIsInstance]


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """How the public REST API is reached.

    The process's proxy variables and .netrc are not read: the environment cannot send the token
    elsewhere. Certificates come from the system's store, or from SSL_CERT_FILE.

    Attributes:
        account_id: the account's identifier; "" leaves `/accounts/…` out of the path, as the
            vendor's local explorer wants it.
        namespace_id: the namespace's identifier.
        api_token: a token with the scope "Workers KV Storage Write" (or Read).
        base_url: where the API is; plain http only on this machine.
        timeout_seconds: the longest that one call takes, all its requests and bodies included.
        connect_timeout_seconds: the longest wait for a connection within that.
        transport: how HTTP is spoken.

    Raises:
        ConfigInvalid: a setting has the wrong type or form (CAP105); no secret is shown.
    """

    account_id: str
    namespace_id: str
    api_token: Secret
    base_url: str = "https://api.cloudflare.com/client/v4"
    timeout_seconds: float = 30.0
    connect_timeout_seconds: float = 10.0
    transport: Transport = "auto"

    def __post_init__(self) -> None:
        identifier = "letters, digits, - and _, at most 64"
        _need(not self.account_id or _identifies(self.account_id), "account_id", identifier)
        _need(_identifies(self.namespace_id), "namespace_id", identifier)
        _need(
            isinstance(self.api_token, Secret)  # pyright: ignore[reportUnnecessaryIsInstance]
            and _is_header_text(self.api_token.reveal()),
            "api_token",
            "a Secret of printable ASCII without spaces",
        )
        _need(_is_endpoint(self.base_url), "base_url", "https://…, or http:// on this machine")
        for name in ("timeout_seconds", "connect_timeout_seconds"):
            seconds: object = getattr(self, name)
            _need(_is_number(seconds) and 0 < float(seconds) < 86_400, name, "seconds above 0")  # pyright: ignore[reportArgumentType]
        _need(self.transport in _TRANSPORTS, "transport", " or ".join(_TRANSPORTS))


def _need(holds: bool, setting: str, form: str) -> None:
    if not holds:
        raise ConfigInvalid(f"the setting {setting} is not {form}", hint=f"correct {setting}")


def _identifies(text: object) -> bool:
    return isinstance(text, str) and _IDENTIFIER.fullmatch(text) is not None


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and given == given


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
