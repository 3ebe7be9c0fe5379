"""The two ways to speak HTTP, made to fail in the same four words.

httpx's own transport and aiohttp's (through httpx-aiohttp) name failures differently; whether a
request may have been sent decides the outcome, so it is told here and nowhere else.
"""

import contextlib
import errno
import importlib.util
import os
import socket
import ssl
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import httpx

from core_caps.errors import BackendNotInstalled, ProviderError
from core_caps.http.failures import Failures
from core_caps.http.settings import Transport

if TYPE_CHECKING:
    import aiohttp

__all__ = [
    "Broken",
    "Lost",
    "NotConnected",
    "WireError",
    "classified",
    "let_go",
    "open_transport",
    "unanswered",
    "waits",
]

_CONNECTIONS_MAX = 100
_IDLE_SECONDS_MAX = 15.0
"""A connection idle for longer is not reused: a server that closes it meanwhile costs a call."""

_NONE_IN_TIME = "none was made in time"


class WireError(Exception):
    """An exchange failed; the text is safe to show."""


class NotConnected(WireError):
    """No connection was made, so nothing was sent."""

    def __init__(self, problem: str, *, late: bool = False) -> None:
        super().__init__(problem)
        self.late = late


class Lost(WireError):
    """The connection ended; the request may have been sent."""


class Broken(WireError):
    """An answer came that is no HTTP, or ended before it was complete."""


def open_transport(
    transport: Transport, *, tls: bool, distribution: str
) -> httpx.AsyncBaseTransport:
    """A transport without retries, redirects, cookies or proxies.

    Certificates are checked against the system's store, or SSL_CERT_FILE: OpenSSL reads it.

    Args:
        transport: which one.
        tls: whether it will speak https.
        distribution: the plugin whose extra `fast` brings aiohttp.

    Raises:
        BackendNotInstalled: aiohttp was asked for and its extra is not installed (CAP104).
    """
    # Reading the system's certificates takes 20 ms, which plain http can do without.
    context = ssl.create_default_context() if tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if transport == "httpx":
        return _plain(context)
    if importlib.util.find_spec("httpx_aiohttp") is not None:
        return _fast(context)
    if transport == "auto":
        return _plain(context)
    raise BackendNotInstalled(
        "the transport 'aiohttp' needs httpx-aiohttp, which is not installed",
        hint=f"pip install '{distribution}[fast]'",
    )


def waits(timeout_seconds: float, connect_timeout_seconds: float) -> dict[str, Any]:
    """How long a request waits, as its extensions, where the whole call has a deadline.

    Where no connection comes, its own timeout says so (NOT_APPLIED) before the call's does.
    """
    connect = min(connect_timeout_seconds, 0.8 * timeout_seconds)
    return {"timeout": {"connect": connect, "pool": connect, "read": None, "write": None}}


def unanswered(
    failures: Failures, operation: str, problem: WireError, said: str, *, writes: bool, to: str
) -> ProviderError:
    """The error where an exchange failed.

    Args:
        failures: what the service's failures mean.
        operation: the operation's name.
        problem: how it failed.
        said: what of it may be shown.
        writes: whether the service's state may have changed.
        to: the service's address.
    """
    match problem:
        case NotConnected(late=late):
            return failures.unconnected(operation, said, late=late, to=to)
        case Lost():
            return failures.lost(operation, said, writes=writes)
        case _:
            return failures.broken(operation, said, writes=writes)


def classified(error: Exception) -> WireError:
    """What a failure of either transport says about the request."""
    if isinstance(error, WireError):
        return error
    problem = _problem(error)
    match error:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return NotConnected(_NONE_IN_TIME, late=True)
        case httpx.ConnectError():
            return NotConnected(_unreached(error))
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol():
            return NotConnected(problem)
        case httpx.RemoteProtocolError() if "without sending a response" not in str(error):
            return Broken(problem)
        case _:
            return Lost(problem)


async def let_go(held: httpx.Response | httpx.AsyncBaseTransport) -> None:
    """Close an answer's connection, or all of a client; how they end changes nothing."""
    with contextlib.suppress(Exception):
        await held.aclose()


def _plain(context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport(
        verify=context,
        trust_env=False,
        retries=0,
        limits=httpx.Limits(
            max_connections=_CONNECTIONS_MAX,
            max_keepalive_connections=_CONNECTIONS_MAX,
            keepalive_expiry=_IDLE_SECONDS_MAX,
        ),
    )


def _fast(context: ssl.SSLContext) -> httpx.AsyncBaseTransport:
    import aiohttp
    from httpx_aiohttp import AiohttpTransport

    def session() -> "aiohttp.ClientSession":
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                ssl=context, limit=_CONNECTIONS_MAX, keepalive_timeout=_IDLE_SECONDS_MAX
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            middlewares=(_once,),
        )

    return AiohttpTransport(verify=context, trust_env=False, client=session)


async def _once(
    request: "aiohttp.ClientRequest", handler: "aiohttp.ClientHandlerType"
) -> "aiohttp.ClientResponse":
    """Send once, and say whether it was sent.

    aiohttp repeats an idempotent request whose reused connection fails, and httpx-aiohttp calls
    every lost connection a connect timeout. An error of our own passes both unchanged.
    """
    import aiohttp

    try:
        return await handler(request)
    except aiohttp.ConnectionTimeoutError:
        raise NotConnected(_NONE_IN_TIME, late=True) from None
    except aiohttp.ClientConnectorError as error:
        raise NotConnected(_unreached(error.os_error)) from None
    except aiohttp.ClientResponseError as error:
        # Its text and repr would show the request's headers, the token among them.
        raise Broken(f"{type(error).__name__}: {error.message}") from None
    except aiohttp.ClientPayloadError as error:
        raise Broken(_problem(error)) from None
    except (aiohttp.ClientError, OSError) as error:
        raise Lost(_problem(error)) from None


def _unreached(error: Exception) -> str:
    """Why no connection was made, in the words of the system and not of a library."""
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError(verify_message=str(said)):
                return f"the certificate is not trusted: {said}"
            case ssl.SSLError(reason=str(said)):
                return f"TLS was not agreed on: {said.replace('_', ' ').lower()}"
            case socket.gaierror(strerror=str(said)):
                return f"its name does not resolve: {said}"
            case ConnectionResetError():
                return os.strerror(errno.ECONNRESET)
            case OSError(errno=int(number)):
                return os.strerror(number)
            case _:
                pass
    return _problem(error)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it was made of, from outside in; of several attempts the first."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = cast("BaseException", error.exceptions[0])
        else:
            error = error.__cause__ or error.__context__


def _problem(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
