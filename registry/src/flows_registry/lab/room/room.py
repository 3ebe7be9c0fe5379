"""A room from outside: start it, run cases in it, close it.

One room runs one case at a time; a lab has as many rooms as it has cores.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from core_caps.contract.codec import encode

from flows_registry.lab.case import Case, CaseRun, ErrorFacts, Exchange, Step

__all__ = ["Agent", "AgentBroken", "Furniture", "Profile", "Room", "RoomBroken", "isolation"]

_HERE = Path(__file__).parent
_AGENT = _HERE.parent / "agent"
_PACKAGE_ROOT = _HERE.parents[2]
_START_SECONDS_MAX = 60.0
_DNS_PORT = 53

_BOOT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location(
    "flows_agent", sys.argv[3] + "/__init__.py", submodule_search_locations=[sys.argv[3]])
sys.modules["flows_agent"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from flows_agent.main import entry
entry()
"""


class RoomBroken(Exception):
    """The room itself failed; nothing can be said about the plugin."""


class AgentBroken(Exception):
    """The plugin could not even be imported in its own environment."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What an agent's process draws from its surroundings, pinned.

    Attributes:
        name: to print.
        hash_seed, timezone, locale, environment, directory: need a process of their own.
        inside: what the agent itself applies (see agent/perturb.py).
        server: what the fault server applies while a case is armed.
        nonce: two profiles that differ only here are two processes of the same kind.
    """

    name: str = "base"
    hash_seed: int = 0
    timezone: str = "UTC0"
    locale: str = "C.UTF-8"
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    directory: str = "work"
    inside: Mapping[str, Any] = field(default_factory=dict[str, Any])
    server: Mapping[str, Any] = field(default_factory=dict[str, Any])
    nonce: int = 0


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands in every room of one lab.

    Attributes:
        python: the interpreter of the clean environment.
        plugin: the plugin's name, as `connect` takes it.
        protocols: contract id → lazy name of its Protocol class.
        worlds: contract id → what its promises are told: `suite`, `world`.
        backend: the backend that this room is for.
        wire: the reference that answers, or None for a backend without network.
        config, secrets: what the plugin is connected with.
        warm: modules that the agents import before they fork.
        ports: the ports that the server answers on.
        authority: the certificate bundle that clients trust.
        certificates: the server's certificates (see certificates.issue).
        bundles: files of other certificate bundles, shown with the authority's content.
    """

    python: Path
    plugin: str
    protocols: Mapping[str, str]
    worlds: Mapping[str, Mapping[str, Any]]
    backend: str
    wire: str | None
    config: Mapping[str, Any]
    secrets: Mapping[str, str]
    warm: Sequence[str]
    ports: Sequence[int]
    authority: Path
    certificates: Mapping[str, Mapping[str, str]]
    bundles: Sequence[Path] = ()


def isolation() -> str | None:
    """Why this machine cannot give a room a network of its own, or None when it can."""
    if not sys.platform.startswith("linux"):
        return f"network namespaces need Linux; this is {sys.platform}"
    with _hold() as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write("{}\n")
        holder.stdin.flush()
        answer = holder.stdout.readline().strip()
        holder.stdin.close()
        holder.wait(timeout=_START_SECONDS_MAX)
    return None if answer == "ready" else answer or "the kernel refused without a word"


def _hold() -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_HERE / "namespace.py"), "hold"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


class _Line:
    """Lines of JSON over a socket, with a time limit."""

    def __init__(self, connection: socket.socket, what: str) -> None:
        self._socket = connection
        self._what = what
        self._buffer = b""

    def send(self, message: Mapping[str, Any]) -> None:
        try:
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise RoomBroken(f"{self._what} has gone: {error}") from error

    def receive(self, seconds: float) -> dict[str, Any]:
        """The next message.

        Raises:
            TimeoutError: none came in time.
            RoomBroken: the other side has gone.
        """
        end = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._socket], [], [], left)[0]:
                raise TimeoutError(f"{self._what} said nothing for {seconds:.0f} s")
            chunk = self._socket.recv(1 << 20)
            if not chunk:
                raise RoomBroken(f"{self._what} has gone")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        return json.loads(line)

    def close(self) -> None:
        self._socket.close()


class Agent:
    """One warmed process of the plugin; every case is a fork of it."""

    def __init__(self, process: "subprocess.Popen[bytes]", line: _Line, log: Path) -> None:
        self._process = process
        self._line = line
        self._log = log
        self._scouted = False
        try:
            answer = line.receive(_START_SECONDS_MAX)
        except RoomBroken:
            tail = log.read_text(errors="replace")[-4000:]
            raise AgentBroken(f"the agent ended at its start:\n{tail}") from None
        if answer["event"] == "broken":
            raise AgentBroken(answer["text"])
        self.python: str = answer["python"]

    def describe(self, suite: str) -> dict[str, Any]:
        """A capability of the plugin's own, as data.

        Raises:
            AgentBroken: its suite cannot be imported.
        """
        self._line.send({"describe": {"suite": suite}})
        answer = self._line.receive(_START_SECONDS_MAX)
        if answer["event"] == "broken":
            raise AgentBroken(answer["text"])
        return answer

    def promises(self, message: Mapping[str, Any]) -> list[str]:
        """The promises of a suite that apply to what the manifest declares.

        Raises:
            AgentBroken: the suite cannot be imported.
        """
        self._line.send({"promises": message})
        answer = self._line.receive(_START_SECONDS_MAX)
        if answer["event"] == "broken":
            raise AgentBroken(answer["text"])
        return answer["names"]

    def scout(self, message: Mapping[str, Any]) -> None:
        """Run a case once for its imports, unless that has been done."""
        if not self._scouted:
            self._scouted = True
            self._line.send({"scout": message})
            self._line.receive(_START_SECONDS_MAX)

    def run(
        self, message: Mapping[str, Any], seconds: float, on_armed: Any, on_disarmed: Any
    ) -> tuple[dict[str, Any], str | None]:
        """Fork, run one case, and wait for its end.

        Returns:
            The case's report (empty when it never made one) and the trouble, or None.
        """
        self._line.send({"run": message})
        end = time.monotonic() + seconds
        pid, report, killed = 0, {}, False
        while True:
            try:
                event = self._line.receive(max(0.01, end - time.monotonic()))
            except TimeoutError:
                if killed:
                    raise RoomBroken("a killed case did not end") from None
                killed = True
                end = time.monotonic() + 10
                _kill_group(pid)
                continue
            match event.pop("event"):
                case "started":
                    pid = event["pid"]
                case "armed":
                    on_armed()
                    self._line.send({"go": True})
                case "disarmed":
                    on_disarmed()
                    self._line.send({"go": True})
                case "done":
                    report = event
                case "ended":
                    _kill_group(pid)  # whatever it left running
                    return report, _trouble(report, event["status"], killed, seconds)
                case other:
                    raise RoomBroken(f"unexpected event {other!r}")

    def close(self) -> None:
        self._line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        self._process.kill()
        self._process.wait()


def _trouble(report: Mapping[str, Any], status: int, killed: bool, seconds: float) -> str | None:
    if killed:
        return f"killed after {seconds:.0f} s of real time"
    if report.get("hung"):
        return (
            "hung: it waits without any deadline at " + "; ".join(report.get("stacks", ()))[:2000]
        )
    if "crashed" in report:
        return f"crashed: {report['crashed']}"
    if not report:
        return f"ended without a word, exit status {status}"
    return None


def _kill_group(pid: int) -> None:
    if pid > 1:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


class Room:
    """One namespace with its server and its agents. Use as a context manager."""

    def __init__(self, furniture: Furniture, directory: Path, *, isolated: bool) -> None:
        self._furniture = furniture
        self._directory = directory
        self._isolated = isolated
        self._agents: dict[tuple[str, int], Agent] = {}
        self._holder: subprocess.Popen[str] | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._server_line: _Line | None = None
        self.ports: list[int] = []

    def __enter__(self) -> Self:
        for name in ("home", "work", "elsewhere", "tmp"):
            (self._directory / name).mkdir(parents=True, exist_ok=True)
        try:
            if self._isolated:
                self._enter_namespace()
            if self._furniture.wire is not None:
                self._start_server()
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
        if self._server_line is not None:
            self._server_line.close()
        for process in (self._server, self._holder):
            if process is not None:
                process.kill()
                process.wait()
                for stream in (process.stdin, process.stdout):
                    if stream is not None:
                        with suppress(OSError):
                            stream.close()

    def entering(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` inside this room's network."""
        if self._holder is None:
            return list(argv)
        enter = [sys.executable, "-I", "-S", str(_HERE / "namespace.py")]
        return [*enter, "enter", str(self._holder.pid), "--", *argv]

    def agent(self, profile: Profile) -> Agent:
        """The warmed agent of that profile, started when it is first wanted.

        Raises:
            AgentBroken: the plugin cannot be imported.
        """
        key = profile.name, profile.nonce
        if key not in self._agents:
            self._agents[key] = self._start_agent(profile)
        return self._agents[key]

    def run(self, case: Case, profile: Profile | None = None) -> CaseRun:
        """Run one case.

        Raises:
            AgentBroken: the plugin cannot be imported.
            RoomBroken: the room failed.
        """
        profile = profile or _BASE
        agent = self.agent(profile)
        if case.promise is None:
            agent.scout(self._message(case))
        started = time.monotonic()
        if self._server_line is not None:
            self._ask({"begin": True})
        seen: dict[str, Any] = {}
        perturbation = {**profile.server, **case.perturbation}

        def armed() -> None:
            if self._server_line is not None:
                faults = [fault.as_json() for fault in case.faults]
                self._ask({"arm": faults, "perturbation": perturbation})

        def disarmed() -> None:
            if self._server_line is not None:
                seen.update(self._ask({"disarm": True}))

        if case.promise is not None:
            armed()
        report, trouble = agent.run(self._message(case), case.real_seconds_max, armed, disarmed)
        if not seen:
            disarmed()
        return _case_run(case, report, seen, trouble, time.monotonic() - started)

    def promises(self, contract: str) -> list[str]:
        """The promises of the contract's suite that apply here."""
        case = Case("", contract, self._furniture.backend, (), promise="")
        return self.agent(_BASE).promises(self._message(case))

    def _message(self, case: Case) -> dict[str, Any]:
        furniture = self._furniture
        message: dict[str, Any] = {
            "plugin": furniture.plugin,
            "backend": case.backend,
            "protocol": furniture.protocols[case.contract],
            "config": {**furniture.config, **case.config},
            "secrets": {**furniture.secrets, **case.secrets},
        }
        if case.promise is not None:
            return {**message, "promise": case.promise, **furniture.worlds[case.contract]}
        return {
            **message,
            "setup": encode(list(case.setup)),
            "calls": encode(list(case.calls)),
            "probe": encode(list(case.probe)),
            "cancel_after_seconds": case.cancel_after_seconds,
            "settle_seconds": case.settle_seconds,
            "concurrent": case.concurrent,
        }

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        assert self._server_line is not None
        self._server_line.send(message)
        try:
            answer = self._server_line.receive(_START_SECONDS_MAX)
        except (TimeoutError, RoomBroken) as error:
            raise RoomBroken(f"{error}\n{self._log_tail('server')}") from error
        if "error" in answer:
            raise RoomBroken(answer["error"])
        return answer

    def _enter_namespace(self) -> None:
        binds = {str(bundle): str(self._furniture.authority) for bundle in self._furniture.bundles}
        for name, text in _NAMESERVICE.items():
            if Path(name).exists():
                replacement = self._directory / Path(name).name
                replacement.write_text(text)
                binds[name] = str(replacement)
        holder = _hold()
        self._holder = holder
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdin.write(json.dumps(binds) + "\n")
        holder.stdin.flush()
        answer = holder.stdout.readline().strip()
        if answer != "ready":
            raise RoomBroken(f"no namespace: {answer}")

    def _start_server(self) -> None:
        furniture = self._furniture
        settings = {
            "wire": furniture.wire,
            "config": dict(furniture.config),
            "secrets": dict(furniture.secrets),
            "page": str(self._directory / "page"),
            "isolated": self._isolated,
            "ports": list(furniture.ports) if self._isolated else [0 for _ in furniture.ports],
            "certificates": {kind: dict(files) for kind, files in furniture.certificates.items()},
        }
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-P", "-s", "-m", "flows_registry.lab.room.server"]
        self._server = self._spawn(
            [*command, str(theirs.fileno()), json.dumps(settings)],
            theirs,
            {
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(_own_paths()),
                **_KEEP_MEMORY,
            },
            "server",
        )
        self._server_line = _Line(ours, "the fault server")
        try:
            self.ports = self._server_line.receive(_START_SECONDS_MAX)["ports"]
        except RoomBroken as error:
            raise RoomBroken(f"{error}\n{self._log_tail('server')}") from error

    def _start_agent(self, profile: Profile) -> Agent:
        furniture = self._furniture
        settings = {
            "profile": dict(profile.inside),
            "warm": list(furniture.warm),
            "page": str(self._directory / "page"),
            "ports": [*self.ports, _DNS_PORT],
            "redirect": None
            if self._isolated or profile.inside.get("real_time")
            else dict(zip(map(str, furniture.ports), self.ports, strict=False)),
        }
        ours, theirs = socket.socketpair()
        name = f"agent-{len(self._agents)}"
        process = self._spawn(
            [
                str(furniture.python), "-P", "-s", "-c", _BOOT,
                str(theirs.fileno()), json.dumps(settings), str(_AGENT),
            ],
            theirs,
            self._environment(profile),
            name,
            self._directory / profile.directory,
        )  # fmt: skip
        line = _Line(ours, "the agent")
        try:
            return Agent(process, line, self._directory / f"{name}.log")
        except BaseException:
            line.close()
            process.kill()
            process.wait()
            raise

    def _environment(self, profile: Profile) -> dict[str, str]:
        authority = str(self._furniture.authority)
        bundles = ("SSL_CERT_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self._directory / "home"),
            "TMPDIR": str(self._directory / "tmp"),
            "PYTHONHASHSEED": str(profile.hash_seed),
            "TZ": profile.timezone,
            "LC_ALL": profile.locale,
            **dict.fromkeys((*bundles, "NODE_EXTRA_CA_CERTS"), authority),
            **profile.environment,
        }

    def _spawn(
        self,
        argv: list[str],
        theirs: socket.socket,
        environment: Mapping[str, str],
        name: str,
        directory: Path | None = None,
    ) -> "subprocess.Popen[bytes]":
        with theirs, (self._directory / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                self.entering(argv),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(environment),
                cwd=directory or self._directory,
            )

    def _log_tail(self, name: str) -> str:
        log = self._directory / f"{name}.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""


