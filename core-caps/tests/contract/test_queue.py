"""The queue/1 suite and model on a sound and an unlucky provider, and on broken ones."""

import pytest
from core_caps.capabilities.queue import Delivery, Message
from core_caps.claims.guarantees import parse
from core_caps.contract.queue import CONTRACT
from core_caps.contract.suite import Call, Result, selected, unchecked
from core_caps.errors import InvalidArgument, LeaseExpired

from . import broken_queue
from .model_harness import ModelTests, follower, history
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "PH2-06")

HONEST = parse({"delivery": "at_least_once", "durability": "process"})
LEASED = Call("pull", (), {"visibility_seconds": 600})
TRIAL = Trial(
    CONTRACT,
    broken_queue,
    broken_queue.SoundQueue,
    broken_queue.Service,
    guarantees={
        "consistency": "linearizable",
        "ordering": "total",
        "delivery": "exactly_once",
        "durability": "process",
    },
    limits=broken_queue.LIMITS,
    honest=(broken_queue.UnluckyQueue,),
    caught_by={
        "EmptyBodyIsNoMessage": "a_message_arrives_as_it_was_sent",
        "BodiesAreText": "a_message_arrives_as_it_was_sent",
        "BodiesAreStripped": "a_message_arrives_as_it_was_sent",
        "ForgetsTheKey": "a_key_travels_with_its_message",
        "KeyIsStripped": "a_key_travels_with_its_message",
        "ForgetsTheDelay": "a_delayed_message_arrives_when_it_is_due",
        "DropsEqualBodies": "equal_messages_are_several",
        "ForgetsABatchsKeys": "a_key_travels_with_its_message",
        "ForgetsABatchsDelays": "a_delayed_message_arrives_when_it_is_due",
        "BatchStopsAtTheBadOne": "a_batch_is_checked_before_any_of_it_is_sent",
        "BatchLosesItsLast": "a_batch_is_its_messages",
        "BatchCutToItsLimit": "the_greatest_batch_works_and_one_message_more_does_not",
        "BatchHasNoLimitTogether": "a_batch_of_too_many_bytes_is_refused",
        "MessageCutToItsLimit": "the_greatest_message_works_and_one_byte_more_does_not",
        "DelayCutToItsLimit": "the_longest_delay_works_and_one_second_more_does_not",
        "NegativeDelayIsNone": "a_delay_is_not_negative",
        "PullTakesAnyLimit": "the_greatest_pull_works_and_one_more_does_not",
        "ZeroIsOne": "a_pull_of_nothing_is_refused",
        "PullIgnoresItsLimit": "a_pull_gives_no_more_than_its_limit",
        "LeaseHasNoLimit": "the_longest_lease_works_and_one_second_more_does_not",
        "LosesARefusedPull": "a_pull_of_nothing_is_refused",
        "GivesNoneWhereEmpty": "an_empty_queue_gives_nothing",
        "VisibilityIgnored": "a_pulled_message_is_hidden_from_others",
        "VisibilityIsFixed": "what_nobody_settles_comes_again",
        "DefaultVisibilityIsZero": "a_lease_of_the_queues_own_length_hides_too",
        "DeliversOnce": "what_nobody_settles_comes_again",
        "RemovesWhatItHandsOut": "attempts_are_counted",
        "AttemptsAreNotCounted": "attempts_are_counted",
        "AttemptsStartAtZero": "a_delivery_says_what_it_is",
        "SentAtIsWhenPulled": "what_nobody_settles_comes_again",
        "SentAtInMilliseconds": "a_delivery_says_what_it_is",
        "IdOfTheDelivery": "what_nobody_settles_comes_again",
        "LeaseOfTheMessage": "the_lease_of_an_earlier_delivery_does_not_hold",
        "AcksAnOldLease": "the_lease_of_an_earlier_delivery_does_not_hold",
        "OldLeaseIsSuccess": "a_lease_holds_once",
        "LateAckIsSwallowed": "an_ack_that_comes_too_late_tells_the_truth",
        "StrangeLeaseStopsTheOthers": "a_lease_that_nobody_gave_out_does_not_hold",
        "NamesEveryLease": "a_lease_that_nobody_gave_out_does_not_hold",
        "AckIsForgotten": "an_acknowledged_message_stays_away",
        "AckTakesTheWholePull": "ack_settles_what_it_names_and_nothing_else",
        "AckTakesOneAtATime": "ack_settles_what_it_names_and_nothing_else",
        "LosesOnRetry": "a_retried_message_comes_again",
        "RetryKeepsItsLease": "a_lease_holds_once",
        "RetryForgetsItsDelay": "a_retry_waits_as_long_as_it_says",
        "RetryStartsAnew": "a_retried_message_comes_again",
        "RetryFreesEverything": "a_retried_message_comes_again",
        "NeverGivesUp": "a_message_is_given_up_after_its_last_attempt",
        "GivesUpTooEarly": "a_message_is_given_up_after_its_last_attempt",
        "SettlingNothingFails": "settling_nothing_is_success",
        "NewestFirst": "messages_arrive_in_the_order_they_were_sent",
        "HandsOutTwiceAtOnce": "nothing_comes_twice",
        "LosesOneOfMany": "many_messages_arrive_each_once_settled",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
        "EachClientHasItsOwnQueue": "two_clients_share_the_queue",
        "ClosesTheQueue": "closing_a_client_loses_nothing",
        "TakesText": "an_argument_of_another_type_is_refused",
        "TripsOverTypes": "an_argument_of_another_type_is_refused",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "messages_arrive_in_the_order_they_were_sent",
        "nothing_comes_twice",
        "what_nobody_settles_comes_again",
        "a_message_is_given_up_after_its_last_attempt",
        "the_greatest_pull_works_and_one_more_does_not",
    )
    anyway = ("a_lease_holds_once", "a_retried_message_comes_again")

    def test_bad_luck_is_no_defect(self) -> None:
        unlucky = broken_queue.UnluckyQueue
        cases = selected(CONTRACT, TRIAL.world(unlucky, guarantees=HONEST))
        assert len(cases) > 30
        found = {
            (case.name, seed): verdict
            for case in cases
            if "attempts_max" not in case.limits
            for seed in range(25)
            if (verdict := TRIAL.verdict(unlucky, case.name, seed, guarantees=HONEST)) is not None
        }
        assert not found

    @pytest.mark.parametrize(
        "name",
        [
            "LosesOnRetry",
            "VisibilityIgnored",
            "AckIsForgotten",
            "RemovesWhatItHandsOut",
            "AcksAnOldLease",
            "RetryFreesEverything",
            "AttemptsAreNotCounted",
        ],
    )
    def test_what_at_least_once_does_not_excuse_is_caught(self, name: str) -> None:
        unlucky = type(name, (getattr(broken_queue, name), broken_queue.UnluckyQueue), {})
        case = TRIAL.caught_by[name]
        assert all(TRIAL.verdict(unlucky, case, seed, guarantees=HONEST) for seed in range(5))

    def test_a_half_has_promises_that_nobody_can_check(self) -> None:
        sends = frozenset({"send", "send_batch"})
        world = TRIAL.world(broken_queue.SendsOnly, operations=sends)
        kept = {case.name for case in selected(CONTRACT, world)}
        left = unchecked(CONTRACT, world)
        assert "a_closed_client_refuses_every_operation" in kept
        assert left["a_message_arrives_as_it_was_sent"] == {"pull"}
        for name in sorted(kept):
            assert TRIAL.verdict(broken_queue.SendsOnly, name, operations=sends) is None


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "EmptyBodyIsNoMessage",
        "BodiesAreText",
        "ForgetsTheKey",
        "DropsEqualBodies",
        "ForgetsABatchsKeys",
        "BatchStopsAtTheBadOne",
        "BatchLosesItsLast",
        "NegativeDelayIsNone",
        "ZeroIsOne",
        "PullIgnoresItsLimit",
        "OldLeaseIsSuccess",
        "LosesOnRetry",
        "RetryKeepsItsLease",
        "AckTakesOneAtATime",
        "LosesOneOfMany",
    )


