"""The dedupe/1 suite against a sound provider, and against providers with one defect each."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.capabilities.dedupe import RETENTION_SECONDS_MIN, retention_problem
from core_caps.claims.guarantees import parse
from core_caps.contract.dedupe import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "S3-07", "S3-13")


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_dedupe.py")
    spec = importlib.util.spec_from_file_location("broken_dedupe", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_dedupe"] = module
    spec.loader.exec_module(module)
    return module


broken_dedupe = _broken()
SOUND: type = broken_dedupe.SoundDedupe
STRONG = {"consistency": "linearizable", "durability": "process"}

CAUGHT_BY = {
    "EverybodyIsFresh": "a_reserved_key_is_in_progress_for_others",
    "LooksThenTakes": "one_of_many_at_once_is_fresh",
    "BatchLooksThenTakes": "batches_at_once_share_the_keys",
    "OwnerIsKeptAway": "the_owner_is_fresh_again",
    "LeaseIsNotRenewed": "the_owner_begins_its_lease_anew",
    "LeaseNeverRunsOut": "a_lease_runs_out",
    "LeaseInMinutes": "a_lease_runs_out",
    "AskingProlongsTheLease": "a_reserved_key_is_in_progress_for_others",
    "UntilIsRelative": "a_reserved_key_is_in_progress_for_others",
    "LeaseDiesWithItsClient": "work_of_a_dead_owner_comes_again",
    "KeysAreFolded": "keys_and_owners_stay_apart",
    "OwnersAreFolded": "keys_and_owners_stay_apart",
    "DoneIsForgotten": "done_is_answered_with_its_result",
    "DoneEndsWithItsLease": "done_stays_done_when_its_lease_would_have_run_out",
    "DoneIsForEver": "done_is_forgotten_after_its_time",
    "TtlFromTheReservation": "done_stays_done_when_its_lease_would_have_run_out",
    "ResultIsText": "done_is_answered_with_its_result",
    "EmptyResultIsNone": "done_is_answered_with_its_result",
    "ResultIsABuffer": "done_is_answered_with_its_result",
    "SecondCommitFails": "the_same_commit_twice_is_once",
    "LastCommitWins": "the_same_commit_twice_is_once",
    "AnybodyCommits": "only_the_owner_commits",
    "AnybodyCommitsTheSame": "the_same_commit_twice_is_once",
    "CommitsWithoutReservation": "what_was_never_reserved_cannot_be_committed",
    "LateCommitIsRefused": "a_late_commit_counts_while_nobody_took_the_key",
    "LateReservationsAreSwept": "a_late_commit_counts_while_nobody_took_the_key",
    "LateCommitWins": "a_late_commit_is_refused_when_somebody_took_the_key",
    "NamesNoKey": "only_the_owner_commits",
    "ReleaseKeepsTheLease": "a_released_key_is_fresh_at_once",
    "ReleaseKeepsTheOwner": "who_released_a_key_cannot_commit_it",
    "ReleaseKeepsThePayload": "a_release_forgets_the_payload",
    "AnybodyReleases": "only_the_owner_releases",
    "ReleaseUndoesDone": "a_release_undoes_no_result",
    "ReleaseOfNothingFails": "a_released_key_is_fresh_at_once",
    "CollisionUnnoticed": "another_payload_collides",
    "CollisionOnlyWhileReserved": "another_payload_collides",
    "CollisionOnlyWhileLeased": "a_lease_that_ran_out_forgets_no_payload",
    "NoPayloadIsOne": "no_payload_compares_nothing",
    "PayloadsAreFolded": "another_payload_collides",
    "LastPayloadCounts": "no_payload_compares_nothing",
    "BatchHalfApplied": "a_collision_reserves_nothing_of_its_batch",
    "CommitsHalfABatch": "commit_many_keeps_all_or_none",
    "NamesTheFirstOnly": "a_collision_reserves_nothing_of_its_batch",
    "AnswersInKeyOrder": "reserve_many_answers_in_the_order_of_its_keys",
    "BatchMergesKeys": "a_key_given_twice_is_refused",
    "BatchOfNothingFails": "a_batch_of_nothing_is_success",
    "BatchLosesItsHundredth": "a_batch_may_be_large",
    "BatchKeepsOneResult": "commit_many_keeps_each_result",
    "ReleaseManyStopsAtOthers": "release_many_gives_back_what_is_the_owners",
    "BatchHasNoLimit": "the_greatest_batch_works_and_one_key_more_does_not",
    "ResultCutToItsLimit": "the_greatest_result_works_and_one_byte_more_does_not",
    "KeysAreCut": "the_longest_key_works_and_one_byte_more_does_not",
    "ZeroIsForEver": "what_is_empty_is_refused",
    "WholeSecondsOnly": "fractions_of_a_second_are_taken",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "EachClientHasItsOwnStore": "two_clients_share_the_store",
    "ClosesTheStore": "closing_a_client_loses_nothing",
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_dedupe.LIMITS,
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_dedupe.Service()
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as dedupe:
            await case.run(dedupe, world)

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
    assert _verdict(getattr(broken_dedupe, name), _case(case)) is not None


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_dedupe).items()
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
    fewer = frozenset(CONTRACT.spec.operations) - {"release_many"}
    case = _case("an_undeclared_operation_is_absent")
    assert "release_many" in (_verdict(SOUND, case, operations=fewer) or "")


def test_selection_follows_the_manifest() -> None:
    service = broken_dedupe.Service()
    strong = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    weak = _world(service, SOUND, guarantees=parse({}), limits={}, advance=None)
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert strong - fewer >= {
        "a_lease_runs_out",
        "closing_a_client_loses_nothing",
        "the_greatest_batch_works_and_one_key_more_does_not",
    }
    assert fewer >= {"one_of_many_at_once_is_fresh", "another_payload_collides"}


@pytest.mark.feature("OP-02")
@pytest.mark.parametrize(
    ("ttl_seconds", "visibility_seconds", "attempts_max", "told"),
    [
        (RETENTION_SECONDS_MIN, 30, 4, None),
        (RETENTION_SECONDS_MIN - 1, 30, 4, "300 s are needed: no result is remembered for less"),
        (1200, 300, 4, None),
        (1199.5, 300, 4, "1199.5 s, and 1200 s are needed: 4 deliveries, each hidden for 300 s"),
        (86_400, 43_200, 4, "172800 s are needed"),
        (float("nan"), 30, 4, "needed"),
    ],
)
def test_results_are_remembered_as_long_as_their_message_may_come_again(
    ttl_seconds: float, visibility_seconds: float, attempts_max: int, told: str | None
) -> None:
    problem = retention_problem(
        ttl_seconds=ttl_seconds, visibility_seconds=visibility_seconds, attempts_max=attempts_max
    )
    assert (problem is None) is (told is None)
    assert (told or "") in (problem or "")
