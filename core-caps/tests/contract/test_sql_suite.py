"""The sql/1 suite against a sound provider, and against providers with one defect each."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.sql import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected, unchecked
from core_caps.errors import ProviderError


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_sql.py")
    spec = importlib.util.spec_from_file_location("broken_sql", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_sql"] = module
    spec.loader.exec_module(module)
    return module


broken_sql = _broken()
SOUND: type = broken_sql.SoundSql
STRONG = {"consistency": "linearizable", "durability": "process"}

CAUGHT_BY = {
    "PutsParametersIntoText": "a_parameter_is_never_read_as_sql",
    "CountsPlaces": "a_parameter_stands_where_its_number_says",
    "ReadsOneDigit": "more_than_nine_parameters_keep_apart",
    "LooksInsideStrings": "what_is_quoted_is_no_parameter",
    "IgnoresWhatIsTooMuch": "another_number_of_parameters_is_refused",
    "MissingIsNull": "a_write_with_another_number_of_parameters_is_refused",
    "TakesQuestionMarks": "other_placeholders_are_refused",
    "RunsTheFirstCommand": "several_commands_are_refused",
    "TakesNothing": "no_command_at_all_is_refused",
    "LetsCommit": "transactions_are_not_a_statements_to_begin_or_end",
    "UnknownTableIsEmpty": "what_the_database_does_not_understand_is_refused",
    "ReadsByTheFirstWord": "a_write_through_query_is_refused",
    "TakesBackWhatAReadWrote": "a_write_through_query_batch_is_refused",
    "ReadsPragmas": "a_write_in_disguise_is_refused",
    "RefusesWordsOfWrites": "a_read_that_only_looks_like_a_write_is_allowed",
    "ReadsOneByOne": "a_reading_batch_sees_one_state",
    "WritesOneByOne": "a_batch_is_all_or_nothing",
    "CommitsAfterTables": "a_batch_may_create_what_it_uses",
    "EmptyBatchFails": "an_empty_batch_is_nothing",
    "OnlySerializable": "every_isolation_is_accepted",
    "AnyIsolation": "an_isolation_of_no_name_is_refused",
    "ConflictIsAnArgument": "a_broken_constraint_is_a_conflict",
    "MindsNoReferences": "a_broken_constraint_is_a_conflict",
    "CountsConflictsAsRows": "a_conflict_can_be_provided_for",
    "RoundsIntegers": "integers_come_back_exactly",
    "WrapsIntegers": "an_integer_of_more_than_64_bits_is_refused",
    "ShortensFloats": "floats_come_back_exactly",
    "WholeFloatsAreIntegers": "floats_come_back_exactly",
    "EmptyTextIsNull": "texts_come_back_exactly",
    "CutsAtNul": "a_text_that_not_every_database_holds_is_refused",
    "BytesAreText": "bytes_come_back_exactly",
    "BoolsAreText": "booleans_come_back",
    "OthersAreText": "other_types_come_back_or_are_refused",
    "AnythingIsText": "what_is_no_value_is_refused",
    "ForgetsKeys": "a_statement_is_applied_once_under_its_key",
    "RepeatsQuietly": "a_statement_is_applied_once_under_its_key",
    "NoKeyIsAKey": "without_a_key_every_time_counts",
    "FoldsKeys": "keys_are_compared_exactly",
    "KeyBeforeStatement": "what_failed_leaves_no_key",
    "KeyIsForOneStatement": "a_batch_is_applied_once_under_its_key",
    "LooksThenWrites": "of_many_at_once_one_is_applied",
    "KeysOfItsOwn": "a_key_outlives_the_client_that_used_it",
    "TakesAnyKey": "a_key_that_is_no_text_is_refused",
    "ColumnsByName": "columns_come_in_order_under_their_names",
    "NoRowsNoColumns": "no_rows_are_no_rows",
    "CountsRowsReturned": "a_write_tells_how_many_rows_it_changed",
    "DropsWhatIsReturned": "a_write_may_return_rows",
    "StopsAtAThousand": "many_rows_come_whole_and_in_order",
    "MixesConcurrentAnswers": "concurrent_calls_keep_their_answers",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "ClosesForAll": "closing_one_client_leaves_the_others_open",
    "DatabaseOfItsOwn": "two_clients_share_the_database",
    "ForgetsWithItsClient": "closing_a_client_loses_nothing",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": {},
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_sql.Service()
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as sql:
            await case.run(sql, world)

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
    verdict = _verdict(getattr(broken_sql, name), _case(case))
    assert verdict is not None


@pytest.mark.feature("CK-05")
def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_sql).items()
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
def test_undeclared_operation_is_noticed() -> None:
    fewer = frozenset(CONTRACT.spec.operations) - {"batch"}
    case = _case("an_undeclared_operation_is_absent")
    assert _verdict(SOUND, case) is None
    assert "batch" in (_verdict(SOUND, case, operations=fewer) or "")


@pytest.mark.feature("CK-05")
def test_a_half_has_promises_that_nobody_can_check() -> None:
    service = broken_sql.Service()
    reader = frozenset({"query", "query_batch"})
    world = _world(service, SOUND, operations=reader)
    kept = {case.name for case in selected(CONTRACT, world)}
    left = unchecked(CONTRACT, world)
    assert "a_parameter_stands_where_its_number_says" in kept
    assert left["a_write_through_query_is_refused"] == {"execute"}
    assert not kept & left.keys()
    assert not unchecked(CONTRACT, _world(service, SOUND))


@pytest.mark.feature("CK-05")
def test_selection_follows_the_manifest() -> None:
    service = broken_sql.Service()
    everything = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    assert "every_client_reads_the_last_write" in everything
    weak = _world(service, SOUND, guarantees=parse({"consistency": "eventual"}))
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert everything - fewer == {
        "every_client_reads_the_last_write",
        "closing_a_client_loses_nothing",
        "a_key_outlives_the_client_that_used_it",
    }
