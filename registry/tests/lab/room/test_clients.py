"""Several clients in one case: at once, each in its own order; and one that dies without a word."""

from collections.abc import Callable

import pytest
from flows_registry.lab.case import CaseRun, Turn
from flows_registry.lab.faults import Fault
from flows_registry.lab.stored import restored, stored

from .conftest import NOT_ISOLATED, Rooms, act, value_of

pytestmark = [
    pytest.mark.feature("P4-04"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

Run = Callable[..., CaseRun]

PUT = act("exchange", "PUT", "key", b"from the dead")
GET = act("exchange", "GET", "key")
NOW = act("now")


def test_each_makes_its_own_calls_in_order_and_waits_before_them(run: Run) -> None:
    turns = [Turn(0), Turn(1, 5.0), Turn(0, 20.0), Turn(1, 5.0)]
    steps = run(NOW, NOW, NOW, NOW, turns=turns).steps
    began = [round(step.at_seconds) for step in steps]
    assert began == [0, 5, 20, 10]
    moments = [step.moments for step in steps]
    assert sorted(moments) == [moments[0], moments[1], moments[3], moments[2]]
    assert all(begin < end for begin, end in moments)


def test_waits_that_end_together_all_end(run: Run) -> None:
    waits = [(0, 0.6), (2, 0.3), (1, 0.1), (1, 0.0), (0, 0.6), (2, 0.3), (2, 0.6), (0, 0.1)]
    done = run(*[NOW] * len(waits), turns=[Turn(*wait) for wait in waits], real_seconds_max=10.0)
    assert done.trouble is None
    assert max(step.at_seconds for step in done.steps) == pytest.approx(1.3, abs=0.01)


def test_one_more_looks_once_all_has_settled(run: Run) -> None:
    told = run(NOW, NOW, turns=[Turn(0), Turn(1)], settle_seconds=30.0, probe=(NOW,))
    assert value_of(told) == pytest.approx(told.probe[0].value - 30, abs=1)


def test_a_client_dies_in_the_call_that_is_not_answered(run: Run) -> None:
    done = run(GET, NOW, victim=(PUT,), faults=[Fault("stall after commit")])
    assert done.died
    assert done.consumed == (True,)
    assert b"from the dead" in value_of(done, 0)["data"]
    assert [exchange.committed for exchange in done.exchanges] == [True, True]


def test_time_goes_on_where_it_died(run: Run) -> None:
    done = run(NOW, victim=(act("sleep", 3600),))
    assert done.died
    assert done.steps[0].at_seconds == pytest.approx(1.0, abs=0.1)


def test_who_is_answered_in_time_does_not_die(run: Run) -> None:
    done = run(GET, victim=(PUT,))
    assert not done.died
    assert b"from the dead" in value_of(done)["data"]


def test_who_ends_by_itself_has_not_died_as_it_should(run: Run) -> None:
    assert not run(NOW, victim=(act("crash"),)).died


def test_a_case_of_several_is_kept_as_it_is(rooms: Rooms, run: Run) -> None:
    case = run(NOW, NOW, turns=(Turn(0), Turn(1, 0.5)), victim=(NOW,)).case
    assert restored(stored(case, rooms.profile))[0] == case
