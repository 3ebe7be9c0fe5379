"""The queue/1 suite against a sound and an unlucky provider, and against broken ones."""

import asyncio
import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.claims.guarantees import parse
from core_caps.contract.queue import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected, unchecked
from core_caps.errors import ProviderError

pytestmark = pytest.mark.feature("CK-05", "PH2-06")


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_queue.py")
    spec = importlib.util.spec_from_file_location("broken_queue", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_queue"] = module
    spec.loader.exec_module(module)
    return module


broken_queue = _broken()
SOUND: type = broken_queue.SoundQueue
UNLUCKY: type = broken_queue.UnluckyQueue
STRONG = {
    "consistency": "linearizable",
    "ordering": "total",
    "delivery": "exactly_once",
    "durability": "process",
}
HONEST = {"delivery": "at_least_once", "durability": "process"}

CAUGHT_BY = {
    "EmptyBodyIsNoMessage": "a_message_arrives_as_it_was_sent",
    "BodiesAreText": "a_message_arrives_as_it_was_sent",
    "BodiesAreStripped": "a_message_arrives_as_it_was_sent",
    "ForgetsTheKey": "a_key_travels_with_its_message",
    "KeyIsStripped": "a_key_travels_with_its_message",
    "ForgetsTheDelay": "a_delayed_message_arrives_when_it_is_due",
    "DropsEqualBodies": "equal_messages_are_several",
    "ForgetsABatchsKeys": "a_key_travels_with_its_message",
    "ForgetsABatchsDelays": "a_delayed_message_arrives_when_it_is_due",
    "BatchStopsAtTheBadOne": "a_batch_is_checked_before_any_of_it_is_sent",
    "BatchLosesItsLast": "a_batch_is_its_messages",
    "BatchCutToItsLimit": "the_greatest_batch_works_and_one_message_more_does_not",
    "BatchHasNoLimitTogether": "a_batch_of_too_many_bytes_is_refused",
    "MessageCutToItsLimit": "the_greatest_message_works_and_one_byte_more_does_not",
    "DelayCutToItsLimit": "the_longest_delay_works_and_one_second_more_does_not",
    "NegativeDelayIsNone": "a_delay_is_not_negative",
    "PullTakesAnyLimit": "the_greatest_pull_works_and_one_more_does_not",
    "ZeroIsOne": "a_pull_of_nothing_is_refused",
    "PullIgnoresItsLimit": "a_pull_gives_no_more_than_its_limit",
    "LeaseHasNoLimit": "the_longest_lease_works_and_one_second_more_does_not",
    "LosesARefusedPull": "a_pull_of_nothing_is_refused",
    "GivesNoneWhereEmpty": "an_empty_queue_gives_nothing",
    "VisibilityIgnored": "a_pulled_message_is_hidden_from_others",
    "VisibilityIsFixed": "what_nobody_settles_comes_again",
    "DefaultVisibilityIsZero": "a_lease_of_the_queues_own_length_hides_too",
    "DeliversOnce": "what_nobody_settles_comes_again",
    "RemovesWhatItHandsOut": "attempts_are_counted",
    "AttemptsAreNotCounted": "attempts_are_counted",
    "AttemptsStartAtZero": "a_delivery_says_what_it_is",
    "SentAtIsWhenPulled": "what_nobody_settles_comes_again",
    "SentAtInMilliseconds": "a_delivery_says_what_it_is",
    "IdOfTheDelivery": "what_nobody_settles_comes_again",
    "LeaseOfTheMessage": "the_lease_of_an_earlier_delivery_does_not_hold",
    "AcksAnOldLease": "the_lease_of_an_earlier_delivery_does_not_hold",
    "OldLeaseIsSuccess": "a_lease_holds_once",
    "LateAckIsSwallowed": "an_ack_that_comes_too_late_tells_the_truth",
    "StrangeLeaseStopsTheOthers": "a_lease_that_nobody_gave_out_does_not_hold",
    "NamesEveryLease": "a_lease_that_nobody_gave_out_does_not_hold",
    "AckIsForgotten": "an_acknowledged_message_stays_away",
    "AckTakesTheWholePull": "ack_settles_what_it_names_and_nothing_else",
    "AckTakesOneAtATime": "ack_settles_what_it_names_and_nothing_else",
    "LosesOnRetry": "a_retried_message_comes_again",
    "RetryKeepsItsLease": "a_lease_holds_once",
    "RetryForgetsItsDelay": "a_retry_waits_as_long_as_it_says",
    "RetryStartsAnew": "a_retried_message_comes_again",
    "RetryFreesEverything": "a_retried_message_comes_again",
    "NeverGivesUp": "a_message_is_given_up_after_its_last_attempt",
    "GivesUpTooEarly": "a_message_is_given_up_after_its_last_attempt",
    "SettlingNothingFails": "settling_nothing_is_success",
    "NewestFirst": "messages_arrive_in_the_order_they_were_sent",
    "HandsOutTwiceAtOnce": "nothing_comes_twice",
    "LosesOneOfMany": "many_messages_arrive_each_once_settled",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "EachClientHasItsOwnQueue": "two_clients_share_the_queue",
    "ClosesTheQueue": "closing_a_client_loses_nothing",
    "TakesText": "an_argument_of_another_type_is_refused",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
}

ALSO_AMONG_THE_UNLUCKY = (
    "LosesOnRetry",
    "VisibilityIgnored",
    "AckIsForgotten",
    "RemovesWhatItHandsOut",
    "AcksAnOldLease",
    "RetryFreesEverything",
    "AttemptsAreNotCounted",
)
"""Defects that no bad luck excuses: caught where at least once is all that is promised, too."""


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_queue.LIMITS,
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, seed: int = 0, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_queue.Service(luck=random.Random(seed))
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as queue:
            await case.run(queue, world)

    try:
        asyncio.run(run())
    except (ContractViolation, ProviderError, TypeError) as violation:
        return str(violation)
    return None


def _case(name: str) -> ContractCase:
    return next(case for case in CONTRACT.cases if case.name == name)


@pytest.mark.parametrize("case", CONTRACT.cases, ids=lambda case: case.name)
def test_sound_provider_passes(case: ContractCase) -> None:
    assert _verdict(SOUND, case) is None


def test_bad_luck_is_no_defect() -> None:
    promises = {"guarantees": parse(HONEST)}
    service = broken_queue.Service()
    cases = selected(CONTRACT, _world(service, UNLUCKY, **promises))
    assert len(cases) > 30
    found = {
        (case.name, seed): verdict
        for case in cases
        if not case.limits or "attempts_max" not in case.limits
        for seed in range(25)
        if (verdict := _verdict(UNLUCKY, case, seed, **promises)) is not None
    }
    assert not found


@pytest.mark.parametrize(("name", "case"), CAUGHT_BY.items(), ids=CAUGHT_BY)
def test_broken_provider_is_caught_by_name(name: str, case: str) -> None:
    assert _verdict(getattr(broken_queue, name), _case(case)) is not None


@pytest.mark.parametrize("name", ALSO_AMONG_THE_UNLUCKY)
def test_what_at_least_once_does_not_excuse_is_caught(name: str) -> None:
    unlucky = type(name, (getattr(broken_queue, name), UNLUCKY), {})
    case = _case(CAUGHT_BY[name])
    caught = [_verdict(unlucky, case, seed, guarantees=parse(HONEST)) for seed in range(5)]
    assert all(caught)


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_queue).items()
        if isinstance(found, type) and issubclass(found, SOUND) and found not in (SOUND, UNLUCKY)
    }
    assert written == set(CAUGHT_BY)


