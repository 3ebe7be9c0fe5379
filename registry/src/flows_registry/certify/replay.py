"""One case again, from its evidence: the same calls, faults and surroundings, whatever else is
different by now."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from core_caps.errors import CapsError

from flows_registry.certify.remembered import last_of
from flows_registry.certify.scratch import scratch_folder
from flows_registry.certify.subject_of import described, subject_of
from flows_registry.checks.ledger import record_of
from flows_registry.checks.package import Built, check_package
from flows_registry.evidence.reading import EvidenceUnusable, read
from flows_registry.evidence.redaction import Redactor
from flows_registry.lab.case import Case
from flows_registry.lab.lab import OUTSIDE, Lab, Profile
from flows_registry.lab.stored import restored
from flows_registry.lab.uv import Uv
from flows_registry.verdict import (
    CaseRecord,
    Certification,
    CheckResult,
    Finding,
    Outcome,
    Verdict,
)

__all__ = ["NoSuchCase", "Replay", "Replayed", "Wanted", "replay", "restored_in"]


class NoSuchCase(CapsError):
    """The evidence holds no case of that name."""

    code = "LAB011"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the user asked for.

    Attributes:
        path: the plugin's folder.
        case: the case's name.
        evidence: where the evidence is; None is the last certification's, in the cache.
        checks: look for the case in these checks only.
        keep: keep everything that was made in this folder.
        offline: fetch nothing.
    """

    path: Path
    case: str
    evidence: Path | None = None
    checks: Sequence[str] = ()
    keep: Path | None = None
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """One case, then and now.

    Attributes:
        check: the check that it was run for.
        then: what was kept of it.
        now: how it went now, with its timeline.
        findings: what was found in it then.
    """

    check: str
    then: CaseRecord
    now: CaseRecord
    findings: Sequence[Finding] = ()

    @property
    def as_before(self) -> bool:
        """Whether its calls and requests ended as they did then."""
        return self.then.course == self.now.course

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "check": self.check,
            "as_before": self.as_before,
            "then": self.then.as_json(),
            "now": self.now.as_json(),
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of it.

    Attributes:
        evidence: where the case was found.
        subject: what it was about then.
        same_bytes: the plugin's wheel is the same, byte for byte.
        cases: the case, once for each check and profile in which it had run.
        unbuilt: why the plugin cannot be run now, or nothing.
    """

    evidence: Path
    subject: str
    same_bytes: bool
    cases: Sequence[Replayed] = ()
    unbuilt: Sequence[Finding] = field(default=())

    @property
    def verdict(self) -> Verdict:
        """REFUSED where what was found stands, INCONCLUSIVE where a case went another way."""
        if self.unbuilt:
            return Verdict.REFUSED
        if any(not case.as_before for case in self.cases):
            return Verdict.INCONCLUSIVE
        outcomes = {case.then.outcome for case in self.cases}
        if Outcome.REFUSED in outcomes:
            return Verdict.REFUSED
        return Verdict.INCONCLUSIVE if Outcome.NOT_MET in outcomes else Verdict.PASSED

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "evidence": str(self.evidence),
            "subject": self.subject,
            "same_bytes": self.same_bytes,
            "verdict": self.verdict.value,
            "cases": [case.as_json() for case in self.cases],
            "unbuilt": [finding.as_json() for finding in self.unbuilt],
        }


def replay(wanted: Wanted) -> Replay:
    """Build the plugin as it is now, and run the case.

    Raises:
        EvidenceUnusable: there is no evidence, or it is damaged, or not of this plugin.
        NoSuchCase: it holds no case of that name.
        SourceNotPlugin, ManifestInvalid: as `certify` does.
    """
    evidence, certification, found = _found(wanted)
    with scratch_folder(wanted.keep) as scratch:
        result, built = check_package(
            wanted.path, scratch / "package", uv=Uv(offline=wanted.offline)
        )
        same = _wheel(result) == _wheel(*certification.checks)
        if built is None:
            return Replay(evidence, certification.subject, same, unbuilt=result.findings)
        cases = _run(built, scratch, found)
    return Replay(evidence, certification.subject, same, cases)


def _found(wanted: Wanted) -> tuple[Path, Certification, list[tuple[CheckResult, CaseRecord]]]:
    places = [wanted.evidence] if wanted.evidence is not None else last_of(wanted.path)
    if not places:
        raise EvidenceUnusable(
            f"nothing is known of an earlier certification of {wanted.path}",
            "certify it first, or name its evidence with --evidence",
        )
    names: dict[str, None] = {}
    for place in places:
        certification = read(place)
        checks = [c for c in certification.checks if not wanted.checks or c.check in wanted.checks]
        found = [(c, r) for c in checks for r in c.records if r.name == wanted.case]
        if found:
            return place, certification, found
        names |= dict.fromkeys(record.name for check in checks for record in check.records)
    raise _no_such_case(wanted.case, list(names))


def _no_such_case(name: str, names: Sequence[str]) -> NoSuchCase:
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    near = near or [each for each in names if name in each][:3]
    guess = " or ".join(map(repr, near))
    hint = f"did you mean {guess}?" if near else "names are in the report, and in cases.jsonl"
    return NoSuchCase(f"the evidence holds no case {name!r}", hint=hint)


def _wheel(*checks: CheckResult) -> set[str]:
    """The digests of the wheel that a certification was about."""
    built = [cast("Mapping[str, str]", check.facts.get("sha256", {})) for check in checks]
    return {digest for each in built for name, digest in each.items() if name.endswith(".whl")}


def _run(
    built: Built, scratch: Path, found: Sequence[tuple[CheckResult, CaseRecord]]
) -> list[Replayed]:
    subject, made = subject_of(built), built.environment
    with Lab(subject, made.python, made.site_packages, scratch, jobs=1) as lab:
        subject = lab.subject = described(subject, built, lab)
        redactor = Redactor(lab.all_canaries())
        again: list[Replayed] = []
        for check, then in found:
            case, profile = restored_in(lab, then)
            (run,) = lab.run([case], profile=profile)
            now = record_of(profile, run, Outcome.REFUSED)  # its whole story is wanted
            findings = [finding for finding in check.findings if then.name in finding.cases]
            again.append(Replayed(check.check, then, redactor.record(now), findings))
        return again


def restored_in(lab: Lab, record: CaseRecord) -> tuple[Case, Profile]:
    """A recorded case and its profile, as the lab can run them.

    Raises:
        EvidenceUnusable: it cannot.
    """
    try:
        case, profile = restored(record.case)
    except ValueError as error:
        raise EvidenceUnusable(f"the case {record.name!r} cannot be run: {error}") from error
    if profile.inside.get("real_time"):
        again = "--check parity" if profile.name == OUTSIDE.name else "--against live"
        raise EvidenceUnusable(
            f"the case {record.name!r} ran on a service outside of the lab",
            f"run all of them again: {again}",
        )
    provided = lab.subject.manifest.backends.get(case.backend)
    if case.contract not in lab.subject.capabilities or provided is None:
        raise EvidenceUnusable(
            f"the plugin has no {case.contract} on a backend {case.backend!r} any more",
            "certify the plugin as it is now",
        )
    return case, profile
