"""Running the budget check on one backend and putting its verdict together."""

from collections.abc import Iterator, Mapping, Sequence

from flows_registry.checks.budget.figures import Figures, Most, figures_of
from flows_registry.checks.budget.memory import NAME, Growth, growth_of, measured
from flows_registry.checks.budget.persisting import meet_persisting_faults
from flows_registry.checks.faulted import meet_faults
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.verdict import CheckResult, Finding, Severity, Verdict

__all__ = ["check_budget"]

_ESTIMATED = ("requests", "sent_bytes", "received_bytes", "wait_seconds", "memory_bytes")
"""What is the same on every machine, or nearly: the processor's time is not."""


def check_budget(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """What the calls of one capability cost, when all is well and under every fault.

    The figures are in `facts`, by operation and unit, as bars are drawn from them:
    `{"operations": {"put": {"requests": {"estimate": 1, "healthy": 1, "worst": 2,
    "ceiling": null}, "amplification": …}}, "growth": {"open": {"sizes": …, "held": …}}}`.
    """
    (contract,) = plan.subject.capabilities
    (capability,) = plan.subject.capabilities.values()
    meet_faults(plan, NAME, backend, baselines)
    persisted = meet_persisting_faults(plan, backend, baselines)
    memory = measured(plan, backend, baselines)
    growths = growth_of(plan, backend, baselines)
    costs = plan.observations.costs(contract, backend)
    figures = figures_of(plan, capability, costs, memory)
    findings = [
        *_over_estimates(plan, figures),
        *_over_ceilings(plan, figures),
        *_growing(plan, growths),
        *_without_estimates(plan, backend, figures),
    ]
    verdict = Verdict.REFUSED if any(f.refuses for f in findings) else Verdict.PASSED
    if not memory and not plan.only:
        verdict, findings = Verdict.INCONCLUSIVE, [_nothing_measured(plan)]
    facts = {
        "operations": {operation: each.as_json() for operation, each in figures.items()},
        "growth": {
            growth.base.exercise.name: {"sizes": list(growth.sizes), "held": list(growth.held)}
            for growth in growths
        },
    }
    cases = persisted + len(memory) + 2 * len(growths)
    return CheckResult(NAME, backend, verdict, cases, tuple(findings), plan.lab.level, facts)


def _over_estimates(plan: Plan, figures: Mapping[str, Figures]) -> Iterator[Finding]:
    for operation, each in figures.items():
        for unit in _ESTIMATED:
            estimate, most = each.estimate.get(unit), each.healthy.get(unit)
            if estimate is not None and most is not None and most.value > estimate:
                yield Finding(
                    "BUDGET101",
                    f"{operation} takes {_amount(most.value, unit)}, more than it estimates",
                    f"[costs.{operation}] {unit} = {estimate:g}: what a call costs at most when "
                    "all is well",
                    f"a healthy call took {_amount(most.value, unit)}",
                    plan.reproduce(NAME, _base_of(most)),
                    "do it with less, or estimate what it takes",
                )


def _over_ceilings(plan: Plan, figures: Mapping[str, Figures]) -> Iterator[Finding]:
    for operation, each in figures.items():
        for unit, ceiling in each.ceiling.items():
            most = each.worst.get(unit)
            if most is not None and most.value > ceiling:
                yield Finding(
                    "BUDGET102",
                    f"{operation} takes {_amount(most.value, unit)}, more than the policy lets it",
                    f"the policy {plan.policy.name!r}: {unit} = {ceiling:g} at most, under faults, "
                    "too",
                    f"a call took {_amount(most.value, unit)}",
                    plan.reproduce(NAME, most.case),
                    "bound what it repeats and what it waits for, or let whoever keeps the policy "
                    "raise the ceiling",
                )


def _growing(plan: Plan, growths: Sequence[Growth]) -> Iterator[Finding]:
    for growth in growths:
        if growth.is_unbounded:
            (small, large), (held, more) = growth.sizes, growth.held
            yield Finding(
                "BUDGET103",
                f"the memory of {growth.base.exercise.call.operation} grows with what it streams",
                "a stream is passed on piece by piece: memory is bounded whatever its size",
                f"{_bytes(held)} were held for {_bytes(small)}, {_bytes(more)} for {_bytes(large)}",
                plan.reproduce(NAME, growth.case),
                "pass each chunk on before the next one is read, and keep none",
            )


def _without_estimates(
    plan: Plan, backend: str, figures: Mapping[str, Figures]
) -> Iterator[Finding]:
    """Said once: an estimate is a kindness unless the policy makes it a duty."""
    bare = [operation for operation, each in figures.items() if not each.estimate]
    if bare and plan.backend(backend).wire:
        yield Finding(
            "BUDGET104",
            f"no estimate says what {', '.join(bare)} cost",
            "[costs.OPERATION] requests: what a call costs at most when all is well",
            "nothing is declared",
            plan.reproduce(NAME, ""),
            "estimate at least the requests of each operation",
            severity=Severity.NOTE,
        )


def _nothing_measured(plan: Plan) -> Finding:
    return Finding(
        "BUDGET105",
        "no operation was seen at work",
        "what calls cost is what they were seen to take",
        "no healthy call of any operation succeeded",
        plan.reproduce(NAME, ""),
        "make the operations work on a healthy service first",
    )


def _base_of(most: Most) -> str:
    return most.case.removesuffix("/measured")


def _amount(value: float, unit: str) -> str:
    if unit.endswith("_bytes"):
        return f"{_bytes(value)} ({unit})"
    if unit == "amplification":
        return f"{value:g} requests for each of a healthy call"
    return f"{value:g} {unit.replace('_', ' ')}"


def _bytes(value: float) -> str:
    for size, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= size:
            return f"{value / size:.1f} {name}"
    return f"{value:g} bytes"
