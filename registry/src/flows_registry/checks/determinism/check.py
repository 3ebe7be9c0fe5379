"""Replaying every exercise under changed surroundings and naming what mattered."""

from collections.abc import Iterator, Mapping, Sequence

from core_caps.claims.lattice import Determinism

from flows_registry.checks.determinism.axes import AXES, REPEAT, all_axes
from flows_registry.checks.determinism.culprits import DECLARED, culprits, located
from flows_registry.checks.determinism.replay import NAME, Difference, replayed
from flows_registry.checks.determinism.world import MOVED, OVERWRITTEN, moved, never_moved
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_determinism"]


def check_determinism(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether each operation repeats itself as it claims, on one backend."""
    usable = [base for base in baselines if base.problem is None and not _claims_nothing(base)]
    declared = _by_declared(usable).items()
    groups = [(all_axes(without=axes), bases) for axes, bases in declared]
    repeated, *others = replayed(plan, backend, [(REPEAT, usable), *groups])
    steady = {base.name: base for base, difference in repeated if difference is None}
    # What does not even repeat itself says nothing about its surroundings.
    surrounded = [found for group in others for found in group if found[0].name in steady]
    elsewhere = list(moved(plan, backend, list(steady.values())))
    differences = [difference for _, difference in (*repeated, *elsewhere) if difference]
    suspects = [difference for _, difference in surrounded if difference]
    differences += culprits(plan, backend, suspects)
    differences = located(plan, backend, differences)
    found = list(collapsed(_with_operation(plan, differences)))
    compared = len(repeated) + len(surrounded) + len(elsewhere)
    verdict = Verdict.REFUSED if found else Verdict.PASSED
    if verdict is Verdict.PASSED:
        found = list(_unproven(plan, backend, baselines, compared))
        # Who asked for some cases only is not told what the others would have shown.
        unmoved = [] if plan.only else never_moved(list(steady.values()), elsewhere)
        found += [_not_moved(operation) for operation in unmoved]
        verdict = Verdict.INCONCLUSIVE if found else Verdict.PASSED
    facts = {
        "axes": [*AXES, REPEAT.name],
        "nondeterministic": len(baselines) - len(usable),
        "world_moved": len(elsewhere),
    }
    return CheckResult(NAME, backend, verdict, compared, tuple(found), plan.lab.level, facts)


def _unproven(
    plan: Plan, backend: str, baselines: Sequence[Baseline], compared: int
) -> Iterator[Finding]:
    """What was to be replayed and was not; what claims nondeterministic was not to be."""
    missing = plan.unproven(backend, baselines)
    seen = any(base.problem is None for base in baselines)
    nothing_to_do = seen and all(_claims_nothing(base) for base in baselines)
    if missing or not (compared or nothing_to_do):
        yield _not_replayed(missing)


def _claims_nothing(base: Baseline) -> bool:
    return base.claim.determinism is Determinism.NONDETERMINISTIC


def _by_declared(bases: Sequence[Baseline]) -> Mapping[frozenset[str], list[Baseline]]:
    """The exercises by the axes that their operations declare to depend on."""
    groups: dict[frozenset[str], list[Baseline]] = {}
    for base in bases:
        declared = {axis for axis, hint in DECLARED.items() if hint in base.claim.hints}
        groups.setdefault(frozenset(declared), []).append(base)
    return groups


def _with_operation(plan: Plan, differences: Sequence[Difference]) -> Iterator[tuple[str, Finding]]:
    for difference in differences:
        yield difference.operation, _finding(plan, difference)


def _finding(plan: Plan, difference: Difference) -> Finding:
    first = difference.causes[0] if difference.causes else ""
    return Finding(
        "DET301",
        f"{difference.operation} depends on {difference.cause}",
        f"determinism = {difference.base.claim.determinism}: "
        + _PROMISES.get(first, "with the service standing still, the same call gives the same "
                        "bytes"),
        difference.shown,
        plan.reproduce(NAME, difference.base.name),
        "; ".join(dict.fromkeys(_FIXES.get(cause, _FIX) for cause in difference.causes)) or _FIX,
    )  # fmt: skip


def _not_replayed(missing: Sequence[str]) -> Finding:
    return Finding(
        "CONTRACT003",
        f"not replayed: {', '.join(missing) or 'anything'}",
        "every operation is replayed at least once",
        "no exercise of it ran on a healthy service",
    )


def _not_moved(operation: str) -> Finding:
    return Finding(
        "CONTRACT003",
        f"{operation} was never tried in another world",
        "what is strict or pinned is called again after the world has changed",
        "no change of the world could be made: the exercises write nothing plain before they call "
        "it, or the service refused every change",
        fix="add an exercise whose setup writes what the operation reads, by a call whose first "
        "argument is its name, or claim best_effort",
    )


_PROMISES = {
    MOVED: "whatever else changes in the world, what is pinned gives the same bytes",
    OVERWRITTEN: "what is pinned gives the same bytes, or an error, never others",
}

_FIX = "remove the dependency, or declare determinism = 'nondeterministic'"

_FIXES = {
    "clock": "take the time from the injected clock and keep it out of results, or declare "
    "resource::clock",
    "random numbers": "take randomness from the injected rng and keep it out of results, or "
    "declare resource::rng",
    "hash seed": "sort what comes out of a set or a hash before it is written",
    "memory addresses": "keep id(), default reprs, numbers of processes and threads, and measured "
    "times out of keys and results",
    "environment": "take what it needs as settings, and never read the machine's or the user's",
    "working directory": "take folders as settings",
    "answer order": "combine concurrent answers in the order of the calls, not of their arrival",
    "chunking": "read a body to its end, however many pieces it comes in",
    "thread schedule": "guard what threads share with a lock, or give each its own",
    "directory listing order": "sort directory listings",
    "locale": "name the encoding; never rely on the locale's",
    "time zone": "use UTC",
    MOVED: "read exactly what the pin names, by no alias and no listing, or claim best_effort",
    OVERWRITTEN: "hold what arrives against the pin, and refuse what does not match",
}
