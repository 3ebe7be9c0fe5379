"""Running the contract check on one backend and putting its verdict together."""

from collections.abc import Callable, Iterator, Sequence

from core_caps.contract.suite import Call, Result

from flows_registry.checks.contract.matrix import cases_of
from flows_registry.checks.contract.oracles import Rules, judge
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.checks.ways_out import declared, strangers
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.subject import Capability
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_contract", "comparable_of"]

NAME = "contract"
UNCONSUMED_MAX = 0.02
"""The share of faults that may go unserved before the check says nothing any more."""


def check_contract(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Every promise of the suites and every operation under every fault, on one backend."""
    findings: list[tuple[str, Finding]] = []
    kept = 0
    for capability in plan.subject.capabilities.values():
        if capability.declared.name in plan.backend(backend).providers:
            broken, cases = _promises(plan, backend, capability)
            findings += broken
            kept += cases
    unusable = [base for base in baselines if base.problem is not None]
    findings += [(base.exercise.name, _unusable(plan, base)) for base in unusable]
    matrix = _Matrix(plan, backend)
    for base in baselines:
        if base.problem is None:
            matrix.add(base)
    findings += matrix.findings()
    return _result(plan, backend, list(collapsed(findings)), kept, matrix)


def comparable_of(capability: Capability) -> Callable[[Call, object], object]:
    """The contract's own view of what may differ between honest runs."""
    return capability.judge.comparable


class _Matrix:
    """The fault cases of one backend: collected, run, judged."""

    def __init__(self, plan: Plan, backend: str) -> None:
        self._plan = plan
        self._backend = backend
        self._cases: list[tuple[Case, Fault, Baseline]] = []
        self._most_requests: dict[str, int] = {}
        self.proved = 0
        self.unconsumed: list[str] = []
        declared = plan.backend(backend)
        self._declared = declared
        self._egress = plan.egress(backend)

    def add(self, base: Baseline) -> None:
        """The cases of one exercise; the first of each operation, and whatever sends more
        requests than that, meets every fault."""
        call, requests = base.exercise.call, len(base.run.exchanges)
        whole = requests > self._most_requests.get(call.operation, 0)
        self._most_requests[call.operation] = max(
            requests, self._most_requests.get(call.operation, 0)
        )
        settle = self._declared.cancel_seconds_max
        for case, fault in cases_of(base, self._backend, settle, _plainest(base), whole=whole):
            if self._plan.only in case.name:
                self._cases.append((case, fault, base))

    def findings(self) -> Iterator[tuple[str, Finding]]:
        runs = self._plan.run_together(NAME, self._backend, [case for case, _, _ in self._cases])
        # What went well among others went well; whatever did not is tried in a process of its own.
        doubtful = [
            number
            for number, ((_, fault, base), run) in enumerate(zip(self._cases, runs, strict=True))
            if not _consumed(fault, run) or self._judged(base, run, fault)
        ]
        alone = self._plan.run_again(NAME, [self._cases[number][0] for number in doubtful])
        for number, run in zip(doubtful, alone, strict=True):
            runs[number] = run
        for (_, fault, base), run in zip(self._cases, runs, strict=True):
            if not _consumed(fault, run):
                self.unconsumed.append(run.case.name)
                continue
            self.proved += 1
            for finding in self._judged(base, run, fault):
                yield base.exercise.call.operation, finding

    def _judged(self, base: Baseline, run: CaseRun, fault: Fault) -> list[Finding]:
        return list(judge(base, run, fault, self._rules(base)))

    def _rules(self, base: Baseline) -> Rules:
        return Rules(
            retry_owner=self._declared.retry_owner,
            timeout_seconds_max=self._declared.timeout_seconds_max,
            cancel_seconds_max=self._declared.cancel_seconds_max,
            egress=self._egress,
            safe_posts=self._declared.safe_posts,
            canaries=self._plan.lab.canaries(self._backend),
            comparable=comparable_of(base.capability),
            answered=base.capability.judge.answered,
            reproduce=lambda case: self._plan.reproduce(NAME, case),
        )


def _plainest(base: Baseline) -> Call:
    """The operation's first use that can be made anywhere: it needs no earlier call's result."""
    for exercise in base.capability.exercises:
        call = exercise.call
        refers = any(isinstance(item, Result) for item in (*call.args, *call.kwargs.values()))
        if call.operation == base.exercise.call.operation and not refers:
            return call
    return base.exercise.call


def _consumed(fault: Fault, run: CaseRun) -> bool:
    """Whether the server, or the tap, proves that the fault really happened."""
    if fault.kind == "refused":
        # Nobody listened, so the server served nothing: the attempt itself is the proof.
        return bool(run.egress) or any(kind == "connect" for kind, _ in run.watched)
    return bool(run.consumed) and all(run.consumed)


def _promises(
    plan: Plan, backend: str, capability: Capability
) -> tuple[list[tuple[str, Finding]], int]:
    names = plan.lab.promises(capability.contract, backend)
    place = plan.place(capability, backend)
    cases = plan.wanted(
        Case(f"{place}/promise/{name}", capability.contract, backend, (), promise=name)
        for name in names
    )
    judged: list[tuple[Case, list[Finding]]] = []
    for case, run in zip(cases, plan.run_together(NAME, backend, cases), strict=True):
        judged.append((case, list(_of_promise(plan, backend, capability, run))))
    doubtful = [case for case, findings in judged if findings]
    alone = iter(plan.run_again(NAME, doubtful))
    findings = [
        (case.promise or "", finding)
        for case, found in judged
        for finding in (_of_promise(plan, backend, capability, next(alone)) if found else ())
    ]
    return findings, len(cases)


def _of_promise(
    plan: Plan, backend: str, capability: Capability, run: CaseRun
) -> Iterator[Finding]:
    if not run.kept or run.trouble is not None:
        yield _broken(plan, capability, run)
    if deeds := strangers(run, plan.egress(backend), plan.lab.canaries(backend)):
        yield _strayed(plan, backend, run, deeds)


def _broken(plan: Plan, capability: Capability, run: CaseRun) -> Finding:
    name = run.case.promise or ""
    return Finding(
        "CONTRACT001",
        f"the promise {name!r} of {capability.contract} is broken",
        run.broken.get("promised", "the case runs to its end"),
        run.broken.get("observed", run.trouble or "it did not end"),
        plan.reproduce(NAME, run.case.name),
        f"see {name} in {capability.suite.partition(':')[0]}",
    )


def _strayed(plan: Plan, backend: str, run: CaseRun, deeds: Sequence[str]) -> Finding:
    return Finding(
        "EGRESS101",
        f"held to the promise {run.case.promise!r}, it {deeds[0]}",
        declared(plan.egress(backend)),
        "it " + ", ".join(deeds),
        plan.reproduce(NAME, run.case.name),
        "declare every host that the plugin needs, or do not go there",
    )


def _unusable(plan: Plan, base: Baseline) -> Finding:
    return Finding(
        "CONTRACT002",
        f"the exercise {base.exercise.name!r} fails on a healthy service",
        f"{base.exercise.call.operation} succeeds on a service without faults",
        base.problem or "",
        plan.reproduce(NAME, base.name),
        "make the operation work against the vendor's documented protocol first",
    )


def _result(
    plan: Plan, backend: str, findings: list[Finding], kept: int, matrix: _Matrix
) -> CheckResult:
    cases = kept + matrix.proved
    verdict = Verdict.REFUSED if findings else Verdict.PASSED
    missed = len(matrix.unconsumed)
    if not findings and missed > UNCONSUMED_MAX * max(1, matrix.proved):
        verdict = Verdict.INCONCLUSIVE
        findings = [
            Finding(
                "CONTRACT003",
                f"{missed} faults were never met",
                "the server proves that each fault was consumed",
                ", ".join(matrix.unconsumed[:5]),
                plan.reproduce(NAME, matrix.unconsumed[0]),
                "the operation may not send the request that its healthy run sent",
            )
        ]
    elif not findings and cases == 0:
        verdict = Verdict.INCONCLUSIVE
        findings = [
            Finding(
                "CONTRACT003",
                "no case ran",
                "at least one promise of the suite applies to what the manifest declares",
                "none does, and no exercise reached the service",
                plan.reproduce(NAME, ""),
                "provide the operations that the capability's exercises use",
            )
        ]
    facts = {"promises": kept, "faults": matrix.proved, "faults_not_met": matrix.unconsumed}
    return CheckResult(NAME, backend, verdict, cases, tuple(findings), plan.lab.level, facts)
