"""The durable_object/1 suite and model on a sound provider, and on ones with one defect each."""

import pytest
from core_caps.capabilities.durable_object import ObjectRef
from core_caps.contract.durable_object import CONTRACT
from core_caps.contract.suite import Call, Follower

from . import broken_objects
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "PH2-09")

TRIAL = Trial(
    CONTRACT,
    broken_objects,
    broken_objects.SoundObjects,
    broken_objects.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    limits=broken_objects.LIMITS,
    caught_by={
        "AbsentIsEmpty": "an_absent_key_is_none",
        "EmptyIsAbsent": "a_value_comes_back_exactly",
        "ValueIsABuffer": "a_value_comes_back_exactly",
        "FirstPutStays": "put_replaces_the_value",
        "KeepsTheBuffer": "what_is_stored_is_a_copy",
        "KeysAreFolded": "tricky_keys_stay_apart",
        "DeletesByPrefix": "delete_removes_the_key",
        "DeleteOfNothingFails": "delete_removes_the_key",
        "ManyLeavesAbsentOut": "an_absent_key_is_none",
        "ManyLosesEmptyValues": "get_many_gives_each_key_its_value",
        "DeleteAllForgetsTheAlarm": "delete_all_leaves_nothing",
        "DeleteAllOfAPage": "delete_all_leaves_nothing",
        "DeleteAllOfAllObjects": "delete_all_leaves_nothing",
        "AnswersMixedUp": "calls_at_once_keep_their_answers",
        "OneObjectForAll": "names_stay_apart",
        "NamesAreFolded": "names_stay_apart",
        "IdsAreNames": "an_id_is_no_name",
        "AnyIdWillDo": "an_id_that_nobody_gave_out_is_refused",
        "SameIdTwice": "a_new_id_is_an_object_of_its_own",
        "NeitherIsAnObject": "a_ref_is_a_name_or_an_id",
        "Utf16Order": "items_are_listed_in_byte_order",
        "NumbersInOrder": "items_are_listed_in_byte_order",
        "ReverseIgnored": "items_are_listed_in_byte_order",
        "ReverseSwapsBounds": "bounds_select_by_plain_text",
        "EndIncluded": "bounds_select_by_plain_text",
        "StartAfterIncluded": "bounds_select_by_plain_text",
        "EmptyEndIsNone": "bounds_select_by_plain_text",
        "PrefixIsAPattern": "bounds_select_by_plain_text",
        "PrefixOrStart": "bounds_select_by_plain_text",
        "AlwaysMore": "a_page_says_whether_there_is_more",
        "NeverMore": "pages_lose_and_repeat_nothing",
        "LargePagesAreCut": "a_listing_of_large_values_ends",
        "TwoBeginnings": "a_listing_of_nothing_in_particular_is_refused",
        "LimitHasNoEnd": "a_listing_of_nothing_in_particular_is_refused",
        "ChangesOneByOne": "nobody_sees_half_a_transaction",
        "AppliesBeforeItChecks": "a_refused_transaction_changes_nothing",
        "RemovesNothing": "a_transaction_stores_and_removes",
        "ConditionsIgnored": "conditions_decide_over_all_changes",
        "OneConditionIsEnough": "conditions_decide_over_all_changes",
        "AbsenceIsEmptiness": "conditions_decide_over_all_changes",
        "ConditionsOnChangedKeysOnly": "conditions_decide_over_all_changes",
        "LooksThenSets": "of_many_at_once_one_wins",
        "LastOfTwiceWins": "a_refused_transaction_changes_nothing",
        "TransactionsOfAnySize": "the_most_keys_work_and_one_more_does_not",
        "AlarmsInSeconds": "an_alarm_is_what_was_set_last",
        "FirstAlarmStays": "an_alarm_is_what_was_set_last",
        "EarliestAlarmStays": "an_alarm_that_is_set_again_rings_then",
        "OneAlarmForAll": "alarms_stay_apart",
        "PastAlarmsAreRefused": "a_time_that_is_past_rings_at_once",
        "RingsOnce": "an_alarm_rings_at_its_time",
        "NeverRings": "an_alarm_rings_at_its_time",
        "RingsEarly": "an_alarm_rings_at_its_time",
        "DeletesAnyAlarm": "only_the_alarm_that_is_meant_is_deleted",
        "OtherAlarmIsAnError": "only_the_alarm_that_is_meant_is_deleted",
        "EpochIsATime": "no_time_is_refused",
        "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
        "EmptyKeyIsAKey": "an_empty_key_is_refused",
        "LettersCount": "the_greatest_item_works_and_one_byte_more_does_not",
        "TripsOverTypes": "an_argument_of_another_type_is_refused",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
        "EachClientHasItsOwnStore": "every_client_reads_the_last_write",
        "ClosesTheStore": "closing_a_client_loses_nothing",
        "ReadsAreCached": "every_client_reads_the_last_write",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "an_alarm_rings_at_its_time",
        "closing_a_client_loses_nothing",
        "the_most_keys_work_and_one_more_does_not",
    )
    anyway = ("of_many_at_once_one_wins", "a_time_that_is_past_rings_at_once")


class TestModel(ModelTests):
    trial = TRIAL
    unreached = ("new_id",)
    told_apart = (
        "EmptyIsAbsent",
        "FirstPutStays",
        "DeletesByPrefix",
        "DeleteOfNothingFails",
        "ManyLosesEmptyValues",
        "DeleteAllForgetsTheAlarm",
        "OneObjectForAll",
        "ReverseIgnored",
        "EndIncluded",
        "StartAfterIncluded",
        "NeverMore",
        "AppliesBeforeItChecks",
        "RemovesNothing",
        "ConditionsIgnored",
        "AbsenceIsEmptiness",
        "ConditionsOnChangedKeysOnly",
        "LastOfTwiceWins",
        "AlarmsInSeconds",
        "FirstAlarmStays",
        "EarliestAlarmStays",
        "OneAlarmForAll",
        "DeletesAnyAlarm",
        "OtherAlarmIsAnError",
        "EmptyKeyIsAKey",
        "ReadsAreCached",
    )


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_reach_every_refusal() -> None:
    refused = {error for _, error in modelled(TRIAL, history(TRIAL, 7, length=800))}
    assert refused == {"", "InvalidArgument", "PreconditionFailed"}


def test_read_back_asks_for_all_of_every_object() -> None:
    one, other = ObjectRef(name="one"), ObjectRef(id="b")
    calls = [Call("put", (one, "k", b"v")), Call("get", (other, "k")), Call("delete_all", (one,))]
    look = [(call.operation, call.args) for call in CONTRACT.read_back(calls)]
    assert look == [(name, (ref,)) for ref in (one, other) for name in ("list", "get_alarm")]
    assert CONTRACT.read_back([Call("new_id")]), "what a new id left can be seen somewhere"
    assert not CONTRACT.read_back([])
