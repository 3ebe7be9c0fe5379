"""Running the policy check on one backend and putting its verdict together."""

from collections.abc import Iterator, Sequence

from flows_registry.checks.faulted import meet_faults
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.checks.policy.canaries import canaries
from flows_registry.checks.policy.data import data
from flows_registry.checks.policy.egress import NAME, egress
from flows_registry.checks.policy.scopes import scopes
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_policy"]


def check_policy(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """What a backend asks for and lets be seen, judged by all cases of every check so far.

    What is the whole backend's is said with the first of its capabilities.
    """
    met = meet_faults(plan, NAME, backend, baselines)
    judged = [base for base in baselines if plan.only in f"{base.name}/"]
    findings = list(canaries(plan, backend))
    if _is_first(plan, backend):
        findings += _of_backend(plan, backend, baselines)
    healthy = [base for base in baselines if base.problem is None]
    facts = {
        "policy": plan.policy.name,
        "reached": [f"{host}:{port}" for host, port in sorted(plan.observations.reached(backend))],
        "scopes": [" or ".join(row) for row in plan.observations.scopes(backend)],
    }
    if not healthy:
        findings.append(_nothing_seen(plan, baselines))
    refused = any(finding.refuses for finding in findings)
    verdict = Verdict.REFUSED if refused else Verdict.PASSED
    if not healthy and len(findings) == 1:
        verdict = Verdict.INCONCLUSIVE
    return CheckResult(
        NAME, backend, verdict, len(judged) + met, tuple(findings), plan.lab.level, facts
    )


def _of_backend(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> Iterator[Finding]:
    yield from egress(plan, backend)
    yield from scopes(plan, backend, plan.unproven(backend, baselines))
    yield from data(plan, backend, baselines)


def _is_first(plan: Plan, backend: str) -> bool:
    (capability,) = plan.subject.capabilities.values()
    return capability.declared.name == next(iter(plan.backend(backend).providers))


def _nothing_seen(plan: Plan, baselines: Sequence[Baseline]) -> Finding:
    problem = next((base.problem for base in baselines if base.problem), "there is no exercise")
    return Finding(
        "POLICY113",
        "no operation was seen at work",
        "what a plugin needs is what its calls were seen to need",
        problem or "",
        plan.reproduce(NAME, ""),
        "make the operations work on a healthy service first",
    )
