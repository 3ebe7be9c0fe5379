"""The package check: from a source folder to a wheel and an environment that later checks trust."""

import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core_caps.claims.manifest import Manifest
from core_caps.claims.operation import CapabilitySpec
from core_caps.errors import CapsError

from flows_registry.checks.package_contents import (
    declared_extras,
    dependencies,
    from_problem,
    manifest_findings,
    metadata,
    own_manifest,
    the_plugin,
    usable_manifest,
)
from flows_registry.checks.package_loading import Loading, check_loading
from flows_registry.lab.build import BUILD_SECONDS_MAX, Artifacts, BuildFailed, build
from flows_registry.lab.environment import Environment, EnvironmentFailed
from flows_registry.lab.running import Run, run
from flows_registry.lab.source import Source, SourceNotPlugin, SourceRefused, read_source
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import ENTRY_POINT_GROUP, MANIFEST_NAME, Wheel, inspect_wheel
from flows_registry.verdict import CheckResult, Finding, Level, Reproduction, Verdict

__all__ = ["Built", "check_package", "plugin_source"]

CHECK = "package"

_READ_ONLY = "Read-only file system"
"""What a confined build hears when it writes to a place that is not its own."""


@dataclass(frozen=True, slots=True)
class Built:
    """What the other checks work with.

    Attributes:
        source: the files it was built from.
        wheel: the wheel as it was read.
        manifest: the manifest inside the wheel.
        environment: the wheel with every backend's extra, their requirements, nothing else.
        bare: the wheel without any extra.
        build_requires: what its build backend asked for.
        specifications: the capabilities of the plugin's own, by contract.
    """

    source: Source
    wheel: Wheel
    manifest: Manifest
    environment: Environment
    bare: Environment
    build_requires: tuple[str, ...] = ()
    specifications: Mapping[str, CapabilitySpec] = field(default_factory=dict[str, CapabilitySpec])


@dataclass(slots=True)
class _Report:
    """What has been found so far, and how many questions were asked and answered."""

    findings: list[Finding] = field(default_factory=list[Finding])
    cases: int = 0
    facts: dict[str, Any] = field(default_factory=dict[str, Any])
    missing: bool = False

    def asked(self, findings: Iterable[Finding]) -> bool:
        """Note the answers to one question; True when there was nothing wrong."""
        before = len(self.findings)
        self.findings.extend(findings)
        self.cases += 1
        return len(self.findings) == before

    def result(self) -> CheckResult:
        verdict = Verdict.REFUSED if self.findings else Verdict.PASSED
        if self.missing and len(self.findings) == 1:
            verdict = Verdict.INCONCLUSIVE  # the one finding says what is missing here
        findings = tuple(self.findings)
        return CheckResult(CHECK, "", verdict, self.cases, findings, Level.INTERPRETER, self.facts)


def plugin_source(path: Path) -> Source:
    """The files of the plugin at `path`.

    Raises:
        SourceNotPlugin: there is no plugin: no project, or one without manifest and entry point
            (PACKAGE001).
        SourceRefused: the tree cannot be copied (PACKAGE002).
        ManifestInvalid: its capability.toml cannot be used (CAP106).
    """
    source = read_source(path)
    manifests = [name for name in source.files if Path(name).name == MANIFEST_NAME]
    project = (source.root / "pyproject.toml").read_text(encoding="utf-8", errors="replace")
    if not manifests and ENTRY_POINT_GROUP not in project:
        raise SourceNotPlugin(
            f"{path} is a Python project, but no plugin: it has no {MANIFEST_NAME} and no entry "
            f"point in the group {ENTRY_POINT_GROUP}",
            hint="`flows-registry new cap-NAME` makes a plugin to compare with",
        )
    for name in manifests:
        if name.startswith(("src/", source.root.name.replace("-", "_"))):
            usable_manifest((source.root / name).read_bytes(), str(path / name))
    return source


def check_package(
    source: Path,
    scratch: Path,
    *,
    uv: Uv | None = None,
    run: Run = run,
    build_seconds_max: float = BUILD_SECONDS_MAX,
) -> tuple[CheckResult, Built | None]:
    """Build, inspect and load the plugin at `source`.

    Args:
        source: the plugin's folder; it is never written to.
        scratch: a folder for everything that is made; it must stay while Built is in use.
        uv: how packages are fetched.
        run: how foreign code (build backend, plugin) is run.
        build_seconds_max: a build that takes longer is stopped and refused.

    Returns:
        The result, and what was built where the plugin can be opened and its manifest does not
        contradict itself: what came after would only be what follows from that.

    Raises:
        SourceNotPlugin: the path holds no plugin (PACKAGE001).
        ManifestInvalid: its capability.toml cannot be used (CAP106).
    """
    report, started = _Report(), time.monotonic()
    uv = uv or Uv()
    built: Built | None = None
    try:
        tree = plugin_source(source)
        artifacts = build(tree, scratch, uv=uv, run=run, timeout_seconds=build_seconds_max)
        _note(report, artifacts)
        report.asked(_reproducible(artifacts, source))
        report.asked(_strays(artifacts.strays, source))
        built = _examine(report, tree, artifacts, scratch, uv, run)
    except (SourceRefused, BuildFailed, EnvironmentFailed) as error:
        report.asked([_failed(error, source)])
        report.missing = isinstance(error, EnvironmentFailed) and error.unreachable
    report.facts["seconds"] = round(time.monotonic() - started, 3)
    return report.result(), built


