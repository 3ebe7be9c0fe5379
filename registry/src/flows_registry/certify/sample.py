"""Some carried cases run again all the same: what was said to be as before is looked at."""

import math
import random
import time
from collections import defaultdict
from collections.abc import Sequence

from flows_registry.certify.kept import PROBLEMS
from flows_registry.certify.replay import restored_in
from flows_registry.checks.ledger import record_of
from flows_registry.checks.plan import Plan
from flows_registry.evidence.reading import EvidenceUnusable
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.lab import Profile
from flows_registry.verdict import CaseRecord, CheckResult, Outcome

__all__ = ["WentOtherwise", "sampled"]

SHARE, CASES_MIN, CASES_MAX = 0.02, 5, 40
REAL_SECONDS_MAX, QUICK_SECONDS = 0.5, 0.1
"""So long the cases took when they ran before, all together and each."""

_BASE = Profile()


class WentOtherwise(Exception):
    """A case went another way than its record says: nothing of what was recorded is believed."""


def sampled(plan: Plan, carried: Sequence[CheckResult]) -> int:
    """Run some cases of these results again; how many.

    They are drawn from those that take little time in the usual surroundings: each of the others
    would need a process of its own.

    Raises:
        WentOtherwise: one went another way, twice.
    """
    drawn = _drawn([record for result in carried for record in result.records], plan.seed)
    by_backend: defaultdict[str, list[tuple[CaseRecord, Case]]] = defaultdict(list)
    try:
        for record in drawn:
            case, _ = restored_in(plan.lab, record)
            by_backend[case.backend].append((record, case))
        groups = [(_BASE, [case for _, case in its]) for its in by_backend.values()]
        runs = [run for its in plan.lab.run_apart(groups) for run in its]
        told = [record for its in by_backend.values() for record, _ in its]
        for record, run in zip(told, runs, strict=True):
            if not _is_as_told(record, run) and not _is_as_told(record, *plan.lab.run([run.case])):
                raise WentOtherwise(f"{record.name} went another way than before")
    except (*PROBLEMS, EvidenceUnusable) as problem:
        raise WentOtherwise(f"cases could not be run again: {problem}") from problem
    return len(drawn)


def _drawn(records: Sequence[CaseRecord], seed: int) -> list[CaseRecord]:
    """So many of the records, others each time unless there is a seed."""
    usual = [record for record in records if record.profile == _BASE.name]
    quick = [record for record in usual if _seconds(record) <= QUICK_SECONDS] or usual
    wanted = min(CASES_MAX, max(CASES_MIN, math.ceil(SHARE * len(usual))), len(quick))
    source = random.Random(seed or time.time_ns())  # noqa: S311 (no secret)
    drawn: list[CaseRecord] = []
    left = REAL_SECONDS_MAX
    for record in source.sample(quick, wanted):
        if left >= _seconds(record) or len(drawn) < CASES_MIN:
            drawn.append(record)
            left -= _seconds(record)
    return drawn


def _seconds(record: CaseRecord) -> float:
    return record.figures.get("real_seconds", 0.0)


def _is_as_told(record: CaseRecord, run: CaseRun) -> bool:
    """Whether it ended as its record says; what a client does at the same time has no order."""
    now = record_of(_BASE, run, Outcome.PASSED).course
    return sorted(now) == sorted(record.course)
