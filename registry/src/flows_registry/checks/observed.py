"""What cases show as they pass, whatever check runs them: told of each, it keeps none.

The policy and the budget checks read it instead of running everything again.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from flows_registry.checks.ledger import BASELINE
from flows_registry.lab.case import CaseRun, Exchange, Sighting

__all__ = ["Costs", "Observations", "Place", "Shown"]

Place = tuple[str, int]
"""Host and port."""

_ON_A_FAULT = frozenset({"contract", "faults"})
"""The checks whose cases are one call under one fault."""


@dataclass(frozen=True, slots=True, order=True)
class Shown:
    """A canary that was shown.

    Attributes:
        sighting: which, and where.
        to: the host and port whose request it stands in, or None where it stayed in the process.
    """

    sighting: Sighting
    to: Place | None = None


@dataclass(frozen=True, slots=True)
class Costs:
    """What one call took.

    Attributes:
        case, operation: which.
        figures: by unit, as a policy names them; `amplification` where the healthy call sent
            requests.
        healthy: no fault was met.
    """

    case: str
    operation: str
    figures: Mapping[str, float]
    healthy: bool


@dataclass(slots=True)
class _OfOne:
    """What one capability of one backend has shown."""

    shown: defaultdict[Shown, list[str]] = field(
        default_factory=lambda: defaultdict[Shown, list[str]](list)
    )
    costs: dict[str, Costs] = field(default_factory=dict[str, Costs])
    requests: dict[str, int] = field(default_factory=dict[str, int])
    faulted: bool = False


@dataclass(slots=True)
class _OfBackend:
    """What all capabilities of one backend have shown."""

    reached: set[Place] = field(default_factory=set[Place])
    redirected: dict[str, set[Place]] = field(default_factory=dict[str, set[Place]])
    scopes: dict[tuple[str, ...], str] = field(default_factory=dict[tuple[str, ...], str])
    untold: int = 0


class Observations:
    """What has been seen of every backend; told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ones: defaultdict[tuple[str, str], _OfOne] = defaultdict(_OfOne)
        self._backends: defaultdict[str, _OfBackend] = defaultdict(_OfBackend)

    def add(self, check: str, run: CaseRun) -> None:
        """A case of a check has ended."""
        with self._lock:
            self._went(self._backends[run.case.backend], run)
            one = self._ones[run.case.contract, run.case.backend]
            for shown in _shown(run):
                if run.case.name not in one.shown[shown]:
                    one.shown[shown].append(run.case.name)
            if check in _ON_A_FAULT | {BASELINE}:
                one.faulted |= check != BASELINE and bool(run.case.faults)
                self._cost(one, run)

    def recall(self, backend: str, reached: Iterable[str], scopes: Iterable[str]) -> None:
        """What cases of an earlier certification showed of a backend that do not run again: each
        `host:port`, and each permission, or several joined by ` or `."""
        with self._lock:
            seen = self._backends[backend]
            for place in reached:
                host, _, port = place.rpartition(":")
                seen.reached.add((host, int(port)))
            for row in scopes:
                seen.scopes.setdefault(tuple(row.split(" or ")), "a call that was seen before")

    def has_met_faults(self, contract: str, backend: str) -> bool:
        """Whether calls of this capability have been met with faults."""
        return self._ones[contract, backend].faulted

    def shown(self, contract: str, backend: str) -> Mapping[Shown, list[str]]:
        """The canaries that were shown, and in which cases."""
        return dict(sorted(self._ones[contract, backend].shown.items(), key=str))

    def costs(self, contract: str, backend: str) -> list[Costs]:
        """What each call took that was made by itself."""
        return list(self._ones[contract, backend].costs.values())

    def reached(self, backend: str) -> frozenset[Place]:
        """Every host and port that was reached or tried."""
        return frozenset(self._backends[backend].reached)

    def redirected(self, backend: str) -> Mapping[str, set[Place]]:
        """By case, where those went whose requests were redirected."""
        return self._backends[backend].redirected

    def scopes(self, backend: str) -> Mapping[tuple[str, ...], str]:
        """The permissions that requests needed, any one of each row, and a call that did."""
        return self._backends[backend].scopes

    def untold(self, backend: str) -> int:
        """Of how many requests nobody could say what they need."""
        return self._backends[backend].untold

    def _went(self, seen: _OfBackend, run: CaseRun) -> None:
        places = {(exchange.host.lower(), exchange.port) for exchange in run.exchanges}
        places |= {*run.egress, *run.egress_around}
        seen.reached |= places
        if any(fault.kind == "redirect" for fault in run.case.faults):
            seen.redirected[run.case.name] = places
        for exchange in run.exchanges:
            if exchange.scopes is None:
                seen.untold += 1
            elif exchange.scopes and exchange.fault is None and _succeeded(exchange):
                seen.scopes.setdefault(exchange.scopes, _called(run))

    def _cost(self, one: _OfOne, run: CaseRun) -> None:
        case = run.case
        if len(case.calls) != 1 or not run.steps or run.trouble or run.steps[0].cancelled:
            return
        healthy = not case.faults
        step, figures = run.steps[0], dict(_figures(run))
        if healthy:
            one.requests[case.name] = len(run.exchanges)
            if step.error is not None:
                return
        elif usual := next(
            (one.requests[n] for n in one.requests if case.name.startswith(f"{n}/")), 0
        ):
            figures["amplification"] = len(run.exchanges) / usual
        one.costs[case.name] = Costs(case.name, case.calls[0].operation, figures, healthy)


def _figures(run: CaseRun) -> Iterator[tuple[str, float]]:
    step = run.steps[0]
    yield "requests", len(run.exchanges)
    yield "sent_bytes", sum(exchange.request_bytes for exchange in run.exchanges)
    yield "received_bytes", sum(exchange.answer_bytes for exchange in run.exchanges)
    yield "wait_seconds", round(step.seconds, 6)
    yield "cpu_seconds", round(step.cpu_seconds, 6)


def _succeeded(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 400


def _called(run: CaseRun) -> str:
    return ", ".join(dict.fromkeys(call.operation for call in run.case.calls)) or run.case.name


def _shown(run: CaseRun) -> Iterator[Shown]:
    for sighting in run.sightings:
        yield Shown(sighting)
    for exchange in run.exchanges:
        for sighting in exchange.sightings:
            yield Shown(sighting, (exchange.host.lower(), exchange.port))