def _examine(
    report: _Report, tree: Source, artifacts: Artifacts, scratch: Path, uv: Uv, run: Run
) -> Built | None:
    """Everything about the finished wheel; None where it cannot be opened."""
    wheel, problems = inspect_wheel(artifacts.wheel)

    def asked(findings: Iterable[Finding]) -> bool:
        return report.asked(_of_a_wheel_built_again(findings, tree.root))

    sound = asked(from_problem(each, artifacts.wheel) for each in problems)
    if wheel is None:
        return None
    report.facts["compiled"] = list(wheel.compiled)
    asked(metadata(wheel))
    plugin, findings = the_plugin(wheel)
    asked(findings)
    found, findings = own_manifest(wheel, plugin)
    asked(findings)
    if plugin is None or found is None:
        return None
    manifest = usable_manifest(found[1], found[0])
    complete = asked(declared_extras(wheel, manifest))
    asked(dependencies(wheel, manifest))
    if not sound or any(" @ " in line for line in wheel.requires):
        # Neither a wheel that is not what it says is installed, nor one that fetches from a URL.
        asked(manifest_findings(wheel, plugin, *found, {}))
        return None
    loading = check_loading(wheel, plugin, manifest, scratch / "load", uv=uv, run=run)
    _note_loading(report, loading)
    own = loading.specifications
    consistent = asked(manifest_findings(wheel, plugin, *found, own))
    if not (complete and consistent and loading.whole):
        return None
    assert loading.environment is not None
    assert loading.bare is not None
    made = loading.environment, loading.bare
    return Built(tree, wheel, manifest, *made, artifacts.requires, own)


def _of_a_wheel_built_again(findings: Iterable[Finding], root: Path) -> Iterator[Finding]:
    """The wheel is gone when the report is read: what looks into it builds it first."""
    for each in findings:
        build = f"uv build --quiet --wheel --out-dir dist {shlex.quote(str(root))}"
        yield replace(each, reproduce=Reproduction(f"{build} && {each.reproduce}"))


def _note(report: _Report, artifacts: Artifacts) -> None:
    report.facts["wheel"] = artifacts.wheel.name
    report.facts["sha256"] = dict(artifacts.digests)
    report.facts["build_seconds"] = round(artifacts.seconds, 3)


def _note_loading(report: _Report, loading: Loading) -> None:
    for findings in loading.answers:
        report.asked(findings)
    if loading.environment is not None:
        names = [f"{each.name} {each.version}" for each in loading.environment.distributions]
        report.facts["distributions"] = names


def _reproducible(artifacts: Artifacts, source: Path) -> Iterator[Finding]:
    if artifacts.differences:
        first, *others = artifacts.differences
        more = f", and {len(others)} more" if others else ""
        yield Finding(
            "PACKAGE004",
            f"two builds of the same source differ: {first}{more}",
            promised="the same source gives the same bytes, wherever and whenever it is built",
            observed="\n".join(artifacts.differences),
            reproduce=Reproduction(
                f"build {source} in two folders with SOURCE_DATE_EPOCH set, another TZ, "
                "umask and PYTHONHASHSEED, and compare the files"
            ),
            fix="let the build write no time, path, random value or unordered set",
        )


def _strays(strays: Sequence[str], source: Path) -> Iterator[Finding]:
    for stray in strays:
        yield Finding(
            "PACKAGE005",
            f"the build wrote {stray}, which is not below the folder it runs in",
            promised="a build changes nothing outside of its own folder",
            observed=stray,
            reproduce=Reproduction(f"uv build {source}"),
            fix="write generated files below the project's folder",
        )


def _failed(error: CapsError, source: Path) -> Finding:
    tail = error.tail if isinstance(error, BuildFailed) else ""
    if _READ_ONLY in tail:
        return next(_strays((tail.splitlines()[-1],), source))
    message, _, rest = error.message.partition("\n")
    return Finding(
        error.code,
        message,
        promised="the plugin builds by its own backend and installs with what it requires",
        observed=tail or rest or message,
        reproduce=Reproduction(f"uv build {source}"),
        fix=error.hint,
    )
