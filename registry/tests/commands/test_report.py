"""What a person reads of a certification."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from flows_registry.commands.report import as_text
from flows_registry.verdict import Certification, CheckResult, Level, Verdict, merged

pytestmark = pytest.mark.feature("DC-05", "P4-01")

ADVICE = "Let an exercise of the suite reach it, or write it so that the source tells."


def _effects(unreached: Mapping[str, Sequence[str]]) -> CheckResult:
    level = Level.STATIC if unreached else Level.WIRE
    facts = {"static_unreached": dict(unreached)}
    return CheckResult("effects", "remote", Verdict.PASSED, 9, (), level, facts)


def _told(check: CheckResult) -> str:
    return " ".join(as_text(Certification("cap-x 1.0", (check,))).split())


def test_what_nobody_knows_is_named_with_what_to_do() -> None:
    told = _told(_effects({"get": ["cap_x/remote.py:30"]}))
    assert "certified at L0" in told
    assert (
        "effects remote stays at L0: nobody knows all that get can do (cap_x/remote.py:30)." in told
    )
    assert ADVICE in told
    assert "nothing else" not in told


def test_a_long_list_is_cut_and_counted() -> None:
    places = [f"cap_x/remote.py:{line}" for line in range(1, 8)]
    names = ("(opening)", "get", "put", "list", "delete")
    told = _told(_effects(dict.fromkeys(names, places)))
    assert "opening, get, put and 2 more can do" in told
    assert "(cap_x/remote.py:1, cap_x/remote.py:2, cap_x/remote.py:3 and 4 more)" in told


def test_several_capabilities_are_told_of_together() -> None:
    both = [_effects({"get": ["cap_x/kv.py:3"]}), _effects({"head": ["cap_x/blob.py:5"]})]
    told = _told(merged(both))
    assert "get, head can do (cap_x/kv.py:3, cap_x/blob.py:5)" in told
    assert told.count("stays at") == 1


def test_where_all_was_watched_nothing_is_said() -> None:
    told = _told(_effects({}))
    assert "stays at" not in told
    assert "Everything declared was seen, and nothing else." in told


@pytest.mark.feature("AL-07")
def test_the_time_that_cases_lived_through_is_told_beside_the_real_one() -> None:
    facts = {"seconds": 16.0, "virtual_seconds": 11_520.0}
    check = CheckResult("contract", "remote", Verdict.PASSED, 941, (), Level.WIRE, facts)
    assert "941 L2 16.0 s (3.2 h of virtual time)" in _told(check)
    both = [replace(check, facts={**facts, "capability": name}) for name in ("kv", "blob")]
    assert "(6.4 h of virtual time)" in _told(merged(both))
    assert "virtual" not in _told(replace(check, facts={"seconds": 16.0}))
