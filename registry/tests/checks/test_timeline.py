"""The story of a case: in the order in which things happened, also where no time went by."""

from dataclasses import replace

import pytest
from core_caps.contract.suite import Call
from flows_registry.checks.timeline import Riddle, course_of, timeline_of
from flows_registry.lab.case import Case, CaseRun, ErrorFacts, Exchange, Step, Turn
from flows_registry.lab.faults import Fault

pytestmark = pytest.mark.feature("AC-07", "AL-01")


def _exchange(number: int, **changes: object) -> Exchange:
    made = Exchange(
        number, "PUT", "api.example.com", 443, f"/{number}", None, 200, True, True, 0, "", ""
    )
    return replace(made, **changes)


ERROR = ErrorFacts("TimedOut", outcome="unknown", message="too late")
TWO = (Call("put", ("a", b"1")), Call("get", ("a",)))


def _kinds(run: CaseRun) -> list[str]:
    return [f"{line['kind']} {line['text']}" for line in timeline_of(run)]


def test_requests_stand_between_the_beginning_and_the_end_of_their_call() -> None:
    run = CaseRun(
        Case("c", "kv/1", "remote", TWO, setup=TWO[:1], probe=TWO[1:]),
        setup=(Step(),),
        steps=(Step(requests=(0, 2)), Step(value=b"1", requests=(2, 3))),
        probe=(Step(error=ERROR),),
        exchanges=(_exchange(0), _exchange(1), _exchange(2)),
    )
    assert _kinds(run) == [
        "begin put('a', b'1')", "end None",
        "begin put('a', b'1')", "request PUT /0", "request PUT /1", "end None",
        "begin get('a')", "request PUT /2", "end b'1'",
        "begin get('a')", "end TimedOut (unknown): too late",
    ]  # fmt: skip


def test_a_cancelled_call_begins_before_its_requests() -> None:
    run = CaseRun(
        Case("c", "kv/1", "remote", TWO[:1]),
        steps=(Step(cancelled=True, at_seconds=0.5, requests=(1, 1)),),
        exchanges=(_exchange(0),),
    )
    assert _kinds(run) == ["begin put('a', b'1')", "request PUT /0", "end cancelled"]


def test_clients_at_once_have_lanes_of_their_own() -> None:
    run = CaseRun(
        Case("c", "kv/1", "remote", TWO, concurrent=True),
        steps=(Step(requests=(0, 2)), Step(requests=(0, 1))),
        exchanges=(_exchange(0), _exchange(1)),
    )
    lanes = [(line["lane"], line["kind"]) for line in timeline_of(run)]
    assert lanes == [
        (1, "begin"), (2, "begin"), (0, "request"), (2, "end"), (0, "request"), (1, "end")
    ]  # fmt: skip


def test_the_course_says_what_became_of_each_and_no_more() -> None:
    run = CaseRun(
        Case("c", "kv/1", "remote", TWO),
        steps=(Step(error=ERROR, at_seconds=3.0), Step(value=b"secret")),
        exchanges=(_exchange(0, fault="stall", status=None), _exchange(1, changed=False)),
    )
    assert list(course_of(run)) == [
        "put → TimedOut unknown",
        "get → a value",
        "PUT meets stall → no answer changed",
        "PUT → 200 applied",
    ]
    later = replace(run, steps=(replace(run.steps[0], at_seconds=9.0), Step(value=b"other")))
    assert list(course_of(later)) == list(course_of(run))


@pytest.mark.feature("P4-04")
def test_where_no_time_goes_by_moments_tell_the_order_of_several_clients() -> None:
    run = CaseRun(
        Case("c", "kv/1", "mock", (*TWO, TWO[1]), turns=[Turn(0), Turn(1), Turn(0)], probe=TWO[1:]),
        steps=(Step(moments=(0, 3)), Step(moments=(1, 2)), Step(moments=(4, 5))),
        probe=(Step(moments=(6, 7)),),
    )
    lanes = [(line["lane"], line["kind"]) for line in timeline_of(run)]
    assert lanes == [
        (1, "begin"), (2, "begin"), (2, "end"), (1, "end"), (1, "begin"), (1, "end"),
        (3, "begin"), (3, "end"),
    ]  # fmt: skip


@pytest.mark.feature("P4-04")
def test_what_nobody_explains_is_marked_and_what_is_perfect_stands_below() -> None:
    run = CaseRun(Case("c", "kv/1", "mock", TWO), steps=(Step(), Step(value=b"2")))
    told = list(timeline_of(run, Riddle("call", 1, "b'1'")))
    assert [line["text"] for line in told][-2:] == ["b'2'", "b'1'"]
    assert [(line["kind"], line.get("riddle")) for line in told][-2:] == [
        ("end", True), ("perfect", None)
    ]  # fmt: skip
    assert not any(line.get("riddle") for line in told[:-2])


@pytest.mark.feature("P4-04")
def test_a_client_dies_before_another_goes_on() -> None:
    run = CaseRun(
        Case("c", "kv/1", "remote", TWO[1:], victim=TWO[:1], probe=TWO[1:]),
        steps=(Step(requests=(1, 2), at_seconds=1.0),),
        probe=(Step(at_seconds=1.0),),
        exchanges=(_exchange(0, fault="stall after commit"), _exchange(1, at_seconds=1.0)),
        died=True,
    )
    told = [(line["lane"], line["kind"]) for line in timeline_of(run)]
    assert told == [
        (1, "begin"), (0, "request"), (1, "died"), (2, "begin"), (0, "request"), (2, "end"),
        (2, "begin"), (2, "end"),
    ]  # fmt: skip
    assert "died" in course_of(run)
    assert "died" not in course_of(replace(run, died=False))


@pytest.mark.feature("P4-04")
def test_a_lost_answer_is_told_where_a_fault_can_have_lost_it() -> None:
    lost = replace(ERROR, ancestors=("core_caps.errors:TimedOut",))
    case = Case("c", "kv/1", "remote", TWO[:1], faults=(Fault("stall after commit"),))
    run = CaseRun(case, steps=(Step(error=lost),))
    assert [line.get("lost") for line in timeline_of(run)] == [None, True]
    alone = replace(run, case=replace(case, faults=()))
    assert not any(line.get("lost") for line in timeline_of(alone))
