"""Calls while the service stays as bad as it is: who repeats does it as often as ever it does."""

from collections.abc import Iterator, Sequence

from flows_registry.checks.budget.memory import NAME
from flows_registry.checks.faulted import NAME as FAULTS
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case
from flows_registry.lab.faults import Fault

__all__ = ["meet_persisting_faults"]

_REQUESTS_MAX = 40
"""How many requests of a call meet the fault; who sends more goes on anyway."""

_FAULTS = (
    Fault("status", status=503),
    Fault("status", status=429, retry_after="2"),
    Fault("reset before commit"),
)


def meet_persisting_faults(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> int:
    """Let the first use of each operation meet faults that do not go away; how many cases that
    were. What they took is among the observations."""
    cases = plan.wanted(_cases(baselines))
    return len(plan.run(NAME, backend, cases, told_as=FAULTS))


def _cases(baselines: Sequence[Baseline]) -> Iterator[Case]:
    seen: set[str] = set()
    for base in baselines:
        operation = base.exercise.call.operation
        if base.problem is not None or not base.run.exchanges or operation in seen:
            continue
        seen.add(operation)
        http = base.run.exchanges[0].scheme.startswith("http")
        for fault in _FAULTS if http else _FAULTS[-1:]:
            yield Case(
                f"{base.name}/{fault.name}, and again",
                base.capability.contract,
                base.run.case.backend,
                (base.exercise.call,),
                setup=base.exercise.setup,
                faults=tuple(
                    Fault(fault.kind, at, fault.status, fault.retry_after)
                    for at in range(_REQUESTS_MAX)
                ),
                together=True,
            )
