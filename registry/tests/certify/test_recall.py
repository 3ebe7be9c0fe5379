"""What a self-test says of its trials: nothing that is not as it should be is counted as whole."""

import pytest
from flows_registry.certify.recall import JUDGING, SelfTest, Trial
from flows_registry.verdict import Level

pytestmark = pytest.mark.feature("DC-05")

FOUND = Trial("a lost part", "contract", 0, "refused", True, "", Level.WIRE)
MISSED = Trial("a held stream", "contract", 0, "certified", False, "every check passed")
SOUND = Trial("an honest store", "", 0, "certified", True, "", Level.WIRE)
REFUSED = Trial("hedged reads", "", 0, "refused", False, "contract remote: refused")
UNPROVED = Trial("a second host", "", 0, "inconclusive", False, "no case ran")


def _of(*trials: Trial) -> SelfTest:
    return SelfTest(trials, 1.0)


def test_every_check_that_has_twins_is_tried() -> None:
    assert {"package", "effects", "contract", "budget"} <= set(JUDGING)
    assert "parity" not in JUDGING


def test_a_corpus_of_which_all_is_as_meant_is_whole() -> None:
    assert _of(FOUND, SOUND).is_whole
    assert not _of().is_whole
    assert not _of(FOUND, MISSED).is_whole
    assert not _of(SOUND, UNPROVED).is_whole


def test_recall_is_counted_for_each_check_that_was_tried() -> None:
    tried = _of(FOUND, MISSED, SOUND, REFUSED)
    assert tried.recall == {"contract": (1, 2)}
    assert tried.missed == [MISSED]


def test_a_sound_plugin_is_refused_unproved_or_well() -> None:
    tried = _of(FOUND, MISSED, SOUND, REFUSED, UNPROVED)
    assert tried.sound == [SOUND, REFUSED, UNPROVED]
    assert tried.false_refusals == [REFUSED]
    assert tried.unproved == [UNPROVED]


def test_the_level_of_the_run_is_the_highest_of_any() -> None:
    assert _of(MISSED, FOUND).level is Level.WIRE


def test_what_ends_otherwise_than_with_most_seeds_disagrees() -> None:
    def run(seed: int, verdict: str) -> Trial:
        return Trial("hedged reads", "", seed, verdict, verdict == "certified", "")

    runs = run(0, "certified"), run(1, "refused"), run(2, "certified"), SOUND, UNPROVED
    assert _of(*runs).disagreeing == [runs[1]]


def test_a_program_reads_the_same() -> None:
    shown = _of(FOUND, MISSED, SOUND, REFUSED, UNPROVED).as_json()
    assert shown["whole"] is False
    assert shown["recall"] == {"contract": {"found": 1, "all": 2}}
    assert (shown["missed"], shown["sound"]) == (["a held stream"], 3)
    assert (shown["false_refusals"], shown["unproved"]) == (["hedged reads"], ["a second host"])
    assert [(p["kind"], p["check"]) for p in shown["plugins"][:3:2]] == [
        ("broken", "contract"),
        ("sound", None),
    ]
