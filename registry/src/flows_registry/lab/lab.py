"""The lab: rooms for one subject, and cases run in all of them at once.

Checks ask it to run cases and read the runs; how a plugin is started, watched and stopped is
known only here and below.
"""

import itertools
import os
import queue
import secrets
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

from core_caps.claims.egress import addresses

from flows_registry.lab.broken import (
    AgentBroken,
    AgentDisturbed,
    ReferenceBroken,
    RoomBroken,
    Unruly,
)
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.cores import core_of_its_own
from flows_registry.lab.hosted.hosting import Host, HostBroken, as_it_is, walls_of
from flows_registry.lab.references.known import reference_factory
from flows_registry.lab.room.certificates import issue
from flows_registry.lab.room.furniture import Furniture, Profile
from flows_registry.lab.room.holder import Holder, isolation
from flows_registry.lab.room.room import Room
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.postgresql import PostgreSql, find_postgresql, start
from flows_registry.lab.walls import no_walls
from flows_registry.subject import Capability, Subject
from flows_registry.verdict import Level

__all__ = [
    "OUTSIDE",
    "AgentBroken",
    "HostBroken",
    "Lab",
    "NoReference",
    "Profile",
    "ReferenceBroken",
    "RoomBroken",
    "Unruly",
]

_BASE = Profile()

OUTSIDE = Profile("outside", inside={"real_time": True})
"""In the machine's own network and time, for a service that somebody else runs (a simulator)."""

KILLED_MAX = 4
"""So many cases of a plugin may go on until they are killed; it is tried no further then."""

WORTH_A_START = 5
"""So many cases of a group are left to the room that has begun it: to start an agent of its own,
another would take as long."""

_Answer = TypeVar("_Answer")


class NoReference(Exception):
    """No reference server speaks the backend's wire: its network cannot be played.

    Attributes:
        absent: what a reference of ours would need and this machine does not have, or None.
    """

    def __init__(self, wire: str, absent: Absent | None = None) -> None:
        super().__init__(wire)
        self.absent = absent


