"""One function per way to answer badly. Each returns False when the connection is to be closed.

`before` faults withhold the commit, `after` faults commit and spoil the answer: together they are
what a network can do to a caller.
"""

import random
import select
import socket
import ssl
import struct
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from flows_registry.lab.faults import COMMITTED, PORTAL
from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response
from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.http_wire import head_of, whole

__all__ = ["Answerer", "reset"]

PACES_SECONDS = (0.0, 0.0, 0.2, 1.0)
"""How long a request may wait, and its answer once it was applied: others come before it."""

DRIP_SECONDS = 3.0
DRIP_BYTES_MAX = 4000
ENDLESS_BYTES = 32 * 1024 * 1024


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    # A TLS socket's close would say goodbye first: detach the descriptor and close it bare.
    bare = socket.socket(fileno=connection.detach())
    bare.close()


class Answerer:
    """Answers requests on one connection, honestly or as a fault demands."""

    def __init__(self, desk: Desk, factory: ReferenceFactory, connection: socket.socket) -> None:
        self._desk = desk
        self._factory = factory
        self._connection = connection

    def answer(self, request: Request, fault: dict[str, Any] | None, note: dict[str, Any]) -> bool:
        """Answer one request; `note` is its line of the log, completed here."""
        if fault is None:
            return self._honest(request, note)
        kind = fault["kind"]
        note["fault"] = kind
        self._desk.consume(fault)
        if kind == "stale read":
            response = self._desk.stale(request)
            note["status"] = response.status
            self._desk.log(note)
            return self._send(request, response)
        if kind in COMMITTED:
            response, note["changed"] = self._desk.apply(request)
            note["committed"] = True
            _note_answer(note, response)
            self._desk.log(note)
            return _SPOILED[kind](self, request, response)
        if kind in ("status", "bare status", "redirect", *PORTAL):
            response = self._refusal(fault)
            note["status"] = response.status
            self._desk.log(note)
            return self._send(request, response)
        self._desk.log(note)
        return _WITHHELD[kind](self)

    def _honest(self, request: Request, note: dict[str, Any]) -> bool:
        perturbation = self._desk.perturbation if note["number"] >= 0 else {}
        if "delay_seed" in perturbation:
            source = random.Random(f"{perturbation['delay_seed']}/{note['number']}")  # noqa: S311
            self._desk.sleep(source.uniform(0.0, 0.5))
        waits, held = _paces(perturbation, note)
        if waits:
            self._desk.sleep(waits)
        response, note["changed"] = self._desk.apply(request)
        note["committed"] = True
        _note_answer(note, response)
        self._desk.log(note)
        if held:
            self._desk.sleep(held)
        return self._send(request, response, chunk_bytes=perturbation.get("chunk_bytes"))

    def _send(
        self, request: Request, response: Response, *, chunk_bytes: int | None = None
    ) -> bool:
        head, body = whole(request, response)
        if chunk_bytes is None or not body:
            self._connection.sendall(head + body)
            return True
        self._connection.sendall(head)
        step = max(chunk_bytes, len(body) // 50)
        for at in range(0, len(body), step):
            if at:  # not after the last: the client may be sending its next request by then
                self._desk.sleep(0.001)
            self._connection.sendall(body[at : at + step])
        return True

    def _refusal(self, fault: dict[str, Any]) -> Response:
        if fault["kind"] == "html page":
            return Response(200, (("Content-Type", "text/html"),), _PAGE)
        status: int = fault["status"] or 200
        if fault["kind"] in ("bare status", "empty answer"):
            return Response(status)
        if fault["kind"] == "redirect":
            return Response(status, (("Location", "https://elsewhere.example/stolen"),))
        response = self._factory.failure(status)
        after = fault["retry_after"]
        if after is None:
            return response
        if after.startswith("{date+"):
            seconds = float(after.removeprefix("{date+").removesuffix("}"))
            after = formatdate(self._desk.now() + seconds, usegmt=True)
        kept = tuple(item for item in response.headers if item[0].lower() != "retry-after")
        return Response(status, (*kept, ("Retry-After", after)), response.body)

    # ---- the answer is withheld, nothing was committed

    def reset_now(self) -> bool:
        reset(self._connection)
        return False

    def close_now(self) -> bool:
        return False

    def stall_now(self) -> bool:
        self._desk.stall(self._connection)
        return False

    # ---- committed, and the answer spoiled

    def reset_in_body(self, request: Request, response: Response) -> bool:
        self._connection.sendall(_first_half(request, response))
        self._desk.sleep(0.01)  # the first half must arrive before the reset overtakes it
        return self.reset_now()

    def truncated(self, request: Request, response: Response) -> bool:
        self._connection.sendall(_first_half(request, response))
        return False

    def bad_chunking(self, request: Request, response: Response) -> bool:
        body = whole(request, response)[1] or b"x"
        head = head_of(_without_length(response), length=None, extra=_CHUNKED)
        half = body[: len(body) // 2 + 1]
        chunk = f"{len(half):x}\r\n".encode() + half + b"\r\n"
        self._connection.sendall(head + chunk + b"zz\r\nnot a chunk\r\n")
        return False

    def wrong_type(self, request: Request, response: Response) -> bool:
        headers = tuple(h for h in response.headers if h[0].lower() != "content-type")
        spoiled = Response(response.status, (*headers, ("Content-Type", "text/html")), _PAGE)
        return self._send(request, _without_length(spoiled))

    def invalid_body(self, request: Request, response: Response) -> bool:
        return self._replace(request, response, b"{<not json, not xml")

    def invalid_utf8(self, request: Request, response: Response) -> bool:
        return self._replace(request, response, b'{"\xff\xfe": "\xc3\x28"}')

    def stall_in_body(self, request: Request, response: Response) -> bool:
        head, body = whole(request, response)
        data = head + body
        self._connection.sendall(data[: len(data) - max(1, len(body) // 2)])
        self._desk.stall(self._connection)
        return False

    def slow_body(self, request: Request, response: Response) -> bool:
        head, body = whole(request, response)
        if not body:
            return self.slow_headers(request, response)
        self._connection.sendall(head)
        return self._drip(body)

    def slow_headers(self, request: Request, response: Response) -> bool:
        head, body = whole(request, response)
        return self._drip(head + body)

    def conflicting_lengths(self, request: Request, response: Response) -> bool:
        head, body = whole(request, response)
        doubled = head.replace(b"\r\n\r\n", f"\r\nContent-Length: {len(body) + 7}\r\n\r\n".encode())
        if b"content-length" not in head.lower():
            doubled = doubled.replace(b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n")
        self._connection.sendall(doubled + body)
        return False

    def endless(self, request: Request, response: Response) -> bool:
        del request
        head = head_of(_without_length(response), length=None, extra=_CHUNKED)
        self._connection.sendall(head)
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(ENDLESS_BYTES // 0x10000):
            self._send_while_read(piece)
        return False

    def _send_while_read(self, data: bytes) -> None:
        """Send it all; while nobody takes it, the server is not at work but waits."""
        self._connection.setblocking(False)
        with memoryview(data) as rest:
            sent = 0
            while sent < len(rest):
                try:
                    sent += self._connection.send(rest[sent:])
                except (BlockingIOError, ssl.SSLWantWriteError):
                    with self._desk.idle():
                        select.select([], [self._connection], [])

    def garbage_status(self, request: Request, response: Response) -> bool:
        del request, response
        self._connection.sendall(b"\x00\x01 NOT-HTTP garbage\r\n\r\n")
        return False

    def corrupted(self, request: Request, response: Response) -> bool:
        body = bytearray(response.body)
        if body:
            body[len(body) // 2] ^= 1
        return self._replace(request, response, bytes(body))

    def _replace(self, request: Request, response: Response, body: bytes) -> bool:
        return self._send(
            request, _without_length(Response(response.status, response.headers, body))
        )

    def _drip(self, data: bytes) -> bool:
        for at, byte in enumerate(data[:DRIP_BYTES_MAX]):
            if at and not self._desk.sleep(DRIP_SECONDS):
                return False
            self._connection.sendall(bytes([byte]))
        return len(data) <= DRIP_BYTES_MAX


_CHUNKED = (("Transfer-Encoding", "chunked"),)
_PAGE = b"<!doctype html><title>Sign in</title><p>Please sign in to this network.</p>"

_WITHHELD: dict[str, Callable[[Answerer], bool]] = {
    "reset before commit": Answerer.reset_now,
    "closed before commit": Answerer.close_now,
    "stall": Answerer.stall_now,
}

_SPOILED: dict[str, Callable[[Answerer, Request, Response], bool]] = {
    "reset after commit": lambda self, request, response: self.reset_now(),
    "closed after commit": lambda self, request, response: self.close_now(),
    "stall after commit": lambda self, request, response: self.stall_now(),
    "reset in body": Answerer.reset_in_body,
    "truncated body": Answerer.truncated,
    "bad chunking": Answerer.bad_chunking,
    "wrong content type": Answerer.wrong_type,
    "invalid body": Answerer.invalid_body,
    "invalid utf-8": Answerer.invalid_utf8,
    "stall in body": Answerer.stall_in_body,
    "slow body": Answerer.slow_body,
    "slow headers": Answerer.slow_headers,
    "conflicting lengths": Answerer.conflicting_lengths,
    "endless body": Answerer.endless,
    "garbage status line": Answerer.garbage_status,
    "corrupted body": Answerer.corrupted,
}


def _first_half(request: Request, response: Response) -> bytes:
    """Half of the body after its head; half of the head where there is no body."""
    head, body = whole(request, response)
    return head + body[: len(body) // 2] if body else head[: len(head) // 2]


def _paces(perturbation: dict[str, Any], note: dict[str, Any]) -> tuple[float, float]:
    """How long a request waits and its answer is held back: as its content says, so that leaving
    out another changes nothing."""
    if "pace_seed" not in perturbation:
        return 0.0, 0.0
    asked = " ".join(note[name] for name in ("method", "target", "body_sha256"))
    source = random.Random(f"{perturbation['pace_seed']} {asked}")  # noqa: S311
    return source.choice(PACES_SECONDS), source.choice(PACES_SECONDS)


def _note_answer(note: dict[str, Any], response: Response) -> None:
    named = {name.lower(): value for name, value in response.headers}
    note["status"], note["answer_bytes"] = response.status, len(response.body)
    note["answer_type"] = named.get("content-type", "")


def _without_length(response: Response) -> Response:
    kept = tuple(item for item in response.headers if item[0].lower() != "content-length")
    return Response(response.status, kept, response.body)
