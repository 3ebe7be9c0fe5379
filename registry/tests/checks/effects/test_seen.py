"""How often exercises are run so that what the source does not tell is reached, and no oftener."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from core_caps.claims.lattice import Effects
from core_caps.contract.suite import Call
from flows_registry.checks.effects.seen import alone, looked_at, unreached
from flows_registry.checks.effects.static import OPENING, Derived, Location, Top
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun, Place

pytestmark = pytest.mark.feature("P4-01", "CK-01")

PLACE = Place("pkg/m.py", 7, 4, 7, 20)
TOP = Top("getattr with a computed name", Location("pkg/m.py", 7), span=(7, 4, 7, 20))
NOWHERE = Top("the source was not followed within 20 s", Location("", 0))
FAULTS = 8


class _Lab:
    """Cases whose name contains a text run the place, if they are told to look for it: in their
    calls, or around them."""

    def __init__(self, reaching: str, around: str) -> None:
        self.cases: list[Case] = []
        self._reaching = reaching
        self._around = around

    def run(self, cases: Sequence[Case], **_: object) -> list[CaseRun]:
        self.cases += cases
        return [
            CaseRun(
                case,
                reached=_places(case, self._reaching),
                reached_around=_places(case, self._around),
            )
            for case in cases
        ]


def _places(case: Case, reaching: str) -> frozenset[Place]:
    return frozenset(case.places) if reaching and reaching in case.name else frozenset()


def _base(operation: str, name: str, *, writes: bool = False) -> Baseline:
    case = Case(f"remote/{name}", "store/1", "remote", (Call(operation),))
    run: Any = CaseRun(case, exchanges=("a request",))  # type: ignore[arg-type]
    claim: Any = SimpleNamespace(
        effects=Effects.EFFECTFUL if writes else Effects.READ_ONLY, delegates=()
    )
    exercise: Any = SimpleNamespace(name=name, call=Call(operation), setup=())
    capability: Any = SimpleNamespace(contract="store/1")
    return Baseline(capability, exercise, claim, run)


BASES = (
    _base("get", "get one"),
    _base("get", "get two"),
    _base("put", "put one", writes=True),
    _base("list", "list one"),
)


def _looked(
    reaching: str, tops: dict[str, tuple[Top, ...]], around: str = ""
) -> tuple[list[Case], set[str]]:
    """The cases that were run, and the operations that have places left."""
    lab: Any = _Lab(reaching, around)
    names = (OPENING, "get", "put")
    derived = {name: Derived(Effects.PURE, top=tops.get(name, ())) for name in names}
    subject: Any = None
    seen = looked_at(Plan(subject, lab, "plugin"), "remote", BASES, derived)
    assert len(seen) == len(BASES) + len(lab.cases)
    return lab.cases, set(unreached(derived, seen))


def _looking(cases: Sequence[Case]) -> list[str]:
    return [case.name for case in cases if case.places]


def test_where_the_source_tells_all_nothing_is_looked_for() -> None:
    cases, left = _looked("", {})
    assert _looking(cases) == []
    assert len(cases) == len(BASES) + 4 * FAULTS
    assert left == set()


def test_an_exercise_is_repeated_once_where_that_reaches_the_place() -> None:
    cases, left = _looked("one", {"get": (TOP,), "put": (TOP,)})
    assert _looking(cases) == ["remote/get one", "remote/put one"]
    assert len(cases) == 2 + len(BASES) + 4 * FAULTS
    assert left == set()


def test_every_exercise_of_the_operation_is_tried() -> None:
    cases, left = _looked("two", {"get": (TOP,)})
    assert _looking(cases) == ["remote/get one", "remote/get two"]
    assert left == set()


def test_error_paths_are_tried_of_writes_too() -> None:
    cases, left = _looked("put one/status 500", {"put": (TOP,)})
    assert len(_looking(cases)) == 1 + FAULTS
    assert left == set()


def test_what_another_operation_reaches_is_not_watched_for_this_one() -> None:
    _, left = _looked("put one", {"get": (TOP,), "put": (TOP,)})
    assert left == {"get"}


def test_opening_is_watched_in_every_exercise() -> None:
    cases, left = _looked("list one", {OPENING: (TOP,)})
    assert _looking(cases) == ["remote/get one", "remote/put one", "remote/list one"]
    assert left == set()


def test_what_opening_does_around_the_calls_was_watched() -> None:
    cases, left = _looked("", {OPENING: (TOP,)}, around="get one")
    assert _looking(cases)
    assert left == set()


def test_what_only_opening_reaches_is_not_watched_for_an_operation() -> None:
    _, left = _looked("", {OPENING: (TOP,), "get": (TOP,)}, around="get one")
    assert left == {"get"}


def test_places_are_looked_for_in_processes_of_their_own_alone() -> None:
    cases, _ = _looked("put one", {"get": (TOP,)})
    assert {case.together for case in cases if case.places} == {False}
    assert {case.together for case in cases if not case.places} == {True}


def test_what_ran_where_others_had_runs_again_alone() -> None:
    lab: Any = _Lab("", "")
    subject: Any = None
    plan = Plan(subject, lab, "plugin")
    seen = looked_at(plan, "remote", BASES, {})
    shared = [one.run.case.name for one in seen if one.run.case.together]
    lab.cases.clear()

    again = alone(plan, seen)
    assert [case.name for case in lab.cases] == shared
    assert [one.run.case.name for one in again] == [one.run.case.name for one in seen]
    assert not any(one.run.case.together for one in again)


def test_what_stands_nowhere_is_never_reached() -> None:
    cases, left = _looked("", {"get": (NOWHERE,)})
    assert _looking(cases) == []
    assert left == {"get"}


def test_every_exercise_is_followed_and_the_first_of_each_operation_off_the_path_too() -> None:
    cases, _ = _looked("", {})
    followed = [case.name for case in cases if case.followed]
    assert followed[: len(BASES)] == [base.name for base in BASES]
    led_off = {name.partition("/status 500")[0] for name in followed if "/status 500" in name}
    assert led_off == {"remote/get one", "remote/put one", "remote/list one"}


def test_a_case_that_looks_for_places_is_not_followed() -> None:
    cases, _ = _looked("", {"get": (TOP,), "put": (TOP,)})
    assert not [case.name for case in cases if case.places and case.followed]