class Lab:
    """Rooms for one subject.

    Args:
        subject: what is certified.
        python: the interpreter of its clean environment.
        site_packages: that environment's packages.
        scratch: a directory of the lab's own.
        jobs: how many rooms work at once; None is one per core.
        isolated: False forgoes network namespaces; None asks the machine.
        walled: False forgoes walls around what runs the plugin's code; None asks the machine.
    """

    def __init__(
        self,
        subject: Subject,
        python: Path,
        site_packages: Path,
        scratch: Path,
        *,
        jobs: int | None = None,
        isolated: bool | None = None,
        walled: bool | None = None,
    ) -> None:
        self.subject = subject
        self._python = python
        self._site_packages = site_packages
        self._scratch = scratch
        self._jobs = jobs or os.cpu_count() or 1
        self.not_isolated = isolation() if isolated is None else None
        self._isolated = self.not_isolated is None if isolated is None else isolated
        self.not_walled = no_walls() if walled is None else None
        self._walled = self.not_walled is None if walled is None else walled
        self._workers: list[_Worker] = []
        self._tasks: queue.SimpleQueue[Callable[[_Worker], None] | None] = queue.SimpleQueue()
        self._hosts: list[Host] = []
        self._empty: Holder | None = None
        self._killed = 0
        self._furnishing = threading.Lock()
        self._furniture: dict[str, Furniture] = {}
        self._services: dict[str, PostgreSql] = {}
        self._secrets = {backend: self._canaries(backend) for backend in subject.manifest.backends}

    def __enter__(self) -> Self:
        for number in range(self._jobs):
            worker = _Worker(self, self._scratch / f"room-{number}", self._tasks)
            worker.start()
            self._workers.append(worker)
        return self

    def __exit__(self, *exc: object) -> None:
        while not self._tasks.empty():  # nobody waits for these any more
            with suppress(queue.Empty):
                self._tasks.get_nowait()
        for _ in self._workers:
            self._tasks.put(None)
        for worker in self._workers:
            worker.join()
        self._workers.clear()
        for host in self._hosts:
            host.close()
        self._hosts.clear()
        if self._empty is not None:
            self._empty.close()
            self._empty = None
        for service in self._services.values():
            service.__exit__(None, None, None)
        self._services.clear()

    @property
    def level(self) -> Level:
        """How closely cases are looked at here."""
        if not self._isolated:
            return Level.INTERPRETER
        return Level.ISOLATED if self._walled else Level.WIRE

    def canaries(self, backend: str) -> Mapping[str, str]:
        """The credentials that the backend is given: made up, and searched for afterwards."""
        return self._secrets[backend]

    def all_canaries(self) -> Mapping[str, Sequence[str]]:
        """By setting, the credentials that any backend is given: what must be shown nowhere."""
        found: dict[str, list[str]] = {}
        for secrets_of_one in self._secrets.values():
            for setting, value in secrets_of_one.items():
                found.setdefault(setting, []).append(value)
        return found

    def own_reference(self, backend: str) -> str | None:
        """The reference server of the plugin's own that answers for a backend, by its lazy name;
        where one of ours speaks the wire, that is the better witness."""
        declared = self.subject.manifest.backends[backend]
        known = declared.wire is not None and reference_factory(declared.wire) is not None
        return None if known else declared.reference

    def run(
        self,
        cases: Sequence[Case],
        *,
        profile: Profile = _BASE,
        on_case: Callable[[CaseRun], None] = lambda run: None,
    ) -> list[CaseRun]:
        """Run cases, in as many rooms as there are; the runs, in the order of the cases.

        Raises:
            AgentBroken: the plugin cannot be imported in its own environment.
            NoReference: nobody here speaks the backend's wire.
            RoomBroken: the lab itself failed, twice.
        """
        futures: list[Future[CaseRun]] = []
        for case in cases:
            future: Future[CaseRun] = Future()
            futures.append(future)
            self._tasks.put(_task(lambda w, c=case: w.perform(c, profile), future))
        return _collected(futures, on_case)

    def run_apart(
        self,
        groups: Sequence[tuple[Profile, Sequence[Case]]],
        *,
        on_case: Callable[[CaseRun], None] = lambda run: None,
    ) -> list[list[CaseRun]]:
        """Run groups of cases, each under a profile of its own and in one room: a profile's agent
        is started once, and again only in a room that has nothing else to do for long enough.

        Raises:
            AgentBroken, NoReference, RoomBroken: as `run` does.
        """
        waiting: list[list[Future[CaseRun]]] = []
        helping: list[Callable[[_Worker], None]] = []
        for profile, cases in groups:
            futures: list[Future[CaseRun]] = [Future() for _ in cases]
            waiting.append(futures)
            left = _in_turn(cases, profile, futures)
            self._tasks.put(partial(_work_off, left))
            helping.append(partial(_work_off, left, while_more_than=WORTH_A_START))
        for _ in range(self._jobs - 1):
            for task in helping:
                self._tasks.put(task)
        runs = iter(_collected([future for futures in waiting for future in futures], on_case))
        return [list(itertools.islice(runs, len(futures))) for futures in waiting]

    def bear(self, run: CaseRun) -> CaseRun:
        """The run, unless too many like it had to be killed.

        Raises:
            Unruly: they had to.
        """
        self._killed += (run.trouble or "").startswith("killed")
        if self._killed > KILLED_MAX:
            raise Unruly(f"{self._killed} of its cases went on until they were killed")
        return run

    def room(self, backend: str, directory: Path) -> Room:
        """A room for this backend; use it as a context manager.

        Raises:
            NoReference: nobody here speaks the backend's wire.
        """
        return Room(
            self._furnished(backend), directory, isolated=self._isolated, walled=self._walled
        )

    def outside(self, backend: str, directory: Path) -> Room:
        """The same without a network or server of its own, and with no less of walls."""
        furniture = replace(self._furnished(backend), wire=None)
        return Room(furniture, directory, isolated=False, walled=self._walled)

    def _furnished(self, backend: str) -> Furniture:
        with self._furnishing:
            if backend not in self._furniture:
                self._furniture[backend] = self._furnish(backend)
            return self._furniture[backend]

    def _furnish(self, backend: str) -> Furniture:
        declared = self.subject.manifest.backends[backend]
        capabilities = self.subject.capabilities.values()
        brought = self.own_reference(backend)
        if declared.wire is not None and reference_factory(declared.wire) is None and not brought:
            raise NoReference(declared.wire)
        config = {
            setting.name: setting.example
            for setting in declared.config.values()
            if setting.type != "secret" and setting.example is not None
        }
        hosts, ports = _egress(declared.egress, {**_defaults(declared.config), **config})
        authority, certificates = issue(self._scratch / "certificates" / backend, hosts)
        return Furniture(
            python=self._python,
            plugin=self.subject.name,
            protocols={c.contract: c.protocol for c in capabilities},
            operations={c.contract: c.declared.operations for c in capabilities},
            worlds={c.contract: self._world(c) for c in capabilities},
            backend=backend,
            wire=declared.wire,
            config=config,
            secrets=self._secrets[backend],
            warm=[lazy.partition(":")[0] for lazy in declared.providers.values()],
            ports=ports,
            authority=authority,
            certificates=certificates,
            bundles=self._bundles(),
            reference=brought,
            noted=[safe.header for safe in declared.safe_posts if safe.header],
            services={} if brought else self._started(declared.wire),
            folders=[setting.name for setting in declared.config.values() if setting.folder],
        )

    def _started(self, wire: str | None) -> dict[str, str]:
        """The addresses of what the wire's reference stands on, which is started once for all
        rooms."""
        factory = None if wire is None else reference_factory(wire)
        if wire is None or factory is None or not factory.service:
            return {}
        if factory.service not in self._services:
            found = find_postgresql()
            if isinstance(found, Absent):
                raise NoReference(wire, found)
            self._services[factory.service] = start(found)
        return {factory.service: self._services[factory.service].url}

    def service_label(self, wire: str) -> str:
        """The name and version of what the wire's reference stands on; "" for nothing.

        Raises:
            NoReference: it stands on what is not here.
        """
        with self._furnishing:
            self._started(wire)
        factory = reference_factory(wire)
        service = "" if factory is None else factory.service
        return self._services[service].label if service else ""

    def promises(self, contract: str, backend: str) -> list[str]:
        """The promises of the contract's suite that apply to this backend.

        Raises:
            AgentBroken, NoReference, RoomBroken: as `run` does.
        """
        return self._somewhere(lambda worker: worker.promises(contract, backend))

    def host(self, kind: str, name: str) -> Host:
        """A process of the plugin's environment, without a network, that answers questions about
        one of its objects until the lab is closed.

        Raises:
            HostBroken: the object cannot be imported there.
        """
        if self._isolated and self._empty is None:
            self._empty = Holder({})
        entering = as_it_is if self._empty is None else self._empty.entering
        if self._walled:
            root = self._scratch / f"host-{len(self._hosts)}"
            walls = walls_of(self._python, root, owner=self._empty is None)
            host = Host(self._python, kind, name, entering=lambda a: entering(walls.within(a)))
        else:
            host = Host(self._python, kind, name, entering=entering)
        self._hosts.append(host)
        return host

    def _somewhere(self, question: "Callable[[_Worker], _Answer]") -> "_Answer":
        future: Future[_Answer] = Future()
        self._tasks.put(_task(question, future))
        return future.result()

    def _world(self, capability: Capability) -> Mapping[str, Any]:
        limits = self.subject.manifest.limits_of(capability.declared.name).values()
        return {
            "suite": capability.suite,
            "world": {
                "limits": {limit.name: limit.value for limit in limits},
                "guarantees": dict(capability.declared.guarantees),
            },
        }

    def _bundles(self) -> list[Path]:
        """Every certificate bundle that a client here could read instead of the environment's."""
        found = [path for path in self._site_packages.rglob("cacert.pem") if path.is_file()]
        system = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/ssl/cert.pem"))
        return found + [path for path in system if path.is_file()]

    def _canaries(self, backend: str) -> Mapping[str, str]:
        return {
            setting.name: f"canary-{secrets.token_hex(16)}"
            for setting in self.subject.manifest.backends[backend].config.values()
            if setting.type == "secret" and (setting.required or setting.needed_by)
        }


