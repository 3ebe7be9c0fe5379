"""Webhooks: signed as the vendor's own library signs them, and on their way to an endpoint."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
import stripe
from cap_stripe.config import MockConfig
from cap_stripe.mock import MockPayments
from cap_stripe.simulation.account import Account
from cap_stripe.simulation.deliveries import ATTEMPTS_MAX, Outbox
from cap_stripe.webhooks import Signer
from core_caps.clock import SystemClock, VirtualClock
from core_caps.errors import SignatureInvalid, SignatureTooOld
from core_caps.rng import SeededRng
from core_caps.secret import Secret

pytestmark = pytest.mark.feature("MW-13", "MW-14")

SECRET = Secret("whsec_canary")
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "checkout.session.completed",
    "created": 1_700_000_000,
    "livemode": True,
    "data": {"object": {"id": "cs_1", "object": "checkout.session"}},
    "request": None,
}
BODY = json.dumps(EVENT).encode()


def signer(clock: Any, secret: Secret = SECRET, tolerance_seconds: int = 300) -> Signer:
    return Signer(secret, tolerance_seconds, clock)


def test_the_vendors_library_believes_what_we_sign() -> None:
    signed = signer(SystemClock()).sign(BODY)
    event = stripe.Webhook.construct_event(signed.payload, signed.signature, SECRET.reveal())
    assert event.id == "evt_1"


def test_we_believe_what_the_vendors_library_signs() -> None:
    clock = VirtualClock()
    header = stripe.WebhookSignature.generate_signature_header(
        BODY.decode(), SECRET.reveal(), int(clock.now())
    )
    event = signer(clock).parse(BODY, header)
    assert (event.id, event.live, event.idempotency_key) == ("evt_1", True, "")


def test_one_of_two_signatures_is_enough_while_a_secret_is_replaced() -> None:
    clock = VirtualClock()
    old = signer(clock, Secret("whsec_old")).sign(BODY).signature
    new = signer(clock).sign(BODY).signature.partition(",")[2]
    assert signer(clock).parse(BODY, f"{old},{new},v0=ignored").id == "evt_1"


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=" + "0" * 64, "t=x,v1=" + "0" * 64, "t=1,t=2,v1=" + "0" * 64, "t=1,v0=a", ","],
)
def test_a_header_that_is_none_is_no_signature(header: str) -> None:
    with pytest.raises(SignatureInvalid) as refused:
        signer(VirtualClock()).parse(BODY, header)
    assert refused.value.code == "CAP134"
    assert "whsec" not in str(refused.value)


@pytest.mark.parametrize("seconds", [301, -301])
def test_neither_the_past_nor_the_future_is_believed(seconds: int) -> None:
    signed = signer(VirtualClock(1_700_000_000.0)).sign(BODY)
    with pytest.raises(SignatureTooOld) as refused:
        signer(VirtualClock(1_700_000_000.0 + seconds)).parse(signed.payload, signed.signature)
    assert refused.value.code == "CAP135"


def test_another_endpoints_secret_signs_nothing_here() -> None:
    clock = VirtualClock()
    signed = signer(clock, Secret("whsec_other")).sign(BODY)
    with pytest.raises(SignatureInvalid):
        signer(clock).parse(signed.payload, signed.signature)


def test_a_binding_without_secret_on_the_mock_has_the_mocks_own() -> None:
    async def main() -> str:
        clock = VirtualClock()
        async with MockPayments(MockConfig(), clock=clock, rng=SeededRng()) as payments:
            signed = Signer(Secret("whsec_mock"), 300, clock).sign(BODY)
            return (await payments.parse_webhook(signed.payload, signed.signature)).id

    assert asyncio.run(main()) == "evt_1"


def outbox(clock: VirtualClock, seed: int = 0, **settings: Any) -> tuple[Account, Outbox]:
    account = Account(clock.now, SeededRng(7))
    box = Outbox(clock.now, SeededRng(seed), SECRET, **settings)
    box.follow(account)
    return account, box


def test_what_is_not_taken_comes_again_later_and_later() -> None:
    clock = VirtualClock()
    account, box = outbox(clock, duplicate_rate=0.0)
    account.tell("customer.created", {"id": "cus_1"}, None)
    waits: list[float] = []
    for _ in range(ATTEMPTS_MAX):
        (delivery,) = box.due()
        box.settle(delivery, taken=False)
        waits.append(delivery.due_at - clock.now())
        assert delivery.attempts == ATTEMPTS_MAX or not box.due()
        clock.advance(max(waits[-1], 0))
    assert waits[:4] == [10, 20, 40, 80]
    assert max(waits) == 43_200
    assert not box.due(), "it is given up"


def test_each_attempt_is_signed_anew() -> None:
    clock = VirtualClock()
    account, box = outbox(clock)
    account.tell("customer.created", {"id": "cus_1"}, None)
    (delivery,) = box.due()
    first = box.signed(delivery)
    clock.advance(3600)
    again = box.signed(delivery)
    assert first.payload == again.payload
    assert signer(clock).parse(again.payload, again.signature).type == "customer.created"
    with pytest.raises(SignatureTooOld):
        signer(clock).parse(first.payload, first.signature)


@pytest.mark.parametrize("seed", range(3))
def test_events_come_twice_and_in_any_order_and_none_is_lost(seed: int) -> None:
    def run() -> list[str]:
        clock = VirtualClock()
        account, box = outbox(clock, seed, duplicate_rate=0.3)
        for number in range(40):
            account.tell("customer.created", {"id": f"cus_{number}"}, None)
        came: list[str] = []
        for _ in range(200):
            for delivery in box.due():
                came.append(delivery.event["data"]["object"]["id"])
                box.settle(delivery, taken=True)
            clock.advance(3600)
        return came

    came = run()
    assert came == run(), "the same seed, the same luck"
    sent = [f"cus_{number}" for number in range(40)]
    assert set(came) == set(sent)
    assert max(Counter(came).values()) > 1
    assert list(dict.fromkeys(came)) != sent
