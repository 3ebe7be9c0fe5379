"""The dedupe/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.capabilities.dedupe import (
    RETENTION_SECONDS_MIN,
    Commit,
    Reservation,
    retention_problem,
)
from core_caps.contract.dedupe import CONTRACT
from core_caps.contract.suite import Call, Follower

from . import broken_dedupe
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "S3-07", "S3-13")

TRIAL = Trial(
    CONTRACT,
    broken_dedupe,
    broken_dedupe.SoundDedupe,
    broken_dedupe.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    limits=broken_dedupe.LIMITS,
    caught_by={
        "EverybodyIsFresh": "a_reserved_key_is_in_progress_for_others",
        "LooksThenTakes": "one_of_many_at_once_is_fresh",
        "BatchLooksThenTakes": "batches_at_once_share_the_keys",
        "OwnerIsKeptAway": "the_owner_is_fresh_again",
        "LeaseIsNotRenewed": "the_owner_begins_its_lease_anew",
        "LeaseNeverRunsOut": "a_lease_runs_out",
        "LeaseInMinutes": "a_lease_runs_out",
        "AskingProlongsTheLease": "a_reserved_key_is_in_progress_for_others",
        "UntilIsRelative": "a_reserved_key_is_in_progress_for_others",
        "LeaseDiesWithItsClient": "work_of_a_dead_owner_comes_again",
        "KeysAreFolded": "keys_and_owners_stay_apart",
        "OwnersAreFolded": "keys_and_owners_stay_apart",
        "DoneIsForgotten": "done_is_answered_with_its_result",
        "DoneEndsWithItsLease": "done_stays_done_when_its_lease_would_have_run_out",
        "DoneIsForEver": "done_is_forgotten_after_its_time",
        "TtlFromTheReservation": "done_stays_done_when_its_lease_would_have_run_out",
        "ResultIsText": "done_is_answered_with_its_result",
        "EmptyResultIsNone": "done_is_answered_with_its_result",
        "ResultIsABuffer": "done_is_answered_with_its_result",
        "SecondCommitFails": "the_same_commit_twice_is_once",
        "LastCommitWins": "the_same_commit_twice_is_once",
        "AnybodyCommits": "only_the_owner_commits",
        "AnybodyCommitsTheSame": "the_same_commit_twice_is_once",
        "CommitsWithoutReservation": "what_was_never_reserved_cannot_be_committed",
        "LateCommitIsRefused": "a_late_commit_counts_while_nobody_took_the_key",
        "LateReservationsAreSwept": "a_late_commit_counts_while_nobody_took_the_key",
        "LateCommitWins": "a_late_commit_is_refused_when_somebody_took_the_key",
        "NamesNoKey": "only_the_owner_commits",
        "ReleaseKeepsTheLease": "a_released_key_is_fresh_at_once",
        "ReleaseKeepsTheOwner": "who_released_a_key_cannot_commit_it",
        "ReleaseKeepsThePayload": "a_release_forgets_the_payload",
        "AnybodyReleases": "only_the_owner_releases",
        "ReleaseUndoesDone": "a_release_undoes_no_result",
        "ReleaseOfNothingFails": "a_released_key_is_fresh_at_once",
        "CollisionUnnoticed": "another_payload_collides",
        "CollisionOnlyWhileReserved": "another_payload_collides",
        "CollisionOnlyWhileLeased": "a_lease_that_ran_out_forgets_no_payload",
        "NoPayloadIsOne": "no_payload_compares_nothing",
        "PayloadsAreFolded": "another_payload_collides",
        "LastPayloadCounts": "no_payload_compares_nothing",
        "BatchHalfApplied": "a_collision_reserves_nothing_of_its_batch",
        "CommitsHalfABatch": "commit_many_keeps_all_or_none",
        "NamesTheFirstOnly": "a_collision_reserves_nothing_of_its_batch",
        "AnswersInKeyOrder": "reserve_many_answers_in_the_order_of_its_keys",
        "BatchMergesKeys": "a_key_given_twice_is_refused",
        "BatchOfNothingFails": "a_batch_of_nothing_is_success",
        "BatchLosesItsHundredth": "a_batch_may_be_large",
        "BatchKeepsOneResult": "commit_many_keeps_each_result",
        "ReleaseManyStopsAtOthers": "release_many_gives_back_what_is_the_owners",
        "BatchHasNoLimit": "the_greatest_batch_works_and_one_key_more_does_not",
        "ResultCutToItsLimit": "the_greatest_result_works_and_one_byte_more_does_not",
        "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
        "ZeroIsForEver": "what_is_empty_is_refused",
        "WholeSecondsOnly": "fractions_of_a_second_are_taken",
        "TripsOverTypes": "an_argument_of_another_type_is_refused",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
        "EachClientHasItsOwnStore": "two_clients_share_the_store",
        "ClosesTheStore": "closing_a_client_loses_nothing",
        "BlanksAreRefused": "a_new_key_is_fresh",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "a_lease_runs_out",
        "closing_a_client_loses_nothing",
        "the_greatest_batch_works_and_one_key_more_does_not",
    )
    anyway = ("one_of_many_at_once_is_fresh", "another_payload_collides")


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "EverybodyIsFresh",
        "OwnerIsKeptAway",
        "DoneIsForgotten",
        "ResultIsText",
        "SecondCommitFails",
        "LastCommitWins",
        "AnybodyCommits",
        "AnybodyCommitsTheSame",
        "CommitsWithoutReservation",
        "ReleaseKeepsTheLease",
        "ReleaseKeepsThePayload",
        "AnybodyReleases",
        "ReleaseUndoesDone",
        "ReleaseOfNothingFails",
        "CollisionUnnoticed",
        "CollisionOnlyWhileReserved",
        "BatchHalfApplied",
        "CommitsHalfABatch",
        "BatchMergesKeys",
        "ReleaseManyStopsAtOthers",
    )


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_reach_every_answer() -> None:
    given = modelled(TRIAL, history(TRIAL, 7, length=800))
    assert {error for _, error in given} >= {"InvalidArgument", "KeyCollision", "LeaseExpired"}
    assert {answer for answer, _ in given if isinstance(answer, str)} >= {"fresh", "in progress"}


def test_read_back_asks_for_every_key_and_gives_it_back() -> None:
    calls = [
        Call("reserve", ("a",), {"owner": "one", "lease_seconds": 1}),
        Call("reserve_many", ([Reservation("b"), Reservation("a")],)),
        Call("commit_many", ([Commit("c")],)),
        Call("release_many", (["d", ""],)),
        Call("release", (), {"key": "e"}),
    ]
    look = CONTRACT.read_back(calls)
    assert [call.args[0] for call in look[:-1]] == ["a", "b", "c", "d", "e"]
    assert look[-1].operation == "release_many"
    assert look[-1].args == (["a", "b", "c", "d", "e"],)
    answers = [answer for answer, _ in modelled(TRIAL, [*look, *look])]
    assert answers == [*["fresh"] * 5, None] * 2, "looking changes nothing"
    one, none = CONTRACT.read_back(calls[:1]), CONTRACT.read_back(())
    assert len(one) - len(none) == 1, "so that the one key of a call is known"


@pytest.mark.feature("OP-02")
@pytest.mark.parametrize(
    ("ttl_seconds", "visibility_seconds", "attempts_max", "told"),
    [
        (RETENTION_SECONDS_MIN, 30, 4, None),
        (RETENTION_SECONDS_MIN - 1, 30, 4, "300 s are needed: no result is remembered for less"),
        (1200, 300, 4, None),
        (1199.5, 300, 4, "1199.5 s, and 1200 s are needed: 4 deliveries, each hidden for 300 s"),
        (86_400, 43_200, 4, "172800 s are needed"),
        (float("nan"), 30, 4, "needed"),
    ],
)
def test_results_are_remembered_as_long_as_their_message_may_come_again(
    ttl_seconds: float, visibility_seconds: float, attempts_max: int, told: str | None
) -> None:
    problem = retention_problem(
        ttl_seconds=ttl_seconds, visibility_seconds=visibility_seconds, attempts_max=attempts_max
    )
    assert (problem is None) is (told is None)
    assert (told or "") in (problem or "")