def test_every_case_has_a_name_of_its_own_and_says_what_it_needs() -> None:
    names = [case.name for case in CONTRACT.cases]
    assert len(names) == len(set(names)) >= 25
    known = set(CONTRACT.spec.operations)
    assert all(case.operations <= known for case in CONTRACT.cases)
    assert all(case.run.__doc__ for case in CONTRACT.cases)


def test_undeclared_operation_is_noticed() -> None:
    fewer = frozenset(CONTRACT.spec.operations) - {"retry"}
    case = _case("an_undeclared_operation_is_absent")
    assert "retry" in (_verdict(SOUND, case, operations=fewer) or "")


def test_a_half_has_promises_that_nobody_can_check() -> None:
    sends = frozenset({"send", "send_batch"})
    world = _world(broken_queue.Service(), broken_queue.SendsOnly, operations=sends)
    kept = {case.name for case in selected(CONTRACT, world)}
    left = unchecked(CONTRACT, world)
    assert "a_closed_client_refuses_every_operation" in kept
    assert left["a_message_arrives_as_it_was_sent"] == {"pull"}
    for name in sorted(kept):
        assert _verdict(broken_queue.SendsOnly, _case(name), operations=sends) is None


def test_selection_follows_the_manifest() -> None:
    service = broken_queue.Service()
    strong = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    weak = _world(service, SOUND, guarantees=parse(HONEST), limits={}, advance=None)
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert strong - fewer >= {
        "messages_arrive_in_the_order_they_were_sent",
        "nothing_comes_twice",
        "what_nobody_settles_comes_again",
        "a_message_is_given_up_after_its_last_attempt",
        "the_greatest_pull_works_and_one_more_does_not",
    }
    assert fewer >= {"a_lease_holds_once", "a_retried_message_comes_again"}
