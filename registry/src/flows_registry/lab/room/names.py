"""A DNS responder: each name gets an address of its own, so that a connection attempt seen on the
wire can be told by name even when it is refused, when its TLS fails, or when a subprocess made it.
"""

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable

from flows_registry.lab.agent.names import Names

__all__ = ["RESPONDER", "serve_names"]

RESPONDER = ("127.0.0.1", 53)
"""Where names are answered, and nowhere else: what goes to port 53 of others is a way out."""


def serve_names(names: Names, busy: Callable[[int], None]) -> None:
    """Answer DNS over UDP in a thread: every A query gets an address, AAAA an empty answer.

    `busy` is told +1 and -1 around each answer: an answer on its way holds the case's clock.
    """
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(RESPONDER)

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
