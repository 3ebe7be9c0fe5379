"""Seeded histories on one backend, compared with the model at every step and at the end."""

from collections.abc import Iterator, Mapping, Sequence

from flows_registry.checks.injection.footprints import Footprints
from flows_registry.checks.injection.judging import Judge
from flows_registry.checks.injection.keys import (
    NAME,
    UNPROVEN,
    key_trials,
    keyless,
    never_keyed,
    repeated_under,
)
from flows_registry.checks.injection.shrinking import Shrinker
from flows_registry.checks.injection.trials import KINDS, LENGTH, Maker, Trial
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.lab.case import CaseRun
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_injection"]

SHRUNK = frozenset({"INJECT003", "INJECT004", "INJECT005", "INJECT006"})
"""What is found in histories, and shown in the smallest of them."""


def check_injection(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether a backend's service ends as a perfect one would, whatever the network does."""
    trials = [Trial(case, judge) for case, judge in key_trials(plan, backend, baselines)]
    unjudged: list[str] = []
    unkeyed: list[str] = []
    lacking: list[Finding] = []
    static: list[Finding] = []
    repeats: dict[str, str] = {}
    for capability in plan.subject.capabilities.values():
        if capability.declared.name not in plan.backend(backend).providers:
            continue
        static += keyless(plan, capability)
        unkeyed += never_keyed(capability)
        repeats |= repeated_under(capability)
        contract = plan.contract(capability)
        if contract is None:
            unjudged.append(capability.contract)
            continue
        maker = Maker(Judge(plan, capability, contract, Footprints(contract)), backend)
        trials += maker.trials(baselines)
        lacking += maker.lacking()
    trials = [trial for trial in trials if plan.only in trial.case.name]
    findings: list[tuple[str, Finding]] = []
    coming = iter(trials)

    def judge(run: CaseRun) -> None:
        findings.extend((finding.message, finding) for finding in next(coming).judge(run))

    runs = plan.run(NAME, backend, [trial.case for trial in trials], on_run=judge)
    ran = {run.case.name: (trial, run) for trial, run in zip(trials, runs, strict=True)}
    judged = list(_shrunk(plan, ran, collapsed(findings)))
    found = [*static, *(finding for finding in judged if finding.code != UNPROVEN)]
    verdict = Verdict.REFUSED if found else Verdict.PASSED
    if verdict is Verdict.PASSED:
        unjudged = unjudged if trials else ["any capability"]
        found = [*judged, *lacking, *_unproven(plan, unjudged, unkeyed)]
        verdict = Verdict.INCONCLUSIVE if found else Verdict.PASSED
    facts = {"seed": plan.seed, "length": LENGTH, "kinds": KINDS, "repeated_under": repeats}
    cases = len(trials) + len(static)
    return CheckResult(NAME, backend, verdict, cases, tuple(found), plan.lab.level, facts)


def _shrunk(
    plan: Plan, ran: Mapping[str, tuple[Trial, CaseRun]], findings: Iterator[Finding]
) -> Iterator[Finding]:
    """Each as it is seen in the smallest case in which it is."""
    shrinker = Shrinker(plan)
    for finding in findings:
        known = ran.get(finding.reproduce.case)
        shrinks = known is not None and finding.code in SHRUNK
        yield shrinker.smallest(*known, finding) if known and shrinks else finding


def _unproven(plan: Plan, unjudged: Sequence[str], unkeyed: Sequence[str]) -> Iterator[Finding]:
    """What keeps a check that found nothing wrong from saying that all is well."""
    if unjudged:
        yield Finding(
            "CONTRACT003",
            f"no model for {', '.join(unjudged)}",
            "histories are compared with the contract's sequential model",
            "the suite brings no model, no histories, or no read_back",
            plan.reproduce(NAME, ""),
            "give its Contract a model, generate, comparable and read_back",
        )
    for operation in unkeyed:
        yield Finding(
            "CONTRACT003",
            f"{operation} was never given a key",
            "a write that is repeated under a key is seen to send it",
            "no exercise of it gives one",
            plan.reproduce(NAME, ""),
            "give the key in an exercise of the contract's suite",
        )
