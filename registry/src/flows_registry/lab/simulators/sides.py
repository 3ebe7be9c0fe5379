"""The two sides of a parity comparison: a plugin as the lab runs it, and the vendor's simulator."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core_caps.contract.suite import Call, Contract, Stream

from flows_registry.lab.case import Step
from flows_registry.lab.simulators.absence import Absent, SimulatorFailed
from flows_registry.lab.simulators.adapter import BindingAdapter, replay
from flows_registry.lab.simulators.comparing import Rules
from flows_registry.lab.simulators.deployed import DeployedWorker
from flows_registry.lab.simulators.histories import History
from flows_registry.lab.simulators.miniflare import Hall, Launcher, Miniflare, S3Credentials, start
from flows_registry.lab.simulators.node import find_node
from flows_registry.lab.simulators.packages import MINIFLARE, fetch
from flows_registry.verdict import Level

__all__ = [
    "Pair",
    "ParitySubject",
    "Run",
    "S3Target",
    "Side",
    "SimulatorAccess",
    "WorkerTarget",
    "pairs_with_reference",
    "pairs_with_simulator",
    "pairs_with_worker",
    "started",
]

Settings = Mapping[str, object]
Run = Callable[[str, Sequence[Sequence[Call]], Sequence[Settings] | None], Sequence[Sequence[Step]]]
"""`(backend, histories, settings) → steps`, one list of steps for each history.

