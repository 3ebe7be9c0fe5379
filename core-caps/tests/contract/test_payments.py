"""The payments/1 suite and model on a sound provider, and on providers with one defect each."""

import pytest
from core_caps.capabilities.payments import Event, key_problem
from core_caps.contract.payments import CONTRACT
from core_caps.contract.suite import Follower
from core_caps.keys import idempotency_key

from . import broken_payments
from .model_harness import ModelTests, history, modelled
from .suite_harness import SuiteTests, Trial

pytestmark = pytest.mark.feature("CK-05", "S4-08", "MW-14")

TRIAL = Trial(
    CONTRACT,
    broken_payments,
    broken_payments.SoundPayments,
    broken_payments.Service,
    guarantees={"consistency": "linearizable", "durability": "process"},
    limits=broken_payments.LIMITS,
    caught_by={
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
    },
)


class TestSuite(SuiteTests):
    trial = TRIAL
    promised = ("an_old_signature_is_refused", "metadata_has_limits")
    anyway = ("what_was_changed_is_not_believed", "a_key_is_for_one_call")


class TestModel(ModelTests):
    trial = TRIAL
    unreached = ("get_refund", "list_checkout_sessions", "parse_webhook", "sign_webhook")
    told_apart = (
        "QuantityIsForgotten",
        "ExpiresWhatIsExpired",
        "DeclineIsPaid",
        "PaysAgain",
        "CancelsWhatWasMade",
        "PaysWhatWasGivenUp",
        "AbsentIsAnError",
        "RefundsForgetTheOthers",
        "RefundsTheWish",
        "FirstCallCounts",
        "EventsHaveNoKey",
        "TakesNegativeAmounts",
    )


def test_the_model_has_one_answer_to_each_call() -> None:
    assert not isinstance(CONTRACT.model(), Follower)


def test_histories_reach_every_refusal() -> None:
    refused = {error for _, error in modelled(TRIAL, history(TRIAL, 7, length=800))}
    assert refused == {
        *("", "InvalidArgument", "KeyCollision", "ObjectAbsent", "PaymentDeclined"),
        "PreconditionFailed",
    }


def test_read_back_shows_what_happened_and_every_session() -> None:
    looked = CONTRACT.read_back(())
    assert [call.operation for call in looked] == ["list_events", "list_checkout_sessions"]
    assert modelled(TRIAL, looked) == [([], ""), ([], "")]


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
