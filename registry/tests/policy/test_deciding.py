"""What a policy makes of what was found: severities, waivers, the level that it asks for."""

import datetime as dt
from dataclasses import replace

import pytest
from flows_registry.policy.deciding import decided
from flows_registry.policy.policy import Override, Policy, Waiver
from flows_registry.verdict import (
    Certification,
    CheckResult,
    Finding,
    Level,
    Reproduction,
    Severity,
    Verdict,
)

pytestmark = pytest.mark.feature("AL-04", "AC-07", "P4-05")

TODAY = dt.date(2026, 11, 1)
CASE = "remote/put/status 500"
FOUND = Finding("CONTRACT019", "it holds on", reproduce=Reproduction("again", CASE))
WAIVER = Waiver("contract", "CONTRACT019", "acme", "the SDK cannot", "storage@acme.example", TODAY)


def _certification(*findings: Finding, verdict: Verdict = Verdict.REFUSED) -> Certification:
    check = CheckResult("contract", "remote", verdict, 3, findings, Level.WIRE)
    return Certification("cap-acme 1.0", (check,))


def _decided(found: Certification, policy: Policy, only: str = "") -> Certification:
    return decided(found, policy, plugin="acme", today=TODAY, only=only)


def _policy(*waivers: Waiver, **named: Override) -> Policy:
    return Policy("acme", severities=named, waivers=waivers)


def _codes(found: Certification) -> list[str]:
    return [finding.code for finding in found.checks[-1].findings]


def test_a_waiver_holds_to_its_last_day_and_the_certificate_says_so() -> None:
    found = _decided(_certification(FOUND), _policy(WAIVER))
    assert found.verdict is Verdict.WAIVED
    shown = found.as_json()
    assert (shown["verdict"], shown["waivers"]) == ("certified", 1)
    assert shown["facts"]["policy"]["waivers"][0]["owner"] == "storage@acme.example"
    assert shown["checks"][0]["findings"][0]["waived"]["reason"] == "the SDK cannot"


def test_after_that_the_finding_stands_and_says_that_its_waiver_expired() -> None:
    late = replace(WAIVER, expires=TODAY - dt.timedelta(days=1))
    found = _decided(_certification(FOUND), _policy(late))
    assert found.verdict is Verdict.REFUSED
    assert "expired on 2026-10-31" in found.checks[0].findings[0].message
    assert _codes(found) == ["POLICY106"]


def test_no_waiver_covers_that_another_has_expired() -> None:
    late = replace(WAIVER, expires=TODAY - dt.timedelta(days=1))
    cover = replace(WAIVER, check="policy", code="POLICY106")
    assert _decided(_certification(FOUND), _policy(late, cover)).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"check": "injection"},
        {"code": "CONTRACT020"},
        {"plugin": "other-*"},
        {"backend": "mock"},
        {"case": "remote/get*"},
    ],
)
def test_a_waiver_covers_what_it_says_and_nothing_else(elsewhere: dict[str, str]) -> None:
    found = _decided(_certification(FOUND), _policy(replace(WAIVER, **elsewhere)))
    assert found.checks[0].verdict is Verdict.REFUSED
    assert found.checks[0].findings[0].waived is None


def test_a_finding_is_waived_if_every_case_of_it_is() -> None:
    wide = replace(FOUND, also=("remote/get/status 500",))
    waiver = replace(WAIVER, case="remote/put*")
    assert _decided(_certification(wide), _policy(waiver)).verdict is Verdict.REFUSED
    assert _decided(_certification(FOUND), _policy(waiver)).verdict is Verdict.WAIVED


def test_another_finding_beside_a_waived_one_still_refuses() -> None:
    other = replace(FOUND, code="CONTRACT020")
    assert _decided(_certification(FOUND, other), _policy(WAIVER)).verdict is Verdict.REFUSED


def test_an_unused_waiver_is_a_warning_where_its_check_ran_wholly() -> None:
    clean = _certification(verdict=Verdict.PASSED)
    found = _decided(clean, _policy(WAIVER))
    assert found.verdict is Verdict.PASSED
    assert _codes(found) == ["POLICY107"]
    assert found.checks[-1].findings[0].severity is Severity.WARNING
    assert _codes(_decided(clean, _policy(WAIVER), only="remote/get")) == []
    assert _codes(_decided(clean, _policy(replace(WAIVER, check="injection")))) == []


def test_a_lowered_error_refuses_nobody_and_says_why() -> None:
    low = Override(Severity.NOTE, "not ours to mend")
    found = _decided(_certification(FOUND), _policy(CONTRACT019=low))
    assert found.verdict is Verdict.PASSED
    assert found.as_json()["checks"][0]["findings"][0]["because"] == "not ours to mend"


def test_a_raised_note_refuses() -> None:
    note = replace(FOUND, code="EFFECT204", severity=Severity.NOTE)
    clean = _certification(note, verdict=Verdict.PASSED)
    assert _decided(clean, _policy()).verdict is Verdict.PASSED
    raised = _policy(EFFECT204=Override(Severity.ERROR))
    assert _decided(clean, raised).verdict is Verdict.REFUSED


def test_what_proved_nothing_passes_by_a_waiver_and_by_no_severity() -> None:
    nothing = _certification(FOUND, verdict=Verdict.INCONCLUSIVE)
    low = _policy(CONTRACT019=Override(Severity.NOTE, "we do not mind"))
    assert _decided(nothing, low).verdict is Verdict.INCONCLUSIVE
    assert _decided(nothing, _policy(WAIVER)).verdict is Verdict.WAIVED


def test_a_level_that_is_asked_for_is_reached() -> None:
    clean = _certification(verdict=Verdict.PASSED)
    assert _decided(clean, Policy("acme", level_min=Level.WIRE)).verdict is Verdict.PASSED
    found = _decided(clean, Policy("acme", level_min=Level.ISOLATED))
    assert _codes(found) == ["POLICY101"]
    assert found.verdict is Verdict.REFUSED
