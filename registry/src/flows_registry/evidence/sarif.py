"""The certification as SARIF 2.1.0, for what shows the results of analysers: every finding, and
every check that passed, for a list of failures alone does not tell what was looked at."""

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from core_caps.diagnostics import DIAGNOSTICS

from flows_registry.evidence.canonical import canonical
from flows_registry.evidence.words import carried_from, cut, is_carried, place
from flows_registry.verdict import Certification, CheckResult, Finding, Severity, Verdict

__all__ = ["sarif"]

_SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_MANIFEST_OF_ALL = "pyproject.toml"
"""What every subject has: those who show results want a file to show them at."""


def sarif(certification: Certification) -> bytes:
    """The document."""
    results = list(_results(certification))
    named = dict.fromkeys(result["ruleId"] for result in results)
    rules = [_rule(name) for name in named]
    index = {name: number for number, name in enumerate(named)}
    run = {
        "tool": {
            "driver": {
                "name": "flows-registry",
                "version": version("flows-registry"),
                "rules": rules,
            }
        },
        "results": [{**result, "ruleIndex": index[result["ruleId"]]} for result in results],
        "columnKind": "unicodeCodePoints",
        "invocations": [{"executionSuccessful": True}],
        "properties": {
            "subject": cut(certification.subject),
            "verdict": certification.as_json()["verdict"],
            "level": str(certification.level),
            "part": certification.part,
        },
    }
    return canonical({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + b"\n"


def _rule(name: str) -> dict[str, Any]:
    row = DIAGNOSTICS.get(name)
    if row is None:
        return {"id": name, "shortDescription": {"text": f"the check {name}"}}
    return {
        "id": name,
        "shortDescription": {"text": row.title},
        "fullDescription": {"text": row.meaning},
        "help": {"text": row.fix, "markdown": f"**What to do.** {row.fix}"},
    }


def _results(certification: Certification) -> Iterator[dict[str, Any]]:
    for check in certification.checks:
        yield from (_finding(check, finding) for finding in check.findings)
        if not any(_kind(check, finding) in ("fail", "open") for finding in check.findings):
            yield _whole(check)
    for contract in certification.facts.get("no_simulator", ()):
        told = f"no simulator for contract {contract}: not compared with what its vendor runs"
        yield {"ruleId": "parity", "kind": "notApplicable", "level": "none", **_message(told)}


def _whole(check: CheckResult) -> dict[str, Any]:
    """What a check says that nothing was found by."""
    told = f"{place(check)}: {check.verdict.value} at {check.level}, {check.cases} cases"
    origin = {"properties": {"carried": check.facts["carried"]}} if is_carried(check) else {}
    told += f", carried from {carried_from(check)}" if origin else ""
    if check.verdict is Verdict.REFUSED:
        kind = {"kind": "fail", "level": "error"}
    elif check.verdict is Verdict.INCONCLUSIVE:
        kind = {"kind": "open", "level": "none"}
    else:
        kind = {"kind": "pass", "level": "none"}
    return {"ruleId": check.check, **kind, **_message(told), **_located(check, ()), **origin}


def _finding(check: CheckResult, finding: Finding) -> dict[str, Any]:
    kind = _kind(check, finding)
    level = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
    parts = (
        ("Promised", finding.promised),
        ("Observed", finding.observed),
        ("Reproduce", finding.reproduce.command),
        ("Fix", finding.fix),
    )
    said = [finding.message, *(f"{label}: {text}" for label, text in parts if text)]
    told: dict[str, Any] = {
        "ruleId": finding.code,
        "kind": kind,
        "level": level[finding.severity] if kind == "fail" else "none",
        **_message("\n".join(cut(text) for text in said)),
        **_located(check, finding.cases[:100], finding),
        "partialFingerprints": {"finding/v1": _fingerprint(check, finding)},
        "properties": {"check": check.check, "backend": check.backend, "cases": len(finding.cases)},
    }
    if finding.waived is not None:
        told["suppressions"] = [_suppression(finding)]
    return told


def _kind(check: CheckResult, finding: Finding) -> str:
    if finding.waived is not None:
        return "review"
    if check.verdict is Verdict.INCONCLUSIVE and finding.severity is Severity.ERROR:
        return "open"
    return "fail" if finding.severity is not Severity.NOTE else "informational"


def _suppression(finding: Finding) -> Mapping[str, Any]:
    waived = finding.waived
    assert waived is not None
    said = f"{waived.reason} (taken by {waived.owner} until {waived.expires})"
    return {"kind": "external", "status": "accepted", "justification": cut(said)}


def _message(text: str) -> dict[str, Any]:
    return {"message": {"text": text}}


def _located(
    check: CheckResult, cases: "tuple[str, ...]", finding: Finding | None = None
) -> dict[str, Any]:
    """Where it is: the cases, by their names, or the check as a whole."""
    logical = [{"fullyQualifiedName": cut(name, 500), "kind": "case"} for name in cases]
    whole = [{"fullyQualifiedName": cut(place(check, finding), 500), "kind": "check"}]
    physical = {"artifactLocation": {"uri": _MANIFEST_OF_ALL}, "region": {"startLine": 1}}
    return {"locations": [{"physicalLocation": physical, "logicalLocations": logical or whole}]}


def _fingerprint(check: CheckResult, finding: Finding) -> str:
    """The same for the same defect in the next certification."""
    said = [check.check, check.backend, finding.capability, finding.code, *finding.cases[:1]]
    return hashlib.sha256(canonical(said)).hexdigest()
