"""What the threads of the fault server share: the armed faults, the log, who is busy."""

import hashlib
import json
import os
import select
import socket
import threading
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from flows_registry.lab.agent.page import NEVER, ORIGIN_SECONDS, Page
from flows_registry.lab.broken import ReferenceBroken
from flows_registry.lab.faults import CONNECTION, MUTE
from flows_registry.lab.references.exchange import Reference, Request, Response, Scoped

__all__ = ["Desk"]

_STATE_TEXT_MAX = 20_000
_OF_A_HANDSHAKE = CONNECTION - {"refused"} | {MUTE}


class Desk:
    """The server's memory of the case at hand."""

    def __init__(self, page: Page, make: Callable[[Callable[[], float]], Reference]) -> None:
        self._page = page
        self._lock = threading.RLock()
        self._dues: dict[int, float] = {}
        self.closing = threading.Event()
        self.reference = make(self.now)
        self._replica = make(self.now)
        self.begin()

    def now(self) -> float:
        """The case's time as the vendor's clock shows it."""
        return self._page.now

    @property
    def seconds(self) -> float:
        """How long the case has lasted, in its own time."""
        return self._page.now - ORIGIN_SECONDS

    def release(self) -> None:
        """End every stall and drip."""
        self.closing.set()

    def begin(self) -> None:
        """Forget everything: a new case starts from an empty service."""
        with self._lock:
            self.closing = threading.Event()
            self.reference.reset()
            self.faults: list[dict[str, Any]] = []
            self.exchanges: list[dict[str, Any]] = []
            self.perturbation: dict[str, Any] = {}
            self.armed = False
            self.requests = 0
            self.handshakes_failed = 0
            self._stalled: set[socket.socket] = set()
            self._before = ""
            self._dues.clear()
            self._page.busy, self._page.due = 0, NEVER

    def arm(self, faults: list[dict[str, Any]], perturbation: dict[str, Any]) -> None:
        """From the next request on, count, log and apply these faults."""
        with self._lock:
            self.faults = [dict(fault, consumed=False) for fault in faults]
            self.perturbation = perturbation
            self.armed, self.requests = True, 0
            self._page.requests = 0
            self.exchanges.clear()
            self._before = self.state_text()

    def disarm(self) -> dict[str, Any]:
        """The log of the armed time, and the state before and after."""
        held = self._held()
        with self._lock:
            self.armed = False
            after = self.state_text()
            closing, self.closing = self.closing, threading.Event()
            closing.set()
            return {
                "exchanges": list(self.exchanges),
                "consumed": [fault["consumed"] for fault in self.faults],
                "state_before": _digest(self._before),
                "state_after": _digest(after),
                "state_bytes_before": len(self._before),
                "state_bytes_after": len(after),
                "state_text_before": self._before[:_STATE_TEXT_MAX],
                "state_text_after": after[:_STATE_TEXT_MAX],
                "handshakes_failed": self.handshakes_failed,
                "stalled_connections": held,
            }

    def _held(self) -> int:
        """How many stalled clients have not left; asked of each, for the threads may lag."""
        with self._lock:
            return sum(not _has_left(connection) for connection in self._stalled)

    def state_text(self) -> str:
        """The state, as text in ASCII that is equal exactly when the states are."""
        return json.dumps(self.reference.state(), sort_keys=True, separators=(",", ":"))

    def fault_for_request(self) -> tuple[int, dict[str, Any] | None]:
        """The number of the request that just came, and the fault it meets."""
        with self._lock:
            if not self.armed:
                return -1, None
            number, self.requests = self.requests, self.requests + 1
            self._page.requests = self.requests
            fault = next((f for f in self.faults if f["at"] == number and not f["consumed"]), None)
            return number, fault

    def connection_fault(self) -> dict[str, Any] | None:
        """The fault that a new connection meets, if the next request is to have one."""
        with self._lock:
            if not self.armed:
                return None
            return next(
                (
                    f
                    for f in self.faults
                    if f["at"] == self.requests
                    and not f["consumed"]
                    and f["kind"] in _OF_A_HANDSHAKE
                ),
                None,
            )

    def consume(self, fault: dict[str, Any]) -> None:
        """Note that a fault really happened."""
        with self._lock:
            fault["consumed"] = True

    def apply(self, request: Request) -> tuple[Response, bool]:
        """Let the reference handle a request; also whether its state changed."""
        with self._lock:
            before = self.state_text() if self.armed else ""
            response = _handled(self.reference, request)
            changed = self.armed and self.state_text() != before
            return response, changed

    def scopes(self, request: Request) -> list[str] | None:
        """The vendor's permissions any one of which this request needs, where the reference tells;
        nobody asks while nothing is armed."""
        if not self.armed or not isinstance(self.reference, Scoped):
            return None
        with self._lock:
            told = self.reference.scopes(request)
            return None if told is None else list(told)

    def stale(self, request: Request) -> Response:
        """What a replica that has seen nothing yet answers."""
        with self._lock:
            self._replica.reset()
            return _handled(self._replica, request)

    def log(self, entry: dict[str, Any]) -> None:
        """Add to the log of the armed time."""
        with self._lock:
            if self.armed:
                self.exchanges.append(entry)

    @property
    def is_busy(self) -> bool:
        """Whether any request is being worked on."""
        return self._page.busy > 0

    def busy(self, change: int) -> None:
        """Tell the case that so many more (or fewer) requests are being worked on."""
        with self._lock:
            self._page.busy = max(0, self._page.busy + change)

    @contextmanager
    def at_the_reference(self) -> Generator[None]:
        """Nobody else is at the reference for the length of the block."""
        with self._lock:
            yield

    @contextmanager
    def idle(self) -> Generator[None]:
        """Not busy for the length of the block: the server waits for its client."""
        self.busy(-1)
        try:
            yield
        finally:
            self.busy(+1)

    def sleep(self, seconds: float) -> bool:
        """Wait in the case's time while not counting as busy; False when the case is over.

        Call it while counted as busy.
        """
        me = threading.get_ident()
        closing = self.closing
        with self._lock:
            due = self._page.now + seconds
            self._dues[me] = due
            self._page.due = min(self._dues.values())
        self.busy(-1)
        try:
            while self._page.now < due and not closing.wait(0.0003):
                pass
        finally:
            self.busy(+1)  # before the due time goes: between the two, time must not jump
            with self._lock:
                self._dues.pop(me, None)
                self._page.due = min(self._dues.values(), default=NEVER)
        return not closing.is_set()

    def stall(self, connection: socket.socket) -> None:
        """Do nothing, not counting as busy, until the client leaves or the case is over.

        Call it while counted as busy.
        """
        closing = self.closing
        with self._lock:
            self._stalled.add(connection)
        self.busy(-1)
        try:
            while not closing.wait(0.001):
                if _has_left(connection):
                    with self._lock:
                        self._stalled.discard(connection)
                    return
        finally:
            self.busy(+1)


def _handled(reference: Reference, request: Request) -> Response:
    try:
        return reference.handle(request)
    except Exception:
        asked = f"{request.method} {request.raw_path}"
        raise ReferenceBroken(
            f"the reference raised while it answered {asked}\n{traceback.format_exc()}"
        ) from None


def _has_left(connection: socket.socket) -> bool:
    """Whether the client has closed its side; TLS says goodbye in bytes, so any byte counts."""
    try:
        readable = select.select([connection], [], [], 0)[0]
        # A bare receive on the descriptor, below TLS: only the connection's state is asked.
        return bool(readable) and _peeked(connection)
    except (OSError, ValueError):
        return True


def _peeked(connection: socket.socket) -> bool:
    bare = socket.socket(fileno=os.dup(connection.fileno()))
    with bare:
        bare.setblocking(False)
        bare.recv(1, socket.MSG_PEEK)  # a reset raises; a goodbye or an end returns
    return True


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
