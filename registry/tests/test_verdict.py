"""What several results say together."""

import pytest
from flows_registry.verdict import CheckResult, Finding, Level, Verdict, merged, overall


def _result(
    verdict: Verdict, *codes: str, cases: int = 1, level: Level = Level.WIRE
) -> CheckResult:
    findings = tuple(Finding(code, code) for code in codes)
    return CheckResult("effects", "mock", verdict, cases, findings, level, {"of": cases})


def test_one_result_is_itself() -> None:
    alone = _result(Verdict.PASSED)
    assert merged([alone]) is alone


def test_the_worst_verdict_and_the_lowest_level_stand_and_nothing_is_lost() -> None:
    both = merged(
        [
            _result(Verdict.PASSED, cases=3),
            _result(Verdict.REFUSED, "EFFECT201", cases=4, level=Level.INTERPRETER),
        ]
    )
    assert (both.verdict, both.level, both.cases) == (Verdict.REFUSED, Level.INTERPRETER, 7)
    assert [finding.code for finding in both.findings] == ["EFFECT201"]
    assert both.facts == {"of": 3, "each": [{"of": 3}, {"of": 4}]}


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        ((), Verdict.INCONCLUSIVE),
        ((Verdict.PASSED, Verdict.WAIVED), Verdict.WAIVED),
        ((Verdict.PASSED, Verdict.INCONCLUSIVE), Verdict.INCONCLUSIVE),
        ((Verdict.INCONCLUSIVE, Verdict.REFUSED, Verdict.PASSED), Verdict.REFUSED),
    ],
)
def test_a_part_that_proves_nothing_is_no_pass(
    verdicts: tuple[Verdict, ...], said: Verdict
) -> None:
    assert overall(verdicts) is said
