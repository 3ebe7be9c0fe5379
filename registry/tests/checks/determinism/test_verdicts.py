"""What it says where changes are refused, claims leave nothing to do, and states are long."""

from dataclasses import replace

import pytest
from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.suite import Call, Exercise
from flows_registry.checks.determinism.world import MOVED, OVERWRITTEN
from flows_registry.lab.case import Case, CaseRun, ErrorFacts, Step
from flows_registry.lab.lab import Profile
from flows_registry.verdict import Verdict

from .scripted import checked, claim, healthy

pytestmark = pytest.mark.feature("P4-02", "CK-02")

PUT = Call("put", ("name-1", b"content"))
PINNED = Exercise("get_pinned", Call("get_pinned", ("name-1",)), setup=(PUT,))
STORED = Exercise("put", PUT)
CLAIMS = {
    "put": claim(Determinism.BEST_EFFORT, Effects.EFFECTFUL),
    "get_pinned": claim(Determinism.STRICT),
}


def _refusing(case: Case, profile: Profile, refused: slice) -> CaseRun:
    """What the check adds to the setup is refused, in part or whole."""
    run = healthy(case, profile)
    setup = list(run.setup)
    own = 1 if case.calls[0].operation == "get_pinned" else 0
    added = range(own, len(setup))[refused]
    for number in added:
        setup[number] = Step(error=ErrorFacts("InvalidArgument"))
    return replace(run, setup=tuple(setup))


@pytest.mark.parametrize("world", [MOVED, OVERWRITTEN])
def test_a_world_stands_although_one_change_was_refused(world: str) -> None:
    def script(case: Case, profile: Profile) -> CaseRun:
        run = _refusing(case, profile, slice(1, None))
        return replace(run, steps=(Step(b"another"),)) if case.name.endswith(world) else run

    found = checked(script, CLAIMS, [STORED, PINNED])
    assert found.verdict is Verdict.REFUSED
    assert f"depends on the {world}" in found.findings[0].message


def test_what_is_pinned_and_was_never_in_another_world_is_not_passed() -> None:
    found = checked(
        lambda case, profile: _refusing(case, profile, slice(None)), CLAIMS, [STORED, PINNED]
    )
    assert found.verdict is Verdict.INCONCLUSIVE
    [finding] = found.findings
    assert "get_pinned" in finding.message
    assert "setup" in finding.fix


def test_what_is_pinned_and_stays_in_another_world_is_passed() -> None:
    assert checked(healthy, CLAIMS, [STORED, PINNED]).verdict is Verdict.PASSED


def test_a_pure_operation_needs_no_other_world_than_a_later_one() -> None:
    exercise = Exercise("add", Call("add", (1, 2)))
    claims = {"add": claim(Determinism.STRICT, Effects.PURE)}
    found = checked(healthy, claims, [exercise])
    assert found.verdict is Verdict.PASSED
    assert found.facts["world_moved"] == 1


def test_claims_that_leave_nothing_to_replay_are_passed() -> None:
    exercise = Exercise("draw", Call("draw", ()))
    claims = {"draw": claim(Determinism.NONDETERMINISTIC)}
    found = checked(healthy, claims, [exercise])
    assert (found.verdict, found.cases) == (Verdict.PASSED, 0)


def test_claims_do_not_pass_what_never_succeeded() -> None:
    def script(case: Case, _: Profile) -> CaseRun:
        return CaseRun(case, trouble="hung")

    claims = {"draw": claim(Determinism.NONDETERMINISTIC)}
    found = checked(script, claims, [Exercise("draw", Call("draw", ()))])
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "draw" in found.findings[0].message


@pytest.mark.parametrize(
    ("texts", "shown"),
    [
        (("state A", "state B"), "differs at byte 6"),
        (("state…", "state…"), "differs beyond the 8 bytes that are kept"),
    ],
)
def test_states_that_differ_are_told_apart_however_long(texts: tuple[str, str], shown: str) -> None:
    def script(case: Case, profile: Profile) -> CaseRun:
        again = profile != Profile()
        return replace(
            healthy(case, profile),
            state_after="second" if again else "first",
            state_text_after=texts[again],
        )

    found = checked(script, {"put": CLAIMS["put"]}, [STORED])
    assert found.verdict is Verdict.REFUSED
    assert shown in found.findings[0].observed
