"""Every check on every backend, in the order in which a failure says most; what is carried stands
in its place."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module

from flows_registry.certify.delta import Delta
from flows_registry.certify.kept import PROBLEMS, kept, was_kept
from flows_registry.certify.parity_of import check_parity
from flows_registry.certify.view import seen_by
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.lab import NoReference
from flows_registry.lab.simulators.sides import SimulatorAccess
from flows_registry.verdict import CheckResult, Verdict, merged

__all__ = ["CHECKS", "checked", "is_told"]

BackendCheck = Callable[[Plan, str, Sequence[Baseline]], CheckResult]

_ON_BACKENDS = ("effects", "determinism", "contract", "injection", "policy", "budget")
"""The last two judge what the others have run, too."""

CHECKS = ("package", *_ON_BACKENDS, "parity")
"""The checks, in the order in which they run."""


def checked(
    plan: Plan, wanted: Sequence[str], access: SimulatorAccess, delta: Delta
) -> Iterator[CheckResult]:
    """The results of the checks on each backend, and of what compares backends."""
    for backend in plan.subject.manifest.backends:
        names = [name for name in _ON_BACKENDS if name in wanted]
        carried = {name: delta.carried.get((name, backend)) for name in names}
        fresh = _on_backend(plan, backend, [name for name in names if carried[name] is None])
        yield from sorted(
            (*filter(None, carried.values()), *fresh), key=lambda each: names.index(each.check)
        )
    if "parity" in wanted and not plan.only:  # it is one comparison, and has no cases to name
        yield from delta.compared() or _timed(lambda: check_parity(plan, access), "parity", "")


def _on_backend(plan: Plan, backend: str, names: Sequence[str]) -> Iterator[CheckResult]:
    """These checks of one backend; what keeps one from running is a result too.

    Each capability is judged by itself, for two may have operations of one name; what is said of
    them is put together.
    """
    plans = plan.apart(backend)
    if not names or not plans:
        return
    try:
        baselines = [part.baselines(backend) for part in plans]
    except PROBLEMS as problem:
        yield from (kept(name, backend, problem) for name in _said_of(names, problem))
        return
    own = plan.lab.own_reference(backend)
    told = {} if own is None else {"own_reference": own}
    for name in names:
        asked = [(part, part.asked(name, its)) for part, its in zip(plans, baselines, strict=True)]
        asked = [(part, its) for part, its in asked if its or not plan.only]
        if not asked:
            continue
        for result in _timed(lambda n=name, a=asked: [_together(n, backend, a)], name, backend):
            yield replace(result, facts={**result.facts, **told})


def _together(
    name: str, backend: str, asked: Sequence[tuple[Plan, Sequence[Baseline]]]
) -> CheckResult:
    """What a check says of every capability, as one result; where only some cases were asked for,
    of those that have such a case."""
    results = [_alone(name, backend, part, its) for part, its in asked]
    told = [each for each in results if is_told(each)] if asked[0][0].only else results
    return merged(told or results)


def _alone(name: str, backend: str, part: Plan, baselines: Sequence[Baseline]) -> CheckResult:
    """What a check says of one capability: what keeps one from being judged keeps no other."""
    (capability,) = part.subject.capabilities.values()
    seen = replace(part, subject=seen_by(name, backend, part.subject))
    try:
        result = _check_named(name)(seen, backend, baselines)
    except PROBLEMS as problem:
        result = kept(name, backend, problem)
    return part.named(capability, part.ledger.settled(result, capability.contract))


def _check_named(name: str) -> BackendCheck:
    """The check of that name, imported when it is first run: what is carried needs none."""
    check: BackendCheck = getattr(
        import_module(f"flows_registry.checks.{name}.check"), f"check_{name}"
    )
    return check


def _said_of(names: Sequence[str], problem: Exception) -> Sequence[str]:
    """A missing reference keeps every check from running; the rest is said once."""
    return names if isinstance(problem, NoReference) else names[:1]


def _timed(
    check: Callable[[], Sequence[CheckResult]], name: str, backend: str
) -> Iterator[CheckResult]:
    started = time.monotonic()
    try:
        results = check()
    except PROBLEMS as problem:
        yield kept(name, backend, problem)
        return
    seconds = round((time.monotonic() - started) / max(1, len(results)), 3)
    for result in results:
        yield replace(result, facts={**result.facts, "seconds": seconds})


def is_told(result: CheckResult) -> bool:
    """Whether some case stands behind a result, or it was kept from running one."""
    return bool(result.cases) or result.verdict is Verdict.REFUSED or was_kept(result)
