"""Where the kernel gives no network of its own: every address a plugin's Python code connects to is
turned to the fault server, from inside the interpreter. What goes around Python is not seen, so
the level reached is lower."""

import socket
from collections.abc import Mapping
from typing import Any

__all__ = ["install"]

_LOOPBACK = "127.0.0.1"


def install(ports: Mapping[str, int]) -> None:
    """Send connections for these ports to the given local ports, whatever the host.

    Connections elsewhere are refused: there is no other network here.
    """
    served = set(ports.values())

    def target(family: int, address: Any) -> Any:
        if family not in (socket.AF_INET, socket.AF_INET6):
            return address
        port = address[1]
        if port in served and address[0] in (_LOOPBACK, "localhost"):
            return address
        if str(port) not in ports:
            raise ConnectionRefusedError(f"nothing listens at {address[0]}:{port}")
        mapped = (_LOOPBACK, ports[str(port)])
        return mapped if family == socket.AF_INET else ("::ffff:127.0.0.1", mapped[1])

    real_connect, real_connect_ex = socket.socket.connect, socket.socket.connect_ex

    def connect(self: socket.socket, address: Any) -> None:
        real_connect(self, target(self.family, address))

    def connect_ex(self: socket.socket, address: Any) -> int:
        return real_connect_ex(self, target(self.family, address))

    def getaddrinfo(
        host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        del host, family, flags
        number = port if isinstance(port, int) else int(port or 0)
        kind = type or socket.SOCK_STREAM
        return [(socket.AF_INET, kind, proto or 6, "", (_LOOPBACK, number))]

    socket.socket.connect = connect  # type: ignore[method-assign]
    socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]
