"""What the vendor documents and no contract asks for: test cards, a day's memory, faults."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cap_stripe.config import MockConfig
from cap_stripe.mock import MockPayments
from cap_stripe.sdk import Request
from cap_stripe.simulation.refusals import Refusal
from core_caps import Policy, limited, retrying
from core_caps.capabilities.payments import CARD_CHARGED, InlineItem, Payments, key_problem
from core_caps.clock import VirtualClock
from core_caps.errors import Conflict, Outcome, PaymentDeclined, RateLimited, Unavailable
from core_caps.keys import idempotency_key
from core_caps.rng import SeededRng

DAY = 86_400
ALERT = [InlineItem("Alert", 1999, "usd")]


def opened(use: Callable[[MockPayments, VirtualClock], Awaitable[Any]], **config: Any) -> Any:
    """What `use` makes of an account of its own."""

    async def main() -> Any:
        clock = VirtualClock()
        async with MockPayments(MockConfig(**config), clock=clock, rng=SeededRng()) as payments:
            return await use(payments, clock)

    return asyncio.run(main())


@pytest.mark.feature("S4-08")
def test_a_key_is_forgotten_after_a_day() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        made = [await payments.create_customer(idempotency_key="k")]
        for seconds in (DAY - 1, 1):
            clock.advance(seconds)
            made.append(await payments.create_customer(idempotency_key="k"))
        assert made[0].id == made[1].id != made[2].id

    opened(use)


@pytest.mark.feature("S4-08")
def test_a_replay_says_so_and_a_refused_parameter_is_not_kept() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        headers = {"Authorization": "Bearer sk_test_1", "Idempotency-Key": "k"}

        async def post(body: bytes) -> tuple[int, str | None]:
            asked = Request("POST", "https://api.stripe.com/v1/payment_intents", headers, body)
            answer = await payments.service.handle(asked)
            return answer.status, answer.headers.get("idempotent-replayed")

        assert await post(b"amount=-5&currency=usd") == (400, None)
        assert await post(b"amount=5&currency=usd") == (400, None), "below the least amount"
        assert await post(b"amount=500&currency=usd&colour=red") == (400, None)
        assert await post(b"amount=500&currency=usd") == (200, None)
        assert await post(b"amount=500&currency=usd") == (200, "true")
        assert await post(b"amount=501&currency=usd") == (400, None)

    opened(use)


@pytest.mark.feature("S4-08")
def test_who_comes_while_a_key_is_in_use_is_told_so() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        calls = (payments.create_customer(idempotency_key="k") for _ in range(3))
        found = await asyncio.gather(*calls, return_exceptions=True)
        conflicts = [each for each in found if isinstance(each, Conflict)]
        assert len(conflicts) == 2
        assert all(each.outcome is Outcome.NOT_APPLIED for each in conflicts)
        assert len((await payments.list_events()).events) == 1

    opened(use)


@pytest.mark.feature("S4-04")
@pytest.mark.parametrize(
    ("method", "reason", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_visa_chargeDeclinedStolenCard", "card_declined", "stolen_card"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", ""),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", ""),
    ],
)
def test_test_cards_decline_as_documented(method: str, reason: str, decline_code: str) -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        with pytest.raises(PaymentDeclined) as declined:
            await payments.create_payment_intent(
                1000, "usd", payment_method=method, confirm=True, idempotency_key="k"
            )
        assert (declined.value.reason, declined.value.decline_code) == (reason, decline_code)
        assert declined.value.outcome is Outcome.NOT_APPLIED
        types = [event.type for event in (await payments.list_events()).events]
        assert types == ["payment_intent.payment_failed", "charge.failed", "payment_intent.created"]

    opened(use)


@pytest.mark.feature("S4-04")
def test_a_bank_may_want_to_see_its_customer() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        method = "pm_card_authenticationRequired"
        made = await payments.create_payment_intent(
            1000, "usd", payment_method=method, confirm=True, idempotency_key="k"
        )
        assert (made.status, made.received) == ("requires_action", 0)

    opened(use)


@pytest.mark.feature("MW-07", "MW-13")
def test_a_customer_pays_on_a_sessions_page() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        made = await payments.create_checkout_session(
            ALERT, success_url="https://e.com", metadata={"search_id": "42"}, idempotency_key="k"
        )
        with pytest.raises(Refusal):
            payments.service.complete(made.id, "pm_card_chargeDeclined")
        payments.service.complete(made.id)
        done = await payments.get_checkout_session(made.id)
        assert done is not None
        assert (done.status, done.payment_status, done.url) == ("complete", "paid", "")
        paid = await payments.get_payment_intent(done.payment_intent)
        assert paid is not None
        assert paid.received == 1999
        (told,) = (await payments.list_events(types=["checkout.session.completed"])).events
        assert told.object["metadata"] == {"search_id": "42"}
        assert told.idempotency_key == "", "no request of ours caused it"
        with pytest.raises(Refusal):
            payments.service.complete(made.id)

    opened(use)


@pytest.mark.feature("MW-07")
def test_a_session_expires_after_a_day() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        made = await payments.create_checkout_session(
            ALERT, success_url="https://e.com", idempotency_key="k"
        )
        assert made.expires_at == int(clock.now()) + DAY
        clock.advance(DAY)
        found = await payments.get_checkout_session(made.id)
        assert found is not None
        assert (found.status, found.url) == ("expired", "")
        types = [event.type for event in (await payments.list_events()).events]
        assert types == ["checkout.session.expired"]

    opened(use)


@pytest.mark.feature("S4-12", "MW-10")
@pytest.mark.parametrize("fault", ["lost before commit", "lost after commit", "rate limited"])
def test_a_retried_payment_is_made_once_whatever_went_wrong(fault: Any) -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        again = retrying(
            limited(payments, Payments), Policy(), clock=VirtualClock(auto=True), rng=SeededRng()
        )
        payments.service.faults.arm(fault)
        key = idempotency_key("payments", "charge", "acme", {"invoice": "in_7", "cents": 1000})
        made = await again.create_payment_intent(
            1000, "usd", payment_method=CARD_CHARGED, confirm=True, idempotency_key=str(key)
        )
        assert made.status == "succeeded"
        told = (await payments.list_events(types=["payment_intent.succeeded"])).events
        assert [key_problem(event, key) for event in told] == [None], "OP-03, and once"

    opened(use)


@pytest.mark.feature("S4-08")
def test_faults_say_what_they_did() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> None:
        for fault, error, outcome, customers in (
            ("lost before commit", Unavailable, Outcome.UNKNOWN, 0),
            ("rate limited", RateLimited, Outcome.NOT_APPLIED, 0),
            ("lost after commit", Unavailable, Outcome.UNKNOWN, 1),
            ("failed", Unavailable, Outcome.UNKNOWN, 2),
        ):
            payments.service.faults.arm(fault)  # type: ignore[arg-type]
            with pytest.raises(error) as failed:
                await payments.create_customer(idempotency_key=fault)
            assert failed.value.outcome is outcome
            assert len((await payments.list_events()).events) == customers

    opened(use)


@pytest.mark.feature("DC-04")
def test_the_same_seed_makes_the_same_names() -> None:
    async def use(payments: MockPayments, clock: VirtualClock) -> str:
        return (await payments.create_customer(idempotency_key="k")).id

    assert opened(use) == opened(use)
