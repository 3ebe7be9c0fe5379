"""What keeps a check from running refuses where it is the plugin's doing, and is never a pass."""

import pytest
from flows_registry.certify.kept import PROBLEMS, kept, was_kept
from flows_registry.lab.lab import (
    AgentBroken,
    HostBroken,
    NoReference,
    ReferenceBroken,
    RoomBroken,
    Unruly,
)
from flows_registry.lab.simulators.absence import Absent
from flows_registry.verdict import CheckResult, Finding, Verdict

pytestmark = pytest.mark.feature("DC-05", "CK-01")


@pytest.mark.parametrize(
    ("problem", "code", "verdict"),
    [
        (AgentBroken("no module"), "LAB001", Verdict.REFUSED),
        (Unruly("it stopped what runs it"), "LAB005", Verdict.REFUSED),
        (NoReference("pigeon"), "LAB002", Verdict.INCONCLUSIVE),
        (NoReference("pigeon", Absent("no loft", "build one")), "LAB002", Verdict.INCONCLUSIVE),
        (ReferenceBroken("it raised"), "LAB004", Verdict.INCONCLUSIVE),
        (HostBroken("it hung"), "CONTRACT004", Verdict.INCONCLUSIVE),
        (RoomBroken("no server"), "LAB003", Verdict.INCONCLUSIVE),
    ],
)
def test_each_problem_has_its_verdict(problem: Exception, code: str, verdict: Verdict) -> None:
    assert isinstance(problem, PROBLEMS)
    result = kept("contract", "remote", problem)
    (finding,) = result.findings
    assert (result.check, result.backend, result.verdict) == ("contract", "remote", verdict)
    assert (finding.code, bool(finding.observed), bool(finding.fix)) == (code, True, True)
    assert was_kept(result)


def test_a_machine_without_a_service_is_told_what_to_do() -> None:
    absent = NoReference("pigeon", Absent("no loft", "build one"))
    (finding,) = kept("contract", "remote", absent).findings
    assert "no loft" in finding.message
    assert finding.fix == "build one"


def test_what_is_no_problem_of_the_lab_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        kept("contract", "remote", ZeroDivisionError())


def test_what_a_check_itself_found_did_not_keep_it_from_running() -> None:
    found = (Finding("CONTRACT019", "it holds on"),)
    assert not was_kept(CheckResult("contract", "remote", Verdict.REFUSED, 3, found))
    assert not was_kept(CheckResult("contract", "remote", Verdict.PASSED, 3))
