"""What each operation does to the world, seen from three sides and compared with what it claims.

The source says what could happen, the wire what was asked of the service, the service's state what
really changed. More than declared is refused; so is less, when the cases reached success.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from core_caps.claims.lattice import Effects
from core_caps.claims.manifest import Backend, SafePost

from flows_registry.checks.contract.check import comparable_of
from flows_registry.checks.effects.bounded import derive_bounded
from flows_registry.checks.effects.static import OPENING, Derived, Sink
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.lab.case import Case, CaseRun, Exchange
from flows_registry.lab.faults import Fault
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_effects"]

NAME = "effects"
READING_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_DETOURS = (
    Fault("status", status=404), Fault("status", status=429), Fault("status", status=500),
    Fault("status", status=401), Fault("reset before commit"), Fault("truncated body"),
    Fault("stall"), Fault("refused"),
)  # fmt: skip
"""Faults that lead an operation down its error paths, where a hidden write may wait."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One run of one exercise, on the straight path or on a detour."""

    base: Baseline
    run: CaseRun
    path: str


def check_effects(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether derived effects equal declared effects, both ways, on one backend."""
    declared = plan.backend(backend)
    statics = _derive(plan, declared)
    findings = list(_static_findings(plan, backend, statics))
    usable = [base for base in baselines if base.problem is None]
    seen = [_Seen(base, base.run, "on the straight path") for base in usable]
    seen += _detours(plan, backend, usable)
    if declared.wire is None:
        findings += _mock_findings(plan, backend, usable)
    for item in seen:
        findings += ((item.base.exercise.call.operation, f) for f in _observed(plan, backend, item))
    findings += _over_declared(plan, backend, usable, seen)
    tops = {name: [str(top.location) for top in d.top[:3]] for name, d in statics.items() if d.top}
    unproven = plan.unproven(backend, usable)
    found = list(collapsed(findings))
    verdict = Verdict.REFUSED if found else Verdict.PASSED
    if verdict is Verdict.PASSED and unproven:
        verdict = Verdict.INCONCLUSIVE
        found = [_nothing_seen(plan, unproven)]
    facts = {"sides": ["static", "wire", "state"], "static_unknown": tops}
    return CheckResult(NAME, backend, verdict, len(seen), tuple(found), plan.lab.level, facts)


# ---- the static side


def _derive(plan: Plan, backend: Backend) -> Mapping[str, Derived]:
    derived: dict[str, Derived] = {}
    for capability in plan.subject.capabilities.values():
        provider = backend.providers.get(capability.declared.name)
        if provider is not None and plan.sources is not None:
            derived |= derive_bounded(plan.sources, provider, tuple(capability.claims))
    return derived


def _static_findings(
    plan: Plan, backend: str, statics: Mapping[str, Derived]
) -> Iterator[tuple[str, Finding]]:
    declared = plan.backend(backend)
    claims = {
        name: claim
        for capability in plan.subject.capabilities.values()
        for name, claim in capability.claims.items()
    }
    for name, derived in statics.items():
        claim = claims.get(name)
        ceiling = claim.effects if claim else Effects.READ_ONLY
        for sink in derived.sinks:
            if sink.effects > ceiling and not _safe(sink, declared.safe_posts):
                yield name, _static_finding(plan, name, ceiling, sink)


def _static_finding(plan: Plan, name: str, ceiling: Effects, sink: Sink) -> Finding:
    what = "opening the provider" if name == OPENING else name
    return Finding(
        "EFFECT201",
        f"{what} can be {sink.effects}: {sink.detail}",
        f"{what} declares effects {ceiling}",
        f"{' → '.join(sink.path) or name} at {sink.location}",
        plan.reproduce(NAME, "static"),
        f"declare effects = {str(sink.effects)!r} for {name}, or remove the call",
    )


def _safe(sink: Sink, safe_posts: Sequence[SafePost]) -> bool:
    """Whether the source cannot say more than that a route is used which is declared to only
    read; which route it really is, the wire shows."""
    path = (urlsplit(sink.url).path or sink.url).rstrip("/")
    return any(
        sink.method == safe.method and path.endswith(("*", safe.path.rstrip("/")))
        for safe in safe_posts
    )


# ---- the wire and the service's state


def _detours(plan: Plan, backend: str, usable: Sequence[Baseline]) -> list[_Seen]:
    """Every exercise once more for each detour, at its first request."""
    chosen = [
        (base, fault)
        for base in usable
        if base.claim.effects <= Effects.READ_ONLY and base.run.exchanges
        for fault in _DETOURS
    ]
    cases = [
        Case(
            f"{backend}/{base.exercise.name}/{fault.name}",
            base.capability.contract,
            backend,
            (base.exercise.call,),
            setup=base.exercise.setup,
            faults=(fault,),
        )
        for base, fault in chosen
    ]
    runs = plan.run(NAME, backend, cases)
    return [
        _Seen(base, run, f"when it meets {fault.name!r}")
        for (base, fault), run in zip(chosen, runs, strict=True)
        if run.trouble is None
    ]


def _observed(plan: Plan, backend: str, seen: _Seen) -> Iterator[Finding]:
    base, run = seen.base, seen.run
    operation = base.exercise.call.operation
    declared = plan.backend(backend)
    reads = base.claim.effects <= Effects.READ_ONLY or bool(base.claim.delegates)
    reproduce = plan.reproduce(NAME, run.case.name)
    if reads and run.state_before != run.state_after:
        yield Finding(
            "EFFECT201",
            f"{operation} changes the service {seen.path}",
            f"{operation} declares effects {base.claim.effects}: the state stays as it is",
            _change(run),
            reproduce,
            f"declare effects = 'effectful' for {operation}, or do not write",
        )
    writing = [e for e in run.exchanges if e.method not in READING_METHODS]
    unsafe = [e for e in writing if not _declared_safe(e, declared.safe_posts)]
    if reads and unsafe and run.state_before == run.state_after:
        first = unsafe[0]
        yield Finding(
            "EFFECT201",
            f"{operation} sends {first.method} {seen.path}",
            f"{operation} declares effects {base.claim.effects}",
            f"{first.method} {first.host}{first.target}, which this time changed nothing",
            reproduce,
            "list the route under safe_posts if it only reads; else declare the effect",
        )
    if base.claim.effects is Effects.PURE and run.exchanges:
        yield Finding(
            "EFFECT201",
            f"{operation} reads the world",
            f"{operation} declares effects pure",
            f"{run.exchanges[0].method} {run.exchanges[0].host}",
            reproduce,
            "declare effects = 'read_only'",
        )
    yield from _strangers(plan, backend, seen, reproduce)


def _strangers(plan: Plan, backend: str, seen: _Seen, reproduce: str) -> Iterator[Finding]:
    """Hosts, processes and files that nobody declared."""
    allowed = plan.egress(backend)
    operation = seen.base.exercise.call.operation
    reached = {(e.host.lower(), e.port) for e in seen.run.exchanges} | set(seen.run.egress)
    for host, port in sorted(reached - allowed):
        yield Finding(
            "EGRESS101",
            f"{operation} goes to {host}:{port} {seen.path}",
            "egress = " + (", ".join(f"{h}:{p}" for h, p in sorted(allowed)) or "nothing"),
            f"a connection to {host}:{port}",
            reproduce,
            "declare the host under the backend's egress, or do not go there",
        )
    for kind, detail in seen.run.watched:
        if kind in ("process", "file"):
            yield Finding(
                "EFFECT203",
                f"{operation} {'starts a process' if kind == 'process' else 'writes a file'} "
                f"{seen.path}",
                "an operation reaches its service and nothing else of the machine",
                f"{kind}: {detail}",
                reproduce,
                "keep the work inside the process; hand files to a capability made for them",
            )
            break


def _change(run: CaseRun) -> str:
    wrote = [f"{e.method} {e.host}{e.target}" for e in run.exchanges if e.changed]
    return "; ".join(wrote) or "the state's digest before and after differ"


def _declared_safe(exchange: Exchange, safe_posts: Sequence[SafePost]) -> bool:
    path = exchange.target.partition("?")[0].rstrip("/")
    return any(
        exchange.method == safe.method and path.endswith(safe.path.rstrip("/"))
        for safe in safe_posts
    )


def _over_declared(
    plan: Plan, backend: str, usable: Sequence[Baseline], seen: Sequence[_Seen]
) -> Iterator[tuple[str, Finding]]:
    """Effects that are declared and never happen, although the cases reached success."""
    if plan.backend(backend).wire is None:
        return  # without a service of its own there is no state to look at; reading back is
    changed = {
        item.base.exercise.call.operation
        for item in seen
        if item.run.state_before != item.run.state_after
    }
    reached = {e.exercise.call.operation for e in usable if e.run.exchanges}
    for base in usable:
        operation = base.exercise.call.operation
        if base.writes and operation in reached and operation not in changed:
            yield operation, _over_declared_finding(plan, base, "changes the service")
        if base.claim.effects is Effects.READ_ONLY and operation not in reached:
            yield operation, _over_declared_finding(plan, base, "reads the service")


def _over_declared_finding(plan: Plan, base: Baseline, what: str) -> Finding:
    operation = base.exercise.call.operation
    return Finding(
        "EFFECT204",
        f"{operation} never {what}",
        f"{operation} declares effects {base.claim.effects}",
        "its cases succeeded without any such effect",
        plan.reproduce(NAME, base.run.case.name),
        "declare the smaller effect, or make the operation do what it says",
    )


# ---- a mock's state, by reading it back


def _mock_findings(
    plan: Plan, backend: str, usable: Sequence[Baseline]
) -> Iterator[tuple[str, Finding]]:
    """What an operation of a mock changes, seen by reading everything back before and after."""
    chosen = [base for base in usable if plan.read_back(base) is not None]
    cases: list[Case] = []
    for base in chosen:
        look = plan.read_back(base) or ()
        calls = (*look, base.exercise.call, *look)
        cases.append(
            Case(
                f"{backend}/{base.exercise.name}/read back",
                base.capability.contract,
                backend,
                calls,
                setup=base.exercise.setup,
            )
        )
    changed: set[str] = set()
    for base, run in zip(chosen, plan.run(NAME, backend, cases), strict=True):
        size = len(plan.read_back(base) or ())
        comparable = comparable_of(base.capability)
        values = [
            None if step.error else comparable(call, step.value)
            for call, step in zip(run.case.calls, run.steps, strict=False)
        ]
        before, after = values[:size], values[size + 1 :]
        operation = base.exercise.call.operation
        if before == after:
            continue
        changed.add(operation)
        if base.claim.effects <= Effects.READ_ONLY or base.claim.delegates:
            yield (
                operation,
                Finding(
                    "EFFECT201",
                    f"{operation} changes the mock's state",
                    f"{operation} declares effects {base.claim.effects}",
                    f"reading back gave {before!r} before and {after!r} after"[:800],
                    plan.reproduce(NAME, run.case.name),
                    "a read leaves the store as it is",
                ),
            )
    written = {base.exercise.call.operation for base in chosen if base.writes}
    for base in chosen:
        operation = base.exercise.call.operation
        if operation in written - changed:
            written.discard(operation)
            yield operation, _over_declared_finding(plan, base, "changes the mock")


def _nothing_seen(plan: Plan, operations: Sequence[str]) -> Finding:
    return Finding(
        "EFFECT205",
        f"never seen at work: {', '.join(operations)}",
        "every operation reaches success at least once",
        "no exercise of it succeeded, or there is none",
        plan.reproduce(NAME, ""),
        "add exercises for it to the contract's suite",
    )
