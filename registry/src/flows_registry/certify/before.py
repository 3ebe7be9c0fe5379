"""What has not changed is not run again: results that stand on the same parts are carried.

Only what passed is carried, for a time, and every carried result says where it comes from.
"""

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from flows_registry.certify.keys import Parts, digest_of, parts_of_package
from flows_registry.certify.remembered import sealed_of
from flows_registry.checks.package import Built, plugin_source
from flows_registry.checks.package_contents import own_manifest, the_plugin, usable_manifest
from flows_registry.checks.package_loading import environments
from flows_registry.evidence.reading import EvidenceUnusable
from flows_registry.lab.build import BuildFailed
from flows_registry.lab.cache import cache_folder, made_once
from flows_registry.lab.environment import EnvironmentFailed
from flows_registry.lab.source import SourceRefused
from flows_registry.lab.uv import Uv
from flows_registry.lab.wheel import Wheel, inspect_wheel
from flows_registry.verdict import Certification, CheckResult, Verdict

__all__ = ["Before", "Place", "before_of", "packaged", "stamped"]

_STANDS_ON, _CARRIED = "stands_on", "carried"
Place = tuple[str, str]
"""Check and backend."""


@dataclass(frozen=True, slots=True)
class Before:
    """What the last certification left, as far as it may be carried.

    Attributes:
        today: the day on which things are carried, and found out.
        results: by check and backend, what was found out then.
        evidence: the digest of its evidence.
        days_max: for how many days.
        told: why nothing is carried, where somebody should know.
    """

    today: dt.date
    results: Mapping[Place, CheckResult] = field(default_factory=dict[Place, CheckResult])
    evidence: str = ""
    days_max: int = 0
    told: str = ""

    def carried(self, check: str, backend: str, parts: Parts) -> CheckResult | None:
        """The result of a check that passed then and stands on the same parts now; it says so."""
        then = self.results.get((check, backend))
        if then is None or then.facts.get(_STANDS_ON) != parts or not self._holds(then):
            return None
        origin = _origin(then) or {
            "from": str(then.facts.get("date")),
            "key": digest_of(parts),
            "evidence": self.evidence,
        }
        facts = {k: v for k, v in then.facts.items() if k not in ("seconds", "changed")}
        return replace(then, facts={**facts, _CARRIED: origin})

    def changed(self, check: str, backend: str, parts: Parts) -> list[str]:
        """The parts that are others now than they were for this check then."""
        then = self.results.get((check, backend))
        known = _table(None if then is None else then.facts.get(_STANDS_ON))
        return sorted(part for part in parts if known and known.get(part) != parts[part])

    def packaged(self, path: Path, scratch: Path, *, uv: Uv) -> tuple[CheckResult, Built] | None:
        """The package check's result and what it left, where every file and all that builds and
        installs them is as it was.

        Raises:
            SourceNotPlugin, ManifestInvalid: as `check_package` does.
        """
        then = self.results.get(("package", ""))
        if then is None or not self._holds(then):
            return None
        try:
            source = plugin_source(path)
            wheel = _kept_wheel(then)
            if wheel is None or source.digest != _table(then.facts.get(_STANDS_ON)).get("source"):
                return None
            found, _ = own_manifest(wheel, the_plugin(wheel)[0])
            if found is None:
                return None
            manifest = usable_manifest(found[1], found[0])
            if any(each.protocol for each in manifest.capabilities.values()):
                return None  # only its own environment can tell what a capability of its own is
            whole, bare = environments(wheel, manifest, scratch / "load", uv=uv)
            requires = tuple(map(str, cast("Sequence[object]", then.facts["build_requires"])))
            built = Built(source, wheel, manifest, whole, bare, requires)
            result = self.carried("package", "", package_parts(built, scratch, uv=uv))
        except (SourceRefused, EnvironmentFailed, BuildFailed, OSError, KeyError):
            return None  # the check itself says what is wrong
        return None if result is None else (result, built)

    def _holds(self, result: CheckResult) -> bool:
        """Whether it passed by itself, not long ago."""
        if result.verdict is not Verdict.PASSED or any(f.because for f in result.findings):
            return False
        told = _origin(result).get("from") or result.facts.get("date")
        try:
            day = dt.date.fromisoformat(str(told))
        except ValueError:
            return False
        return dt.timedelta(0) <= self.today - day < dt.timedelta(self.days_max)


def before_of(path: Path, *, today: dt.date, days_max: int) -> Before:
    """What may be carried of the last certification of everything at this path."""
    try:
        sealed = sealed_of(path)
    except EvidenceUnusable as unusable:
        return Before(today, told=f"what the last certification left is not carried: {unusable}")
    except OSError:
        return Before(today)
    if sealed is None:
        return Before(today)
    certification, evidence = sealed
    results = {(check.check, check.backend): check for check in _own(certification)}
    return Before(today, results, evidence, days_max)


def package_parts(built: Built, scratch: Path, *, uv: Uv) -> Parts:
    """What the package check of what was built has read."""
    made = (built.environment, built.bare)
    return parts_of_package(
        built.source, built.build_requires, made, built.wheel.name, uv=uv, scratch=scratch / "lock"
    )


def packaged(
    result: CheckResult, built: Built, scratch: Path, before: Before, *, uv: Uv
) -> CheckResult:
    """The package check's result, fit to be carried; the wheel is kept for that."""

    def copy(fresh: Path) -> None:
        shutil.copyfile(built.wheel.path, fresh / built.wheel.path.name)

    made_once(_wheels() / built.wheel.sha256, copy)
    facts = {**result.facts, "build_requires": list(built.build_requires)}
    parts = package_parts(built, scratch, uv=uv)
    changed = before.changed("package", "", parts)
    return stamped(replace(result, facts=facts), parts, before.today, changed)


def stamped(
    result: CheckResult, parts: Parts, today: dt.date, changed: Sequence[str]
) -> CheckResult:
    """A fresh result; it says what it stands on, and what of that is another than before."""
    told: dict[str, Any] = {_STANDS_ON: dict(parts), "date": today.isoformat()}
    if changed:
        told["changed"] = list(changed)
    return replace(result, facts={**result.facts, **told})


def _own(certification: Certification) -> Iterator[CheckResult]:
    """The results of checks, not what the policy itself said of all of them."""
    return (check for check in certification.checks if _STANDS_ON in check.facts)


def _origin(result: CheckResult) -> Mapping[str, str]:
    return _table(result.facts.get(_CARRIED))


def _table(value: object) -> Mapping[str, str]:
    return cast("Mapping[str, str]", value) if isinstance(value, Mapping) else {}


def _wheels() -> Path:
    return cache_folder("packaged")


def _kept_wheel(then: CheckResult) -> Wheel | None:
    """The wheel that was certified then, if it is still here and the same."""
    name = str(then.facts.get("wheel"))
    digest = _table(then.facts.get("sha256")).get(name, "")
    path = _wheels() / digest / name
    if not digest or not path.is_file():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        return None
    return inspect_wheel(path)[0]