_BASE = Profile()

# Freed bodies are used again by the next case instead of going back to the kernel.
_KEEP_MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 29))

_NAMESERVICE = {
    "/etc/resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
    "/etc/nsswitch.conf": "hosts: files dns\npasswd: files\ngroup: files\n",
    "/etc/hosts": "127.0.0.1 localhost\n",
}


def _own_paths() -> list[str]:
    return [str(_PACKAGE_ROOT), *(path for path in sys.path if path)]


def _case_run(
    case: Case,
    report: Mapping[str, Any],
    seen: Mapping[str, Any],
    trouble: str | None,
    real_seconds: float,
) -> CaseRun:
    def steps(name: str) -> tuple[Step, ...]:
        return tuple(Step.of(step) for step in report.get(name, ()))

    opening = report.get("opening")
    return CaseRun(
        case=case,
        setup=steps("setup"),
        steps=steps("steps"),
        probe=steps("probe"),
        opening=ErrorFacts(**dict(opening, ancestors=tuple(opening["ancestors"])))
        if opening
        else None,
        exchanges=tuple(Exchange(**exchange) for exchange in seen.get("exchanges", ())),
        consumed=tuple(seen.get("consumed", ())),
        state_before=seen.get("state_before", ""),
        state_after=seen.get("state_after", ""),
        state_text_before=seen.get("state_text_before", ""),
        state_text_after=seen.get("state_text_after", ""),
        egress=tuple((host, port) for host, port in seen.get("egress", ())),
        watched=tuple((kind, detail) for kind, detail in report.get("watched", ())),
        kept=report.get("kept"),
        broken={key: report[key] for key in ("promised", "observed", "text") if key in report},
        trouble=trouble,
        stalled_connections=seen.get("stalled_connections", 0),
        real_seconds=real_seconds,
    )
