"""Cases that may share a process do, for as long as each leaves it as it was found."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from flows_registry.lab.broken import RoomBroken
from flows_registry.lab.case import CaseRun
from flows_registry.lab.room import agent_process

from .conftest import NOT_ISOLATED, Rooms, act, value_of

pytestmark = [
    pytest.mark.feature("P4-03"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

Run = Callable[..., CaseRun]


def process(run: Run, *, together: bool = True) -> int:
    return value_of(run(act("own_process"), together=together))


def test_they_share_a_process(run: Run) -> None:
    assert process(run) == process(run)


def test_who_wants_a_process_of_its_own_has_one(run: Run) -> None:
    shared = process(run)
    alone = process(run, together=False)
    assert len({shared, alone, process(run)}) == 3


@pytest.mark.parametrize("what", ["a thread", "a file", "a process"])
def test_a_process_that_something_is_left_in_is_not_shared(run: Run, what: str) -> None:
    before = process(run)
    assert value_of(run(act("leave_open_what", what), together=True)) == before
    assert process(run) != before


def test_each_begins_at_the_same_time(run: Run) -> None:
    first, _, later = run(act("now"), act("sleep", 3600), act("now"), together=True).steps
    again = value_of(run(act("now"), together=True))
    assert later.value - first.value >= 3600
    assert abs(again - first.value) < 1


def test_what_one_did_is_not_told_of_the_next(run: Run) -> None:
    reached = run(act("look_up", "one.example"), together=True)
    assert reached.lookups == ("one.example",)
    nothing = run(act("own_process"), together=True)
    assert (nothing.lookups, nothing.egress, nothing.watched) == ((), (), ())


def test_one_that_ends_its_process_ends_nothing_else(run: Run) -> None:
    before = process(run)
    crashed = run(act("crash"), together=True)
    assert crashed.trouble == "ended without a word, exit status -11"
    assert process(run) != before


def test_one_that_ends_while_it_waits_is_no_answer_to_the_next(rooms: Rooms) -> None:
    with rooms.new() as room:
        dying = value_of(rooms.run(room, act("die_later", 0.2), together=True))
        while Path(f"/proc/{dying}").exists():
            time.sleep(0.05)
        with pytest.raises(RoomBroken, match="waited for a case"):
            rooms.run(room, act("own_process"), together=True)


def test_a_process_is_shared_so_often_and_no_oftener(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_process, "_TOGETHER_MAX", 3)
    with rooms.new() as room:
        shared = [value_of(rooms.run(room, act("own_process"), together=True)) for _ in range(7)]
    assert [shared.count(each) for each in dict.fromkeys(shared)] == [3, 3, 1]
