"""An address of its own for every name, so that a connection attempt can be told by name."""

import itertools
import socket
import threading

__all__ = ["LOCAL", "LOOPBACK", "Names"]

LOCAL = "localhost"
LOOPBACK = "127.0.0.1"


class Names:
    """Which name has which address; addresses come from 198.18.0.0/15, reserved for tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._here = {LOCAL, socket.gethostname().lower()}
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._next = itertools.count(1)

    def address(self, name: str) -> str:
        """The address of a name, made up when it is first asked for."""
        name = name.lower().rstrip(".")
        if name in self._here:
            return LOOPBACK
        with self._lock:
            if name not in self._addresses:
                number = next(self._next)
                made = f"198.18.{number >> 8 & 255}.{number & 255}"
                self._addresses[name], self._names[made] = made, name
            return self._addresses[name]

    def name(self, address: str) -> str:
        """The name that has this address, or the address itself."""
        return self._names.get(address, address)
