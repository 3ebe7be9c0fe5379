"""The whole corpus, tried once: every twin is found by its check, and nothing sound is refused."""

import pytest
from flows_registry.certify.recall import JUDGING, SelfTest
from flows_registry.certify.self_test import Asked, self_test

ROWS = {
    "package": ("DC-05",),
    "effects": ("P4-01", "CK-01", "DC-03"),
    "determinism": ("P4-02", "CK-02", "S3-02"),
    "contract": ("P4-03", "CK-05", "AL-07"),
    "injection": ("P4-04",),
    "policy": ("P4-05", "S2-09", "CK-04", "AL-04", "AC-07"),
    "budget": ("P4-06",),
}
"""By check: the features that its recall proves."""

SOUND_MIN = 14

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> SelfTest:
    """What became of every plugin."""
    return self_test(Asked())


@pytest.mark.parametrize(
    "check", [pytest.param(check, marks=pytest.mark.feature(*ROWS[check])) for check in JUDGING]
)
def test_a_check_finds_each_of_its_twins(check: str, found: SelfTest) -> None:
    missed = {trial.name: trial.told for trial in found.missed if trial.check == check}
    assert not missed
    hits, total = found.recall[check]
    assert hits == total > 0


@pytest.mark.feature("DC-05", "CK-01", "CK-02", "CK-05")
def test_nothing_sound_is_refused(found: SelfTest) -> None:
    assert {trial.name: trial.told for trial in found.sound if not trial.as_meant} == {}
    assert len(found.sound) >= SOUND_MIN
