"""The http/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.capabilities.http import Response
from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.http import CONTRACT
from core_caps.contract.suite import Call
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import SITE

from . import broken_http
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05")

TRIAL = Trial(
    CONTRACT,
    broken_http,
    broken_http.SoundHttp,
    broken_http.Site,
    guarantees={},
    limits=broken_http.LIMITS,
    caught_by={
        "AbsenceIsAnError": "what_is_absent_is_an_answer",
        "FailuresAreErrors": "every_status_is_an_answer",
        "BodyOfErrorsIsDropped": "what_is_absent_is_an_answer",
        "TextInside": "a_body_comes_back_exactly",
        "BodyIsABuffer": "a_body_comes_back_exactly",
        "BodyIsCut": "a_body_comes_back_exactly",
        "LineEndsAreTranslated": "a_body_comes_back_exactly",
        "HeadersAsTheyCame": "headers_are_given_by_name_in_lower_case",
        "TypeWithoutParameters": "headers_are_given_by_name_in_lower_case",
        "HeadersAreNotSent": "headers_are_given_by_name_in_lower_case",
        "WaitIsForgotten": "a_wait_that_is_asked_for_is_told",
        "DatesAreNoWaits": "a_wait_that_is_asked_for_is_told",
        "WaitIsMadeUp": "a_wait_that_is_asked_for_is_told",
        "HeadHasContent": "head_tells_what_get_would",
        "HeadHasNoHeaders": "head_tells_what_get_would",
        "DecodesTargets": "resources_stay_apart",
        "DropsQueries": "resources_stay_apart",
        "FoldsSlashes": "resources_stay_apart",
        "TakesHostsForOne": "resources_stay_apart",
        "PlusIsABlank": "resources_stay_apart",
        "UrlWithoutQuery": "an_answer_says_where_it_came_from",
        "HostsAreCompared": "a_host_is_a_name_in_any_case",
        "MixesConcurrentAnswers": "concurrent_calls_keep_their_answers",
        "RedirectWithoutLocationFails": "a_redirect_that_leads_nowhere_is_an_answer",
        "FirstPutWins": "put_makes_and_replaces",
        "DeleteIsForgotten": "delete_removes",
        "DeleteTakesWhatIsBeside": "delete_removes",
        "PostsOnce": "post_makes_something_new_each_time",
        "PatchReplaces": "patch_changes_what_is_there",
        "KeyIsAnotherEachTime": "what_comes_twice_under_one_key_is_done_once",
        "KeyIsHashed": "a_key_travels_in_its_header",
        "KeyIsMadeUp": "a_key_travels_in_its_header",
        "KeyOfDeleteIsDropped": "a_key_travels_in_its_header",
        "RefusedWritesAreErrors": "every_status_of_a_write_is_an_answer",
        "WritesAreRedirected": "a_write_is_never_redirected",
        "SeeOtherIsFollowed": "a_write_is_never_redirected",
        "TypeIsMadeUp": "a_body_arrives_with_its_headers",
        "EmptyBodyIsNone": "a_body_arrives_with_its_headers",
        "FollowsNothing": "a_read_follows_a_redirect",
        "FollowsOnce": "a_read_follows_a_redirect",
        "PermanentIsNotFollowed": "a_read_follows_a_redirect",
        "LocationsAreWhole": "a_location_is_relative_to_where_it_stands",
        "FragmentsAreSent": "a_location_is_relative_to_where_it_stands",
        "HeadBecomesGet": "head_stays_head",
        "ChecksTheFirstHostOnly": "a_redirect_leads_to_no_host_that_is_not_allowed",
        "RedirectPortsAreForgotten": "a_redirect_leads_to_no_host_that_is_not_allowed",
        "GivesUpTls": "no_redirect_gives_up_tls",
        "EndlessRedirectIsTheAnswer": "redirects_come_to_an_end",
        "BadLocationIsAnArgument": "a_redirect_to_no_url_is_broken",
        "CredentialsGoAlong": "credentials_stay_with_the_origin_they_are_for",
        "CookiesGoAlong": "credentials_stay_with_the_origin_they_are_for",
        "ApiKeysGoAlong": "credentials_stay_with_the_origin_they_are_for",
        "NamesAreComparedByTheirBeginning": "credentials_stay_with_the_origin_they_are_for",
        "CredentialsComeBack": "credentials_stay_with_the_origin_they_are_for",
        "HeadersAreDroppedOnTheWay": "credentials_stay_with_the_origin_they_are_for",
        "NothingGoesAlong": "another_origin_is_asked_for_the_same",
        "ConditionsAreForgotten": "another_origin_is_asked_for_the_same",
        "DigestIsIgnored": "what_has_another_digest_is_refused",
        "OtherContentIsAbsent": "what_has_another_digest_is_refused",
        "PinnedIsNotRedirected": "what_has_the_digest_is_given",
        "FailureIsAbsence": "an_absent_pinned_content_is_none",
        "GoneIsAnError": "an_absent_pinned_content_is_none",
        "AnySuccessIsContent": "no_success_but_200_is_a_content",
        "DigestsInAnyCase": "what_is_no_digest_is_refused",
        "StreamIsCut": "a_stream_gives_the_whole_content",
        "StreamGivesBuffers": "a_stream_gives_the_whole_content",
        "StreamOfTheAbsentIsEmpty": "a_stream_of_what_is_absent_fails",
        "StreamsWhatFailureSays": "a_stream_of_a_failure_fails",
        "StreamForgetsTheWait": "a_stream_of_a_failure_fails",
        "OneStreamAtATime": "a_stream_may_be_left",
        "GoesAnywhere": "a_host_that_is_not_allowed_is_refused",
        "PortsAreForgotten": "a_host_that_is_not_allowed_is_refused",
        "SubdomainsToo": "a_host_that_is_not_allowed_is_refused",
        "HostIsLookedForAnywhere": "a_host_that_is_not_allowed_is_refused",
        "RefusalWithoutAdvice": "a_host_that_is_not_allowed_is_refused",
        "SpeaksInClear": "nothing_is_sent_in_clear",
        "UsersAreTaken": "what_is_no_url_is_refused",
        "FragmentsAreTaken": "what_is_no_url_is_refused",
        "BlanksAreStripped": "what_is_no_url_is_refused",
        "LettersAreEncoded": "what_is_no_url_is_refused",
        "DotsAreResolved": "what_is_no_url_is_refused",
        "ErrorShowsTheUrl": "no_error_shows_a_password_or_a_query",
        "HeadersAreInjected": "what_is_no_header_is_refused",
        "HeadersAreStripped": "what_is_no_header_is_refused",
        "HostMayBeGiven": "headers_of_the_connection_are_not_to_be_given",
        "KeyMayBeGivenAsHeader": "headers_of_the_connection_are_not_to_be_given",
        "KeyEndsItsHeader": "what_is_no_key_is_refused",
        "SendsWhatIsTooLarge": "a_body_over_the_limit_is_refused",
        "TextIsABody": "an_argument_of_another_type_is_refused",
        "TripsOverHeaders": "an_argument_of_another_type_is_refused",
        "OpenAfterClose": "a_closed_client_refuses_every_operation",
        "KeepsCopies": "two_clients_see_one_site",
        "ClosingClosesAll": "closing_one_client_leaves_the_others_open",
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = ("a_body_over_the_limit_is_refused",)
    anyway = ("a_body_comes_back_exactly",)


class TestModel(ModelTests):
    trial = TRIAL
    told_apart = (
        "TextInside",
        "FirstPutWins",
        "DeleteIsForgotten",
        "PostsOnce",
        "PatchReplaces",
        "KeyIsMadeUp",
        "KeyOfDeleteIsDropped",
        "DigestIsIgnored",
        "StreamOfTheAbsentIsEmpty",
        "HeadHasContent",
        "TakesHostsForOne",
        "DropsQueries",
        "AbsenceIsAnError",
    )


def test_histories_reach_every_status() -> None:
    answers = [answer for answer, _ in modelled(TRIAL, history(TRIAL, 7, length=500))]
    statuses = {each["status"] for each in answers if isinstance(each, dict)}
    assert statuses == {200, 201, 204, 404, 422}


@pytest.mark.feature("P4-02")
def test_reads_are_best_effort_and_the_pinned_one_is_stable() -> None:
    claims = {name: each.floor for name, each in CONTRACT.spec.operations.items()}
    reads = {"get", "head", "open", "get_pinned"}
    assert {name for name, claim in claims.items() if claim.effects is Effects.READ_ONLY} == reads
    stable = {name for name, claim in claims.items() if claim.determinism is Determinism.STABLE}
    assert stable == {"get_pinned"}


def test_a_result_tells_the_status_that_was_answered() -> None:
    get, pinned = Call("get", (SITE,)), Call("get_pinned", (SITE, digest_of(b"")))
    assert CONTRACT.answered(get, Response(503)) == 503
    assert CONTRACT.answered(Call("open", (SITE,)), b"content") == 200
    assert CONTRACT.answered(pinned, b"") is CONTRACT.answered(pinned, None) is None
