"""What a policy makes of a certification: severities, waivers, the level that it asks for."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from flows_registry.policy.policy import Policy, Waiver
from flows_registry.verdict import (
    Certification,
    CheckResult,
    Finding,
    Level,
    Reproduction,
    Severity,
    Verdict,
    overall,
)

__all__ = ["CHECK", "decided"]

CHECK = "policy"

_UNWAIVED = frozenset({"POLICY106"})
"""What no waiver covers: that another one has ended."""


@dataclass(slots=True)
class _Desk:
    """What is found out about the waivers while findings pass.

    Attributes:
        used: the waivers that cover something.
        ended: those that would, and have expired, each with what they would cover.
    """

    policy: Policy
    plugin: str
    today: dt.date
    used: list[Waiver] = field(default_factory=list[Waiver])
    ended: list[tuple[Waiver, Finding]] = field(default_factory=list[tuple[Waiver, Finding]])


def decided(
    certification: Certification,
    policy: Policy,
    *,
    plugin: str,
    today: dt.date,
    only: str = "",
) -> Certification:
    """The certification as the policy sees it; where it asks something of the whole, or waives
    something, with one more result: what the policy itself says.

    Args:
        certification: what was found out.
        policy: the organisation's.
        plugin: the plugin's name in its manifest.
        today: the day on which waivers hold or do not.
        only: the cases that were asked for, where those were not all.
    """
    desk = _Desk(policy, plugin, today)
    checks = tuple(_judged(check, desk) for check in certification.checks)
    seen = replace(certification, checks=checks)
    own = _own_result(seen, desk, only)
    facts = {**certification.facts, "policy": _facts(desk)}
    asks = bool(policy.waivers) or policy.level_min > Level.STATIC
    return replace(seen, checks=(*checks, own) if asks else checks, facts=facts)


def _facts(desk: _Desk) -> dict[str, Any]:
    policy = desk.policy
    return {
        "name": policy.name,
        "sha256": policy.sha256,
        "level_min": str(policy.level_min),
        "waivers": [
            {"check": waiver.check, "code": waiver.code, **waiver.waived.as_json()}
            for waiver in desk.used
        ],
    }


def _judged(result: CheckResult, desk: _Desk) -> CheckResult:
    """A result with the policy's severities, and what somebody answers for waived.

    A check that proved nothing passes for no severity: only somebody who answers for it helps.
    """
    proved = result.verdict is not Verdict.INCONCLUSIVE
    findings = tuple(
        _waived(result, _overridden(finding, desk.policy) if proved else finding, desk)
        for finding in result.findings
    )
    return replace(result, findings=findings, verdict=_verdict(result, findings))


def _verdict(result: CheckResult, findings: Sequence[Finding]) -> Verdict:
    if any(finding.refuses for finding in findings):
        return Verdict.REFUSED if result.verdict is not Verdict.INCONCLUSIVE else result.verdict
    if any(finding.waived is not None for finding in findings):
        return Verdict.WAIVED
    return result.verdict if result.verdict is Verdict.INCONCLUSIVE else Verdict.PASSED


def _overridden(finding: Finding, policy: Policy) -> Finding:
    override = policy.severities.get(finding.code)
    if override is None:
        return finding
    because = override.reason if override.severity is not Severity.ERROR else ""
    return replace(finding, severity=override.severity, because=because)


def _waived(result: CheckResult, finding: Finding, desk: _Desk) -> Finding:
    if not finding.refuses or finding.code in _UNWAIVED:
        return finding
    ended: Waiver | None = None
    for waiver in desk.policy.waivers:
        if not _covers(waiver, result, finding, desk.plugin):
            continue
        if not waiver.has_expired(desk.today):
            desk.used.append(waiver)
            return replace(finding, waived=waiver.waived)
        ended = waiver
    if ended is None:
        return finding
    desk.ended.append((ended, finding))
    told = f"{finding.message} (its waiver by {ended.owner} expired on {ended.expires})"
    return replace(finding, message=told)


def _covers(waiver: Waiver, result: CheckResult, finding: Finding, plugin: str) -> bool:
    return (
        waiver.check == result.check
        and waiver.code == finding.code
        and fnmatchcase(plugin, waiver.plugin)
        and fnmatchcase(result.backend, waiver.backend)
        and all(fnmatchcase(case, waiver.case) for case in finding.cases or ("",))
    )


def _own_result(seen: Certification, desk: _Desk, only: str) -> CheckResult:
    findings = [*_expired(desk), *_unused(seen, desk, only), *_level(seen, desk.policy)]
    findings = [_overridden(finding, desk.policy) for finding in findings]
    return CheckResult(
        CHECK,
        "",
        Verdict.REFUSED if any(finding.refuses for finding in findings) else Verdict.PASSED,
        1 + len(desk.policy.waivers),
        tuple(findings),
        Level.STATIC,
        {
            "policy": desk.policy.name,
            "verdict_before": overall(c.verdict for c in seen.checks).value,
        },
    )


def _expired(desk: _Desk) -> Iterator[Finding]:
    for waiver, finding in desk.ended:
        yield Finding(
            "POLICY106",
            f"{waiver} has expired",
            f"waivers hold for a time: expires = {waiver.expires}",
            f"{finding.code} is still found on {desk.today}",
            Reproduction(finding.reproduce.command),
            "mend what it waived, or let its owner renew it",
        )


def _unused(seen: Certification, desk: _Desk, only: str) -> Iterator[Finding]:
    """Waivers of this plugin that cover nothing, among those whose check has run wholly."""
    ran = {check.check for check in seen.checks}
    known = [*desk.used, *(waiver for waiver, _ in desk.ended)]
    for waiver in desk.policy.waivers:
        if only or waiver in known or waiver.check not in ran:
            continue
        if not fnmatchcase(desk.plugin, waiver.plugin):
            continue
        yield Finding(
            "POLICY107",
            f"{waiver} covers nothing",
            "a waiver is needed, or goes",
            f"no {waiver.code} is found in {waiver.check} where it holds",
            fix="remove it",
            severity=Severity.WARNING,
        )


def _level(seen: Certification, policy: Policy) -> Iterator[Finding]:
    if seen.part or seen.level >= policy.level_min:
        return
    low = [
        f"{c.check} {c.backend}" for c in seen.checks if c.backend and c.level < policy.level_min
    ]
    yield Finding(
        "POLICY101",
        f"it was looked at only at {seen.level}",
        f"level_min = {policy.level_min}",
        f"below it: {', '.join(low) or 'everything'}",
        fix="certify where there are network namespaces; `flows-registry doctor` tells what lacks",
    )
