"""What certification says: findings, check results, the verdict over all of them.

A check that proves nothing is INCONCLUSIVE, which is not a pass.
"""

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

__all__ = [
    "CaseRecord",
    "Certification",
    "CheckResult",
    "Finding",
    "Level",
    "Outcome",
    "Reproduction",
    "Severity",
    "Verdict",
    "Waived",
    "about",
    "merged",
    "overall",
]


_COMPARISONS = frozenset({"parity"})


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
class Reproduction:
    """The smallest way to see a finding again.

    Attributes:
        command: to type, or "" where nothing was run.
        case: the case in which it was seen, or "" where it is the whole check's.
    """

    command: str = ""
    case: str = ""

    def __str__(self) -> str:
        return self.command


class Severity(enum.Enum):
    """What a finding does to its check."""

    ERROR = "error"
    """It refuses."""

    WARNING = "warning"
    """Somebody should look at it; nobody is refused for it."""

    NOTE = "note"
    """Worth knowing."""


@dataclass(frozen=True, slots=True)
class Waived:
    """Why a finding does not refuse, and who answers for that until when.

    Attributes:
        reason: why the risk is taken.
        owner: who takes it.
        expires: the last day on which that holds, `2027-01-31`.
        issue: where it is followed up, or "".
    """

    reason: str
    owner: str
    expires: str
    issue: str = ""

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires,
            "issue": self.issue,
        }


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
        also: further cases in which the same was seen.
        severity: what it does to its check.
        because: why a policy made it less than an error, or "".
        waived: who took the risk, or None.
    """

    code: str
    message: str
    promised: str = ""
    observed: str = ""
    reproduce: Reproduction = Reproduction()
    fix: str = ""
    capability: str = ""
    also: tuple[str, ...] = ()
    severity: Severity = Severity.ERROR
    because: str = ""
    waived: Waived | None = None

    @property
    def refuses(self) -> bool:
        """Whether it alone refuses."""
        return self.severity is Severity.ERROR and self.waived is None

    @property
    def cases(self) -> tuple[str, ...]:
        """Every case in which it was seen."""
        return tuple(filter(None, (self.reproduce.case, *self.also)))

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "code": self.code,
            "message": self.message,
            "promised": self.promised,
            "observed": self.observed,
            "reproduce": self.reproduce.command,
            "fix": self.fix,
            "capability": self.capability,
            "cases": list(self.cases),
            "severity": self.severity.value,
            "because": self.because,
            "waived": None if self.waived is None else self.waived.as_json(),
        }


class Outcome(enum.Enum):
    """What became of one case."""

    PASSED = "passed"
    """Everything that was looked at in it is as promised."""

    REFUSED = "refused"
    """A finding was seen in it."""

    NOT_MET = "not met"
    """It never met what it was made for: it proves nothing."""


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """What is kept of one case that ran.

    Attributes:
        name: the case's name, unique within its check.
        operation: the operation under test, or "" where there are several.
        faults: what its requests met, to print.
        outcome: what became of it.
        profile: the surroundings it ran in, to print.
        figures: `requests`, `sent_bytes`, `received_bytes`, `virtual_seconds`, `cpu_seconds`,
            `real_seconds`.
        case: the case itself and its profile, JSON-shaped, from which it can be run again.
        course: what became of its calls and requests, in short, without times and values: two runs
            that went the same way have the same.
        timeline: what happened in it, in order, JSON-shaped; kept where something was found.
    """

    name: str
    operation: str
    faults: tuple[str, ...]
    outcome: Outcome
    profile: str
    figures: Mapping[str, float]
    case: Mapping[str, Any]
    course: tuple[str, ...] = ()
    timeline: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "name": self.name,
            "operation": self.operation,
            "faults": list(self.faults),
            "outcome": self.outcome.value,
            "profile": self.profile,
            "figures": dict(self.figures),
            "case": dict(self.case),
            "course": list(self.course),
            "timeline": [dict(event) for event in self.timeline],
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
        records: the cases that ran.
    """

    check: str
    backend: str
    verdict: Verdict
    cases: int
    findings: tuple[Finding, ...] = ()
    level: Level = Level.STATIC
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    records: tuple[CaseRecord, ...] = field(default=(), repr=False)

    @property
    def virtual_seconds(self) -> float:
        """How long its cases took in their own time, in which waiting costs nothing."""
        each = self.facts.get("each") or [self.facts]
        return sum(facts.get("virtual_seconds", 0.0) for facts in each)

    def as_json(self) -> dict[str, Any]:
        """The published shape, without the records."""
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
    def waivers(self) -> tuple[Finding, ...]:
        """The findings that somebody took the risk of."""
        return tuple(f for check in self.checks for f in check.findings if f.waived is not None)

    @property
    def level(self) -> Level:
        """The lowest level among the checks that watched the plugin: a chain is as strong as that.
        What compares it with its vendor's simulator watches nothing."""
        watching = [check for check in self.checks if check.check not in _COMPARISONS]
        ran = [check.level for check in watching if check.backend]
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
            "waivers": len(self.waivers),
            "level": str(self.level),
            "facts": dict(self.facts),
            "checks": [check.as_json() for check in self.checks],
        }


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """REFUSED beats INCONCLUSIVE beats WAIVED beats PASSED; nothing at all is INCONCLUSIVE."""
    seen = set(verdicts)
    for verdict in (Verdict.REFUSED, Verdict.INCONCLUSIVE, Verdict.WAIVED):
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
        tuple(record for result in results for record in result.records),
    )
