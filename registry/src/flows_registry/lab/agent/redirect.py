"""Where there is no network of our own to put a server in: every address that a plugin's Python
code connects to is turned to the fault server, or refused, from inside the interpreter, and every
name that it looks up is answered there. What goes around Python is not seen, so the level reached
is lower."""

import errno
import ipaddress
import socket
import sys
from collections.abc import Mapping
from typing import Any

from .names import LOOPBACK, Names

__all__ = ["ATTEMPT", "LOOKUP", "install"]

ATTEMPT = "flows.attempt"
"""The audit event of a connection attempt: the host, by name where it has one, and the port."""

LOOKUP = "flows.lookup"
"""The audit event of a name that is looked up."""

_MAPPED = "::ffff:127.0.0.1"
_SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_ASKS = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}


def install(ports: Mapping[str, int]) -> None:
    """Send connections for these ports to the given local ports, whatever the host.

    Connections elsewhere are refused, but for those inside this machine: a plugin may serve
    itself. Each attempt raises the audit event ATTEMPT, each name that is looked up LOOKUP.
    """
    _Redirect(ports).install()


class _Redirect:
    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._served = set(ports.values())
        self._names = Names()

    def install(self) -> None:
        real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex

        def connect(sock: socket.socket, address: Any) -> None:
            real_connect(sock, self._target(sock.family, address))

        def connect_ex(sock: socket.socket, address: Any) -> int:
            try:
                return real_connect_ex(sock, self._target(sock.family, address))
            except ConnectionRefusedError:
                return errno.ECONNREFUSED

        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = self._getaddrinfo  # type: ignore[assignment]
        socket.gethostbyname = self._look_up
        socket.gethostbyname_ex = self._gethostbyname_ex
        sys.addaudithook(self._refuse_the_rest)

    def _target(self, family: int, address: Any) -> Any:
        """Where a connection really goes."""
        if family not in (socket.AF_INET, socket.AF_INET6):
            return address
        host, port = self._address(address[0]), address[1]
        if _is_here(host) and str(port) not in self._ports:
            return address
        sys.audit(ATTEMPT, self._names.name(host), port)
        if str(port) not in self._ports:
            raise _refusal(host, port)
        return (LOOPBACK if family == socket.AF_INET else _MAPPED), self._ports[str(port)]

    def _refuse_the_rest(self, event: str, arguments: tuple[Any, ...]) -> None:
        """What did not come through here: below `socket`, or by datagram."""
        if event in _ASKS and self._is_asked(arguments[0]):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        if event not in _SENDS:
            return
        sock, address = arguments
        if sock.family not in (socket.AF_INET, socket.AF_INET6) or address is None:
            return
        host, port = self._address(address[0]), address[1]
        if not _is_here(host):
            sys.audit(ATTEMPT, self._names.name(host), port)
            raise _refusal(host, port)

    def _address(self, host: str) -> str:
        try:
            return str(ipaddress.ip_address(host.partition("%")[0]))
        except ValueError:
            return self._names.address(host)

    def _look_up(self, host: str) -> str:
        """The address of a host that somebody asks for."""
        self._is_asked(host)
        return self._address(host)

    def _is_asked(self, host: Any) -> bool:
        """Whether a host is a name that somebody elsewhere would have to be asked for; then it is
        told."""
        address = self._address(_text(host)) if host else LOOPBACK
        name = self._names.name(address)
        if name != address:
            sys.audit(LOOKUP, name)
        return name != address

    def _gethostbyname_ex(self, hostname: str) -> tuple[str, list[str], list[str]]:
        return hostname, [], [self._look_up(hostname)]

    def _getaddrinfo(
        self, host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        address = self._look_up(_text(host)) if host else _anywhere(family, flags)
        number = _number(port)
        kinds = [type] if type else list(_PROTOCOLS)
        if ":" in address:
            found, sockaddr = socket.AF_INET6, (address, number, 0, 0)
        else:
            found, sockaddr = socket.AF_INET, (address, number)
        if family not in (socket.AF_UNSPEC, found):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(found, kind, proto or _PROTOCOLS.get(kind, 0), "", sockaddr) for kind in kinds]


_PROTOCOLS: dict[int, int] = {
    socket.SOCK_STREAM: socket.IPPROTO_TCP,
    socket.SOCK_DGRAM: socket.IPPROTO_UDP,
}


def _anywhere(family: int, flags: int) -> str:
    passive = flags & socket.AI_PASSIVE
    if family == socket.AF_INET6:
        return "::" if passive else "::1"
    return "0.0.0.0" if passive else LOOPBACK  # noqa: S104 (what a plugin asks to listen on)


def _text(host: str | bytes) -> str:
    return host.decode() if isinstance(host, bytes) else host


def _number(port: Any) -> int:
    text = port.decode() if isinstance(port, bytes) else str(port or 0)
    return int(text) if text.isdigit() else socket.getservbyname(text)


def _is_here(host: str) -> bool:
    address = ipaddress.ip_address(host)
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback or address.is_unspecified


def _refusal(host: str, port: int) -> ConnectionRefusedError:
    return ConnectionRefusedError(errno.ECONNREFUSED, f"nothing listens at {host}:{port}")
