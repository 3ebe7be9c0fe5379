"""Clients whose connection is a session: let in, given turns, and seen off.

A transaction that takes several requests holds what it changed until it ends, and the desk shows
every request the state before and after it. So one session has the turn from the first request of
a transaction to its last, and the others wait, as behind a pooler with one connection.
"""

import itertools
import socket
import threading
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Protocol, cast

from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.postgres_wire import PostgresReader

__all__ = ["Sessions"]


class _WithSessions(Protocol):
    """A reference whose protocol has sessions."""

    def greet(self, name: str) -> bytes: ...

    def is_idle(self, name: str) -> bool: ...

    def leave(self, name: str) -> None: ...


class Sessions:
    """The sessions of one server.

    Args:
        desk: its memory, with the reference.
        known: the user, password and database that are let in.
    """

    def __init__(self, desk: Desk, known: Mapping[str, str]) -> None:
        self._desk = desk
        self._known = known
        self._numbers = itertools.count(1)
        self._turn = threading.Condition()
        self._holder = ""
        self._waiting: deque[str] = deque()

    @property
    def _reference(self) -> _WithSessions:
        return cast("_WithSessions", self._desk.reference)

    @contextmanager
    def let_in(self, connection: socket.socket) -> Generator[PostgresReader]:
        """A reader of the requests of whoever just came, until it has left.

        Raises:
            Stranger: it is not let in.
        """
        name = f"session-{next(self._numbers)}"
        with self._desk.idle():
            reader = PostgresReader(connection, name, self._known)
        try:
            with self._desk.at_the_reference():
                greeting = self._reference.greet(name)
            connection.sendall(greeting)
            yield reader
        finally:
            with self._desk.at_the_reference():
                self._reference.leave(name)
            self._give_back(name)

    @contextmanager
    def turn(self, name: str) -> Generator[None]:
        """The turn for one request; kept while its transaction goes on."""
        with self._turn:
            if self._holder in ("", name):
                self._holder = name
            else:
                self._waiting.append(name)
                self._desk.busy(-1)
                # Who hands the turn over makes it busy again: between the two no time may pass.
                self._turn.wait_for(lambda: self._holder == name)
        yield
        with self._desk.at_the_reference():
            over = self._reference.is_idle(name)
        if over:
            self._give_back(name)

    def _give_back(self, name: str) -> None:
        with self._turn:
            if self._holder == name:
                self._holder = self._waiting.popleft() if self._waiting else ""
                if self._holder:
                    self._desk.busy(+1)
                    self._turn.notify_all()
