"""The kv/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.kv import CONTRACT
from core_caps.contract.suite import Call, selected, unchecked

from . import broken_kv
from .model_harness import ModelTests, history
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "P4-03", "PH2-02")

STRONG = {"consistency": "linearizable", "ttl": "exact", "durability": "process"}
TRIAL = Trial(
    CONTRACT,
    broken_kv,
    broken_kv.SoundKv,
    broken_kv.Service,
    guarantees=STRONG,
    limits=broken_kv.LIMITS,
    caught_by={
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
        "CursorFoldsCase": "pages_lose_and_repeat_nothing",
        "LaterPagesHaveNoPrefix": "pages_lose_and_repeat_nothing",
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
        "EmptyMetadataIsNone": "metadata_comes_back_with_its_value",
        "NoLimitIsTheGreatest": "a_limit_out_of_range_is_refused",
        "LimitIsCut": "the_greatest_limit_works_and_one_more_does_not",
        "EmptyKeyIsAKey": "an_empty_key_is_refused",
        "BulkOfNothingFails": "nothing_in_bulk_is_success",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = (
        "a_client_reads_its_own_writes",
        "a_key_is_gone_after_its_ttl",
        "every_client_reads_the_last_write",
        "the_longest_key_works_and_one_byte_more_does_not",
    )
    anyway = ("an_unclaimed_ttl_is_refused", "get_many_equals_many_gets")

    def test_unclaimed_ttl_is_refused(self) -> None:
        unclaimed = parse({**STRONG, "ttl": "none"})
        case = "an_unclaimed_ttl_is_refused"
        assert case not in TRIAL.selected()
        verdict = TRIAL.verdict(TRIAL.sound, case, guarantees=unclaimed)
        assert verdict is not None
        assert "where ttl is not promised it is refused" in verdict

    def test_a_half_has_promises_that_nobody_can_check(self) -> None:
        reader = frozenset({"get", "get_with_metadata", "list"})
        world = TRIAL.world(TRIAL.sound, operations=reader)
        kept = {case.name for case in selected(CONTRACT, world)}
        left = unchecked(CONTRACT, world)
        assert "an_absent_key_is_none" in kept
        assert left["a_value_comes_back_exactly"] == {"put"}
        assert left["delete_removes_the_key"] == {"put", "delete"}
        optional = {"nothing_in_bulk_is_success", "deleting_an_absent_key_is_success"}
        assert not optional & left.keys()
        assert "an_unclaimed_ttl_is_refused" not in left, "what is not promised need not be checked"
        assert not kept & left.keys()
        assert not unchecked(CONTRACT, TRIAL.world(TRIAL.sound))

    def test_what_is_in_bulk_is_optional(self) -> None:
        required = frozenset({"get", "put", "delete", "list", "get_with_metadata"})
        assert "get_many_equals_many_gets" not in TRIAL.selected(operations=required)


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "AbsentIsEmpty",
        "EmptyIsAbsent",
        "TextInside",
        "DecodesKeys",
        "KeepsOldMetadata",
        "KeepsOldExpiry",
        "NoMetadataIsEmpty",
        "DeleteOfAbsentFails",
        "DeleteTakesAPrefix",
        "PrefixIsFolder",
        "PageLosesItsLast",
        "ListHidesMetadata",
        "TtlIgnored",
        "ShortTtlRaised",
        "TtlBeatsExpiresAt",
        "ChecksAfterStoring",
        "GetManyOmitsAbsent",
        "GetManyIsText",
        "PutManyMerges",
        "DeleteManyStopsAtAbsent",
        "CachesForever",
        "CachesAbsence",
    )

    def test_histories_reach_every_edge(self) -> None:
        first = history(TRIAL, 7, length=500)
        assert any(call.args and call.args[0] == "" for call in first)
        assert any(call.operation == "put" and call.args[1] == b"" for call in first)

    def test_read_back_shows_every_key(self) -> None:
        calls = [
            Call("put", ("a", b"")),
            Call("put_many", ({"b": b"", "c": b""},)),
            Call("delete_many", (["d", "a"],)),
            Call("get", (), {"key": "e"}),
            Call("list"),
            Call("put", ("", b"")),
        ]
        names = [call.args[0] for call in CONTRACT.read_back(calls) if call.args]
        assert names == ["a", "b", "c", "d", "e"]
