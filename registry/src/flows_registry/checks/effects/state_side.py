"""The state side: what was really different afterwards, whatever was asked and by whatever name.

A service is looked at from inside, by the digest of its state; a mock, which has none of its own,
by reading back all that the exercise can have touched.
"""

from collections.abc import Callable, Iterator

from flows_registry.checks.contract.check import comparable_of
from flows_registry.checks.effects.declared import over_declared, ways_left, without_change
from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.effects.seen import NAME, Seen, only_reads
from flows_registry.checks.plan import Baseline
from flows_registry.lab.case import Case, CaseRun
from flows_registry.verdict import Finding

__all__ = ["state_side", "unseen"]


def state_side(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    """Reads that change something, and writes that never do although they succeed."""
    mocked = evidence.plan.backend(evidence.backend).wire is None
    return _mock(evidence) if mocked else _service(evidence)


def unseen(evidence: Evidence) -> list[str]:
    """The operations of a mock of which no exercise is read back, as the suite has it; who asked
    for some cases only is not told what the others would have shown."""
    plan = evidence.plan
    if plan.backend(evidence.backend).wire is not None or plan.only:
        return []
    worked = {base.exercise.call.operation for base in evidence.usable}
    seen = {base.exercise.call.operation for base in evidence.usable if _can_be_seen(base)}
    return sorted(worked - seen)


def _can_be_seen(base: Baseline) -> bool:
    """Whether the suite knows calls that would show it; a half may leave those operations out."""
    return bool(base.capability.judge.read_back((*base.exercise.setup, base.exercise.call)))


def _service(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    changing = [s for s in evidence.seen if s.run.state_before != s.run.state_after]
    for seen in changing:
        if only_reads(seen.base):
            yield seen.operation, _changed(evidence, seen)
    for base in without_change(evidence):
        if not ways_left(evidence, base):
            operation = base.exercise.call.operation
            yield operation, over_declared(evidence, base, "changes the service")


def _changed(evidence: Evidence, seen: Seen) -> Finding:
    return Finding(
        "EFFECT201",
        f"{seen.operation} changes the service {seen.path}",
        f"{seen.operation} declares effects {seen.base.claim.effects}: the state stays as it is",
        _change(seen.run),
        evidence.reproduce(seen.base.name),
        f"declare effects = 'effectful' for {seen.operation}, or do not write",
    )


def _change(run: CaseRun) -> str:
    wrote = [f"{e.method} {e.host}{e.target}" for e in run.exchanges if e.changed]
    return "; ".join(wrote) or "the state's digest before and after differ"


def _mock(evidence: Evidence) -> Iterator[tuple[str, Finding]]:
    plan = evidence.plan
    chosen = [base for base in evidence.usable if plan.read_back(base) is not None]
    cases = [_reading_back(evidence, base) for base in chosen]
    changed: set[str] = set()
    for base, run in zip(chosen, plan.run(NAME, evidence.backend, cases), strict=True):
        before, after = _around(evidence, base, run)
        if before == after:
            continue
        operation = base.exercise.call.operation
        changed.add(operation)
        if only_reads(base):
            finding = Finding(
                "EFFECT201",
                f"{operation} changes the mock's state",
                f"{operation} declares effects {base.claim.effects}",
                f"reading back gave {before!r} before and {after!r} after"[:800],
                evidence.reproduce(base.name),
                "a read leaves the store as it is",
            )
            yield operation, finding
    idle = {base.exercise.call.operation: base for base in reversed(chosen) if base.writes}
    for operation, base in idle.items():
        if operation not in changed:
            yield operation, over_declared(evidence, base, "changes the mock")


def _reading_back(evidence: Evidence, base: Baseline) -> Case:
    look = evidence.plan.read_back(base) or ()
    return Case(
        f"{base.name}/read back",
        base.capability.contract,
        evidence.backend,
        (*look, base.exercise.call, *look),
        setup=base.exercise.setup,
    )


def _around(evidence: Evidence, base: Baseline, run: CaseRun) -> tuple[list[object], list[object]]:
    """What reading back gave before the call, and after it."""
    size = len(evidence.plan.read_back(base) or ())
    comparable: Callable[..., object] = comparable_of(base.capability)
    values = [
        None if step.error else comparable(call, step.value)
        for call, step in zip(run.case.calls, run.steps, strict=False)
    ]
    return values[:size], values[size + 1 :]
