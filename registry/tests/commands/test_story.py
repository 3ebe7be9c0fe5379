"""A case on a terminal: a column for each client, in 80 columns, in colour where there is one."""

from collections.abc import Mapping
from typing import Any

import pytest
from flows_registry.commands import output
from flows_registry.commands.story import story
from flows_registry.verdict import CaseRecord, Outcome

pytestmark = pytest.mark.feature("P4-04", "AC-07")


def line(lane: int, kind: str, text: str = "x", **more: Any) -> Mapping[str, Any]:
    return {"at_seconds": 0.25, "lane": lane, "kind": kind, "text": text, **more}


def shown(*lines: Mapping[str, Any], whole: bool = True) -> list[str]:
    record = CaseRecord("c", "", (), Outcome.REFUSED, "base", {}, {}, (), lines)
    return list(story(record, whole=whole))


def test_each_client_has_a_column_and_calls_that_overlap_are_seen_to() -> None:
    assert shown(
        line(1, "begin", "put('a', b'1')"),
        line(2, "begin", "get('a')"),
        line(0, "request", "PUT /values/a", status=200, changed=True),
        line(1, "end", "None"),
        line(2, "end", "b'2'", riddle=True),
        line(2, "perfect", "b'1'"),
    ) == [
        "            c1 c2 service",
        "   0.250 s  ┏        put('a', b'1')",
        "   0.250 s  ┃  ┏     get('a')",
        "   0.250 s  ┃──┃───▶ PUT /values/a → 200 · changed the state",
        "   0.250 s  ┗  ┃     ⇒ None",
        "   0.250 s     ✗     ✗ b'2'",
        "   0.250 s           ✓ a perfect service: b'1'",
    ]


def test_a_death_and_a_lost_answer_are_marked() -> None:
    told = shown(
        line(1, "begin"), line(1, "died", "the client dies"),
        line(2, "begin"), line(2, "end", "TimedOut", lost=True),
    )  # fmt: skip
    assert told[2] == "   0.250 s  ✗        the client dies"
    assert told[4] == "   0.250 s     ╎     ⚡ TimedOut"


def test_no_line_is_longer_than_a_terminal_is_wide() -> None:
    many = [line(lane, "begin", "put(" + "x" * 200) for lane in range(1, 12)]
    requests = [line(0, "request", "GET /" + "y" * 200, fault="stall")]
    assert max(map(len, shown(*many, *requests))) + 5 <= 80


def test_a_long_story_leaves_its_middle_out_and_keeps_its_columns() -> None:
    lines = [line(1, "begin"), *(line(0, "request", "GET /") for _ in range(30)), line(1, "end")]
    told = shown(*lines, whole=False)
    assert any("… 17 more lines" in each for each in told)
    assert "┃" in told[-2]


def test_only_a_terminal_sees_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    riddle = line(1, "end", riddle=True)
    assert "\033" not in "".join(shown(riddle))
    monkeypatch.setattr(output, "_colour", lambda: True)
    assert "\033[31m" in shown(riddle)[-1]
