"""A failing history is made as small as it can be, in few runs, and kept under its own name."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps.contract.suite import Call, Result
from flows_registry.checks.injection.shrinking import RERUNS_MAX, Shrinker
from flows_registry.checks.injection.trials import Trial
from flows_registry.lab.case import Case, CaseRun, Step, Turn
from flows_registry.lab.faults import Fault
from flows_registry.verdict import Finding, Reproduction

pytestmark = pytest.mark.feature("P4-04", "AL-08")

CALLS = [Call("put", (f"k{number}", b"")) for number in range(9)]
CASE = Case(
    "remote/clients 1",
    "kv/1",
    "remote",
    CALLS[2:],
    setup=CALLS[:2],
    probe=[Call("list")],
    turns=[Turn(number % 3) for number in range(7)],
    faults=(Fault("reset after commit", 1), Fault("reset after commit", 3)),
)
FOUND = Finding("INJECT005", "wrong", reproduce=Reproduction("certify --case x", CASE.name))


class Lab:
    """Runs nothing, and remembers what it was asked to."""

    def __init__(self) -> None:
        self.asked: list[Case] = []

    def run(self, cases: Sequence[Case]) -> list[CaseRun]:
        self.asked += cases
        return [run_of(case) for case in cases]


def run_of(case: Case) -> CaseRun:
    """Each call makes one request."""
    steps = tuple(Step(requests=(number, number + 1)) for number in range(len(case.calls)))
    return CaseRun(case, steps=steps)


def smallest(
    fails: Callable[[Case], bool], case: Case = CASE, limit: int = RERUNS_MAX
) -> tuple[Finding, Lab, list[Case]]:
    lab, kept = Lab(), list[Case]()

    def judge(run: CaseRun) -> Iterator[Finding]:
        if fails(run.case):
            yield replace(FOUND, reproduce=Reproduction("", run.case.name))

    def run_again(check: str, cases: Sequence[Case]) -> list[CaseRun]:
        kept.extend(cases)
        return lab.run(cases)

    plan: Any = SimpleNamespace(lab=lab, run_again=run_again)
    trial = Trial(case, judge, lambda calls: tuple(Call("get", call.args[:1]) for call in calls))
    shrinker = Shrinker(plan, limit)
    return shrinker.smallest(trial, run_of(case), FOUND), lab, kept


def keys(case: Case) -> list[object]:
    return [call.args[0] for call in (*case.setup, *case.calls)]


def test_what_does_not_matter_is_left_out() -> None:
    found, lab, (case,) = smallest(lambda case: {"k1", "k5"} <= set(keys(case)))
    assert keys(case) == ["k1", "k5"]
    assert (case.faults, [turn.client for turn in case.turns]) == ((), [CASE.turns[3].client])
    assert [call.args[0] for call in case.probe] == ["k1", "k5"]
    assert len(lab.asked) <= RERUNS_MAX
    assert case.name == "remote/clients 1, smallest"
    assert found.reproduce == Reproduction("certify --case x", case.name)
    assert found.cases == (case.name, CASE.name)


def test_a_fault_goes_on_meeting_the_request_that_it_met() -> None:
    def fails(case: Case) -> bool:
        place = keys(case).index("k5") if "k5" in keys(case) else -1
        return any(fault.at == place - len(case.setup) for fault in case.faults)

    _, _, (case,) = smallest(fails)
    assert (keys(case), [fault.at for fault in case.faults]) == (["k5"], [0])


def test_what_uses_a_result_goes_with_the_call_that_gave_it() -> None:
    using = replace(CASE, calls=[*CALLS[2:8], Call("put", (Result(3, "key"), b""))], faults=())
    _, _, (case,) = smallest(lambda case: "k2" in keys(case), using)
    assert keys(case) == ["k2"]


def test_no_more_is_run_than_may_be() -> None:
    _, lab, _ = smallest(lambda case: len(keys(case)) > 1, limit=5)
    assert len(lab.asked) <= 5


def test_what_cannot_be_made_smaller_stays_as_it_is() -> None:
    found, _, kept = smallest(lambda case: len(keys(case)) == 9 and len(case.faults) == 2)
    assert (found, kept) == (FOUND, [])