def test_histories_reach_every_edge() -> None:
    calls = history(TRIAL, 7, length=500)
    assert any(call.kwargs.get("limit") == 0 for call in calls)
    assert any(call.operation == "send" and call.args == (b"",) for call in calls)


def test_nothing_is_an_answer_only_where_nothing_is_due() -> None:
    model = follower(TRIAL)
    assert model.accepts(LEASED, [])
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    assert not model.accepts(LEASED, [])
    assert not model.accepts(LEASED, [(b"b", "")])
    assert not model.accepts(LEASED, None)
    assert not model.accepts(Call("pull", (), {"limit": 1}), [(b"a", ""), (b"a", "")])
    assert model.accepts(LEASED, [(b"a", ""), (b"a", "")]), "at least once"
    assert model.accepts(LEASED, [])


def test_a_lease_holds_until_it_is_settled() -> None:
    model = follower(TRIAL)
    ack = Call("ack", (Result(1, "*.lease"),))
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    assert model.accepts(LEASED, [(b"a", "")])
    assert not model.accepts(ack, None, LeaseExpired.__name__)
    assert model.accepts(ack, None)
    assert not model.accepts(ack, None)
    assert model.accepts(ack, None, LeaseExpired.__name__)
    assert model.accepts(LEASED, [(b"a", "")]), "an acknowledgement may be lost"


