"""The fault server but for its control socket: listeners, connections, names, the tap."""

import hashlib
import select
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any
from urllib.parse import quote

from flows_registry.lab.agent.names import Names
from flows_registry.lab.agent.page import ORIGIN_SECONDS, Page
from flows_registry.lab.broken import ReferenceBroken
from flows_registry.lab.faults import MUTE
from flows_registry.lab.hosted.hosting import HostBroken
from flows_registry.lab.hosted.reference import hosted_factory
from flows_registry.lab.references.exchange import ReferenceFactory, Request
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.server.answers import Answerer
from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.http_wire import BadRequest, Reader
from flows_registry.lab.server.names import RESPONDER, Responder
from flows_registry.lab.server.postgres_wire import (
    SCHEME,
    PostgresReader,
    Stranger,
    asks_for_tls,
    knocks,
)
from flows_registry.lab.server.sessions import Sessions
from flows_registry.lab.server.tap import Tap

__all__ = ["Server"]

_LISTEN_BACKLOG = 128
_QUIET_SECONDS_MAX = 2.0
_HELLO_BYTES_MAX = 64 * 1024


class Server:
    """Everything of one room's server but its control socket.

    Args:
        settings: as the room gives them (see server_process).
        broken: told what failed inside, never by the client's doing: "error" or "reference
            broken", and the text.
    """

    def __init__(self, settings: Mapping[str, Any], broken: Callable[[str, str], None]) -> None:
        self._settings = settings
        self._broken = broken
        secrets: Mapping[str, str] = settings["secrets"]
        self._secrets = [form for value in secrets.values() for form in {value, quote(value, "")}]
        self._noted: Sequence[str] = settings["noted"]
        self._factory = _factory(settings)
        page = Page(settings["page"])
        page.now = ORIGIN_SECONDS
        self.desk = Desk(
            page,
            lambda now: self._factory.create(settings["config"], settings["secrets"], now),
        )
        self._sessions = Sessions(self.desk, {**settings["config"], **settings["secrets"]})
        self._names = Names()
        self._responder: Responder | None = None
        self._tap: Tap | None = None
        self._aside = _nothing_aside()
        self._listeners: list[socket.socket] = []
        self._vendors_port: dict[int, int] = {}
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._asked_for: dict[int, str] = {}
        self._contexts = {
            kind: self._context(paths) for kind, paths in settings["certificates"].items()
        }
        if settings["isolated"]:
            self._responder = Responder(self._names, self.desk.busy)
            self._tap = Tap(self._names, RESPONDER)

    def listen(self) -> list[int]:
        """Open the listeners; the ports, in the order of the settings, and ever the same."""
        vendors: list[int] = self._settings["ports"]
        free = vendors if self._settings["isolated"] else [0] * len(vendors)
        ports = [self._listen(port) for port in self._vendors_port or free]
        self._vendors_port = dict(zip(ports, vendors, strict=True))
        return ports

    def _listen(self, port: int) -> int:
        """Listen for both families in a network of our own, else on loopback; the port."""
        hosts = {socket.AF_INET: "127.0.0.1"}
        if self._settings["isolated"]:
            hosts = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}  # noqa: S104
        for family, host in hosts.items():
            listener = socket.socket(family)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((host, port))
            listener.listen(_LISTEN_BACKLOG)
            port = listener.getsockname()[1]
            self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return port

    def begin(self) -> None:
        """Forget the last case, and wait until nothing of it is going on any more."""
        self.desk.release()
        self.refuse(False)
        self.close_idle()
        _until(lambda: not self._open and not self.desk.is_busy)
        self.desk.begin()
        self.leave_aside()

    def disarm(self) -> dict[str, Any]:
        """The report of the armed time, once what is under way has been noted."""
        self.refuse(False)
        _until(lambda: not self.desk.is_busy)
        return {**self.desk.disarm(), **self.ways_out()}

    def leave_aside(self) -> None:
        """Keep what has gone out until now apart from what is to come."""
        for kind, gone in self.ways_out().items():
            self._aside[f"{kind}_around"] += gone

    def rest(self) -> dict[str, Any]:
        """What has gone out since the last call of this, the armed times left out."""
        self.leave_aside()
        aside, self._aside = self._aside, _nothing_aside()
        return aside

    def refuse(self, refusing: bool) -> None:
        """Close the listeners, so that connections are refused, or open them again."""
        if refusing:
            for listener in self._listeners:
                with suppress(OSError):
                    listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread
                listener.close()
            self._listeners.clear()
        elif not self._listeners:
            self.listen()

    def close_idle(self) -> None:
        """Close every connection: the next request must open one of its own."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def ways_out(self) -> dict[str, Any]:
        """Every connection tried and every name looked up since the last call."""
        return {
            "egress": self._tap.take() if self._tap else [],
            "lookups": self._responder.take() if self._responder else [],
        }

    def _context(self, paths: Mapping[str, str]) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(paths["certificate"], paths["key"])
        context.set_alpn_protocols(["http/1.1"])

        def note(secured: Any, name: str | None, _: ssl.SSLContext) -> None:
            self._asked_for[id(secured)] = name or ""  # handshakes go on side by side

        context.sni_callback = note
        return context

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                select.select([listener], [], [])
            except (OSError, ValueError):
                return  # closed: connections are refused now
            self.desk.busy(+1)
            try:
                connection, _ = listener.accept()
            except OSError:
                self.desk.busy(-1)
                return
            threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def _connection(self, connection: socket.socket) -> None:
        """One connection's life; counted as busy when it begins."""
        port = 0
        with suppress(OSError):
            port = self._vendors_port[connection.getsockname()[1]]
        with self._lock:
            self._open.add(connection)
        try:
            secured = self._secure(connection)
            if secured is not None:
                with self._lock:
                    self._open.discard(connection)
                    self._open.add(secured[0])
                connection = secured[0]
                self._serve(*secured, port)
        except (OSError, BadRequest, Stranger):
            pass  # the client's doing
        except (ReferenceBroken, HostBroken) as broken:
            brought = self._settings["reference"] is not None
            self._broken("reference broken" if brought else "error", str(broken))
        except Exception:
            self._broken("error", f"the fault server failed\n{traceback.format_exc()}")
        finally:
            with self._lock:
                self._open.discard(connection)
            with suppress(OSError):
                connection.close()
            self.desk.busy(-1)

    def _secure(self, connection: socket.socket) -> tuple[socket.socket, str, str] | None:
        """TLS where the client speaks it: the socket, the scheme, the name asked for."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.desk.busy(-1)
        try:
            first = connection.recv(1, socket.MSG_PEEK)
        finally:
            self.desk.busy(+1)
        if not first:
            return None
        scheme = "https"
        if knocks(first):
            scheme = SCHEME
            if not asks_for_tls(connection):
                return connection, SCHEME, ""
        elif first != b"\x16":
            return connection, "http", ""
        fault = self.desk.connection_fault()
        kind = fault["kind"] if fault else "trusted"
        if fault is not None and kind == MUTE:
            self.desk.consume(fault)
            connection.recv(_HELLO_BYTES_MAX)  # heard, and never answered
            self.desk.stall(connection)
            return None
        try:
            secured = self._contexts[kind].wrap_socket(connection, server_side=True)
        except OSError:
            if fault is not None:
                self.desk.consume(fault)
            self.desk.handshakes_failed += 1
            raise
        return secured, scheme, self._asked_for.pop(id(secured), "")

    def _serve(self, connection: socket.socket, scheme: str, name: str, port: int) -> None:
        if scheme == SCHEME:
            fault = self.desk.connection_fault()
            try:
                with self._sessions.let_in(connection) as session:
                    self._requests(connection, session, scheme, name, port)
            except Stranger:
                if fault is not None:  # it looked at the certificate when TLS was there, and left
                    self.desk.consume(fault)
                raise
        else:
            self._requests(connection, Reader(connection), scheme, name, port)

    def _requests(
        self,
        connection: socket.socket,
        reader: Reader | PostgresReader,
        scheme: str,
        name: str,
        port: int,
    ) -> None:
        answerer = Answerer(self.desk, self._factory, connection)
        context_fault = self.desk.connection_fault()
        while True:
            if not reader.pending and not _buffered(connection):
                self.desk.busy(-1)
                try:
                    select.select([connection], [], [])
                finally:
                    self.desk.busy(+1)
            request = reader.request(scheme, name)
            if request is None:
                return
            if context_fault is not None:  # it went on over a certificate it must not trust
                self.desk.consume(context_fault)
            with self._turn(request):
                number, fault = self.desk.fault_for_request()
                note = self._note(request, number, port, verified=context_fault is None)
                if not answerer.answer(request, fault, note):
                    return
            if "close" in (request.header("connection") or "").lower():
                return

    def _turn(self, request: Request) -> AbstractContextManager[None]:
        session = request.header("session")
        in_turns = request.scheme == SCHEME and session is not None
        return self._sessions.turn(session or "") if in_turns else nullcontext()

    def _note(self, request: Request, number: int, port: int, *, verified: bool) -> dict[str, Any]:
        return {
            "number": number,
            "method": request.method,
            "host": request.host,
            "port": port,
            "target": _redacted(request.target, self._secrets),
            "fault": None,
            "status": None,
            "committed": False,
            "changed": False,
            "answer_bytes": 0,
            "answer_type": "",
            "body_sha256": hashlib.sha256(request.body).hexdigest(),
            "scheme": request.scheme,
            "verified": verified,
            "headers": [line for line in self._noted if _has(request, line)],
            "carried": _carried(request, self.desk.perturbation.get("marks", ())),
        }


def _has(request: Request, line: str) -> bool:
    name, _, value = line.partition(": ")
    return request.header(name.lower()) == value


def _carried(request: Request, marks: Sequence[Sequence[str]]) -> list[int]:
    """The marks that stand in the request in one of their forms, wherever a service may look."""
    places = [request.target, *(value for _, value in request.headers)]
    return [
        number
        for number, forms in enumerate(marks)
        if any(form.encode() in request.body or any(form in p for p in places) for form in forms)
    ]


def _nothing_aside() -> dict[str, list[Any]]:
    return {"egress_around": [], "lookups_around": []}


def _factory(settings: Mapping[str, Any]) -> ReferenceFactory:
    """Ours, or the plugin's own: that one answers from a process of the plugin's environment."""
    if settings["reference"] is not None:
        return hosted_factory(settings)
    factory = reference_factory(settings["wire"])
    assert factory is not None, f"no reference for wire {settings['wire']!r}"
    return factory


def _until(quiet: Callable[[], bool]) -> None:
    """Wait until all is quiet, for a bounded time."""
    end = time.monotonic() + _QUIET_SECONDS_MAX
    while not quiet() and time.monotonic() < end:
        time.sleep(0.0003)


def _buffered(connection: socket.socket) -> bool:
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0


_CREDENTIALS = ("x-amz-signature=", "x-amz-credential=", "x-amz-date=")


def _redacted(target: str, secrets: Sequence[str]) -> str:
    """The target without secrets, and without the parts of a signed URL that act as a credential or
    change each time."""
    for secret in filter(None, secrets):
        target = target.replace(secret, "…")
    path, mark, query = target.partition("?")
    kept = [
        item.partition("=")[0] + "=…" if item.lower().startswith(_CREDENTIALS) else item
        for item in query.split("&")
    ]  # fmt: skip
    return path + mark + "&".join(kept)
