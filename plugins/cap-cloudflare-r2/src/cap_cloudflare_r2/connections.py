"""Connections to one address: new ones, and those kept open between exchanges."""

import http.client
import selectors
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Protocol

from core_caps.clock import Clock

__all__ = ["Abandoned", "Connections", "Holder"]

IDLE_SECONDS_MAX = 50.0
"""An idle connection is not used again after this: a NAT on the way may have forgotten it."""


class Abandoned(Exception):
    """The exchange was broken off by `abandon`; whoever did it says why."""


class Holder(Protocol):
    """Who breaks a socket off while it is being connected."""

    def hold(self, used: socket.socket) -> None:
        """From now on it is this socket.

        Raises:
            Abandoned: there is nothing left to connect for.
        """
        ...


@dataclass(slots=True)
class _Connection:
    http: http.client.HTTPConnection
    idle_since: float = 0.0


@dataclass(slots=True)
class Connections:
    """The idle connections to one address, and how to make new ones."""

    host: str
    port: int
    tls: ssl.SSLContext | None
    connect_timeout_seconds: float
    read_timeout_seconds: float
    clock: Clock
    keep: int
    _idle: list[_Connection] = field(default_factory=list[_Connection])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _closed: bool = False

    @property
    def address(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"

    def reuse(self) -> http.client.HTTPConnection | None:
        """An idle connection that is still open, or None."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                found = self._idle.pop()
            age = self.clock.monotonic() - found.idle_since
            if age <= IDLE_SECONDS_MAX and not _readable(found.http.sock):
                return found.http
            found.http.close()

    def make(self, exchange: Holder) -> http.client.HTTPConnection:
        """A new connection, TLS included; its socket is `exchange`'s to break off meanwhile."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        failure: OSError | None = None
        for family, kind, protocol, _, address in found:
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(self.connect_timeout_seconds)
                exchange.hold(plain)
                plain.connect(address)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return self._over(plain, exchange)
            except OSError as error:
                plain.close()
                if isinstance(error, ssl.SSLError):
                    raise
                failure = error
            except BaseException:
                plain.close()
                raise
        raise failure or OSError(f"{self.host} has no address")

    def _over(self, plain: socket.socket, exchange: Holder) -> http.client.HTTPConnection:
        used = plain
        if self.tls is not None:
            used = self.tls.wrap_socket(
                plain, server_hostname=self.host, do_handshake_on_connect=False
            )
            try:
                exchange.hold(used)
                used.do_handshake()
            except BaseException:
                used.close()
                raise
        used.settimeout(self.read_timeout_seconds)
        connection = http.client.HTTPConnection(self.host, self.port)
        connection.sock = used
        return connection

    def give_back(self, connection: http.client.HTTPConnection) -> None:
        """Keep a connection whose last answer was read to its end."""
        with self._lock:
            if not self._closed and len(self._idle) < self.keep:
                self._idle.append(_Connection(connection, self.clock.monotonic()))
                return
        connection.close()

    def close(self) -> None:
        """Close the idle connections and keep none from now on."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for each in idle:
            each.http.close()


def _readable(used: socket.socket) -> bool:
    """Whether an idle connection has something to say; all it can say is that it was closed."""
    with selectors.DefaultSelector() as selector:
        selector.register(used, selectors.EVENT_READ)
        return bool(selector.select(0))
