"""Which expressions of a plugin ran while a case was watched: these, and no others."""

import ast
from collections.abc import Callable

import pytest
from flows_registry.lab.case import CaseRun, Place

from .conftest import HERE, NOT_ISOLATED, act, value_of

pytestmark = [
    pytest.mark.feature("P4-01", "CK-01"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]

Run = Callable[..., CaseRun]

FILE = "lab_prober/acts.py"
WAYS = ("branch", "branch_in_a_task", "branch_in_a_thread", "branch_in_a_pool")


def _place(expression: str) -> Place:
    nodes = ast.walk(ast.parse((HERE / FILE).read_text()))
    found = [n for n in nodes if isinstance(n, ast.expr) and ast.unparse(n) == expression]
    (node,) = found
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Place(FILE, node.lineno, node.col_offset, node.end_lineno, node.end_col_offset)


UP, DOWN = _place("way.upper()"), _place("way.lower()")


@pytest.mark.parametrize("way", WAYS)
def test_what_ran_is_told_and_not_what_stands_beside_it(run: Run, way: str) -> None:
    assert UP.line == DOWN.line
    done = run(act(way, "up"), places=(UP, DOWN))
    assert value_of(done) == "UP"
    assert done.reached == {UP}
    assert run(act(way, "DOWN"), places=(UP, DOWN)).reached == {DOWN}
    assert run(act(way, "up"), act(way, "DOWN"), places=(UP, DOWN)).reached == {UP, DOWN}


@pytest.mark.parametrize("way", WAYS)
def test_what_runs_before_and_after_the_calls_is_kept_apart(run: Run, way: str) -> None:
    up, down = act(way, "up"), act(way, "DOWN")
    for around in ({"setup": (up,)}, {"probe": (up,)}):
        done = run(down, places=(UP, DOWN), **around)
        assert (done.reached, done.reached_around) == ({DOWN}, {UP})


def test_time_jumps_while_places_are_looked_for(run: Run) -> None:
    done = run(act("branch_in_a_task", "up"), places=(UP,))
    assert done.reached == {UP}
    assert done.steps[0].seconds == pytest.approx(3600, abs=1)


def test_a_case_that_looks_for_no_place_is_not_traced(run: Run) -> None:
    assert value_of(run(act("is_traced"))) is False
    assert value_of(run(act("is_traced"), places=(UP,))) is True


def test_a_plugin_that_traces_itself_only_loses_what_is_found(run: Run) -> None:
    done = run(act("branch", "up"), act("trace_itself"), act("branch", "DOWN"), places=(UP, DOWN))
    assert value_of(done) == "down"
    assert done.reached == {UP}


def test_a_place_that_is_not_in_the_source_is_never_reached(run: Run) -> None:
    nowhere = Place("lab_prober/nowhere.py", 1, 0, 1, 5)
    beside = Place(FILE, UP.line, UP.column, UP.end_line, UP.end_column - 1)
    assert run(act("branch", "up"), places=(nowhere, beside)).reached == frozenset()
