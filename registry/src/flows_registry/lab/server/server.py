"""The fault server but for its control socket: its parts, and its life from case to case."""

import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from flows_registry.lab.agent.names import Names
from flows_registry.lab.agent.page import ORIGIN_SECONDS, Page
from flows_registry.lab.broken import ReferenceBroken, RoomBroken
from flows_registry.lab.faults import CONNECTION, MUTE
from flows_registry.lab.hosted.hosting import HostBroken
from flows_registry.lab.hosted.reference import hosted_factory
from flows_registry.lab.references.exchange import ReferenceFactory
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.server.connections import Connections
from flows_registry.lab.server.desk import Desk
from flows_registry.lab.server.doors import Doors
from flows_registry.lab.server.handshakes import Handshakes
from flows_registry.lab.server.names import RESPONDER, Responder
from flows_registry.lab.server.notes import Notes
from flows_registry.lab.server.sessions import Sessions
from flows_registry.lab.server.tap import Tap

__all__ = ["Server"]

QUIET_SECONDS_MAX = 20.0
"""How long what is under way may take to its end: a loaded machine makes it slow."""


class Server:
    """Everything of one room's server but its control socket.

    Args:
        settings: as the room gives them (see server_process).
        broken: told what failed inside, never by the client's doing: "error" or "reference
            broken", and the text.
    """

    def __init__(self, settings: Mapping[str, Any], broken: Callable[[str, str], None]) -> None:
        self._broken = broken
        self._brought = settings["reference"] is not None
        config, secrets = settings["config"], settings["secrets"]
        factory = _factory(settings)
        page = Page(settings["page"])
        page.now = ORIGIN_SECONDS
        self._desk = Desk(page, lambda now: factory.create(config, secrets, now))
        self._connections = Connections(
            self._desk,
            factory,
            handshakes=Handshakes(self._desk, settings["certificates"]),
            sessions=Sessions(self._desk, {**config, **secrets}),
            notes=Notes(settings["noted"], secrets),
            failed=self._failed,
        )
        isolated: bool = settings["isolated"]
        self._doors = Doors(
            settings["ports"],
            isolated=isolated,
            busy=self._desk.busy,
            serve=self._connections.serve,
        )
        names = Names()
        self._responder = Responder(names, self._desk.busy) if isolated else None
        self._tap = Tap(names, RESPONDER) if isolated else None
        self._aside = _nothing_aside()

    def listen(self) -> list[int]:
        """Let clients come in; the ports, in the order of the settings."""
        return self._doors.open()

    def begin(self) -> None:
        """Forget the last case, once nothing of it is going on any more.

        Raises:
            RoomBroken: something of it does not end.
        """
        self._desk.release()
        self._doors.open()
        self._connections.close()
        _until(lambda: not self._connections and not self._desk.is_busy, "the last case")
        self._desk.begin()
        self._leave_aside()

    def arm(self, faults: list[dict[str, Any]], perturbation: dict[str, Any]) -> None:
        """From the next request on, note everything and serve these faults."""
        kinds = {fault["kind"] for fault in faults}
        if kinds & (CONNECTION | {MUTE}):
            self._connections.close()
        self._leave_aside()
        self._desk.arm(faults, perturbation)
        if "refused" in kinds:
            self._doors.shut()

    def disarm(self) -> dict[str, Any]:
        """The report of the armed time, once what is under way has been noted.

        Raises:
            RoomBroken: something under way does not end.
        """
        self._doors.open()
        _until(lambda: not self._desk.is_busy, "the armed time")
        return {**self._desk.disarm(), **self._ways_out()}

    def rest(self) -> dict[str, Any]:
        """What has gone out since the last call of this, the armed times left out."""
        self._leave_aside()
        aside, self._aside = self._aside, _nothing_aside()
        return aside

    def _leave_aside(self) -> None:
        """Keep what has gone out until now apart from what is to come."""
        for kind, gone in self._ways_out().items():
            self._aside[f"{kind}_around"] += gone

    def _ways_out(self) -> dict[str, Any]:
        """Every connection tried and every name looked up since the last call."""
        return {
            "egress": self._tap.take() if self._tap else [],
            "lookups": self._responder.take() if self._responder else [],
        }

    def _failed(self, problem: Exception) -> None:
        if isinstance(problem, ReferenceBroken | HostBroken):
            self._broken("reference broken" if self._brought else "error", str(problem))
        else:
            text = "".join(traceback.format_exception(problem))
            self._broken("error", f"the fault server failed\n{text}")


def _nothing_aside() -> dict[str, list[Any]]:
    return {"egress_around": [], "lookups_around": []}


def _factory(settings: Mapping[str, Any]) -> ReferenceFactory:
    """Ours, or the plugin's own: that one answers from a process of the plugin's environment."""
    if settings["reference"] is not None:
        return hosted_factory(settings)
    factory = reference_factory(settings["wire"])
    assert factory is not None, f"no reference for wire {settings['wire']!r}"
    return factory


def _until(quiet: Callable[[], bool], what: str) -> None:
    """Wait until all is quiet.

    Raises:
        RoomBroken: it is not, in the time that it has.
    """
    end = time.monotonic() + QUIET_SECONDS_MAX
    while not quiet():
        if time.monotonic() > end:
            raise RoomBroken(f"{what} goes on at the fault server after {QUIET_SECONDS_MAX:g} s")
        time.sleep(0.0003)