class _Worker(threading.Thread):
    """One thread that owns one room per backend; processes die with the thread that made them."""

    def __init__(
        self,
        lab: Lab,
        directory: Path,
        tasks: "queue.SimpleQueue[Callable[[_Worker], None] | None]",
    ) -> None:
        super().__init__(name=directory.name, daemon=True)
        self._lab = lab
        self._directory = directory
        self._tasks = tasks
        self._rooms: dict[tuple[str, bool], Room] = {}

    def run(self) -> None:
        with core_of_its_own():
            while (task := self._tasks.get()) is not None:
                task(self)
            for room in self._rooms.values():
                room.close()

    def perform(self, case: Case, profile: Profile) -> CaseRun:
        """Run a case in this worker's room; a broken room is replaced once.

        Raises:
            Unruly: the plugin does not let it be run, there either; or too many were killed.
        """
        outside = profile is OUTSIDE
        run = self._asked(case.backend, outside, lambda room: room.run(case, profile))
        return self._lab.bear(run)

    def promises(self, contract: str, backend: str) -> list[str]:
        """The promises of a suite that apply, as this worker's room tells them."""
        return self._asked(backend, False, lambda room: room.promises(contract))

    def _asked(
        self, backend: str, outside: bool, question: Callable[[Room], "_Answer"]
    ) -> "_Answer":
        try:
            return question(self._room(backend, outside))
        except RoomBroken:
            broken = self._rooms.pop((backend, outside), None)
            if broken is not None:
                broken.close()
        try:
            return question(self._room(backend, outside))
        except AgentDisturbed as disturbed:
            raise Unruly(str(disturbed)) from None

    def _room(self, backend: str, outside: bool) -> Room:
        """This worker's room for the backend, furnished when it is first wanted."""
        key = backend, outside
        if key not in self._rooms:
            make = self._lab.outside if outside else self._lab.room
            name = f"{backend}-outside" if outside else backend
            self._rooms[key] = make(backend, self._directory / name).__enter__()
        return self._rooms[key]


