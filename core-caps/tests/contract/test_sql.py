"""The sql/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.capabilities.sql import Statement
from core_caps.contract.sql import CONTRACT
from core_caps.contract.suite import Call, selected, unchecked

from . import broken_sql
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "P4-03", "PH2-02", "DC-04")

TRIAL = Trial(
    CONTRACT,
    broken_sql,
    broken_sql.SoundSql,
    broken_sql.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    caught_by={
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
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "every_client_reads_the_last_write",
        "closing_a_client_loses_nothing",
        "a_key_outlives_the_client_that_used_it",
    )
    anyway = ("a_parameter_stands_where_its_number_says",)


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "PutsParametersIntoText",
        "CountsPlaces",
        "MissingIsNull",
        "TakesBackWhatAReadWrote",
        "WritesOneByOne",
        "EmptyBatchFails",
        "ConflictIsAnArgument",
        "CountsConflictsAsRows",
        "EmptyTextIsNull",
        "ForgetsKeys",
        "RepeatsQuietly",
        "NoKeyIsAKey",
        "KeyBeforeStatement",
        "KeyIsForOneStatement",
        "NoRowsNoColumns",
        "CountsRowsReturned",
        "DropsWhatIsReturned",
    )


def test_histories_reach_every_refusal() -> None:
    calls = history(TRIAL, 7, length=500)
    keys = [call.kwargs["key"] for call in calls if "key" in call.kwargs]
    assert len(keys) > len(set(keys)) > 1, "keys are used again"
    given = zip(calls, modelled(TRIAL, calls), strict=True)
    assert {(call.operation, error) for call, (_, error) in given} >= {
        ("query", "InvalidArgument"),
        ("execute", "Conflict"),
        ("execute", "InvalidArgument"),
        ("batch", "Conflict"),
    }


def test_read_back_shows_every_table() -> None:
    calls = [
        Call("execute", ("CREATE TABLE IF NOT EXISTS other (id BIGINT)",)),
        Call("batch", ([Statement("INSERT INTO third VALUES (1)"), Statement("SELECT 1")],)),
        Call("query", ("SELECT * FROM pairs",)),
    ]
    read = [call.args[0] for call in CONTRACT.read_back(calls)]
    assert len(read) == 3
    for table, statement in zip(("pairs", "other", "third"), read, strict=True):
        assert f"FROM {table} " in str(statement)
    assert len(CONTRACT.read_back(())) == 1


def test_a_half_has_promises_that_nobody_can_check() -> None:
    reader = frozenset({"query", "query_batch"})
    world = TRIAL.world(TRIAL.sound, operations=reader)
    kept = {case.name for case in selected(CONTRACT, world)}
    left = unchecked(CONTRACT, world)
    assert "a_parameter_stands_where_its_number_says" in kept
    assert left["a_write_through_query_is_refused"] == {"execute"}
    assert not kept & left.keys()
    assert not unchecked(CONTRACT, TRIAL.world(TRIAL.sound))
