"""Running every check on one plugin, in the order in which a failure says most."""

import tempfile
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from flows_registry.certify.parity_of import check_parity
from flows_registry.certify.subject_of import described, subject_of
from flows_registry.checks.contract.check import check_contract
from flows_registry.checks.determinism.check import check_determinism
from flows_registry.checks.effects.check import check_effects
from flows_registry.checks.injection.check import check_injection
from flows_registry.checks.package import Built, check_package
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.lab import (
    AgentBroken,
    HostBroken,
    Lab,
    NoReference,
    ReferenceBroken,
    RoomBroken,
)
from flows_registry.lab.simulators.sides import SimulatorAccess
from flows_registry.lab.uv import Uv
from flows_registry.verdict import Certification, CheckResult, Finding, Verdict

__all__ = ["CHECKS", "Options", "certify"]

BackendCheck = Callable[[Plan, str, Sequence[Baseline]], CheckResult]

_ON_BACKENDS: dict[str, BackendCheck] = {
    "effects": check_effects,
    "determinism": check_determinism,
    "contract": check_contract,
    "injection": check_injection,
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
        keep: keep everything that was made in this folder.
        simulators: where simulators come from.
        progress: told (check, backend, cases done, cases in all), or (text, "", 0, 0).
    """

    path: Path
    checks: Sequence[str] = CHECKS
    only: str = ""
    seed: int = 0
    jobs: int | None = None
    keep: Path | None = None
    simulators: SimulatorAccess = field(default_factory=SimulatorAccess)
    progress: Callable[[str, str, int, int], None] = lambda check, backend, done, total: None


def certify(options: Options) -> Certification:
    """Every check that was asked for, and the verdict over them.

    Raises:
        SourceNotPlugin: the path holds no plugin (PACKAGE001).
        ManifestInvalid: its capability.toml is not TOML (CAP106).
    """
    started = time.monotonic()
    with _scratch(options.keep) as scratch:
        options.progress("package", "", 0, 1)
        uv = Uv(offline=options.simulators.offline)
        result, built = check_package(options.path, scratch / "package", uv=uv)
        options.progress("package", "", 1, 1)
        part = _part(options)
        if built is None:
            return Certification(options.path.name, (result,), _facts(started), part)
        checks = tuple(_checked(options, built, scratch))
        if options.only:
            checks = _told(options, checks)
        distribution = f"{built.wheel.name} {built.wheel.version}"
        return Certification(distribution, (result, *checks), _facts(started), part)


def _part(options: Options) -> str:
    """What was asked for, in words, or nothing where that is everything."""
    checks = "" if set(CHECKS) <= set(options.checks) else ", ".join(options.checks)
    return " ".join(filter(None, [checks, options.only and f"on cases with {options.only!r}"]))


def _told(options: Options, checks: Sequence[CheckResult]) -> tuple[CheckResult, ...]:
    """The results that some case stands behind: the others were not asked about. Where no case
    could run at all, what kept them from it."""
    asked = tuple(c for c in checks if c.cases or c.verdict is Verdict.REFUSED)
    unable = tuple(c for c in checks if any(f.code.startswith("LAB") for f in c.findings))
    if asked or unable:
        return asked or unable
    finding = Finding(
        "CONTRACT003",
        f"no case has {options.only!r} in its name",
        "at least one case runs",
        "none did",
        "",
        "case names are in the reproductions that a refusal prints: backend/exercise/fault",
    )
    return (CheckResult(options.checks[0], "", Verdict.INCONCLUSIVE, 0, (finding,)),)


def _facts(started: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - started, 3)}


@contextmanager
def _scratch(keep: Path | None) -> Generator[Path]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="flows-certify-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _checked(options: Options, built: Built, scratch: Path) -> Iterator[CheckResult]:
    """The results of every check that runs the plugin."""
    wanted = [name for name in options.checks if name != "package"]
    if not wanted:
        return
    subject = subject_of(built)
    environment = built.environment
    sources = scratch / "unpacked"
    with zipfile.ZipFile(built.wheel.path) as archive:
        archive.extractall(sources)
    with Lab(
        subject, environment.python, environment.site_packages, scratch, jobs=options.jobs
    ) as lab:
        try:
            subject = lab.subject = described(subject, built, lab)
        except HostBroken as broken:
            yield _not_importable(wanted[0], "", broken)
            return
        plan = Plan(
            subject,
            lab,
            str(options.path),
            seed=options.seed,
            progress=options.progress,
            only=options.only,
            sources=sources,
        )
        for backend in subject.manifest.backends:
            yield from _on_backend(plan, backend, wanted)
        if "parity" in wanted:
            yield from _timed(lambda: check_parity(plan, options.simulators), "")


def _on_backend(plan: Plan, backend: str, wanted: Sequence[str]) -> Iterator[CheckResult]:
    """Every check of one backend; what keeps it from running is a result too."""
    names = [name for name in _ON_BACKENDS if name in wanted]
    if not names:
        return
    try:
        baselines = plan.baselines(backend)
    except AgentBroken as broken:
        yield _not_importable(names[0], backend, broken)
        return
    except NoReference as missing:
        for name in names:
            yield _no_reference(name, backend, missing)
        return
    except ReferenceBroken as broken:
        yield _reference_broken(names[0], backend, broken)
        return
    except RoomBroken as broken:
        yield _lab_broken(names[0], backend, broken)
        return
    own = plan.lab.own_reference(backend)
    told = {} if own is None else {"own_reference": own}
    for name in names:
        check = _ON_BACKENDS[name]
        for result in _timed(lambda check=check: [check(plan, backend, baselines)], name):
            yield replace(result, facts={**result.facts, **told})


def _timed(check: Callable[[], Sequence[CheckResult]], name: str) -> Iterator[CheckResult]:
    started = time.monotonic()
    try:
        results = check()
    except HostBroken as broken:
        yield _suite_broken(name, broken)
        return
    except ReferenceBroken as broken:
        yield _reference_broken(name, "", broken)
        return
    except RoomBroken as broken:
        yield _lab_broken(name or "parity", "", broken)
        return
    seconds = round((time.monotonic() - started) / max(1, len(results)), 3)
    for result in results:
        yield replace(result, facts={**result.facts, "seconds": seconds})


def _not_importable(check: str, backend: str, broken: AgentBroken | HostBroken) -> CheckResult:
    last = str(broken).strip().splitlines()[-1]
    finding = Finding(
        "LAB001",
        f"the plugin cannot be used in its own environment: {last}",
        "the wheel, with its own dependencies and nothing else, can be imported",
        str(broken)[-1500:],
        "",
        "declare what it imports among its dependencies or the backend's extra",
    )
    return CheckResult(check, backend, Verdict.REFUSED, 1, (finding,))


def _no_reference(check: str, backend: str, missing: NoReference) -> CheckResult:
    finding = Finding(
        "LAB002",
        f"nobody here speaks the wire {str(missing)!r} of backend {backend!r}",
        "every backend is run against a reference server of its wire",
        "no such reference server",
        "",
        "use a known wire (cloudflare-kv, s3), or bring a reference server for it: "
        'reference = "package.testing:Reference"',
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _reference_broken(check: str, backend: str, broken: ReferenceBroken) -> CheckResult:
    finding = Finding(
        "LAB004",
        "the reference server failed, so nothing was proved about its wire",
        "a reference answers every request: what it does not know is a 4xx",
        str(broken)[-1500:],
        "",
        "mend the reference that the backend names; it holds no sockets, no clock, and never waits",
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))


def _suite_broken(check: str, broken: HostBroken) -> CheckResult:
    finding = Finding(
        "CONTRACT004",
        "the plugin's own suite failed, so nothing was proved",
        "model, generate, comparable and read_back answer whatever their own calls ask",
        str(broken)[-1500:],
        "",
        "mend the suite: a model refuses only by errors derived from ProviderError",
    )
    return CheckResult(check, "", Verdict.INCONCLUSIVE, 0, (finding,))


def _lab_broken(check: str, backend: str, broken: RoomBroken) -> CheckResult:
    finding = Finding(
        "LAB003",
        "the lab itself failed, so nothing was proved",
        "a room runs every case to its end",
        str(broken)[-1500:],
        "",
        "run it again; `flows-registry doctor` tells what this machine lacks",
    )
    return CheckResult(check, backend, Verdict.INCONCLUSIVE, 0, (finding,))