def _task(
    question: "Callable[[_Worker], _Answer]", future: "Future[_Answer]"
) -> Callable[["_Worker"], None]:
    def task(worker: _Worker) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(question(worker))
        except BaseException as error:
            future.set_exception(error)

    return task


def _in_turn(
    cases: Sequence[Case], profile: Profile, futures: "Sequence[Future[CaseRun]]"
) -> "deque[Callable[[_Worker], None]]":
    """All these cases, from which any worker may take the next."""
    return deque(
        _task(lambda w, c=case: w.perform(c, profile), future)
        for case, future in zip(cases, futures, strict=True)
    )


def _work_off(
    left: "deque[Callable[[_Worker], None]]", worker: "_Worker", *, while_more_than: int = 0
) -> None:
    """Do one after the other, until no more than so many are left."""
    while len(left) > while_more_than:
        try:
            task = left.popleft()
        except IndexError:
            return  # another worker was first
        task(worker)


def _collected(
    futures: "Sequence[Future[CaseRun]]", on_case: Callable[[CaseRun], None]
) -> list[CaseRun]:
    """The runs in order; the first that failed ends the rest."""
    runs: list[CaseRun] = []
    try:
        for future in futures:
            run = future.result()
            on_case(run)
            runs.append(run)
    finally:
        for future in futures:
            future.cancel()
    return runs


def _defaults(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: setting.default for name, setting in config.items()}


def _egress(declared: Sequence[str], settings: Mapping[str, Any]) -> tuple[list[str], list[int]]:
    """The declared hosts and ports with settings filled in; always ports 443 and 80 too."""
    pairs = addresses(declared, settings)
    hosts, ports = [host for host, _ in pairs], [port for _, port in pairs]
    names = list(dict.fromkeys([*hosts, *(f"*.{host}" for host in hosts), "localhost"]))
    return names, list(dict.fromkeys([*ports, 443, 80]))
