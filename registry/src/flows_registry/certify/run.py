"""Running every check on one plugin, in the order in which a failure says most."""

import datetime as dt
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flows_registry.certify.before import Before, before_of, packaged
from flows_registry.certify.checking import CHECKS, checked, is_told
from flows_registry.certify.delta import Delta, delta_of
from flows_registry.certify.kept import not_importable
from flows_registry.certify.keys import parts_of_plugin
from flows_registry.certify.parity_of import nothing_compared, without_simulator
from flows_registry.certify.promised import promised
from flows_registry.certify.sample import WentOtherwise
from flows_registry.certify.scratch import scratch_folder
from flows_registry.certify.subject_of import described, subject_of
from flows_registry.checks.package import Built, check_package
from flows_registry.checks.plan import Plan
from flows_registry.evidence.redaction import Redactor
from flows_registry.evidence.words import is_carried
from flows_registry.lab.lab import HostBroken, Lab
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
)

__all__ = ["CHECKS", "Options", "certify", "judged"]


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
        today: the day on which waivers hold or do not, and from which carried results count.
        full: carry nothing of the last certification.
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
    full: bool = False
    progress: Callable[[str, str, int, int], None] = lambda check, backend, done, total: None


def certify(options: Options) -> Certification:
    """Every check that was asked for, and the verdict over them.

    Raises:
        SourceNotPlugin: the path holds no plugin (PACKAGE001).
        ManifestInvalid: its capability.toml cannot be used (CAP106).
    """
    started = time.monotonic()
    before = _before(options)
    with scratch_folder(options.keep) as scratch:
        try:
            return _certified(options, scratch, started, before)
        except WentOtherwise as other:
            before = Before(options.today, told=f"nothing is carried: {other}")
            return _certified(options, scratch / "again", started, before)


def _before(options: Options) -> Before:
    """What may be carried: who asks for a part, or wants to keep what is made, wants it run."""
    if options.full or options.keep is not None or _part(options):
        return Before(options.today)
    return before_of(options.path, today=options.today, days_max=options.policy.carry_days_max)


def _certified(options: Options, scratch: Path, started: float, before: Before) -> Certification:
    options.progress("package", "", 0, 1)
    uv = Uv(offline=options.simulators.offline)
    known = before.packaged(options.path, scratch / "known", uv=uv)
    result, built = known or check_package(options.path, scratch / "package", uv=uv)
    if known is None and built is not None and not _part(options):
        result = packaged(result, built, scratch, before, uv=uv)
    options.progress("package", "", 1, 1)
    return judged(options, result, built, scratch, started, before)


def judged(
    options: Options,
    result: CheckResult,
    built: Built | None,
    scratch: Path,
    started: float,
    before: Before | None = None,
) -> Certification:
    """Every check that was asked for on what has been packaged, and the verdict over them.

    Args:
        options: what the user asked for.
        result: what the package check said.
        built: what it left, or None where nothing can be opened.
        scratch: a folder of one's own.
        started: when the certification began, as `time.monotonic()` tells it.
        before: what may be carried of the last certification; None carries nothing.

    Raises:
        WentOtherwise: what the last certification left is not true.
    """
    part = _part(options)
    if built is None:
        subject = options.path.resolve().name
        refused = Certification(subject, (result,), _facts(started), part)
        return _decided(options, refused, subject)
    told: dict[str, Any] = {}
    checks = tuple(_checked(options, built, scratch, before, told))
    if options.only:
        checks = _told(options, checks)
    distribution = f"{built.wheel.name} {built.wheel.version}"
    facts: dict[str, Any] = {**_facts(started), **_not_compared(options, built), **told}
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
    told = tuple(filter(is_told, checks))
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


def _facts(started: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - started, 3)}


def _not_compared(options: Options, built: Built) -> dict[str, list[str]]:
    """What parity, where it was asked for, has nobody to compare with: that is no pass of it."""
    asked = "parity" in options.checks and not options.only
    return {"no_simulator": without_simulator(built.manifest)} if asked else {}


def _checked(
    options: Options, built: Built, scratch: Path, before: Before | None, facts: dict[str, Any]
) -> Iterator[CheckResult]:
    """The results of every check that runs the plugin, no secret of the lab in them; what the
    subject promises, and what is carried, is added to the facts."""
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
        delta = _delta(options, plan, built, before, wanted)
        facts.update(delta.facts)
        for result in checked(plan, wanted, options.simulators, delta):
            carried = is_carried(result)  # no secret of this lab is in it
            yield result if carried else delta.stamped(redactor.result(result))


def _delta(
    options: Options, plan: Plan, built: Built, before: Before | None, wanted: Sequence[str]
) -> Delta:
    """What is carried; nothing is, nor will be, of what was asked for in part."""
    if before is None or _part(options):
        return Delta(Before(options.today))
    plugin = parts_of_plugin(built.wheel, built.manifest, built.environment)
    return delta_of(plan, plugin, wanted, before, options.simulators)