def test_what_a_queue_may_delay_or_know_by_its_key_need_not_come() -> None:
    model = follower(TRIAL)
    assert model.accepts(Call("send", (b"a",)), None)
    keyed = Call("send", (b"k",), {"key": "k", "delay_seconds": 0})
    assert model.accepts(keyed, None)
    assert model.accepts(keyed, None)
    assert not model.accepts(LEASED, [])
    assert model.accepts(LEASED, [(b"k", "k")])
    assert model.accepts(LEASED, [])


@pytest.mark.parametrize(("applied", "due"), [(True, 1), (False, 0), (None, 0)])
def test_a_send_whose_answer_was_lost_must_come_only_where_it_is_known(
    applied: bool | None, due: int
) -> None:
    model = follower(TRIAL)
    model.lost(Call("send", (b"a",), {"delay_seconds": 0}), applied)
    assert model.accepts(LEASED, []) is (due == 0)
    model = follower(TRIAL)
    model.lost(Call("send", (b"a",), {"delay_seconds": 0}), applied)
    assert model.accepts(LEASED, [(b"a", "")]) is (applied is not False)


def test_a_pull_whose_answer_was_lost_may_have_leased_everything() -> None:
    model = follower(TRIAL)
    assert model.accepts(Call("send", (b"a",), {"delay_seconds": 0}), None)
    model.lost(LEASED, applied=None)
    assert model.accepts(LEASED, [])
    assert model.accepts(LEASED, [(b"a", "")])
    assert model.accepts(Call("ack", (Result(1, "*.lease"),)), None), "it gave nobody a lease"


def test_refused_calls_change_nothing() -> None:
    model = follower(TRIAL)
    bad = Call("send_batch", ([Message(b"a", delay_seconds=0), Message(b"b", delay_seconds=-1)],))
    assert not model.accepts(bad, None)
    assert model.accepts(bad, None, InvalidArgument.__name__)
    assert not model.accepts(LEASED, [(b"a", "")])
    with pytest.raises(InvalidArgument):
        model.apply(Call("pull", (), {"limit": 0}))


def test_deliveries_are_compared_without_what_is_luck() -> None:
    first = Delivery("id-1", b"a", "k", 1, 5.0, "lease-1")
    second = Delivery("id-2", b"b", "", 3, 6.0, "lease-2")
    other = Delivery("other", b"a", "k", 2, 9.0, "another")
    assert CONTRACT.comparable(LEASED, [second, first]) == CONTRACT.comparable(
        LEASED, (other, second)
    )
    assert CONTRACT.comparable(LEASED, [first]) != CONTRACT.comparable(LEASED, [first, first])
    assert CONTRACT.comparable(LEASED, "nonsense") == "nonsense"
