"""One connection after another request: who is connected, what each asks, and its answers."""

import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress

from flows_registry.lab.references.exchange import ReferenceFactory, Request
from flows_registry.lab.server.answers import Answerer
from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.handshakes import Begun, Handshakes
from flows_registry.lab.server.http_wire import BadRequest, Reader
from flows_registry.lab.server.notes import Notes
from flows_registry.lab.server.postgres_wire import SCHEME, PostgresReader, Stranger
from flows_registry.lab.server.sessions import Sessions

__all__ = ["Connections"]


class Connections:
    """The connections of one server.

    Args:
        desk: its memory.
        factory: makes the refusals of its reference.
        handshakes: how each begins.
        sessions: of those whose connection is one.
        notes: what the log says of their requests.
        failed: told what went wrong inside, never by the client's doing.
    """

    def __init__(
        self,
        desk: Desk,
        factory: ReferenceFactory,
        *,
        handshakes: Handshakes,
        sessions: Sessions,
        notes: Notes,
        failed: Callable[[Exception], None],
    ) -> None:
        self._desk = desk
        self._factory = factory
        self._handshakes = handshakes
        self._sessions = sessions
        self._notes = notes
        self._failed = failed
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def close(self) -> None:
        """Close every one: the next request must open one of its own."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def serve(self, connection: socket.socket, port: int) -> None:
        """One connection's life; counted as busy when it begins.

        Args:
            connection: as it was accepted.
            port: the vendor's, that it came to.
        """
        with self._lock:
            self._open.add(connection)
        try:
            begun = self._handshakes.begin(connection)
            if begun is not None:
                with self._lock:
                    self._open.discard(connection)
                    self._open.add(begun.connection)
                connection = begun.connection
                self._welcome(begun, port)
        except (OSError, BadRequest, Stranger):
            pass  # the client's doing
        except Exception as problem:
            self._failed(problem)
        finally:
            with self._lock:
                self._open.discard(connection)
            with suppress(OSError):
                connection.close()
            self._desk.busy(-1)

    def _welcome(self, begun: Begun, port: int) -> None:
        if begun.scheme != SCHEME:
            self._requests(begun, Reader(begun.connection), port)
            return
        fault = self._desk.connection_fault()
        try:
            with self._sessions.let_in(begun.connection) as session:
                self._requests(begun, session, port)
        except Stranger:
            if fault is not None:  # it looked at the certificate when TLS was there, and left
                self._desk.consume(fault)
            raise

    def _requests(self, begun: Begun, reader: Reader | PostgresReader, port: int) -> None:
        connection = begun.connection
        answerer = Answerer(self._desk, self._factory, connection)
        context_fault = self._desk.connection_fault()
        while True:
            if not reader.pending and not _buffered(connection):
                with self._desk.idle():
                    select.select([connection], [], [])
            request = reader.request(begun.scheme, begun.name)
            if request is None:
                return
            if context_fault is not None:  # it went on over a certificate it must not trust
                self._desk.consume(context_fault)
            with self._turn(request):
                number, fault = self._desk.fault_for_request()
                marks = self._desk.perturbation.get("marks", ())
                verified = context_fault is None
                at = self._desk.seconds
                note = self._notes.line(
                    request,
                    number,
                    port,
                    at,
                    verified=verified,
                    marks=marks,
                    scopes=self._desk.scopes(request),
                )
                if not answerer.answer(request, fault, note):
                    return
            if "close" in (request.header("connection") or "").lower():
                return

    def _turn(self, request: Request) -> AbstractContextManager[None]:
        session = request.header("session")
        in_turns = request.scheme == SCHEME and session is not None
        return self._sessions.turn(session or "") if in_turns else nullcontext()


def _buffered(connection: socket.socket) -> bool:
    return isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
