"""What is said of a history that no perfect service explains."""

from collections.abc import Iterator, Sequence

from flows_registry.checks.injection.explaining import Mismatch
from flows_registry.checks.injection.histories import Answer
from flows_registry.checks.injection.keys import NAME
from flows_registry.checks.plan import Plan
from flows_registry.checks.timeline import shown_call, shown_value
from flows_registry.lab.case import CaseRun
from flows_registry.verdict import Finding

__all__ = ["disorder", "trouble", "went_apart"]

SHOWN_CALLS = 12


def trouble(plan: Plan, run: CaseRun) -> Iterator[Finding]:
    """What kept a history from its end."""
    problem = run.trouble or (run.opening and f"{run.opening.name}: {run.opening.message}")
    if problem:
        yield _finding(
            plan,
            run,
            "INJECT001",
            "the history did not run to its end",
            "every call answers or raises a ProviderError",
            problem,
            "see the error; a history is nothing but a few calls in a row",
        )


def went_apart(plan: Plan, run: CaseRun, mismatch: Mismatch) -> Finding:
    """A call that a perfect service answers otherwise, within the history or at its end."""
    if mismatch.at is None:
        return _ended_wrong(plan, run, mismatch)
    start = max(0, mismatch.at - SHOWN_CALLS)
    timeline = "; ".join(shown_call(call) for call in run.case.calls[start : mismatch.at + 1])
    return _finding(
        plan,
        run,
        "INJECT004",
        f"{mismatch.call.operation} answered wrong in a seeded history",
        f"{shown_call(mismatch.call)} → {shown_value(mismatch.want)}",
        f"{shown_value(mismatch.given)} after: {timeline}",
        "the same call twice gives the same answer and the same state as once",
    )


def disorder(plan: Plan, run: CaseRun, given: Sequence[Answer]) -> Finding:
    """Answers of calls made at once that come from no order of them."""
    calls = zip(run.case.calls, given, strict=False)
    return _finding(
        plan,
        run,
        "INJECT005",
        "no order explains what concurrent calls answered",
        "calls made at once answer as if made one after the other, in some order",
        "; ".join(f"{shown_call(call)} → {shown_value(answer)}" for call, answer in calls),
        "let the service decide (a condition sent with the write), never a read before it",
    )


def _ended_wrong(plan: Plan, run: CaseRun, mismatch: Mismatch) -> Finding:
    return _finding(
        plan,
        run,
        "INJECT003",
        f"the service ended wrong: {shown_call(mismatch.call)}",
        f"a perfect service answers {shown_value(mismatch.want)}",
        f"it answered {shown_value(mismatch.given)}",
        "a repeated or unanswered write leaves the service as one write does, and an error "
        "says NOT_APPLIED only when nothing was applied",
    )


def _finding(
    plan: Plan, run: CaseRun, code: str, message: str, promised: str, observed: str, fix: str
) -> Finding:
    reproduce = plan.reproduce(NAME, run.case.name)
    return Finding(code, message, promised, observed, reproduce, fix)
