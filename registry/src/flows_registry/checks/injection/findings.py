"""What is said of a history that no perfect service explains."""

from collections.abc import Iterator, Sequence

from flows_registry.checks.injection.explaining import Mismatch
from flows_registry.checks.injection.histories import Answer
from flows_registry.checks.injection.keys import NAME, UNPROVEN
from flows_registry.checks.injection.made import Made
from flows_registry.checks.injection.orders import MODEL_CALLS_MAX, Stuck
from flows_registry.checks.plan import Plan
from flows_registry.checks.timeline import shown_call, shown_value
from flows_registry.lab.case import CaseRun
from flows_registry.verdict import Finding

__all__ = ["disorder", "gave_up", "trouble", "went_apart"]

SHOWN_CALLS = 12

_PROMISES = {
    "linearizable": "one order of all calls explains every answer, and agrees with time",
    "per_key": "one order of the calls on each key explains their answers, and agrees with time",
    "read_your_writes": "the calls on each key have one order that agrees with time, and a client "
    "reads what it wrote",
    "eventual": "what is read was written, and all writes are there once all has settled",
}
_SETTLED = "once all has settled, the service holds what some order of the writes leads to"


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
        wanted = f"a perfect service answers {_told(mismatch.want)}"
        return _ended_wrong(plan, run, shown_call(mismatch.call), wanted, _told(mismatch.given))
    start = max(0, mismatch.at - SHOWN_CALLS)
    timeline = "; ".join(shown_call(call) for call in run.case.calls[start : mismatch.at + 1])
    return _finding(
        plan,
        run,
        "INJECT004",
        f"{mismatch.call.operation} answered wrong in a seeded history",
        f"{shown_call(mismatch.call)} → {_told(mismatch.want)}",
        f"{_told(mismatch.given)} after: {timeline}",
        "the same call twice gives the same answer and the same state as once",
    )


def disorder(
    plan: Plan, run: CaseRun, made: Sequence[Made], found: Stuck, promised: str
) -> Finding:
    """Answers of calls at once that come from no order of them, or a service that ended so."""
    one = made[found.number]
    given = "nobody heard" if one.given is None else _told(one.given)
    wanted = " or ".join(dict.fromkeys(map(_told, found.wants)))
    if run.case.victim:
        return _half_done(plan, run, one, wanted, given)
    if one.looks:
        return _ended_wrong(plan, run, shown_call(one.call), f"{_SETTLED}: {wanted}", given)
    calls = [each for each in made if each.at is not None]
    return _finding(
        plan,
        run,
        "INJECT005",
        "no order explains what concurrent calls answered",
        f"{_PROMISES.get(promised, _SETTLED)} ({promised}); "
        f"{shown_call(one.call)} → {wanted or 'otherwise'}",
        "; ".join(f"{shown_call(each.call)} → {_answered(each)}" for each in calls),
        "let the service decide (a condition sent with the write), never a read before it, and "
        "answer from the service, never from memory",
    )


def gave_up(plan: Plan, run: CaseRun) -> Finding:
    """Too many orders to try them all."""
    count = len(run.case.calls)
    return _finding(
        plan,
        run,
        UNPROVEN,
        f"the search for an order of {count} calls was given up",
        "some order of the calls explains what was answered",
        f"{MODEL_CALLS_MAX} calls of the model found none and did not try all",
        "let the calls of generate touch fewer keys at a time, or the model say more of its state",
    )


def _half_done(plan: Plan, run: CaseRun, one: Made, wanted: str, given: str) -> Finding:
    operation = run.case.victim[-1].operation
    return _finding(
        plan,
        run,
        "INJECT006",
        f"{operation} is half done where its client dies in it",
        f"another client finds all of it or nothing, and may make it again: "
        f"{shown_call(one.call)} → {wanted}",
        given,
        "let one request do it all, or the last one make it visible; a note of what was done goes "
        "with what is done, under one key",
    )


def _ended_wrong(plan: Plan, run: CaseRun, look: str, wanted: str, given: str) -> Finding:
    return _finding(
        plan,
        run,
        "INJECT003",
        f"the service ended wrong: {look}",
        wanted,
        f"it answered {given}",
        "a repeated or unanswered write leaves the service as one write does, and an error "
        "says NOT_APPLIED only when nothing was applied",
    )


def _answered(made: Made) -> str:
    return "no answer" if made.given is None else _told(made.given)


def _told(answer: Answer) -> str:
    kind, what = answer
    return str(what) if kind == "error" else shown_value(what)


def _finding(
    plan: Plan, run: CaseRun, code: str, message: str, promised: str, observed: str, fix: str
) -> Finding:
    reproduce = plan.reproduce(NAME, run.case.name)
    return Finding(code, message, promised, observed, reproduce, fix)
