"""A room from outside: start it, run cases in it, close it.

One room runs one case at a time; a lab has as many rooms as it has cores.
"""

import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.room.agent_process import AGENT, Agent
from flows_registry.lab.room.folders import Folders, inside_of
from flows_registry.lab.room.furniture import Furniture, Profile
from flows_registry.lab.room.holder import Holder
from flows_registry.lab.room.messages import message_of, parted, run_of
from flows_registry.lab.room.server_process import FaultServer
from flows_registry.lab.walls import Walls, interpreters

__all__ = ["Room"]

_BASE = Profile()

_NAME_SERVICE = {
    "/etc/resolv.conf": "nameserver 127.0.0.1\nsearch .\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\npasswd: files\ngroup: files\n",
    # Nobody else is asked for the machine's own name, as `socket.getfqdn` does.
    "/etc/hosts": f"127.0.0.1 localhost {socket.gethostname()}\n",
}


class Room:
    """One network with its server and its agents. Use as a context manager.

    Args:
        furniture: what stands in it.
        directory: the room's own.
        isolated: its network is a namespace; else it is the machine's, and agents are redirected.
        walled: its agents see nothing of the machine but what they need.
    """

    def __init__(
        self, furniture: Furniture, directory: Path, *, isolated: bool, walled: bool = False
    ) -> None:
        self._furniture = furniture
        self._directory = directory
        self._isolated = isolated
        self._agents: dict[tuple[str, int], Agent] = {}
        self._holder: Holder | None = None
        self._server: FaultServer | None = None
        self._folders = Folders(directory)
        self._walls = self._walled() if walled else None

    def __enter__(self) -> Self:
        try:
            if self._isolated:
                self._holder = Holder(self._binds())
            if self._furniture.wire is not None:
                self._server = FaultServer(
                    self._furniture,
                    self._directory,
                    entering=self._entering,
                    isolated=self._isolated,
                    walled=self._walls is not None,
                )
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop everything in the room."""
        for agent in self._agents.values():
            agent.close()
        self._agents.clear()
        if self._server is not None:
            self._server.close()
        if self._holder is not None:
            self._holder.close()
        self._server = self._holder = None

    def agent(self, profile: Profile) -> Agent:
        """The warmed agent of that profile, started when it is first wanted.

        Raises:
            AgentBroken: the plugin cannot be imported.
        """
        key = profile.name, profile.nonce
        if key not in self._agents:
            self._folders.sweep()
            self._agents[key] = Agent.start(
                self._furniture,
                profile,
                self._directory,
                f"agent-{len(self._agents)}",
                entering=self._enclosing,
                server_ports=self._server.ports if self._server else (),
                redirected=not self._isolated or self._server is None,
                hidden=None if self._walls is None else self._walls.hidden,
            )
            self._folders.settle()
        return self._agents[key]

    def run(self, case: Case, profile: Profile = _BASE) -> CaseRun:
        """Run one case.

        Raises:
            AgentBroken: the plugin cannot be imported.
            RoomBroken: the room failed.
        """
        agent, server = self.agent(profile), self._server
        message = message_of(case, self._furniture, self._folders)
        seconds = case.real_seconds_max
        self._scout(agent, case, message, profile)
        started = time.monotonic()
        if server is not None:
            server.begin()
        seen: dict[str, Any] = {}

        def armed() -> None:
            if server is not None:
                server.arm(case.faults, {**profile.server, **case.perturbation})

        def disarmed() -> None:
            if server is not None:
                seen.update(server.disarm())

        if case.promise is not None:
            armed()
        arm, died = armed, False
        if case.victim:
            dying, message = parted(message, case)
            arm, died = _armed_already, agent.dies(dying, seconds, armed)
        report, trouble = agent.run(message, seconds, arm, disarmed)
        if not seen:
            disarmed()
        if server is not None:
            seen.update(server.rest())
            server.trust()
        lasted = time.monotonic() - started
        return run_of(case, report, seen, self._folders, trouble, lasted, died=died)

    def _scout(self, agent: Agent, case: Case, message: dict[str, Any], profile: Profile) -> None:
        """Have the agent import what cases like this one need, and begin with clean folders."""
        self._folders.sweep()
        if case.promise is None and agent.scout(
            self._trial(case, message, profile), case.real_seconds_max, self._folders.sweep
        ):
            self._folders.settle()

    def _trial(self, case: Case, message: dict[str, Any], profile: Profile) -> dict[str, Any]:
        """What is run once for its imports: the case, but for its calls where somebody else runs
        the service, since what they leave there would meet the case itself."""
        if not profile.inside.get("real_time"):
            return message
        return message_of(
            replace(case, calls=(), setup=(), probe=()), self._furniture, self._folders
        )

    def promises(self, contract: str) -> list[str]:
        """The promises of the contract's suite that apply here."""
        case = Case("", contract, self._furniture.backend, (), promise="")
        return self.agent(_BASE).promises(message_of(case, self._furniture, self._folders))

    def _entering(self, argv: Sequence[str]) -> list[str]:
        return list(argv) if self._holder is None else self._holder.entering(argv)

    def _enclosing(self, argv: Sequence[str]) -> list[str]:
        return self._entering(argv if self._walls is None else self._walls.within(argv))

    def _walled(self) -> Walls:
        """The walls around this room's agents: they write to their own folders, and to the page of
        memory that they share with the server."""
        page, own = self._directory / "page", inside_of(self._directory)
        page.touch()
        visible = [*interpreters(self._furniture.python), AGENT, self._furniture.authority]
        return Walls(
            self._directory / "root",
            [*visible, *self._furniture.visible, page, own],
            [page, own],
            owner=not self._isolated,
        )

    def _binds(self) -> dict[str, str]:
        """What some files show inside: the authority, and the room's own name service."""
        binds = {str(bundle): str(self._furniture.authority) for bundle in self._furniture.bundles}
        for name, text in _NAME_SERVICE.items():
            if Path(name).exists():
                replacement = self._directory / Path(name).name
                replacement.write_text(text)
                binds[name] = str(replacement)
        return binds


def _armed_already() -> None:
    """Nothing is to be done when a case goes on where another process died."""
