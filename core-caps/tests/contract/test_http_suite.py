"""The http/1 suite and model against a sound provider, and against broken ones."""

import asyncio
import importlib.util
import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.capabilities.http import Response
from core_caps.claims.guarantees import parse
from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.codec import decode, encode
from core_caps.contract.http import CONTRACT
from core_caps.contract.suite import Call, ContractCase, ContractViolation, Exercise, World
from core_caps.contract.web_site.pinned import digest_of
from core_caps.contract.web_site.site import SITE
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05")
OPERATIONS = frozenset(CONTRACT.spec.operations)


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_http.py")
    spec = importlib.util.spec_from_file_location("broken_http", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_http"] = module
    spec.loader.exec_module(module)
    return module


broken_http = _broken()
SOUND: type = broken_http.SoundHttp

CAUGHT_BY = {
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
}


def _world(site: Any, provider: type, **changes: object) -> World:
    async def advance(seconds: float) -> None:
        site.clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": site.clock,
        "advance": advance,
        "limits": broken_http.LIMITS,
        "guarantees": parse({}),
        "operations": OPERATIONS,
        "reopen": lambda: provider(site),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    site = broken_http.Site()
    world = _world(site, provider, **changes)

    async def run() -> None:
        async with provider(site) as http:
            await case.run(http, world)

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
    assert _verdict(getattr(broken_http, name), _case(case)) is not None


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_http).items()
        if isinstance(found, type) and issubclass(found, SOUND) and found is not SOUND
    }
    assert {name for name in written if not name.startswith("_")} == set(CAUGHT_BY)


def test_every_case_catches_somebody_and_says_what_it_needs() -> None:
    names = [case.name for case in CONTRACT.cases]
    assert len(names) == len(set(names)) >= 45
    assert all(case.operations <= OPERATIONS for case in CONTRACT.cases)
    assert all(case.run.__doc__ for case in CONTRACT.cases)
    assert set(names) - set(CAUGHT_BY.values()) == {"an_undeclared_operation_is_absent"}


def test_undeclared_operation_is_noticed() -> None:
    case = _case("an_undeclared_operation_is_absent")
    assert "delete" in (_verdict(SOUND, case, operations=OPERATIONS - {"delete"}) or "")


@pytest.mark.feature("P4-02")
def test_reads_are_best_effort_and_the_pinned_one_is_stable() -> None:
    claims = {name: each.floor for name, each in CONTRACT.spec.operations.items()}
    reads = {"get", "head", "open", "get_pinned"}
    assert {name for name, claim in claims.items() if claim.effects is Effects.READ_ONLY} == reads
    stable = {name for name, claim in claims.items() if claim.determinism is Determinism.STABLE}
    assert stable == {"get_pinned"}


async def _perform(http: Any, calls: Sequence[Call]) -> list[object]:
    """What each call gives, comparable, or the error's name, as from another process."""
    shown: list[object] = []
    for call in calls:
        try:
            pending = getattr(http, call.operation)(*call.args, **call.kwargs)
            if call.operation == "open":
                result: object = b"".join([chunk async for chunk in pending])
            else:
                result = await pending
        except ProviderError as error:
            shown.append(type(error).__name__)
        else:
            arrived = decode(json.loads(json.dumps(encode(result))), foreign=False)
            shown.append(CONTRACT.comparable(call, arrived))
    return shown


def _history(seed: int, length: int = 60) -> list[Call]:
    calls = CONTRACT.generate(random.Random(seed), length, OPERATIONS)
    return [*calls, *CONTRACT.read_back(calls)]


def _modelled(calls: Sequence[Call]) -> list[object]:
    model, given = CONTRACT.model(), []
    for call in calls:
        try:
            given.append(model.apply(call))
        except ProviderError as error:
            given.append(type(error).__name__)
    json.dumps(encode(model.state()))
    return given


def _provided(provider: type, calls: Sequence[Call]) -> list[object]:
    async def run() -> list[object]:
        async with provider(broken_http.Site()) as http:
            return await _perform(http, calls)

    return asyncio.run(run())


@pytest.mark.parametrize("seed", range(20))
def test_model_answers_as_a_sound_provider(seed: int) -> None:
    assert _provided(SOUND, _history(seed)) == _modelled(_history(seed))


@pytest.mark.parametrize(
    "name",
    [
        *("TextInside", "FirstPutWins", "DeleteIsForgotten", "PostsOnce", "PatchReplaces"),
        *("KeyIsMadeUp", "KeyOfDeleteIsDropped", "DigestIsIgnored", "StreamOfTheAbsentIsEmpty"),
        *("HeadHasContent", "TakesHostsForOne", "DropsQueries", "AbsenceIsAnError"),
    ],
)
def test_model_parts_from_broken_providers(name: str) -> None:
    broken = getattr(broken_http, name)
    assert any(_provided(broken, _history(seed)) != _modelled(_history(seed)) for seed in range(20))


def test_histories_repeat_and_reach_every_operation_and_edge() -> None:
    first = CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert first == CONTRACT.generate(random.Random(7), 500, OPERATIONS)
    assert {call.operation for call in first} == OPERATIONS
    statuses = {each["status"] for each in _modelled(first) if isinstance(each, dict)}
    assert statuses == {200, 201, 204, 404, 422}


def test_a_result_tells_the_status_that_was_answered() -> None:
    get, pinned = Call("get", (SITE,)), Call("get_pinned", (SITE, digest_of(b"")))
    assert CONTRACT.answered(get, Response(503)) == 503
    assert CONTRACT.answered(Call("open", (SITE,)), b"content") == 200
    assert CONTRACT.answered(pinned, b"") is CONTRACT.answered(pinned, None) is None


@pytest.mark.parametrize("exercise", CONTRACT.exercises, ids=lambda exercise: exercise.name)
def test_exercise_succeeds_on_a_healthy_site(exercise: Exercise) -> None:
    calls = [*exercise.setup, exercise.call, *exercise.probe]
    assert not [each for each in _provided(SOUND, calls) if isinstance(each, str)]
    assert decode(json.loads(json.dumps(encode(exercise)))).name == exercise.name


def test_exercises_cover_every_operation_under_names_of_their_own() -> None:
    names = [exercise.name for exercise in CONTRACT.exercises]
    assert len(names) == len(set(names)) >= 15
    assert {exercise.call.operation for exercise in CONTRACT.exercises} == OPERATIONS
