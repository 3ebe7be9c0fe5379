"""A DNS responder and a packet tap: every name asked for, every connection tried, by anyone.

Each name gets an address of its own, so that a connection attempt seen on the wire can be told by
name even when it is refused, when its TLS fails, or when a subprocess made it.
"""

import contextlib
import itertools
import select
import socket
import struct
import threading
from collections.abc import Callable

__all__ = ["Names", "Tap", "serve_names"]

_ETH_IP, _ETH_IP6, _ETH_ALL = 0x0800, 0x86DD, 0x0003
_OUTGOING = 4


class Names:
    """Which name has which address; addresses come from 198.18.0.0/15, reserved for tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._next = itertools.count(1)

    def address(self, name: str) -> str:
        """The address of a name, made up when it is first asked for."""
        name = name.lower().rstrip(".")
        if name == "localhost":
            return "127.0.0.1"
        with self._lock:
            if name not in self._addresses:
                number = next(self._next)
                made = f"198.18.{number >> 8 & 255}.{number & 255}"
                self._addresses[name], self._names[made] = made, name
            return self._addresses[name]

    def name(self, address: str) -> str:
        """The name that has this address, or the address itself."""
        return self._names.get(address, address)


def serve_names(names: Names, busy: Callable[[int], None]) -> None:
    """Answer DNS on UDP port 53 in a thread: every A query gets an address, AAAA an empty answer.

    `busy` is told +1 and -1 around each answer: an answer on its way holds the case's clock.
    """
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("0.0.0.0", 53))  # noqa: S104 (the namespace has no other network)

    def run() -> None:
        while True:
            select.select([server], [], [])
            busy(+1)
            with contextlib.suppress(Exception):
                query, sender = server.recvfrom(4096)
                server.sendto(_dns_answer(query, names), sender)
            busy(-1)

    threading.Thread(target=run, name="names", daemon=True).start()


def _dns_answer(query: bytes, names: Names) -> bytes:
    labels: list[str] = []
    at = 12
    while query[at]:
        labels.append(
            query[at + 1 : at + 1 + query[at]].decode("idna" if query[at] > 63 else "ascii")
        )
        at += 1 + query[at]
    end = at + 5
    kind = struct.unpack(">H", query[at + 1 : at + 3])[0]
    question = query[12:end]
    answers = b""
    if kind == 1:
        packed = socket.inet_aton(names.address(".".join(labels)))
        answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + packed
    counts = struct.pack(">HHHH", 1, 1 if answers else 0, 0, 0)
    return query[:2] + b"\x81\x80" + counts + question + answers


class Tap:
    """Sees the first packet of every connection in this namespace, by whatever program."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._lock = threading.Lock()
        self._seen: list[tuple[str, int]] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL))
        threading.Thread(target=self._run, name="tap", daemon=True).start()

    def take(self) -> list[tuple[str, int]]:
        """Everything seen since the last call, as (name or address, port)."""
        with self._lock:
            seen, self._seen = self._seen, []
            return seen

    def _run(self) -> None:
        while True:
            packet, address = self._socket.recvfrom(200)
            if address[2] != _OUTGOING:  # loopback shows every packet twice
                continue
            try:
                target = _target(packet)
            except (IndexError, struct.error):
                continue
            if target is not None:
                with self._lock:
                    self._seen.append((self._names.name(target[0]), target[1]))


def _target(frame: bytes) -> tuple[str, int] | None:
    """The address and port of a TCP opening or a UDP packet (DNS to ourselves left out)."""
    kind = struct.unpack_from(">H", frame, 12)[0]
    if kind == _ETH_IP:
        header = 14 + (frame[14] & 15) * 4
        protocol, address = frame[23], socket.inet_ntop(socket.AF_INET, frame[30:34])
    elif kind == _ETH_IP6:
        header, protocol = 54, frame[20]
        address = socket.inet_ntop(socket.AF_INET6, frame[38:54])
    else:
        return None
    port = struct.unpack_from(">H", frame, header + 2)[0]
    if protocol == 6 and frame[header + 13] & 0x12 == 0x02:
        return address, port
    if protocol == 17 and port != 53 and struct.unpack_from(">H", frame, header)[0] != 53:
        return address, port
    return None
