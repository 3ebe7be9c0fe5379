"""Where requests may go: hosts by name and port, addresses by network, and nowhere else.

A name alone proves nothing, for whoever answers for it can point it anywhere, at this machine too,
and at another place from one moment to the next. So the address is looked at that is connected to.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core_caps.errors import EgressRefused, InvalidArgument

from cap_http.urls import PORT_MAX, Url, checked_host

__all__ = ["Egress", "hosts_of", "networks_of"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_SEPARATOR = re.compile(r"[\s,]+")
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 behind a translator: https://www.rfc-editor.org/rfc/rfc6052#section-2.1"""


@dataclass(frozen=True, slots=True)
class Egress:
    """What a binding allows.

    Attributes:
        hosts: (host, port) pairs.
        plain: http:// is allowed, too.
        networks: those that are not public and may be reached nevertheless.
    """

    hosts: frozenset[tuple[str, int]]
    plain: bool = False
    networks: tuple[_Network, ...] = ()

    def check(self, url: Url, led: str = "") -> None:
        """Refuse a request that may not be sent; `led` says what led there.

        Raises:
            EgressRefused: its host is not allowed, or its scheme.
        """
        if url.scheme == "http" and not self.plain:
            raise EgressRefused(
                f"http://{url.authority}{led} would be read and answered by anybody on the way",
                hint="write https://, or set `plain_http` where the network is one's own",
            )
        if (url.host, url.port) not in self.hosts:
            where = f"{url.host}:{url.port}"
            raise EgressRefused(
                f"{where}{led} is not among the hosts that this binding allows",
                hint=f"if the flow may go there, add {where} to the setting `hosts`",
            )

    def check_redirect(self, before: Url, after: Url) -> None:
        """Refuse to go on from there to there.

        Raises:
            EgressRefused: it may not be sent, or leads out of TLS.
        """
        if (before.scheme, after.scheme) == ("https", "http"):
            raise EgressRefused(
                f"{before.authority} redirects from https to http",
                hint="ask for where it leads directly, if that is to be read by anybody",
            )
        self.check(after, f", to which {before.authority} redirects,")

    def allowed(self, host: str, addresses: Sequence[str]) -> list[str]:
        """The addresses of a name, all of which may be connected to.

        Raises:
            EgressRefused: one may not. Its name points where nobody should be led: the others are
                no better for it.
        """
        for text in addresses:
            address = _embedded(ipaddress.ip_address(text.partition("%")[0]))
            if not self._may_reach(address):
                raise EgressRefused(
                    f"{host} is at the address {address}, which is not public",
                    hint=f"if the flow may go there, add {address} or its network to the setting "
                    "`private_networks`",
                )
        return list(addresses)

    def _may_reach(self, address: _Address) -> bool:
        if any(address in network for network in self.networks):
            return True
        special = address.is_multicast or address.is_reserved
        return address.is_global and not (special or getattr(address, "is_site_local", False))


def hosts_of(text: str) -> frozenset[tuple[str, int]]:
    """The hosts that a setting lists: `api.example.com:443, files.example.com:8443`.

    Raises:
        ValueError: an entry has another form.
    """
    return frozenset(_host(entry) for entry in _entries(text))


def networks_of(text: str) -> tuple[_Network, ...]:
    """The networks that a setting lists: `10.1.0.0/16, 127.0.0.1, ::1`.

    Raises:
        ValueError: an entry is no network.
    """
    return tuple(_network(entry) for entry in _entries(text))


def _network(entry: str) -> _Network:
    try:
        return ipaddress.ip_network(entry)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        raise ValueError(f"{entry!r} is neither a network nor an address") from None
    raise ValueError(f"{entry!r} is within the network {meant} and does not name it")


def _entries(text: str) -> list[str]:
    return [entry for entry in _SEPARATOR.split(text) if entry]


def _host(entry: str) -> tuple[str, int]:
    if "*" in entry:
        raise ValueError(f"{entry!r} stands for many hosts, and each is to be named")
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdecimal() or not port.isascii() or not 0 < int(port) <= PORT_MAX:
        raise ValueError(f"{entry!r} is not of the form host:port, with a port of 1 to {PORT_MAX}")
    try:
        return checked_host(host), int(port)
    except InvalidArgument:
        raise ValueError(f"{entry!r} is not of the form host:port") from None


def _embedded(address: _Address) -> _Address:
    """The IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
