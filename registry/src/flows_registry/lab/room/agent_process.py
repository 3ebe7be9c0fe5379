"""An agent from outside: one warmed process of the plugin; cases run in forks of it."""

import os
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from flows_registry.lab.agent.dying import DEATH_EXIT
from flows_registry.lab.bounds import stopped
from flows_registry.lab.broken import AgentBroken, AgentDisturbed, WallsOpen
from flows_registry.lab.room.child import START_SECONDS_MAX, Child
from flows_registry.lab.room.folders import inside_of
from flows_registry.lab.room.furniture import Furniture, Profile

__all__ = ["AGENT", "Agent"]

_DNS_PORT = 53
AGENT = Path(__file__).parent.parent / "agent"
_KILLED_SECONDS_MAX = 10.0
_LEAVE_SECONDS = 2.0
_TOGETHER_MAX = 40
"""After so many cases a process makes room for a fresh one."""

_STACKS_CHARACTERS = 2000

_BUNDLES = (
    "SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
)  # fmt: skip
"""The variables by which clients find the authorities to trust."""

_BOOT = """
import importlib.util, sys
folder = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location(
    "flows_agent", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["flows_agent"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from flows_agent.main import entry
entry()
"""


class Agent:
    """One warmed process.

    Raises:
        AgentBroken: the plugin cannot be imported.
        AgentDisturbed: it has ended already, or was spoken for.
    """

    def __init__(self, child: Child, *, walled: bool) -> None:
        self._child = child
        self._line = child.line
        self._walled = walled
        self._scouted: set[str] = set()
        self._waiting = 0
        self._shared = 0
        try:
            self.python: str = self._answer()["python"]
        except BaseException:
            child.close()
            raise

    @classmethod
    def start(
        cls,
        furniture: Furniture,
        profile: Profile,
        directory: Path,
        name: str,
        *,
        entering: Callable[[Sequence[str]], list[str]],
        server_ports: Sequence[int],
        redirected: bool,
        hidden: Sequence[Path] | None,
    ) -> Self:
        """Start the agent of a profile.

        Args:
            furniture: what its room is furnished with.
            profile: what it draws from outside.
            directory: the room's.
            name: of its log.
            entering: makes the command line that runs in the room's network.
            server_ports: where the fault server really listens.
            redirected: turn connections there from inside: there is no network of its own.
            hidden: what `entering` hides from it, or None where it sees the whole machine.
        """
        served = dict(zip(map(str, furniture.ports), server_ports, strict=False))
        settings = {
            "profile": dict(profile.inside),
            "warm": list(furniture.warm),
            "page": str(directory / "page"),
            "ports": [*server_ports, _DNS_PORT],
            "hidden": None if hidden is None else [str(path) for path in hidden],
            "redirect": served if redirected and not profile.inside.get("real_time") else None,
        }
        command = [str(furniture.python), "-P", "-s", "-c", _BOOT, str(AGENT)]
        return cls(
            Child(
                "what runs the plugin",
                entering(command),
                settings,
                environment=_environment(profile, directory, furniture.authority),
                directory=inside_of(directory) / profile.directory,
                log=directory / f"{name}.log",
                foreign=True,
            ),
            walled=hidden is not None,
        )

    def promises(self, message: Mapping[str, Any]) -> list[str]:
        """The promises of a suite that apply to what the manifest declares.

        Raises:
            AgentBroken: the suite cannot be imported.
        """
        self._dismiss()
        self._say({"promises": message})
        return self._answer()["names"]

    def scout(
        self, message: Mapping[str, Any], seconds: float, on_tried: Callable[[], None]
    ) -> bool:
        """Run a case once for its imports; False when that has been done for its capability.

        `on_tried` is called when it has run, before the agent imports and opens the like itself.

        Raises:
            AgentBroken: opening the plugin does not end.
        """
        if message["protocol"] in self._scouted:
            return False
        self._scouted.add(message["protocol"])
        self._dismiss()
        self._say({"scout": message, "seconds": seconds})
        self._answer(seconds)
        on_tried()
        self._say({"go": True})
        self._answer(seconds)
        return True

    def run(
        self,
        message: Mapping[str, Any],
        seconds: float,
        on_armed: Callable[[], None],
        on_disarmed: Callable[[], None],
    ) -> tuple[dict[str, Any], str | None]:
        """Fork, run one case, and wait for its end; or have it run in the process of the last.

        Returns:
            The case's report (empty when it never made one) and the trouble, or None.

        Raises:
            AgentDisturbed: the agent was ended, stopped, or spoken for.
        """
        pid = self._taken(together=message["together"])
        self._say({"run": message})
        end = time.monotonic() + seconds
        report, killed = {}, False
        # One that ended while it waited may have left this case to a fork that nobody knows of.
        unheard = pid > 0
        while not report.get("again"):
            try:
                event = self._heard(max(0.01, end - time.monotonic()))
            except TimeoutError:
                if killed:
                    raise AgentDisturbed("a killed case did not end") from None
                killed = True
                end = time.monotonic() + _KILLED_SECONDS_MAX
                _kill_group(pid)
                continue
            kind = event.pop("event", None)
            if unheard and kind == "ended":
                raise AgentDisturbed("the process that waited for a case has ended")
            unheard = False
            match kind:
                case "started":
                    pid = self._own_child(event.get("pid"))
                case "armed":
                    on_armed()
                    self._say({"go": True})
                case "disarmed":
                    on_disarmed()
                    self._say({"go": True})
                case "done":
                    report = event
                case "ended":
                    self._shared = 0
                    _kill_group(pid)  # whatever it left running
                    return report, _trouble(report, event["status"], killed, seconds)
                case other:
                    raise AgentDisturbed(f"unexpected event {other!r}")
        self._waiting, self._shared = pid, self._shared + 1
        return report, _trouble(report, 0, killed, seconds)

    def dies(
        self, message: Mapping[str, Any], seconds: float, on_armed: Callable[[], None]
    ) -> bool:
        """Run a case whose process is to end without a word; whether it did, in time."""
        report, trouble = self.run(message, seconds, on_armed, lambda: None)
        return not report and trouble == _trouble({}, DEATH_EXIT, False, seconds)

    def _say(self, message: Mapping[str, Any]) -> None:
        with self._explained():
            self._line.send(message)

    def _heard(self, seconds: float) -> dict[str, Any]:
        with self._explained():
            return self._line.receive(seconds)

    @contextmanager
    def _explained(self) -> Generator[None]:
        """What has disturbed it is told after what it has printed; where it was stopped because it
        took too much, that is told instead."""
        try:
            yield
        except AgentDisturbed as disturbed:
            log = self._child.log_tail()
            raise AgentDisturbed(f"{log}\n{stopped(log) or disturbed}") from None

    def _taken(self, *, together: bool) -> int:
        """The process that waits for another case, if this one may run in it; else 0."""
        if not together or self._shared >= _TOGETHER_MAX:
            self._dismiss()
        waiting, self._waiting = self._waiting, 0
        return waiting

    def _dismiss(self) -> None:
        """End the process that waits for another case."""
        if self._waiting:
            waiting, self._waiting, self._shared = self._waiting, 0, 0
            self._say({"end": True})
            try:
                ended = self._heard(_KILLED_SECONDS_MAX).get("event") == "ended"
            except TimeoutError:
                ended = False
            if not ended:
                raise AgentDisturbed("a case that was to end goes on")
            _kill_group(waiting)

    def _own_child(self, pid: object) -> int:
        """The process of the case, if it is one of this agent's: whoever runs in it can write on
        the line, too, and is not to say whom to kill. Within walls it has a number of its own
        there."""
        if isinstance(pid, int):
            if not Path("/proc/self").exists():
                return pid
            for child in self._children():
                if f"\t{pid}\n" in _text(Path(f"/proc/{child}/status")).partition("\nNSpid:")[2]:
                    return child
        raise AgentDisturbed("a case tells of a process that is not its own")

    def _children(self) -> list[int]:
        """The processes that the agent has started, by their numbers out here."""
        agents = children_of(self._child.pid) if self._walled else [self._child.pid]
        return [child for agent in agents for child in children_of(agent)]

    def close(self) -> None:
        """End it."""
        self._child.close(patience_seconds=_LEAVE_SECONDS)

    def _answer(self, more_seconds: float = 0.0) -> dict[str, Any]:
        try:
            answer = self._heard(START_SECONDS_MAX + more_seconds)
        except TimeoutError as silence:
            raise AgentBroken(f"importing or opening the plugin does not end: {silence}") from None
        if answer.get("event") == "broken":
            raise AgentBroken(answer["text"])
        if answer.get("event") == "open":
            ways = ", ".join(answer["ways"])
            raise WallsOpen(f"the walls around the plugin do not hold: it can {ways}")
        return answer


def _environment(profile: Profile, directory: Path, authority: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(inside_of(directory) / "home"),
        "TMPDIR": str(inside_of(directory) / "tmp"),
        "PYTHONHASHSEED": str(profile.hash_seed),
        "TZ": profile.timezone,
        "LC_ALL": profile.locale,
        **dict.fromkeys(_BUNDLES, str(authority)),
        **profile.environment,
    }


def _trouble(report: Mapping[str, Any], status: int, killed: bool, seconds: float) -> str | None:
    if killed:
        return f"killed after {seconds:.0f} s of real time"
    if report.get("hung"):
        stacks = "; ".join(report.get("stacks", ()))[:_STACKS_CHARACTERS]
        return f"hung: it waits without any deadline at {stacks}"
    if "crashed" in report:
        return f"crashed: {report['crashed']}"
    if not report:
        return f"ended without a word, exit status {status}"
    return None


def children_of(process: int) -> list[int]:
    """The processes that a process's main thread has started."""
    return [int(child) for child in _text(Path(f"/proc/{process}/task/{process}/children")).split()]


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _kill_group(pid: int) -> None:
    if pid > 1:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
