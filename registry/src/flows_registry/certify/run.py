"""Running every check on one plugin, in the order in which a failure says most."""

import datetime as dt
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from flows_registry.certify.kept import PROBLEMS, kept, not_importable, was_kept
from flows_registry.certify.parity_of import check_parity, nothing_compared, without_simulator
from flows_registry.certify.promised import promised
from flows_registry.certify.scratch import scratch_folder
from flows_registry.certify.subject_of import described, subject_of
from flows_registry.checks.budget.check import check_budget
from flows_registry.checks.contract.check import check_contract
from flows_registry.checks.determinism.check import check_determinism
from flows_registry.checks.effects.check import check_effects
from flows_registry.checks.injection.check import check_injection
from flows_registry.checks.package import Built, check_package
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.checks.policy.check import check_policy
from flows_registry.evidence.redaction import Redactor
from flows_registry.lab.lab import HostBroken, Lab, NoReference
from flows_registry.lab.simulators.sides import SimulatorAccess
from flows_registry.lab.uv import Uv
from flows_registry.policy.deciding import decided
from flows_registry.policy.policy import Policy
from flows_registry.policy.reading import built_in
from flows_registry.verdict import (
    Certification,
    CheckResult,
    Finding,
    Level,
    Reproduction,
    Verdict,
    merged,
)

__all__ = ["CHECKS", "Options", "certify", "judged"]

BackendCheck = Callable[[Plan, str, Sequence[Baseline]], CheckResult]

_ON_BACKENDS: dict[str, BackendCheck] = {
    "effects": check_effects,
    "determinism": check_determinism,
    "contract": check_contract,
    "injection": check_injection,
    # These judge what the others have run, too.
    "policy": check_policy,
    "budget": check_budget,
}

CHECKS = ("package", *_ON_BACKENDS, "parity")
"""The checks, in the order in which they run."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for.

    Attributes:
        path: the plugin's folder.
        checks: the checks to run; all of them unless named. The package is always built.
        only: run only cases whose name contains this text.
        seed: where generated cases start.
        jobs: how many rooms work at once; None is one per core.
        level: look no closer than this, even where the machine can.
        keep: keep everything that was made in this folder.
        simulators: where simulators come from.
        policy: what the organisation asks.
        today: the day on which waivers hold or do not.
        progress: told (check, backend, cases done, cases in all), or (text, "", 0, 0).
    """

    path: Path
    checks: Sequence[str] = CHECKS
    only: str = ""
    seed: int = 0
    jobs: int | None = None
    level: Level = Level.ISOLATED
    keep: Path | None = None
    simulators: SimulatorAccess = field(default_factory=SimulatorAccess)
    policy: Policy = field(default_factory=built_in)
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    progress: Callable[[str, str, int, int], None] = lambda check, backend, done, total: None


def certify(options: Options) -> Certification:
    """Every check that was asked for, and the verdict over them.

    Raises:
        SourceNotPlugin: the path holds no plugin (PACKAGE001).
        ManifestInvalid: its capability.toml cannot be used (CAP106).
    """
    started = time.monotonic()
    with scratch_folder(options.keep) as scratch:
        options.progress("package", "", 0, 1)
        uv = Uv(offline=options.simulators.offline)
        result, built = check_package(options.path, scratch / "package", uv=uv)
        options.progress("package", "", 1, 1)
        return judged(options, result, built, scratch, started)


def judged(
    options: Options, result: CheckResult, built: Built | None, scratch: Path, started: float
) -> Certification:
    """Every check that was asked for on what has been packaged, and the verdict over them.

    Args:
        options: what the user asked for.
        result: what the package check said.
        built: what it left, or None where nothing can be opened.
        scratch: a folder of one's own.
        started: when the certification began, as `time.monotonic()` tells it.
    """
    part = _part(options)
    if built is None:
        subject = options.path.resolve().name
        refused = Certification(subject, (result,), _facts(started), part)
        return _decided(options, refused, subject)
    promises: dict[str, Any] = {}
    checks = tuple(_checked(options, built, scratch, promises))
    if options.only:
        checks = _told(options, checks)
    distribution = f"{built.wheel.name} {built.wheel.version}"
    facts: dict[str, Any] = {**_facts(started), **_not_compared(options, built), **promises}
    if not checks and (unplayed := facts.get("no_simulator")):
        checks = (nothing_compared(unplayed),)
    found = Certification(distribution, (result, *checks), facts, part)
    return _decided(options, found, built.manifest.name)


