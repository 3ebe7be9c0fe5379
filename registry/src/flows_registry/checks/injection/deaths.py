"""A client dies in a write: after each request that it made, and before it hears the answer.

Its process ends without a word. Another client looks, makes the write again, under its key where it
has one, and looks again: it finds all of the write or nothing, and in the end all of it once.
"""

from collections.abc import Iterator, Sequence

from flows_registry.checks.injection.histories import refers, repeatable
from flows_registry.checks.injection.judging import Judge
from flows_registry.checks.plan import Baseline
from flows_registry.checks.reading import is_read
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.verdict import Finding

__all__ = ["deaths", "survived"]

DEATHS_MAX = 3
"""In so many of the requests of one write its client dies, the first and the last among them."""


def deaths(judge: Judge, baselines: Sequence[Baseline]) -> Iterator[Case]:
    """The cases of one capability."""
    for base in _longest(judge, baselines):
        safe_posts = judge.plan.backend(base.run.case.backend).safe_posts
        requests = (e for e in base.run.exchanges if e.committed and not is_read(e, safe_posts))
        for at in _some(sorted(request.number for request in requests)):
            yield _death(judge, base, at)


def survived(judge: Judge, run: CaseRun) -> Iterator[Finding]:
    """What is found where a client died, if it did."""
    if run.died and all(run.consumed):
        yield from judge.together(run)


def _longest(judge: Judge, baselines: Sequence[Baseline]) -> Iterator[Baseline]:
    """Of each write that may be made again the exercise that takes most requests."""
    best: dict[str, Baseline] = {}
    for base in baselines:
        call = base.exercise.call
        ours = base.capability.contract == judge.capability.contract
        alone = not any(map(refers, (call, *base.exercise.setup)))
        again = alone and repeatable(call, judge.capability.claims)
        if ours and again and base.writes and base.problem is None:
            known = best.get(call.operation, base)
            best[call.operation] = max(known, base, key=lambda each: len(each.run.exchanges))
    yield from best.values()


def _some(numbers: Sequence[int]) -> Sequence[int]:
    """A few of them, the first and the last among them."""
    if len(numbers) <= DEATHS_MAX:
        return numbers
    step = (len(numbers) - 1) / (DEATHS_MAX - 1)
    return [numbers[round(index * step)] for index in range(DEATHS_MAX)]


def _death(judge: Judge, base: Baseline, at: int) -> Case:
    call, setup = base.exercise.call, base.exercise.setup
    calls = (*(look for look in judge.looks((*setup, call)) if not refers(look)), call)
    return Case(
        f"{base.name}/dies in request {at}",
        judge.capability.contract,
        base.run.case.backend,
        calls,
        setup=setup,
        victim=(call,),
        probe=judge.looks(calls),
        faults=(Fault("stall after commit", at),),
    )
