"""PostgreSQL's own protocol, answered by a real PostgreSQL: each session has one of its own there.

A session's transaction is its own until it ends: whoever serves the sessions gives them turns by
`is_idle`. So a state that was seen before a transaction began is the state until it is over.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

if TYPE_CHECKING:
    from flows_registry.lab.references.postgresql.session import Session

__all__ = ["FACTORY", "PostgreSql"]


class PostgreSql:
    """A database and its sessions.

    Args:
        settings: the backend's, and `postgresql`, the URL of the server that the lab started.
        secrets: the password of the role; whoever reads requests has looked at it.
        now: the case's time.
    """

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        # Here, so that to know of this wire takes no PostgreSQL.
        from flows_registry.lab.references.neon_http.database import Database

        self._now = now
        self._database = Database(settings["postgresql"])
        self._sessions: dict[str, Session] = {}
        self._seen: Mapping[str, Any] = {}

    def handle(self, request: Request) -> Response:
        """Pass on what was asked in one go; all that is answered to it."""
        name = request.header("session") or ""
        return Response(200, (), self._session(name).answer(request.body, self._now()))

    def greet(self, name: str) -> bytes:
        """What a new session is told first."""
        return self._session(name).greeting

    def is_idle(self, name: str) -> bool:
        """Whether a session is between two transactions."""
        return name not in self._sessions or self._sessions[name].is_idle

    def leave(self, name: str) -> None:
        """A session's client is gone: what it did not commit is undone."""
        session = self._sessions.pop(name, None)
        if session is not None:
            session.close()

    def scopes(self, request: Request) -> tuple[str, ...]:
        """None: what the role may do is the database's own matter."""
        del request
        return ()

    def state(self) -> Mapping[str, Any]:
        """Every table, sequence and function that was made, with all rows that are committed; while
        a transaction goes on, as it was seen last: nobody else commits then."""
        if all(session.is_idle for session in self._sessions.values()):
            self._seen = self._database.state()
        return self._seen

    def reset(self) -> None:
        """Back to an empty database, without sessions."""
        for name in [*self._sessions]:
            self.leave(name)
        self._database.reset()
        self._seen = {}

    def _session(self, name: str) -> "Session":
        from flows_registry.lab.references.postgresql.session import Session

        if name not in self._sessions:
            self._sessions[name] = Session(self._database.url)
            self._database.touch()
        return self._sessions[name]

    def close(self) -> None:
        """Let go of the database; a process that ends need not."""
        with contextlib.suppress(Exception):
            self.reset()
        self._database.close()


def _failure(status: int) -> Response:
    """The protocol has no statuses."""
    return Response(status)


FACTORY = ReferenceFactory("postgresql", PostgreSql, _failure, service="postgresql")
