"""A packet tap: every connection tried in this network, by whatever program."""

import ctypes
import select
import socket
import struct
import threading

from flows_registry.lab.agent.names import Names

__all__ = ["Tap"]

_ETH_IP, _ETH_IP6, _ETH_ALL = 0x0800, 0x86DD, 0x0003
_TCP, _UDP = 6, 17
_OUTGOING = 4
_SYN, _SYN_OR_ACK = 0x02, 0x12
_ETH_BYTES, _IP6_BYTES, _FLAGS_AT = 14, 40, 13
_HEADERS_BYTES = 128


class Tap:
    """Sees the first packet of every TCP connection, and every UDP packet but those
    exchanged with the room's own responder.

    The kernel queues a packet here before its sender goes on, so what has been tried is there to
    be taken.

    Args:
        names: which name an address stands for.
        responder: where the room answers names.
    """

    def __init__(self, names: Names, responder: tuple[str, int]) -> None:
        self._names = names
        self._responder = responder
        self._lock = threading.Lock()
        self._seen: list[tuple[str, int]] = []
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_ALL))
        self._socket.setblocking(False)
        _attach(self._socket)
        threading.Thread(target=self._keep_up, name="tap", daemon=True).start()

    def take(self) -> list[tuple[str, int]]:
        """Everything seen since the last call, as (name or address, port)."""
        with self._lock:
            self._read()
            seen, self._seen = self._seen, []
            return seen

    def _keep_up(self) -> None:
        """Read along, lest the queue should overflow."""
        while True:
            select.select([self._socket], [], [])
            with self._lock:
                self._read()

    def _read(self) -> None:
        while True:
            try:
                protocol, sender, target = _ends(self._socket.recv(_HEADERS_BYTES))
            except BlockingIOError:
                return
            except (IndexError, struct.error):
                continue
            if protocol != _UDP or self._responder not in (sender, target):
                self._seen.append((self._names.name(target[0]), target[1]))


def _ends(frame: bytes) -> tuple[int, tuple[str, int], tuple[str, int]]:
    """The protocol of a packet, and the address and port that it comes from and goes to."""
    if struct.unpack_from(">H", frame, 12)[0] == _ETH_IP:
        header = _ETH_BYTES + (frame[_ETH_BYTES] & 15) * 4
        family, protocol, addresses = socket.AF_INET, frame[23], frame[26:34]
    else:
        header = _ETH_BYTES + _IP6_BYTES
        family, protocol, addresses = socket.AF_INET6, frame[20], frame[22:54]
    ports = struct.unpack_from(">HH", frame, header)
    half = len(addresses) // 2
    sender = socket.inet_ntop(family, addresses[:half]), ports[0]
    return protocol, sender, (socket.inet_ntop(family, addresses[half:]), ports[1])


# ---- a packet filter, so that the kernel wakes nobody for the rest of the traffic

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE, _LOAD_BYTE_PAST, _HEADER_LENGTH = 0x20, 0x28, 0x30, 0x50, 0xB1
_AND, _IF_EQUAL, _GO, _RETURN = 0x54, 0x15, 0x05, 0x06
_PACKET_TYPE = 0xFFFFF004
_SO_ATTACH_FILTER = 26

_FILTER: tuple[tuple[str, int, int, str, str], ...] = (
    ("", _LOAD_WORD, _PACKET_TYPE, "", ""),
    ("", _IF_EQUAL, _OUTGOING, "", "drop"),  # loopback shows every packet twice
    ("", _LOAD_HALF, 12, "", ""),
    ("", _IF_EQUAL, _ETH_IP, "", "v6"),
    ("", _LOAD_BYTE, 23, "", ""),
    ("", _IF_EQUAL, _UDP, "keep", ""),
    ("", _IF_EQUAL, _TCP, "", "drop"),
    ("", _HEADER_LENGTH, _ETH_BYTES, "", ""),
    ("", _LOAD_BYTE_PAST, _ETH_BYTES + _FLAGS_AT, "", ""),
    ("", _GO, 0, "flags", ""),
    ("v6", _IF_EQUAL, _ETH_IP6, "", "drop"),
    ("", _LOAD_BYTE, 20, "", ""),
    ("", _IF_EQUAL, _UDP, "keep", ""),
    ("", _IF_EQUAL, _TCP, "", "drop"),
    ("", _LOAD_BYTE, _ETH_BYTES + _IP6_BYTES + _FLAGS_AT, "", ""),
    ("flags", _AND, _SYN_OR_ACK, "", ""),
    ("", _IF_EQUAL, _SYN, "", "drop"),
    ("keep", _RETURN, _HEADERS_BYTES, "", ""),
    ("drop", _RETURN, 0, "", ""),
)
"""Label, code, operand, where to go if so, where if not."""


def _attach(tap: socket.socket) -> None:
    places = {label: place for place, (label, *_) in enumerate(_FILTER) if label}
    program = b""
    for place, (_, code, operand, then, otherwise) in enumerate(_FILTER):
        yes, no = (places.get(label, place + 1) - place - 1 for label in (then, otherwise))
        program += (
            struct.pack("=HBBI", code, 0, 0, yes)
            if code == _GO
            else struct.pack("=HBBI", code, yes, no, operand)
        )
    memory = ctypes.create_string_buffer(program)
    described = struct.pack("HP", len(_FILTER), ctypes.addressof(memory))
    tap.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)
