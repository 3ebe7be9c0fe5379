"""Parts of a certification are made at the same time, told in their order, and end together."""

import threading
from collections.abc import Iterator

import pytest
from flows_registry.certify.at_once import at_once
from flows_registry.verdict import CheckResult, Verdict


def _result(check: str) -> CheckResult:
    return CheckResult(check, "", Verdict.PASSED, 1)


def _never() -> None:
    raise AssertionError("nothing failed")


def test_parts_wait_for_each_other_and_are_told_in_order() -> None:
    met = threading.Barrier(2, timeout=10)

    def part(name: str) -> Iterator[CheckResult]:
        met.wait()  # only two that are made at the same time come past here
        yield _result(name)
        yield _result(f"{name} again")

    made = at_once([lambda: part("a"), lambda: part("b")], _never)
    assert [[result.check for result in of_one] for of_one in made] == [
        ["a", "a again"],
        ["b", "b again"],
    ]


def test_what_fails_ends_those_that_wait() -> None:
    stopped = threading.Event()

    def waits() -> Iterator[CheckResult]:
        assert stopped.wait(timeout=10)
        yield _result("late")

    def fails() -> Iterator[CheckResult]:
        raise RuntimeError("this part is broken")
        yield

    with pytest.raises(RuntimeError, match="this part is broken"):
        at_once([fails, waits], stopped.set)
    assert stopped.is_set()


def test_nothing_and_one_part_need_no_company() -> None:
    assert at_once([], _never) == []
    (made,) = at_once([lambda: [_result("alone")]], _never)
    assert [result.check for result in made] == ["alone"]
