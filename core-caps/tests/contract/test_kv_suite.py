"""The kv/1 suite against a sound provider, and against providers with one defect each."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.kv import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected, unchecked
from core_caps.errors import ProviderError


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_kv.py")
    spec = importlib.util.spec_from_file_location("broken_kv", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_kv"] = module
    spec.loader.exec_module(module)
    return module


broken_kv = _broken()
SOUND: type = broken_kv.SoundKv
STRONG = {"consistency": "linearizable", "ttl": "exact", "durability": "process"}

CAUGHT_BY = {
    "AbsentIsEmpty": "an_absent_key_is_none",
    "EmptyIsAbsent": "an_empty_value_is_a_value",
    "TextInside": "a_value_comes_back_exactly",
    "DropsByteOrderMark": "a_value_comes_back_exactly",
    "ReturnsItsBuffer": "a_value_comes_back_exactly",
    "DecodesKeys": "tricky_names_stay_apart",
    "FoldsCase": "tricky_names_stay_apart",
    "KeepsOldMetadata": "put_drops_the_old_metadata",
    "KeepsOldExpiry": "put_without_expiry_drops_the_old_one",
    "NoMetadataIsEmpty": "a_value_without_metadata_says_none",
    "SharesMetadata": "what_is_stored_is_a_copy",
    "CopiesTheSurface": "what_is_stored_is_a_copy",
    "ListsItsOwn": "what_is_listed_is_a_copy",
    "CutsBlanks": "tricky_names_stay_apart",
    "KeysCutShort": "the_longest_key_works_and_one_byte_more_does_not",
    "OneReadOfALongValue": "a_long_value_comes_back_whole",
    "DeleteOfAbsentFails": "deleting_an_absent_key_is_success",
    "DeleteTakesAPrefix": "other_keys_stay_untouched",
    "LocaleOrder": "keys_are_listed_in_byte_order",
    "Utf16Order": "keys_are_listed_in_byte_order",
    "PrefixIsPattern": "a_prefix_selects_by_plain_text",
    "PrefixIsFolder": "a_prefix_selects_by_plain_text",
    "PageLosesItsLast": "pages_lose_and_repeat_nothing",
    "PageRepeatsItsFirst": "pages_lose_and_repeat_nothing",
    "NoCursorAtAll": "pages_lose_and_repeat_nothing",
    "EndlessListing": "a_listing_of_nothing_is_empty",
    "BadCursorStartsAnew": "a_bad_cursor_is_refused",
    "CursorBringsItsPrefix": "a_cursor_stays_with_its_prefix",
    "ListsExpired": "a_key_is_gone_after_its_ttl",
    "ListHidesMetadata": "a_listing_shows_metadata",
    "TtlIgnored": "a_key_is_gone_after_its_ttl",
    "TtlInMinutes": "a_key_is_gone_at_its_time",
    "TtlInWholeMinutes": "a_key_is_gone_after_its_ttl",
    "TtlShowsRelative": "a_key_lives_until_its_time",
    "ShortTtlRaised": "the_least_ttl_works_and_one_second_less_does_not",
    "TtlBeatsExpiresAt": "both_expiries_at_once_are_refused",
    "ChecksAfterStoring": "metadata_that_is_no_json_is_refused",
    "CountsLetters": "the_longest_key_works_and_one_byte_more_does_not",
    "LimitOffByOne": "the_greatest_value_works_and_one_byte_more_does_not",
    "ValueCutToLimit": "the_greatest_value_works_and_one_byte_more_does_not",
    "MetadataCoerced": "metadata_that_is_no_json_is_refused",
    "TextAccepted": "a_value_that_is_no_bytes_is_refused",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
    "TakesTextNumbers": "an_argument_of_another_type_is_refused",
    "SurrogateReplaced": "a_key_without_utf8_form_is_refused",
    "GetManyOmitsAbsent": "get_many_equals_many_gets",
    "GetManyIsText": "get_many_equals_many_gets",
    "PutManyStoresUntilBad": "put_many_checks_all_before_it_stores_any",
    "PutManyMerges": "put_many_equals_many_puts",
    "DeleteManyStopsAtAbsent": "delete_many_equals_many_deletes",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "ClosesTheStore": "closing_a_client_loses_nothing",
    "CachesForever": "two_clients_share_the_store",
    "CachesAbsence": "a_client_reads_its_own_writes",
    "MixesConcurrentAnswers": "concurrent_calls_keep_their_answers",
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_kv.LIMITS,
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_kv.Service()
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as kv:
            await case.run(kv, world)

    try:
        asyncio.run(run())
    except (ContractViolation, ProviderError) as violation:
        return str(violation)
    return None


def _case(name: str) -> ContractCase:
    return next(case for case in CONTRACT.cases if case.name == name)


@pytest.mark.feature("CK-05", "P4-03", "PH2-02")
@pytest.mark.parametrize(
    "case", [case for case in CONTRACT.cases if not case.lacks], ids=lambda case: case.name
)
def test_sound_provider_passes(case: ContractCase) -> None:
    assert _verdict(SOUND, case) is None


@pytest.mark.feature("CK-05", "P4-03")
@pytest.mark.parametrize(("name", "case"), CAUGHT_BY.items(), ids=CAUGHT_BY)
def test_broken_provider_is_caught_by_name(name: str, case: str) -> None:
    verdict = _verdict(getattr(broken_kv, name), _case(case))
    assert verdict is not None


@pytest.mark.feature("CK-05")
def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_kv).items()
        if isinstance(found, type) and issubclass(found, SOUND) and found is not SOUND
    }
    assert written == set(CAUGHT_BY)


@pytest.mark.feature("CK-05")
def test_every_case_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    names = [case.name for case in CONTRACT.cases]
    assert len(names) == len(set(names)) >= 25
    known = set(CONTRACT.spec.operations)
    assert all(case.operations <= known for case in CONTRACT.cases)
    assert all(case.run.__doc__ for case in CONTRACT.cases)


@pytest.mark.feature("CK-05")
def test_unclaimed_ttl_is_refused() -> None:
    unclaimed = parse({**STRONG, "ttl": "none"})
    case = _case("an_unclaimed_ttl_is_refused")
    verdict = _verdict(SOUND, case, guarantees=unclaimed)
    assert verdict is not None
    assert "where ttl is not promised it is refused" in verdict


@pytest.mark.feature("CK-05")
def test_undeclared_operation_is_noticed() -> None:
    fewer = frozenset(CONTRACT.spec.operations) - {"get_many"}
    case = _case("an_undeclared_operation_is_absent")
    assert _verdict(SOUND, case) is None
    assert "get_many" in (_verdict(SOUND, case, operations=fewer) or "")


@pytest.mark.feature("CK-05")
def test_a_half_has_promises_that_nobody_can_check() -> None:
    service = broken_kv.Service()
    reader = frozenset({"get", "get_with_metadata", "list"})
    world = _world(service, SOUND, operations=reader)
    kept = {case.name for case in selected(CONTRACT, world)}
    left = unchecked(CONTRACT, world)
    assert "an_absent_key_is_none" in kept
    assert left["a_value_comes_back_exactly"] == {"put"}
    assert left["delete_removes_the_key"] == {"put", "delete"}
    assert not {"nothing_in_bulk_is_success", "deleting_an_absent_key_is_success"} & left.keys()
    assert "an_unclaimed_ttl_is_refused" not in left, "what is not promised need not be checked"
    assert not kept & left.keys()
    assert not unchecked(CONTRACT, _world(service, SOUND))


@pytest.mark.feature("CK-05")
def test_selection_follows_the_manifest() -> None:
    service = broken_kv.Service()
    everything = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    assert "an_unclaimed_ttl_is_refused" not in everything
    assert "every_client_reads_the_last_write" in everything
    weak = _world(
        service,
        SOUND,
        guarantees=parse({"consistency": "eventual"}),
        operations=frozenset({"get", "put", "delete", "list", "get_with_metadata"}),
        advance=None,
        limits={},
    )
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert "an_unclaimed_ttl_is_refused" in fewer
    assert not fewer & {
        "a_client_reads_its_own_writes",
        "a_key_is_gone_after_its_ttl",
        "get_many_equals_many_gets",
        "the_longest_key_works_and_one_byte_more_does_not",
    }
