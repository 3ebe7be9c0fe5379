"""A DNS responder: each name gets an address of its own, so that a connection attempt seen on the
wire can be told by name even when it is refused, when its TLS fails, or when a subprocess made it.
A name is a way out by itself: who answers for it reads what it says.
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable

from flows_registry.lab.agent.names import LOCAL, Names

__all__ = ["RESPONDER", "Responder"]

RESPONDER = ("127.0.0.1", 53)
"""Where names are answered, and nowhere else: what goes to port 53 of others is a way out."""

_QUERY_BYTES_MAX = 4096
_NAMES_MAX = 200
_ADDRESS = 1


class Responder:
    """Answers DNS over UDP in a thread: every A query gets an address, any other an empty answer.

    Args:
        names: which name has which address.
        busy: told +1 and -1 around each answer: an answer on its way holds the case's clock.
    """

    def __init__(self, names: Names, busy: Callable[[int], None]) -> None:
        self._names = names
        self._busy = busy
        self._lock = threading.Lock()
        self._asked: dict[str, None] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(RESPONDER)
        self._socket.setblocking(False)
        threading.Thread(target=self._keep_up, name="names", daemon=True).start()

    def take(self) -> list[str]:
        """Every name that was asked for since the last call, whatever the question."""
        with self._lock:
            self._answer_all()
            asked, self._asked = list(self._asked), {}
            return asked

    def _keep_up(self) -> None:
        while True:
            select.select([self._socket], [], [])
            self._busy(+1)
            with self._lock:
                self._answer_all()
            self._busy(-1)

    def _answer_all(self) -> None:
        while True:
            try:
                query, sender = self._socket.recvfrom(_QUERY_BYTES_MAX)
            except BlockingIOError:
                return
            with contextlib.suppress(IndexError, struct.error, OSError):
                name, kind, end = _question(query)
                if name != LOCAL and len(self._asked) < _NAMES_MAX:
                    self._asked[name] = None
                self._socket.sendto(self._answer(query[:end], name, kind), sender)

    def _answer(self, query: bytes, name: str, kind: int) -> bytes:
        answers = b""
        if kind == _ADDRESS:
            packed = socket.inet_aton(self._names.address(name))
            answers = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + packed
        counts = struct.pack(">HHHH", 1, 1 if answers else 0, 0, 0)
        return query[:2] + b"\x81\x80" + counts + query[12:] + answers


def _question(query: bytes) -> tuple[str, int, int]:
    """The name that a query asks for, the kind of record, and where the question ends."""
    labels: list[str] = []
    at = 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("ascii", "backslashreplace"))
        at += 1 + query[at]
    return ".".join(labels).lower(), struct.unpack_from(">H", query, at + 1)[0], at + 5
