"""What each operation does to the world, seen from every side and compared with what it claims.

The source says what could happen, the wire what was asked of the service, the service's state what
really changed; what an operation hands out is used as its holder would. More than declared is
refused; so is less, when the cases reached success. Each side finds what none of the others can.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flows_registry.checks.effects.declared import not_taken
from flows_registry.checks.effects.evidence import Evidence, gathered
from flows_registry.checks.effects.seen import NAME
from flows_registry.checks.effects.state_side import state_side, unseen
from flows_registry.checks.effects.static import Top
from flows_registry.checks.effects.static_side import static_side
from flows_registry.checks.effects.use_side import untried, use_side
from flows_registry.checks.effects.wire_side import wire_side
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.verdict import CheckResult, Finding, Level, Verdict

__all__ = ["SIDES", "Side", "check_effects"]

Side = Callable[[Evidence], Iterator[tuple[str, Finding]]]
"""One way to look: from the evidence to findings, each with the operation it is about."""

SIDES: tuple[Side, ...] = (static_side, state_side, wire_side, use_side)


def check_effects(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether derived effects equal declared effects, both ways, on one backend."""
    evidence = gathered(plan, backend, baselines)
    if told := _told(evidence):
        evidence = evidence.alone()  # what is held against it must be its own
        told = _told(evidence)
    found = list(collapsed(told))
    unproven = plan.unproven(backend, evidence.usable)
    verdict = Verdict.REFUSED if found else Verdict.PASSED
    if verdict is Verdict.PASSED:
        found = [_nothing_seen(evidence, unproven)] if unproven else []
        found += [_not_read_back(evidence, hidden)] if (hidden := unseen(evidence)) else []
        found += [_not_used(evidence, held)] if (held := untried(evidence)) else []
        found += [_not_taken(evidence, *each) for each in not_taken(evidence).items()]
        verdict = Verdict.INCONCLUSIVE if found else Verdict.PASSED
    unknown = {name: derived.top for name, derived in evidence.derived.items() if derived.top}
    unreached = evidence.unreached
    level = Level.STATIC if unreached else plan.lab.level
    facts: dict[str, Any] = {
        "sides": ["static", "wire", "state", "use"],
        "static_unknown": {name: _places(tops)[:3] for name, tops in unknown.items()},
        "static_unreached": {name: _places(tops) for name, tops in unreached.items()},
    }
    if covered := evidence.coverage:
        facts["coverage"] = covered.as_json()
    return CheckResult(NAME, backend, verdict, len(evidence.seen), tuple(found), level, facts)


def _told(evidence: Evidence) -> list[tuple[str, Finding]]:
    return [finding for side in SIDES for finding in side(evidence)]


def _places(tops: Sequence[Top]) -> list[str]:
    """Where they stand; or, where that is nowhere in particular, why nothing is known."""
    return list(dict.fromkeys(str(t.location) if t.location.file else t.reason for t in tops))


def _nothing_seen(evidence: Evidence, operations: Sequence[str]) -> Finding:
    return Finding(
        "EFFECT205",
        f"never seen at work: {', '.join(operations)}",
        "every operation reaches success at least once",
        "no exercise of it succeeded, or there is none",
        evidence.reproduce(""),
        "add exercises for it to the contract's suite",
    )


def _not_read_back(evidence: Evidence, operations: Sequence[str]) -> Finding:
    return Finding(
        "EFFECT205",
        f"nobody sees what the mock does in {', '.join(operations)}",
        "what an exercise can have touched is read back before it and after it",
        "read_back of the contract's suite gives no call for it",
        evidence.reproduce(""),
        "let read_back give the calls that show what such a call left",
    )


def _not_used(evidence: Evidence, operations: Sequence[str]) -> Finding:
    return Finding(
        "EFFECT205",
        f"nobody uses what {', '.join(operations)} hands out",
        "a credential that an operation delegates by is used, in time and late",
        "no exercise of it has a grant whose same_as is a provided operation",
        evidence.reproduce(""),
        "give an exercise a Grant: what its URL permits, for how long, and the call that does the "
        "same",
    )


def _not_taken(evidence: Evidence, operation: str, places: Sequence[str]) -> Finding:
    return Finding(
        "EFFECT205",
        f"{operation} was never seen to do what it declares",
        "an effect that is declared is seen, or every way to it was gone",
        f"no case of it came to {', '.join(places)}",
        evidence.reproduce(""),
        "add an exercise to the contract's suite that leads there, or declare the smaller effect",
    )
