"""The durable_object/1 suite against a sound provider, and against ones with one defect each."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.durable_object import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "PH2-09")


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_objects.py")
    spec = importlib.util.spec_from_file_location("broken_objects", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_objects"] = module
    spec.loader.exec_module(module)
    return module


broken_objects = _broken()
SOUND: type = broken_objects.SoundObjects
STRONG = {"consistency": "linearizable", "durability": "process"}

CAUGHT_BY = {
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
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_objects.LIMITS,
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_objects.Service()
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as objects:
            await case.run(objects, world)

    try:
        asyncio.run(run())
    except (ContractViolation, ProviderError) as violation:
        return str(violation)
    return None


def _case(name: str) -> ContractCase:
    return next(case for case in CONTRACT.cases if case.name == name)


@pytest.mark.parametrize("case", CONTRACT.cases, ids=lambda case: case.name)
def test_sound_provider_passes(case: ContractCase) -> None:
    assert _verdict(SOUND, case) is None


@pytest.mark.parametrize(("name", "case"), CAUGHT_BY.items(), ids=CAUGHT_BY)
def test_broken_provider_is_caught_by_name(name: str, case: str) -> None:
    assert _verdict(getattr(broken_objects, name), _case(case)) is not None


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_objects).items()
        if isinstance(found, type) and issubclass(found, SOUND) and found is not SOUND
    }
    assert written == set(CAUGHT_BY)


def test_every_case_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    names = [case.name for case in CONTRACT.cases]
    assert len(names) == len(set(names)) >= 25
    known = set(CONTRACT.spec.operations)
    assert all(case.operations <= known for case in CONTRACT.cases)
    assert all(case.run.__doc__ for case in CONTRACT.cases)


def test_undeclared_operation_is_noticed() -> None:
    fewer = frozenset(CONTRACT.spec.operations) - {"delete_all"}
    case = _case("an_undeclared_operation_is_absent")
    assert "delete_all" in (_verdict(SOUND, case, operations=fewer) or "")


def test_selection_follows_the_manifest() -> None:
    service = broken_objects.Service()
    strong = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    weak = _world(service, SOUND, guarantees=parse({}), limits={}, advance=None)
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert strong - fewer >= {
        "an_alarm_rings_at_its_time",
        "closing_a_client_loses_nothing",
        "the_most_keys_work_and_one_more_does_not",
    }
    assert fewer >= {"of_many_at_once_one_wins", "a_time_that_is_past_rings_at_once"}
