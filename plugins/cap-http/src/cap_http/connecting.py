"""Connections to allowed addresses only.

A name is resolved here, every address of it looked at, and the connection made to one of those
very addresses: whoever answers for the name has no second chance to say another.
"""

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence

import httpcore
import httpx

from cap_http.egress import Egress

__all__ = ["GuardedTransport"]

_CONNECTIONS_MAX = 100
_IDLE_SECONDS_MAX = 15.0
"""A connection idle for longer is not reused: a server that closes it meanwhile costs a call."""


class GuardedTransport(httpx.AsyncHTTPTransport):
    """HTTP/1.1 without retries, redirects, cookies or proxies, to allowed addresses."""

    def __init__(self, egress: Egress) -> None:
        context = ssl.create_default_context()
        super().__init__(verify=context)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=_CONNECTIONS_MAX,
            max_keepalive_connections=_CONNECTIONS_MAX,
            keepalive_expiry=_IDLE_SECONDS_MAX,
            retries=0,
            network_backend=_Guarded(egress),
        )


class _Guarded(httpcore.AsyncNetworkBackend):
    """asyncio's network, as far as it is allowed."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._network: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                addresses = self._egress.allowed(host, await _addresses(host, port))
                return await self._first(addresses, port, local_address, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"{host}:{port} in {timeout:g} seconds") from None

    async def _first(
        self,
        addresses: Sequence[str],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes one."""
        for address in addresses[:-1]:
            try:
                return await self._network.connect_tcp(
                    address, port, None, local_address, socket_options
                )
            except httpcore.ConnectError:
                continue
        return await self._network.connect_tcp(
            addresses[-1], port, None, local_address, socket_options
        )

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)


async def _addresses(host: str, port: int) -> list[str]:
    """Every address of a host, each once, in the resolver's order."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
    except OSError as problem:
        raise httpcore.ConnectError(f"{host} does not resolve") from problem
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
