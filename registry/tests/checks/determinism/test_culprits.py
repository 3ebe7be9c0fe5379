"""What a difference is put down to: each axis that makes it alone, or the fewest together."""

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import fields, replace

import pytest
from core_caps.claims.lattice import Determinism
from core_caps.contract.suite import Call, Exercise
from flows_registry.checks.determinism.axes import AXES, together
from flows_registry.checks.determinism.culprits import SETS_MAX, Axes, Search, fewest
from flows_registry.lab.case import Case, CaseRun, Step
from flows_registry.lab.lab import Profile
from flows_registry.verdict import Verdict

from .scripted import checked, claim, healthy

pytestmark = pytest.mark.feature("P4-02", "CK-02")

GET = Exercise("get", Call("get", ("name-1",)))
CLAIMS = {"get": claim(Determinism.BEST_EFFORT)}


def _has(profile: Profile, axis: str) -> bool:
    """Whether it changes what the axis changes."""
    for field in fields(Profile):
        own, usual = getattr(AXES[axis], field.name), getattr(Profile(), field.name)
        given = getattr(profile, field.name)
        if field.name in ("name", "nonce") or own == usual:
            continue
        if given != own and not (hasattr(own, "items") and own.items() <= given.items()):
            return False
    return True


class _Dependent:
    """A plugin that gives something else wherever all axes of one of these sets are others."""

    def __init__(self, *sets: Collection[str]) -> None:
        self._sets = sets
        self.tried: set[str] = set()

    def __call__(self, case: Case, profile: Profile) -> CaseRun:
        self.tried.add(profile.name)
        other = any(all(_has(profile, axis) for axis in axes) for axes in self._sets)
        run = healthy(case, profile)
        return replace(run, steps=(Step(b"another"),)) if other else run


def _told(*sets: Collection[str]) -> str:
    found = checked(_Dependent(*sets), CLAIMS, [GET])
    assert found.verdict is Verdict.REFUSED
    (finding,) = found.findings
    return finding.message


@pytest.mark.parametrize("axis", AXES)
def test_one_axis_alone_is_named_alone(axis: str) -> None:
    assert _told([axis]) == f"get depends on the {axis}"


def test_each_of_several_is_named() -> None:
    told = _told(["clock"], ["locale"], ["environment"])
    assert told == ("get depends on the clock, and on the locale, and on the environment")


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        (("clock", "time zone"), "the clock and the time zone together"),
        (("hash seed", "chunking"), "the hash seed and the chunking together"),
        (
            ("random numbers", "environment", "answer order"),
            "the random numbers, the environment and the answer order together",
        ),
    ],
)
def test_the_fewest_that_do_it_together_are_named(axes: Sequence[str], told: str) -> None:
    assert _told(axes) == f"get depends on {told}"


def test_where_two_pairs_do_it_one_of_them_is_named() -> None:
    told = _told(("clock", "locale"), ("hash seed", "environment"))
    assert told.removeprefix("get depends on ") in {
        "the clock and the locale together", "the hash seed and the environment together",
    }  # fmt: skip


def test_what_does_not_show_again_is_put_down_to_nobody() -> None:
    def script(case: Case, profile: Profile) -> CaseRun:
        run = healthy(case, profile)
        return replace(run, steps=(Step(b"another"),)) if "every" in profile.name else run

    (finding,) = checked(script, CLAIMS, [GET]).findings
    assert finding.message == "get depends on several of its surroundings together"


@pytest.mark.parametrize("sought", [("a", "k"), ("a", "e", "h", "k"), tuple("abcdefghijk")])
def test_the_search_ends_in_few_sets(sought: Sequence[str]) -> None:
    answers: list[Sequence[str]] = []

    def searching() -> Search:
        answers.append((yield from fewest(tuple("abcdefghijk"))))
        return ()

    search, tried = searching(), 0
    asked: Sequence[Axes] = next(search)
    while not answers:
        tried += len(asked)
        with contextlib.suppress(StopIteration):
            asked = search.send([axes for axes in asked if {*sought} <= {*axes}])
    assert answers == [tuple(sought)]
    assert tried <= SETS_MAX


def test_axes_together_change_what_each_of_them_changes() -> None:
    both = together(["locale", "environment"])
    assert _has(both, "locale")
    assert _has(both, "environment")
    assert not _has(both, "clock")
