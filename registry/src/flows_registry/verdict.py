"""What certification says: findings, check results, the verdict over all of them.

A check that proves nothing is INCONCLUSIVE, which is not a pass.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = [
    "Certification",
    "CheckResult",
    "Finding",
    "Level",
    "Verdict",
    "about",
    "merged",
    "overall",
]


class Verdict(enum.Enum):
    """The result of one check, or of all."""

    PASSED = "passed"
    """It ran, and everything promised was seen."""

    REFUSED = "refused"
    """Something promised was not so; the findings say what."""

    INCONCLUSIVE = "inconclusive"
    """It could not prove anything: a part is missing here. Not a pass."""

    WAIVED = "waived"
    """Somebody with a name took the risk, for a stated reason and time."""


class Level(enum.IntEnum):
    """How closely a check could look."""

    STATIC = 0
    """L0: the source was read; or something in it was neither understood nor watched."""

    INTERPRETER = 1
    """L1: it ran, observed from inside the interpreter."""

    WIRE = 2
    """L2: it ran in a network of its own; every byte and the service's state were seen."""

    ISOLATED = 3
    """L3: as L2, inside kernel isolation whose denial was tested at launch."""

    def __str__(self) -> str:
        return f"L{int(self)}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as promised, said so that a person can act on it.

    Attributes:
        code: the diagnostic code (`flows-registry explain CODE`).
        message: one sentence, with the values.
        promised: what was declared or documented, and where.
        observed: what happened.
        reproduce: the smallest way to see it again.
        fix: the likely correction.
        capability: the capability it is about, where the subject has several.
    """

    code: str
    message: str
    promised: str = ""
    observed: str = ""
    reproduce: str = ""
    fix: str = ""
    capability: str = ""

    def as_json(self) -> dict[str, str]:
        """The published shape."""
        return {
            "code": self.code,
            "message": self.message,
            "promised": self.promised,
            "observed": self.observed,
            "reproduce": self.reproduce,
            "fix": self.fix,
            "capability": self.capability,
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check on one backend.

    Attributes:
        check: the check's name.
        backend: the backend it ran on, or "" where the check is about the package.
        verdict: what it says.
        cases: how many cases proved something.
        findings: what is not as promised; for INCONCLUSIVE, what is missing.
        level: how closely it looked.
        facts: figures worth showing (versions, counts, seconds), JSON-shaped.
    """

    check: str
    backend: str
    verdict: Verdict
    cases: int
    findings: tuple[Finding, ...] = ()
    level: Level = Level.STATIC
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "check": self.check,
            "backend": self.backend,
            "verdict": self.verdict.value,
            "cases": self.cases,
            "level": str(self.level),
            "facts": dict(self.facts),
            "findings": [finding.as_json() for finding in self.findings],
        }


@dataclass(frozen=True, slots=True)
class Certification:
    """Everything that was found out about one subject.

    Attributes:
        subject: the distribution and its version.
        checks: what ran.
        facts: figures worth showing, JSON-shaped.
        part: what was asked for, where that was not everything; a part certifies nothing.
    """

    subject: str
    checks: tuple[CheckResult, ...]
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    part: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict over all checks."""
        return overall(check.verdict for check in self.checks)

    @property
    def level(self) -> Level:
        """The lowest level among the checks that ran code: a chain is as strong as that."""
        ran = [check.level for check in self.checks if check.backend]
        return min(ran or [check.level for check in self.checks], default=Level.STATIC)

    def as_json(self) -> dict[str, Any]:
        """The published shape; `verdict` is certified, refused or inconclusive, and of a part
        passed, refused or inconclusive."""
        passed = "passed" if self.part else "certified"
        words = {
            Verdict.PASSED: passed,
            Verdict.WAIVED: passed,
            Verdict.REFUSED: "refused",
            Verdict.INCONCLUSIVE: "inconclusive",
        }
        return {
            "subject": self.subject,
            "verdict": words[self.verdict],
            "part": self.part,
            "level": str(self.level),
            "facts": dict(self.facts),
            "checks": [check.as_json() for check in self.checks],
        }


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """REFUSED beats INCONCLUSIVE beats PASSED; nothing at all is INCONCLUSIVE."""
    seen = set(verdicts)
    for verdict in (Verdict.REFUSED, Verdict.INCONCLUSIVE):
        if verdict in seen:
            return verdict
    return Verdict.PASSED if seen else Verdict.INCONCLUSIVE


def about(capability: str, result: CheckResult) -> CheckResult:
    """The result; its findings and facts say which capability they are about."""
    findings = tuple(replace(finding, capability=capability) for finding in result.findings)
    return replace(result, findings=findings, facts={"capability": capability, **result.facts})


def merged(results: Sequence[CheckResult]) -> CheckResult:
    """One result of several that one check gave on one backend, one for each capability; the facts
    are the first one's, and those of each."""
    first, *others = results
    if not others:
        return first
    return CheckResult(
        first.check,
        first.backend,
        overall(result.verdict for result in results),
        sum(result.cases for result in results),
        tuple(finding for result in results for finding in result.findings),
        min(result.level for result in results),
        {**first.facts, "each": [dict(result.facts) for result in results]},
    )
