"""Where clients of the fault server come in: listeners that are shut and opened again."""

import select
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

__all__ = ["Doors"]

_LISTEN_BACKLOG = 128
_LOOPBACK = {socket.AF_INET: "127.0.0.1"}
_EVERYWHERE = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104


class Doors:
    """The listeners of one server.

    Args:
        vendors: the vendor's ports.
        isolated: the network is our own: these very ports, on every address of both families;
            else free ones on loopback stand for them.
        busy: told +1 before each connection is taken, and -1 where there was none to take.
        serve: what is done with a connection and the vendor's port that it came to, in a thread
            of its own.
    """

    def __init__(
        self,
        vendors: Sequence[int],
        *,
        isolated: bool,
        busy: Callable[[int], None],
        serve: Callable[[socket.socket, int], None],
    ) -> None:
        self._vendors = vendors
        self._hosts = _EVERYWHERE if isolated else _LOOPBACK
        self._ports = list(vendors) if isolated else [0] * len(vendors)
        self._busy = busy
        self._serve = serve
        self._listeners: list[socket.socket] = []

    def open(self) -> list[int]:
        """Listen, unless it does; the ports, in the order of the vendor's, and ever the same."""
        if not self._listeners:
            pairs = zip(self._ports, self._vendors, strict=True)
            self._ports = [self._listen(port, vendors) for port, vendors in pairs]
        return self._ports

    def shut(self) -> None:
        """Listen no more: connections are refused."""
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
            listener.close()
        self._listeners.clear()

    def _listen(self, port: int, vendors: int) -> int:
        for family, host in self._hosts.items():
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            listener.listen(_LISTEN_BACKLOG)
            port = listener.getsockname()[1]
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, vendors), daemon=True).start()
        return port

    def _accept(self, listener: socket.socket, vendors: int) -> None:
        while True:
            try:
                select.select([listener], [], [])
            except (OSError, ValueError):
                return  # closed: connections are refused now
            self._busy(+1)
            try:
                connection, _ = listener.accept()
            except OSError:
                self._busy(-1)
                return
            threading.Thread(target=self._serve, args=(connection, vendors), daemon=True).start()
