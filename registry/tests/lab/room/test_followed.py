"""Which lines and branches of a plugin's own functions ran in a case that is followed."""

from collections.abc import Callable

import pytest
from flows_registry.checks.effects.coverage import coverage
from flows_registry.lab.case import CaseRun
from flows_registry.lab.ran import all_of

from .conftest import HERE, NOT_ISOLATED, act, value_of

pytestmark = [
    pytest.mark.feature("P4-01", "CK-01"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

Run = Callable[..., CaseRun]

FILE = "lab_prober/acts.py"
WAYS = ("branch", "branch_in_a_task", "branch_in_a_thread", "branch_in_a_pool")


def _line(text: str) -> int:
    """Where it stands."""
    lines = (HERE / FILE).read_text().splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


def _ways(run: CaseRun) -> set[bool]:
    """Which ways were gone at the fork in the road."""
    return {jumped for function, _, jumped in run.ran.branches if function.name == "branch"}


@pytest.mark.parametrize("way", WAYS)
def test_a_branch_is_told_by_the_way_that_was_gone(run: Run, way: str) -> None:
    up, down = run(act(way, "up"), followed=True), run(act(way, "down"), followed=True)
    assert (value_of(up), value_of(down)) == ("UP", "down")
    assert _ways(up) == {False}
    assert _ways(down) == {True}
    assert (FILE, _line("return way.upper()")) in up.ran.lines & down.ran.lines


def test_a_case_that_nobody_follows_tells_nothing(run: Run) -> None:
    assert not run(act("branch", "up")).ran.files


def test_what_several_cases_in_one_process_ran_is_told_of_each(run: Run) -> None:
    first, second = (run(act(way, "up"), followed=True, together=True) for way in WAYS[:2])
    assert {function.name for function in first.ran.functions} >= {"act", "branch"}
    assert "branch_in_a_task" not in {function.name for function in first.ran.functions}
    assert "branch_in_a_task" in {function.name for function in second.ran.functions}


def test_coverage_counts_what_ran_and_names_what_did_not(run: Run) -> None:
    one = coverage(HERE, run(act("branch", "up"), followed=True).ran)
    both = coverage(
        HERE, all_of(run(act("branch", way), followed=True).ran for way in ("up", "down"))
    )
    ran, count = both.as_json()["branches"]
    assert [ran - 1, count] == one.as_json()["branches"]
    assert not [place for place in both.unreached if place.endswith(" in branch")]
    hidden = _line("return _POOL.submit(branch, way).result()")
    assert f"{FILE}:{hidden} in branch_in_a_pool" in both.unreached
    assert both.within({"branch_in_a_pool"}) == [f"{FILE}:{hidden} in branch_in_a_pool"]
    assert {file for file, _ in both.lines} <= both.ran.files