def _decided(options: Options, found: Certification, plugin: str) -> Certification:
    """What was found as the policy sees it."""
    return decided(found, options.policy, plugin=plugin, today=options.today, only=options.only)


def _part(options: Options) -> str:
    """What was asked for, in words, or nothing where that is everything."""
    checks = "" if set(CHECKS) <= set(options.checks) else ", ".join(options.checks)
    return " ".join(filter(None, [checks, options.only and f"on cases with {options.only!r}"]))


def _told(options: Options, checks: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The results that some case stands behind, and those that were kept from running one: the
    others were not asked about."""
    told = tuple(filter(_is_told, checks))
    if told:
        return told
    finding = Finding(
        "CONTRACT003",
        f"no case has {options.only!r} in its name",
        "at least one case runs",
        "none did",
        Reproduction(),
        "case names are in the reproductions that a refusal prints: backend/exercise/fault, after "
        "the capability where the plugin has several",
    )
    return (CheckResult(options.checks[0], "", Verdict.INCONCLUSIVE, 0, (finding,)),)


def _is_told(result: CheckResult) -> bool:
    return bool(result.cases) or result.verdict is Verdict.REFUSED or was_kept(result)


def _facts(started: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - started, 3)}


def _not_compared(options: Options, built: Built) -> dict[str, list[str]]:
    """What parity, where it was asked for, has nobody to compare with: that is no pass of it."""
    asked = "parity" in options.checks and not options.only
    return {"no_simulator": without_simulator(built.manifest)} if asked else {}


def _checked(
    options: Options, built: Built, scratch: Path, facts: dict[str, Any]
) -> Iterator[CheckResult]:
    """The results of every check that runs the plugin, no secret of the lab in them; what the
    subject promises is added to the facts."""
    wanted = [name for name in options.checks if name != "package"]
    if not wanted:
        return
    subject = subject_of(built)
    environment = built.environment
    sources = scratch / "unpacked"
    with zipfile.ZipFile(built.wheel.path) as archive:
        archive.extractall(sources)
    with Lab(
        subject,
        environment.python,
        environment.site_packages,
        scratch,
        jobs=options.jobs,
        isolated=None if options.level >= Level.WIRE else False,
        walled=None if options.level >= Level.ISOLATED else False,
    ) as lab:
        redactor = Redactor(lab.all_canaries())
        try:
            subject = lab.subject = described(subject, built, lab)
        except HostBroken as broken:
            yield redactor.result(not_importable(wanted[0], "", broken))
            return
        plan = Plan(
            subject,
            lab,
            str(options.path),
            seed=options.seed,
            progress=options.progress,
            only=options.only,
            sources=sources,
            policy=options.policy,
        )
        facts["promised"] = promised(plan)
        yield from map(redactor.result, _every(options, plan, wanted))


def _every(options: Options, plan: Plan, wanted: Sequence[str]) -> Iterator[CheckResult]:
    """The results of the checks on each backend, and of what compares backends."""
    for backend in plan.subject.manifest.backends:
        yield from _on_backend(plan, backend, wanted)
    if "parity" in wanted and not options.only:  # it is one comparison, and has no cases to name
        yield from _timed(lambda: check_parity(plan, options.simulators), "parity", "")


def _on_backend(plan: Plan, backend: str, wanted: Sequence[str]) -> Iterator[CheckResult]:
    """Every check of one backend; what keeps it from running is a result too.

    Each capability is judged by itself, for two may have operations of one name; what is said of
    them is put together.
    """
    names = [name for name in _ON_BACKENDS if name in wanted]
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
    told = [each for each in results if _is_told(each)] if asked[0][0].only else results
    return merged(told or results)


def _alone(name: str, backend: str, part: Plan, baselines: Sequence[Baseline]) -> CheckResult:
    """What a check says of one capability: what keeps one from being judged keeps no other."""
    (capability,) = part.subject.capabilities.values()
    try:
        result = _ON_BACKENDS[name](part, backend, baselines)
    except PROBLEMS as problem:
        result = kept(name, backend, problem)
    return part.named(capability, part.ledger.settled(result, capability.contract))


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
