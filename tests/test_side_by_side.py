"""The runner of the benchmarks: it measures fairly and fails when a goal is missed."""

import importlib.util
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "benchmarks" / "side_by_side.py"


@pytest.fixture(scope="module")
def runner() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("side_by_side", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["side_by_side"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["side_by_side"]


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (">= 2x", True),
        (">= 2", True),
        (">= 2.1x", False),
        ("<= 0.5x", True),
        ("<= 0.4x", False),
        ("≤ 3 x", True),
        ("<= 500 ms", True),
        ("<= 499 ms", False),
        ("", None),
    ],
)
def test_a_goal_is_a_ratio_or_a_figure(runner: ModuleType, goal: str, met: bool | None) -> None:
    compared = runner.compare("work", lambda: 0.5, lambda: 1.0, goal=goal)
    assert compared.met is met
    cost = goal.startswith(("<", "≤")) and not goal.endswith("ms")
    assert (compared.ours, compared.peer, compared.ratio) == (0.5, 1.0, 0.5 if cost else 2.0)


def test_a_slower_ours_may_cost_so_many_times_the_peer(runner: ModuleType) -> None:
    assert runner.compare("work", lambda: 3.0, lambda: 1.0, goal="<= 3x").met
    assert not runner.compare("work", lambda: 3.1, lambda: 1.0, goal="<= 3x").met


def test_the_figure_is_the_median_of_the_rounds_and_of_their_ratios(runner: ModuleType) -> None:
    # The first of each is the trial that tells a self-timed work from one to be timed.
    ours, peer = iter([9.0, 1.0, 1.0, 4.0]), iter([9.0, 2.0, 3.0, 4.0])
    compared = runner.compare("work", lambda: next(ours), lambda: next(peer), rounds=3)
    assert (compared.ours, compared.peer, compared.ratio) == (1.0, 3.0, 2.0)


def test_both_are_interleaved_and_take_turns_at_going_first(runner: ModuleType) -> None:
    order: list[str] = []
    runner.compare(
        "work", lambda: order.append("o") or 1.0, lambda: order.append("p") or 1.0, rounds=4
    )
    assert "".join(order[2:]) == "oppooppo"


def test_a_short_work_is_repeated_and_its_share_reported(runner: ModuleType) -> None:
    calls = itertools.count(1)
    compared = runner.compare("work", lambda: next(calls) and None, lambda: time.sleep(0.001))
    assert next(calls) > 1000
    assert compared.ours < 1e-5
    assert compared.peer >= 0.001


def test_one_work_alone_against_a_figure(runner: ModuleType) -> None:
    assert runner.measure("memory", lambda: 40.0, goal="<= 48 MiB").met
    assert not runner.measure("memory", lambda: 49.0, goal="<= 48 MiB").met
    assert runner.measure("start", lambda: 0.0003, goal="<= 0.3 ms").met
    with pytest.raises(ValueError, match="nothing to compare"):
        runner.measure("start", lambda: 1.0, goal=">= 2x")


@pytest.mark.parametrize("goal", ["2x", "> 2x", ">= x", "fast", ">= 2x please"])
def test_what_is_no_goal_is_refused(runner: ModuleType, goal: str) -> None:
    with pytest.raises(ValueError, match="is no goal"):
        runner.compare("work", lambda: 1.0, lambda: 1.0, goal=goal)


def test_the_report_fails_when_a_goal_is_missed(
    runner: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    met = runner.compare("good", lambda: 1.0, lambda: 4.0, goal=">= 2x")
    missed = runner.compare("bad", lambda: 1.0, lambda: 1.5, goal=">= 2x")
    with pytest.raises(SystemExit) as ended:
        runner.report([met], [])
    assert ended.value.code == 0
    with pytest.raises(SystemExit) as ended:
        runner.report([met, missed], [])
    assert ended.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [
        "good  1.00 s  4.00 s  4.00x  >= 2x     met",
        "bad   1.00 s  1.50 s  1.50x  >= 2x  MISSED",
    ]


def test_the_report_for_programs(runner: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    missed = runner.compare("bad", lambda: 1.0, lambda: 1.5, goal=">= 2x")
    with pytest.raises(SystemExit) as ended:
        runner.report([missed], ["--json"])
    assert ended.value.code == 1
    told = json.loads(capsys.readouterr().out)
    assert told["met"] is False
    assert told["comparisons"][0]["ratio"] == 1.5
    assert told["comparisons"][0]["name"] == "bad"
