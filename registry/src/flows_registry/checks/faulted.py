"""The calls of a backend under faults, for checks that look at what the contract check judges."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flows_registry.checks.contract.matrix import cases_of
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case

__all__ = ["meet_faults"]

NAME = "faults"


def meet_faults(plan: Plan, check: str, backend: str, baselines: Sequence[Baseline]) -> int:
    """See to it that every operation has met every fault: where the contract check has not run,
    the first use of each does now; how many cases that were."""
    met = plan.observations.has_met_faults
    if all(met(contract, backend) for contract in plan.subject.capabilities):
        return 0
    cases = plan.wanted(_cases(plan, backend, baselines))
    return len(plan.run(check, backend, cases, told_as=NAME))


def _cases(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> Iterator[Case]:
    settle = plan.backend(backend).cancel_seconds_max
    seen: set[str] = set()
    for base in baselines:
        operation = base.exercise.call.operation
        if base.problem is not None or operation in seen:
            continue
        seen.add(operation)
        for case, _ in cases_of(base, backend, settle, base.exercise.call, whole=True):
            yield replace(case, together=True)
