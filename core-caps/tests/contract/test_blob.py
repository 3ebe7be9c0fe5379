"""The blob/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.contract.blob import CONTRACT

from . import broken_blob
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "P4-03")

TRIAL = Trial(
    CONTRACT,
    broken_blob,
    broken_blob.SoundStore,
    broken_blob.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    limits=broken_blob.LIMITS,
    caught_by={
        "ConditionIgnored": "put_if_none_match_creates_once",
        "CheckThenAct": "of_many_creators_one_wins",
        "IfMatchCreates": "put_if_match_creates_nothing",
        "EtagOfTheKey": "put_replaces_the_whole_object",
        "HalfAStream": "a_stream_that_breaks_stores_nothing",
        "StreamErrorSwallowed": "a_stream_that_breaks_stores_nothing",
        "PartLost": "a_large_stream_is_stored_as_its_bytes",
        "SizeCutOff": "a_stream_of_another_size_is_refused",
        "SuffixFromTheStart": "a_suffix_reads_the_last_bytes",
        "EmptyOutside": "a_range_outside_the_object_is_refused",
        "RangeSizeTold": "a_range_reads_from_its_offset",
        "MetadataMerged": "put_replaces_the_whole_object",
        "MetadataLatin": "custom_metadata_comes_back_exactly",
        "WordsDecoded": "what_looks_encoded_comes_back_or_is_refused",
        "HeaderInjected": "metadata_that_cannot_come_back_is_refused",
        "SharesMetadata": "what_is_stored_is_a_copy",
        "WhenInMilliseconds": "every_read_tells_when_it_was_stored",
        "CopyForgets": "copy_takes_everything_along",
        "CopyCreates": "copying_nothing_is_none",
        "CursorFoldsCase": "pages_cover_everything_once",
        "LaterPagesHaveNoPrefix": "pages_cover_everything_once",
        "PageDropped": "pages_cover_everything_once",
        "Utf16Order": "a_listing_is_in_byte_order",
        "PrefixTwice": "a_delimiter_folds",
        "AnyCursor": "a_cursor_that_is_not_ours_is_refused",
        "HashTrusted": "a_pinned_read_is_verified",
        "AbsenceRaised": "an_absent_object_is_none",
        "OpenOfNothing": "open_of_nothing_says_so",
        "StillOpen": "a_closed_client_refuses_every_operation",
        "OwnStore": "two_clients_share_the_store",
        "KeyFolded": "keys_are_kept_exactly",
        "SameSignature": "a_signed_url_names_its_object",
        "EncodesText": "an_argument_of_another_type_is_refused",
        "MutableBytes": "an_object_comes_back_exactly",
        "DeleteOfAbsentFails": "deleting_an_absent_object_is_success",
        "OpenGivesOneChunk": "open_streams_the_whole_object",
        "PrefixIsAFolder": "a_prefix_selects",
        "LastPageHasACursor": "the_last_page_has_no_cursor",
        "LimitIsCut": "a_limit_out_of_range_is_refused",
        "EmptyContentIsAbsent": "a_pinned_read_gives_its_content",
        "DigestWithoutItsKind": "a_digest_of_another_form_is_refused",
        "SurrogateReplaced": "an_impossible_key_is_refused",
        "LifeIsCut": "a_signed_url_lives_only_so_long",
        "SignedOnce": "a_signed_url_begins_when_it_is_made",
        "MixesConcurrentAnswers": "many_calls_at_once_do_not_mix",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = ("closing_a_client_loses_nothing", "a_limit_out_of_range_is_refused")
    anyway = ("an_object_comes_back_exactly", "a_stream_that_breaks_stores_nothing")

    def test_every_operation_has_a_promise(self) -> None:
        covered = {name for case in CONTRACT.cases for name in case.operations}
        assert covered == TRIAL.operations


class TestModel(ModelTests):
    trial = TRIAL
    unreached = ("presign",)
    told_apart = (
        "ConditionIgnored",
        "CheckThenAct",
        "IfMatchCreates",
        "EtagOfTheKey",
        "SuffixFromTheStart",
        "EmptyOutside",
        "RangeSizeTold",
        "MetadataMerged",
        "MetadataLatin",
        "CopyForgets",
        "CopyCreates",
        "PrefixTwice",
        "AbsenceRaised",
        "OpenOfNothing",
        "KeyFolded",
        "DeleteOfAbsentFails",
        "PrefixIsAFolder",
        "LastPageHasACursor",
        "EmptyContentIsAbsent",
    )

    def test_histories_reach_everything(self) -> None:
        histories = [history(TRIAL, seed) for seed in range(60)]
        used = {
            (call.operation, name) for each in histories for call in each for name in call.kwargs
        }
        refused = {error for each in histories for _, error in modelled(TRIAL, each)}
        assert used >= {("put", "if_match"), ("get", "range"), ("list", "delimiter")}
        assert refused >= {"InvalidArgument", "PreconditionFailed", "ObjectAbsent"}
