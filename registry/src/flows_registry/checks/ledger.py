"""Every case that ran, as it ended: what a check's result stands on, and what evidence is made of.

Checks run their cases through the plan, which tells the ledger of each; once a check has judged
them they become records. Only what something was found in keeps its whole story.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flows_registry.checks.timeline import Riddle, course_of, timeline_of
from flows_registry.lab.case import CaseRun
from flows_registry.lab.lab import Profile
from flows_registry.lab.stored import stored
from flows_registry.verdict import CaseRecord, CheckResult, Outcome

__all__ = ["BASELINE", "Ledger", "record_of"]

BASELINE = "baseline"
"""The runs without faults that all checks of a backend start from."""

_DEEDS = ("stays away", "asks it", "changes it")

_Key = tuple[str, str, str]
"""Check, contract and backend."""


class Ledger:
    """The runs of the checks that are at work; told from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: defaultdict[_Key, dict[tuple[str, str], tuple[Profile, CaseRun]]] = defaultdict(
            dict
        )
        self._riddles: defaultdict[_Key, dict[str, Riddle]] = defaultdict(dict)

    def add(self, check: str, profile: Profile, run: CaseRun) -> None:
        """A case of a check has ended; what ran again counts as it went the last time."""
        key = check, run.case.contract, run.case.backend
        with self._lock:
            self._runs[key][profile.name, run.case.name] = profile, run

    def point(self, check: str, run: CaseRun, riddle: Riddle) -> None:
        """The call of a case that its check cannot explain; the last word of it counts."""
        with self._lock:
            self._riddles[check, run.case.contract, run.case.backend][run.case.name] = riddle

    def settled(self, result: CheckResult, contract: str) -> CheckResult:
        """The result with the records of the cases that it judged; the first result of a backend
        has those of the baselines too."""
        with self._lock:
            runs = {
                key: ended
                for check in (BASELINE, result.check)
                for key, ended in self._runs.pop((check, contract, result.backend), {}).items()
            }
            riddles = self._riddles.pop((result.check, contract, result.backend), {})
        refused = {case for f in result.findings if f.refuses for case in f.cases}
        unmet = set(result.facts.get("faults_not_met", ()))
        records = tuple(
            record_of(
                profile,
                run,
                _outcome(run.case.name, refused, unmet),
                riddles.get(run.case.name),
            )
            for profile, run in runs.values()
        )
        ended = [run for _, run in runs.values()]
        seen = _facts(ended)
        return replace(result, records=records, facts={**seen, **result.facts})


def _facts(runs: Sequence[CaseRun]) -> Mapping[str, Any]:
    if not runs:
        return {}
    return {
        "observed": _observed(runs),
        "reached": _reached(runs),
        "virtual_seconds": round(sum(run.virtual_seconds for run in runs), 3),
    }


def _observed(runs: Sequence[CaseRun]) -> Mapping[str, str]:
    """Per operation that was called by itself, what its calls were seen to do to the service."""
    seen: dict[str, str] = {}
    for run in runs:
        operations = {call.operation for call in run.case.calls}
        if len(operations) == 1 and not run.trouble:
            deed = _deed(run)
            seen[min(operations)] = max(deed, seen.get(min(operations), deed), key=_DEEDS.index)
    return dict(sorted(seen.items()))


def _deed(run: CaseRun) -> str:
    if run.state_before != run.state_after:
        return "changes it"
    return "asks it" if run.exchanges else "stays away"


def _reached(runs: Sequence[CaseRun]) -> list[str]:
    """Every `host:port` that a call reached or tried to."""
    places = {(exchange.host.lower(), exchange.port) for run in runs for exchange in run.exchanges}
    places |= {place for run in runs for place in run.egress}
    return [f"{host}:{port}" for host, port in sorted(places)]


def _outcome(case: str, refused: set[str], unmet: set[str]) -> Outcome:
    if case in refused:
        return Outcome.REFUSED
    return Outcome.NOT_MET if case in unmet else Outcome.PASSED


def record_of(
    profile: Profile, run: CaseRun, outcome: Outcome, riddle: Riddle | None = None
) -> CaseRecord:
    """What is kept of a case that has run, and of the call in it that nobody explains."""
    case = run.case
    operations = {call.operation for call in case.calls}
    return CaseRecord(
        name=case.name,
        operation=min(operations) if len(operations) == 1 else "",
        faults=tuple(fault.name for fault in case.faults),
        outcome=outcome,
        profile=profile.name,
        figures=dict(_figures(run)),
        case=stored(case, profile),
        course=tuple(course_of(run)),
        timeline=tuple(timeline_of(run, riddle)) if outcome is Outcome.REFUSED else (),
    )


def _figures(run: CaseRun) -> Iterator[tuple[str, float]]:
    steps = run.steps
    yield "requests", len(run.exchanges)
    yield "sent_bytes", sum(exchange.request_bytes for exchange in run.exchanges)
    yield "received_bytes", sum(exchange.answer_bytes for exchange in run.exchanges)
    yield "virtual_seconds", round(sum(step.seconds for step in steps), 6)
    yield "cpu_seconds", round(sum(step.cpu_seconds for step in steps), 6)
    yield "real_seconds", round(run.real_seconds, 6)
