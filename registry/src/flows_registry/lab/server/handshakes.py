"""How a connection begins: in TLS or in the clear, with a certificate to trust or one not to."""

import socket
import ssl
from collections.abc import Mapping
from typing import Any, NamedTuple

from flows_registry.lab.faults import MUTE
from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.postgres_wire import SCHEME, asks_for_tls, knocks

__all__ = ["Begun", "Handshakes"]

_HELLO_BYTES_MAX = 64 * 1024
_TLS_HANDSHAKE = b"\x16"


class Begun(NamedTuple):
    """A connection that has begun.

    Attributes:
        connection: the socket, in TLS where the client speaks it.
        scheme: "https", "http", or PostgreSQL's.
        name: the server's name that the client asked for, or "".
    """

    connection: socket.socket
    scheme: str
    name: str


class Handshakes:
    """Begins connections, as the armed fault wants it.

    Args:
        desk: who knows the fault.
        certificates: the files of each kind of certificate.
    """

    def __init__(self, desk: Desk, certificates: Mapping[str, Mapping[str, str]]) -> None:
        self._desk = desk
        self._asked_for: dict[int, str] = {}
        self._contexts = {kind: self._context(paths) for kind, paths in certificates.items()}

    def begin(self, connection: socket.socket) -> Begun | None:
        """Begin a connection; None where it is over already.

        Call it while counted as busy.
        """
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._desk.idle():
            first = connection.recv(1, socket.MSG_PEEK)
        if not first:
            return None
        scheme = "https"
        if knocks(first):
            scheme = SCHEME
            if not asks_for_tls(connection):
                return Begun(connection, SCHEME, "")
        elif first != _TLS_HANDSHAKE:
            return Begun(connection, "http", "")
        return self._secured(connection, scheme)

    def _secured(self, connection: socket.socket, scheme: str) -> Begun | None:
        fault = self._desk.connection_fault()
        kind = fault["kind"] if fault else "trusted"
        if fault is not None and kind == MUTE:
            self._desk.consume(fault)
            connection.recv(_HELLO_BYTES_MAX)  # heard, and never answered
            self._desk.stall(connection)
            return None
        try:
            secured = self._contexts[kind].wrap_socket(connection, server_side=True)
        except OSError:
            if fault is not None:
                self._desk.consume(fault)
            self._desk.handshakes_failed += 1
            raise
        return Begun(secured, scheme, self._asked_for.pop(id(secured), ""))

    def _context(self, paths: Mapping[str, str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(paths["certificate"], paths["key"])
        context.set_alpn_protocols(["http/1.1"])

        def note(secured: Any, name: str | None, _: ssl.SSLContext) -> None:
            self._asked_for[id(secured)] = name or ""  # handshakes go on side by side

        context.sni_callback = note
        return context
