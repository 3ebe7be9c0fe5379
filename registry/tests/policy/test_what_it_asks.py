"""Where a policy speaks for itself, and where it has nothing to say."""

import datetime as dt

import pytest
from flows_registry.policy.deciding import CHECK, decided
from flows_registry.policy.policy import Override, Policy, Waiver
from flows_registry.verdict import (
    Certification,
    CheckResult,
    Finding,
    Level,
    Severity,
    Verdict,
)

pytestmark = pytest.mark.feature("AL-04", "P4-05")

TODAY = dt.date(2026, 11, 1)
FOUND = Finding("CONTRACT019", "it holds on")
WAIVER = Waiver("contract", "CONTRACT019", "acme", "the SDK cannot", "storage@acme.example", TODAY)


def _result(check: str, backend: str, level: Level, *findings: Finding) -> CheckResult:
    verdict = Verdict.REFUSED if findings else Verdict.PASSED
    return CheckResult(check, backend, verdict, 1, findings, level)


def _decided(policy: Policy, *results: CheckResult, plugin: str = "acme") -> Certification:
    return decided(Certification("cap-acme 1.0", results), policy, plugin=plugin, today=TODAY)


def _own(found: Certification) -> CheckResult:
    (own,) = [result for result in found.checks if result.check == CHECK]
    return own


def test_a_policy_that_asks_nothing_of_the_whole_adds_no_result() -> None:
    found = _decided(Policy("acme"), _result("contract", "remote", Level.STATIC))
    assert [result.check for result in found.checks] == ["contract"]


def test_what_stays_below_the_level_is_named_and_nothing_else() -> None:
    results = (
        _result("package", "", Level.STATIC),
        _result("contract", "mock", Level.INTERPRETER),
        _result("contract", "remote", Level.WIRE),
        _result("effects", "remote", Level.ISOLATED),
    )
    (finding,) = _own(_decided(Policy("acme", level_min=Level.WIRE), *results)).findings
    assert (finding.code, finding.observed) == ("POLICY101", "below it: contract mock")


def test_a_waiver_of_what_refuses_nobody_is_not_needed() -> None:
    lowered = {"CONTRACT019": Override(Severity.WARNING, "the SDK cannot")}
    policy = Policy("acme", severities=lowered, waivers=(WAIVER,))
    found = _decided(policy, _result("contract", "remote", Level.WIRE, FOUND))
    assert found.waivers == ()
    assert [finding.code for finding in _own(found).findings] == ["POLICY107"]


def test_a_waiver_of_another_plugin_is_not_said_to_cover_nothing() -> None:
    policy = Policy("acme", waivers=(WAIVER,))
    found = _decided(policy, _result("contract", "remote", Level.WIRE), plugin="another")
    assert _own(found).findings == ()


def test_what_proved_nothing_is_no_pass_though_nothing_was_found() -> None:
    nothing = CheckResult("contract", "remote", Verdict.INCONCLUSIVE, 0)
    assert _decided(Policy("acme"), nothing).verdict is Verdict.INCONCLUSIVE