Without settings each history meets an empty service of its own (a mock, or a remote backend on
the lab's reference server). With settings, one for each history, the backend talks to the caller's
service in real time, and the caller has emptied what each history uses.
"""

POOLS: Mapping[str, int] = {"kv": 16, "r2": 16, "s3": 16, "queue": 4, "d1": 8}
"""So many histories run at once in the simulator, each on a binding or a bucket of its own."""


@dataclass(frozen=True, slots=True)
class S3Target:
    """How to point one S3 backend of a plugin at an endpoint.

    Attributes:
        credentials: the key pair it will sign with.
        settings: `(endpoint URL, bucket) → settings` for `Run`.
    """

    credentials: S3Credentials
    settings: Callable[[str, str], Settings]


@dataclass(frozen=True, slots=True)
class WorkerTarget:
    """How to point one backend of a plugin at the Worker that its users deploy.

    Attributes:
        worker: the plugin's own Worker.
        settings: `(URL, number) → settings` for `Run`; each number meets an empty service.
    """

    worker: DeployedWorker
    settings: Callable[[str, int], Settings]


@dataclass(frozen=True, slots=True)
class ParitySubject:
    """What is compared: one capability of one plugin.

    Attributes:
        contract: the capability's contract.
        operations: the operations that the plugin provides.
        run: runs histories on one of its backends.
        mock: the mock backend's name, or None.
        remotes: its other backends that the lab can run, by name, each with its wire.
        s3: for remotes whose wire is `s3`: how to point them at an endpoint. A remote without
            a target runs on the lab's reference server.
        workers: for remotes whose service is a Worker of the plugin's own: how to point them at it.
        services: for remotes whose reference is a front of what the vendor itself runs: its name
            and version.
        started_at: the time at which the lab's cases start, in seconds since 1970; None is now.
        level: how closely the lab looks while it runs.
    """

    contract: Contract
    operations: frozenset[str]
    run: Run
    mock: str | None = "mock"
    remotes: Mapping[str, str] = field(default_factory=dict[str, str])
    s3: Mapping[str, S3Target] = field(default_factory=dict[str, S3Target])
    workers: Mapping[str, WorkerTarget] = field(default_factory=dict[str, WorkerTarget])
    services: Mapping[str, str] = field(default_factory=dict[str, str])
    started_at: float | None = None
    level: Level = Level.INTERPRETER

    @property
    def backends(self) -> tuple[str, ...]:
        """All backends that are compared."""
        return tuple(name for name in (self.mock, *self.remotes) if name is not None)


@dataclass(frozen=True, slots=True)
class SimulatorAccess:
    """Where the simulator comes from.

    Attributes:
        node: a Node.js of the user's choice, or None.
        cache: where fetched packages lie, or None for the user's cache.
        offline: never fetch.
        launcher: runs the simulator elsewhere, for instance in the plugin's own network namespace.
        progress: told in one line what goes on.
    """

    node: str | Path | None = None
    cache: Path | None = None
    offline: bool = False
    launcher: Launcher | None = None
    progress: Callable[[str], None] | None = None


@dataclass(slots=True)
class Side:
    """Somebody who answers histories.

    Attributes:
        label: who, for a report.
        play: runs histories, each on an empty service.
    """

    label: str
    play: Callable[[Sequence[History]], Sequence[Sequence[Step]]]
    _known: dict[int, tuple[History, Sequence[Step]]] = field(
        default_factory=dict[int, tuple[History, "Sequence[Step]"]]
    )

    def answers(self, histories: Sequence[History]) -> list[Sequence[Step]]:
        """The steps of each history; one that was answered is not run again, as pairs share."""
        new = [history for history in histories if id(history) not in self._known]
        if new:
            for history, steps in zip(new, self.play(new), strict=True):
                self._known[id(history)] = (history, steps)  # held, so that no id comes twice
        return [self._known[id(history)][1] for history in histories]


@dataclass(frozen=True, slots=True)
class Pair:
    """A backend and what it is compared with.

    Attributes:
        backend: the backend that a difference is charged to.
        plugin: its answers.
        other: the answers it is compared with.
        rules: how.
        applies: which histories are worth comparing.
    """

    backend: str
    plugin: Side
    other: Side
    rules: Rules
    applies: Callable[[History], bool] = lambda history: True


def started(
    subject: ParitySubject, access: SimulatorAccess, adapter: BindingAdapter | None
) -> Miniflare | Absent:
    """A simulator with the adapter's pool, and buckets for S3, or why there is none.

    All S3 targets share one key pair, the first one's. Without an adapter it runs the Worker of
    the plugin's own, the first one.
    """
    node = find_node(access.node)
    if isinstance(node, Absent):
        return node
    installed = fetch(
        MINIFLARE,
        node=node,
        cache=access.cache,
        offline=access.offline,
        progress=access.progress,
    )
    if isinstance(installed, Absent):
        return installed
    credentials = next((target.credentials for target in subject.s3.values()), None)
    kind = "" if adapter is None else adapter.pool
    pool = _pool(kind) if kind else []
    worker = next((target.worker for target in subject.workers.values()), None)
    try:
        return start(
            installed,
            node,
            kv=pool if kind == "kv" else (),
            r2=[*(pool if kind == "r2" else ()), *(_pool("s3") if credentials else ())],
            queues=[Hall(name) for name in pool] if kind == "queue" else (),
            d1=pool if kind == "d1" else (),
            worker=worker if adapter is None else None,
            credentials=credentials,
            launcher=access.launcher,
        )
    except SimulatorFailed as error:
        return Absent(
            f"{installed.label} did not start on {node.label}: {error}",
            f"Remove {installed.root} and run the command again, or name another Node.js with "
            "FLOWS_NODE=/path/to/node.",
        )


def pairs_with_simulator(
    subject: ParitySubject, adapter: BindingAdapter, simulator: Miniflare, rules: Rules
) -> list[Pair]:
    """Each backend against the binding; the mock also against the plugin's own S3 backend, where
    they must share what a binding cannot show."""
    oracle = Side(
        f"{simulator.label} ({adapter.surface})",
        lambda histories: replay(
            simulator,
            adapter,
            [history.calls for history in histories],
            _pool(adapter.pool),
            started_at=subject.started_at,
        ),
    )
    mock = None if subject.mock is None else Side(subject.mock, _runner(subject, subject.mock))
    pairs = [] if mock is None else [Pair(mock.label, mock, oracle, rules)]
    for backend, wire in subject.remotes.items():
        target = subject.s3.get(backend)
        if target is None:
            remote = _on_reference(subject, backend, wire)
            pairs.append(Pair(backend, remote, oracle, rules))
            continue
        over_s3 = replace(rules, surface=f"{adapter.surface} against S3")
        remote = _on_simulator(subject, backend, target, simulator)
        pairs.append(Pair(backend, remote, oracle, over_s3))
        if mock is not None:
            between = replace(rules, surface="mock against S3", traits=adapter.plugin_traits)
            pairs.append(Pair(mock.label, mock, remote, between, _streams))
    return pairs


def pairs_with_reference(subject: ParitySubject, rules: Rules) -> list[Pair]:
    """The mock against each other backend on the lab's reference server."""
    if subject.mock is None:
        return []
    mock = Side(subject.mock, _runner(subject, subject.mock))
    return [
        Pair(mock.label, mock, _on_reference(subject, backend, wire), rules)
        for backend, wire in subject.remotes.items()
    ]


def pairs_with_worker(subject: ParitySubject, simulator: Miniflare, rules: Rules) -> list[Pair]:
    """The mock, and the lab's reference server, against the plugin's own Worker as the vendor's
    runtime runs it, spoken to by the plugin's own backend."""
    pairs: list[Pair] = []
    for backend, target in subject.workers.items():
        remote = _on_worker(subject, backend, target, simulator)
        if subject.mock is not None:
            mock = Side(subject.mock, _runner(subject, subject.mock))
            pairs.append(Pair(mock.label, mock, remote, rules))
        reference = _on_reference(subject, backend, subject.remotes[backend])
        pairs.append(Pair(backend, remote, reference, rules))
    return pairs


def _runner(
    subject: ParitySubject, backend: str
) -> Callable[[Sequence[History]], Sequence[Sequence[Step]]]:
    return lambda histories: subject.run(backend, [history.calls for history in histories], None)


def _on_reference(subject: ParitySubject, backend: str, wire: str) -> Side:
    service = subject.services.get(backend)
    before = f" before {service}" if service else ""
    label = f"{backend} on the lab's reference server for {wire}{before}"
    return Side(label, _runner(subject, backend))


def _on_simulator(
    subject: ParitySubject, backend: str, target: S3Target, simulator: Miniflare
) -> Side:
    buckets = _pool("s3")
    settings = [target.settings(simulator.s3_endpoint, bucket) for bucket in buckets]

    def play(histories: Sequence[History]) -> list[Sequence[Step]]:
        answers: list[Sequence[Step]] = []
        for first in range(0, len(histories), len(buckets)):
            together = [history.calls for history in histories[first : first + len(buckets)]]
            simulator.purge(buckets)
            answers += subject.run(backend, together, settings[: len(together)])
        return answers

    return Side(f"{backend} on {simulator.label} (S3)", play)


def _on_worker(
    subject: ParitySubject, backend: str, target: WorkerTarget, simulator: Miniflare
) -> Side:
    numbers = itertools.count()

    def play(histories: Sequence[History]) -> Sequence[Sequence[Step]]:
        settings = [target.settings(simulator.deployed_url, next(numbers)) for _ in histories]
        return subject.run(backend, [history.calls for history in histories], settings)

    return Side(f"{backend} on {simulator.label} (its own Worker)", play)


def _streams(history: History) -> bool:
    return any(isinstance(item, Stream) for call in history.calls for item in call.args)


def _pool(kind: str) -> list[str]:
    return [f"{kind}-pool-{number}" for number in range(POOLS[kind])]
