"""The cache/1 suite and model on a sound and a forgetful provider, and on broken ones."""

import pytest
from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.cache import CONTRACT
from core_caps.contract.suite import Call

from . import broken_cache
from .model_harness import ModelTests, follower, history
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05")

TRIAL = Trial(
    CONTRACT,
    broken_cache,
    broken_cache.SoundCache,
    broken_cache.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    limits=broken_cache.LIMITS,
    honest=(broken_cache.ForgetfulCache,),
    caught_by={
        "KeepsNothing": "a_cache_keeps_something",
        "AbsentIsEmpty": "an_absent_key_is_none",
        "TextInside": "a_value_comes_back_exactly_or_not_at_all",
        "ReturnsItsBuffer": "a_value_comes_back_exactly_or_not_at_all",
        "ValueIsCut": "a_value_comes_back_exactly_or_not_at_all",
        "FirstPutWins": "put_replaces_the_value",
        "OldValueComesBack": "put_replaces_the_value",
        "DeleteIsForgotten": "delete_forgets_the_value",
        "DeleteOfAbsentFails": "deleting_an_absent_key_is_success",
        "DeleteTakesEverything": "keys_stay_apart",
        "DecodesKeys": "keys_stay_apart",
        "KeysAreShortDigests": "keys_stay_apart",
        "MixesConcurrentAnswers": "concurrent_calls_keep_their_answers",
        "TimeIgnored": "nothing_is_given_after_its_time",
        "TimeInMinutes": "nothing_is_given_after_its_time",
        "ShortTimeRaised": "nothing_is_given_after_its_time",
        "LongTimeCut": "a_value_lives_on_within_its_time",
        "LongestTimeWins": "put_replaces_the_time",
        "ZeroIsForEver": "a_time_is_above_zero",
        "WholeSecondsOnly": "a_time_is_above_zero",
        "LeastTimeRaised": "the_least_time_works_and_less_does_not",
        "LongestTimeCut": "the_longest_time_works_and_more_does_not",
        "EmptyKeyTaken": "an_empty_key_is_refused",
        "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
        "ChecksAfterStoring": "the_greatest_value_works_and_one_byte_more_does_not",
        "TextAccepted": "an_argument_of_another_type_is_refused",
        "TripsOverTypes": "an_argument_of_another_type_is_refused",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
        "KeepsItsOwnCopies": "two_clients_never_disagree",
        "DiesWithItsClient": "closing_a_client_keeps_something",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "nothing_is_given_after_its_time",
        "closing_a_client_keeps_something",
        "the_least_time_works_and_less_does_not",
    )
    anyway = ("a_cache_keeps_something", "put_replaces_the_value")

    @pytest.mark.parametrize("seed", range(10))
    def test_forgetting_is_no_defect(self, seed: int) -> None:
        forgetful = broken_cache.ForgetfulCache
        found = {case.name: TRIAL.verdict(forgetful, case.name, seed) for case in CONTRACT.cases}
        assert not {name: verdict for name, verdict in found.items() if verdict is not None}


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "AbsentIsEmpty",
        "TextInside",
        "FirstPutWins",
        "OldValueComesBack",
        "DeleteIsForgotten",
        "DeleteOfAbsentFails",
        "DecodesKeys",
        "KeysAreShortDigests",
        "ZeroIsForEver",
        "EmptyKeyTaken",
        "WholeSecondsOnly",
    )

    @pytest.mark.parametrize("seed", range(20))
    def test_model_follows_a_cache_that_keeps_nothing(self, seed: int) -> None:
        assert self.disagreement(broken_cache.KeepsNothing, seed) is None


def test_histories_reach_every_edge() -> None:
    calls = history(TRIAL, 7, length=500)
    assert any(call.args[0] == "" for call in calls)
    assert any(call.kwargs.get("ttl_seconds") == 0 for call in calls)


def test_what_a_cache_gives_is_best_effort_although_its_hint_is_strict() -> None:
    get, put = CONTRACT.spec.operations["get"], CONTRACT.spec.operations["put"]
    assert (get.floor.effects, get.floor.determinism) == (
        Effects.READ_ONLY,
        Determinism.BEST_EFFORT,
    )
    assert put.floor.effects is Effects.EFFECTFUL


def test_a_lost_answer_leaves_what_may_be() -> None:
    get = Call("get", ("k",))
    put = [Call("put", ("k", value), {"ttl_seconds": 60}) for value in (b"one", b"two")]
    for applied, may_be in ((True, {b"two"}), (False, {b"one"}), (None, {b"one", b"two"})):
        for value in (b"one", b"two"):
            model = follower(TRIAL)
            assert model.accepts(put[0], None)
            model.lost(put[1], applied)
            assert model.accepts(get, value) is (value in may_be)
            assert model.accepts(get, None)
    model = follower(TRIAL)
    assert model.accepts(put[0], None)
    model.lost(Call("delete", ("k",)), applied=True)
    assert not model.accepts(get, b"one")
