"""The payments/1 suite against a sound provider, and against providers with one defect each."""

import asyncio
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from core_caps.capabilities.payments import Event, key_problem
from core_caps.claims.guarantees import parse
from core_caps.contract.payments import CONTRACT
from core_caps.contract.suite import ContractCase, ContractViolation, World, selected
from core_caps.errors import ProviderError
from core_caps.keys import idempotency_key

pytestmark = pytest.mark.feature("CK-05", "S4-08", "MW-14")


def _broken() -> ModuleType:
    """The module beside this file; importlib mode puts no folder on sys.path."""
    path = Path(__file__).with_name("broken_payments.py")
    spec = importlib.util.spec_from_file_location("broken_payments", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["broken_payments"] = module
    spec.loader.exec_module(module)
    return module


broken_payments = _broken()
SOUND: type = broken_payments.SoundPayments
STRONG = {"consistency": "linearizable", "durability": "process"}

CAUGHT_BY = {
    "MetadataIsLowered": "metadata_comes_back_as_it_was_given",
    "CustomerLosesItsName": "a_customer_is_as_it_was_created",
    "AmountIsAFloat": "a_price_is_what_it_was_created_as",
    "QuantityIsForgotten": "a_checkout_session_sums_its_items",
    "ExpiredKeepsItsAddress": "an_expired_session_stays_expired",
    "ExpiresWhatIsExpired": "an_expired_session_stays_expired",
    "PageRepeatsItsLast": "sessions_are_listed_page_by_page",
    "OldestFirst": "events_are_listed_page_by_page",
    "CursorStartsAnew": "a_page_has_a_size_and_a_cursor_is_ones_own",
    "TypesAreIgnored": "events_are_listed_page_by_page",
    "RecurringIsIgnored": "prices_and_sessions_agree_on_recurring",
    "MakesUpPrices": "a_session_needs_what_exists",
    "ConfirmReceivesNothing": "a_payment_is_made_at_once",
    "DeclineIsPaid": "a_declined_payment_moves_no_money",
    "DeclineNamesNoPayment": "a_declined_payment_moves_no_money",
    "DeclineIsForgotten": "a_declined_payment_moves_no_money",
    "PaysAgain": "a_payment_that_was_made_stays_made",
    "CancelsWhatWasMade": "a_payment_that_was_made_stays_made",
    "PaysWhatWasGivenUp": "a_payment_that_was_given_up_is_not_made",
    "AbsentIsAnError": "what_does_not_exist_is_none_to_a_read",
    "RefundsForgetTheOthers": "a_payment_is_refunded_in_parts",
    "RefundIsCutToWhatIsLeft": "no_more_is_refunded_than_was_paid",
    "RefundsTheWish": "what_was_not_paid_is_not_refunded",
    "KeysAreIgnored": "what_is_created_twice_under_one_key_is_one",
    "ExpiryHasNoKey": "a_session_expired_twice_under_one_key_is_once",
    "ConfirmHasNoKey": "a_payment_confirmed_twice_under_one_key_is_made_once",
    "FirstCallCounts": "a_key_is_for_one_call",
    "LooksThenPays": "many_at_once_under_one_key_are_one",
    "RefusalTakesTheKey": "a_refused_call_leaves_its_key_free",
    "EventsHaveNoKey": "what_happens_is_told_with_the_key_of_its_request",
    "EventsInMilliseconds": "what_happens_is_told_with_the_key_of_its_request",
    "BelievesAnybody": "what_was_changed_is_not_believed",
    "SignatureWithoutBody": "what_was_changed_is_not_believed",
    "SignatureWithoutTime": "an_old_signature_is_refused",
    "EventIsReadLoosely": "a_signed_body_that_is_no_event_is_refused",
    "EventLosesItsKey": "what_is_signed_is_believed",
    "TakesNegativeAmounts": "an_amount_is_positive_and_within_its_limit",
    "TakesAnyCurrency": "a_currency_is_one_that_there_is",
    "TakesTooLittle": "a_payment_has_a_least_amount",
    "PagesTakeTooLittle": "a_payment_has_a_least_amount",
    "NothingIsTooLittle": "a_payment_has_a_least_amount",
    "SumHasNoBound": "a_sessions_sum_is_within_its_limit",
    "RecursWithoutBound": "a_session_recurs_for_so_many_items",
    "TakesAnyEmail": "an_email_is_an_address",
    "EmailHasNoBound": "an_email_is_an_address",
    "LeadsAnywhere": "a_page_leads_to_an_address",
    "CancelLeadsAnywhere": "a_page_leads_to_an_address",
    "MetadataIsCut": "metadata_has_limits",
    "MetadataCountsBytes": "metadata_has_limits",
    "KeysAreCut": "the_longest_key_works_and_one_letter_more_does_not",
    "WritesWithoutAKey": "the_longest_key_works_and_one_letter_more_does_not",
    "ItemsAreCut": "a_session_has_so_many_items",
    "LimitIsCut": "the_greatest_page_works_and_one_more_does_not",
    "TripsOverTypes": "an_argument_of_another_type_is_refused",
    "OpenAfterClose": "a_closed_client_refuses_every_operation",
    "EachClientHasItsOwnAccount": "two_clients_share_the_account",
    "ClosesTheAccount": "closing_one_client_leaves_the_others_open",
}


def _world(service: Any, provider: type, **changes: object) -> World:
    clock = service.clock

    async def advance(seconds: float) -> None:
        clock.advance(seconds)

    fields: dict[str, object] = {
        "backend": "memory",
        "clock": clock,
        "advance": advance,
        "limits": broken_payments.LIMITS,
        "guarantees": parse(STRONG),
        "operations": frozenset(CONTRACT.spec.operations),
        "reopen": lambda: provider(service),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


def _verdict(provider: type, case: ContractCase, **changes: object) -> str | None:
    """None where the case passes, else what it says."""
    service = broken_payments.Service()
    world = _world(service, provider, **changes)

    async def run() -> None:
        async with provider(service) as payments:
            await case.run(payments, world)

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
    assert _verdict(getattr(broken_payments, name), _case(case)) is not None


def test_every_broken_provider_is_listed() -> None:
    written = {
        name
        for name, found in vars(broken_payments).items()
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
    fewer = frozenset(CONTRACT.spec.operations) - {"create_refund"}
    case = _case("an_undeclared_operation_is_absent")
    assert "create_refund" in (_verdict(SOUND, case, operations=fewer) or "")


def test_selection_follows_the_manifest() -> None:
    service = broken_payments.Service()
    strong = {case.name for case in selected(CONTRACT, _world(service, SOUND))}
    weak = _world(service, SOUND, guarantees=parse({}), limits={}, advance=None)
    fewer = {case.name for case in selected(CONTRACT, weak)}
    assert strong - fewer >= {"an_old_signature_is_refused", "metadata_has_limits"}
    assert fewer >= {"what_was_changed_is_not_believed", "a_key_is_for_one_call"}


@pytest.mark.feature("OP-03")
def test_the_key_that_the_service_was_given_is_the_derived_one() -> None:
    derived = idempotency_key("payments", "charge", "acme", {"invoice": "in_7", "cents": 1999})
    other = idempotency_key("payments", "charge", "acme", {"invoice": "in_7", "cents": 2000})

    def told(key: str) -> Event:
        return Event("evt_1", "payment_intent.succeeded", 0.0, {}, key)

    assert key_problem(told(str(derived)), derived) is None
    assert key_problem(told(str(derived)), str(derived)) is None
    assert f"the key of its work is {other}" in (key_problem(told(str(derived)), other) or "")
    assert "no request under an idempotency key" in (key_problem(told(""), derived) or "")
