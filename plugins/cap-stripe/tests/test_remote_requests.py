"""What is sent: nothing but what the vendor asks for, once, and nothing that is refused here."""

from typing import Any
from urllib.parse import parse_qs

import pytest
import stripe
from core_caps.capabilities.payments import InlineItem, LineItem
from core_caps.errors import InvalidArgument, ObjectAbsent, Outcome

pytestmark = pytest.mark.feature("S4-04", "S4-08")


def sent(script: Any) -> tuple[str, str, dict[str, str]]:
    (request,) = script.requests
    form = {name: value for name, (value,) in parse_qs(request.body.decode()).items()}
    return request.method, request.target, form


def test_headers_carry_the_key_and_tell_nothing_of_this_machine(wire: Any) -> None:
    script, made = wire.run([wire.customer()], lambda p: p.create_customer(idempotency_key="a b/e"))
    assert made.id == "cus_1"
    headers = script.requests[0].headers
    assert headers["authorization"] == f"Bearer {wire.token}"
    assert headers["idempotency-key"] == "a b/e"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["stripe-version"]
    assert headers["user-agent"] == "cap-stripe"
    told = {name for name in headers if name.startswith("x-stripe")}
    assert not told
    assert stripe.enable_telemetry is False


def test_a_read_has_no_key(wire: Any) -> None:
    script, found = wire.run([wire.customer()], lambda p: p.get_customer("cus_1"))
    assert found.id == "cus_1"
    assert sent(script) == ("GET", "/v1/customers/cus_1", {})
    assert "idempotency-key" not in script.requests[0].headers


def test_a_customer(wire: Any) -> None:
    def call(payments: Any) -> Any:
        return payments.create_customer(
            email="ada+é@example.com", metadata={"é ☂": "a&b=c", "n": "1"}, idempotency_key="k"
        )

    script, _ = wire.run([wire.customer()], call)
    assert sent(script) == (
        "POST",
        "/v1/customers",
        {"email": "ada+é@example.com", "metadata[é ☂]": "a&b=c", "metadata[n]": "1"},
    )


def test_a_checkout_session(wire: Any) -> None:
    def call(payments: Any) -> Any:
        return payments.create_checkout_session(
            [LineItem("price_1", 2), InlineItem("Alert", 500, "eur", interval="month")],
            success_url="https://e.com/{CHECKOUT_SESSION_ID}",
            recurring=True,
            metadata={"search_id": "42"},
            idempotency_key="k",
        )

    script, _ = wire.run([wire.refusal(400, type="invalid_request_error")], call)
    inline = "line_items[1][price_data]"
    assert sent(script) == (
        "POST",
        "/v1/checkout/sessions",
        {
            "mode": "subscription",
            "line_items[0][price]": "price_1",
            "line_items[0][quantity]": "2",
            "line_items[1][quantity]": "1",
            f"{inline}[unit_amount]": "500",
            f"{inline}[currency]": "eur",
            f"{inline}[product_data][name]": "Alert",
            f"{inline}[recurring][interval]": "month",
            "success_url": "https://e.com/{CHECKOUT_SESSION_ID}",
            "metadata[search_id]": "42",
        },
    )


def test_a_payment_needs_no_page_to_be_redirected_to(wire: Any) -> None:
    def call(payments: Any) -> Any:
        return payments.create_payment_intent(
            1999, "usd", payment_method="pm_card_visa", confirm=True, idempotency_key="k"
        )

    script, _ = wire.run([wire.refusal(400, type="invalid_request_error")], call)
    assert sent(script)[2] == {
        "amount": "1999",
        "currency": "usd",
        "automatic_payment_methods[enabled]": "true",
        "automatic_payment_methods[allow_redirects]": "never",
        "payment_method": "pm_card_visa",
        "confirm": "true",
    }


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_nothing_is_repeated_whatever_the_answer_asks_for(wire: Any, status: int) -> None:
    again = wire.refusal(status, "Stripe-Should-Retry: true", "Retry-After: 1", type="api_error")
    script, failed = wire.run([again], lambda p: p.create_customer(idempotency_key="k"))
    assert failed.status == status
    assert len(script.requests) == script.connections == 1


def test_what_is_refused_here_is_never_sent(wire: Any) -> None:
    async def use(payments: Any) -> int:
        key = {"idempotency_key": "k"}
        page = {"success_url": "https://e.com", **key}
        refused = 0
        for call in (
            lambda: payments.create_payment_intent(-1, "usd", **key),
            lambda: payments.create_payment_intent(0, "usd", **key),
            lambda: payments.create_payment_intent(19.99, "usd", **key),
            lambda: payments.create_payment_intent(100_000_000, "usd", **key),
            lambda: payments.create_payment_intent(1_000_000_000_000, "idr", **key),
            lambda: payments.create_payment_intent(100, "xxx", **key),
            lambda: payments.create_payment_intent(100, "USD", **key),
            lambda: payments.create_payment_intent(100, "usd", idempotency_key=""),
            lambda: payments.create_payment_intent(100, "usd", idempotency_key="k" * 256),
            lambda: payments.create_payment_intent(100, "usd", idempotency_key="k\r\nX: y"),
            lambda: payments.create_payment_intent(100, "usd", idempotency_key="é"),
            lambda: payments.create_customer(metadata={"k" * 41: "v"}, **key),
            lambda: payments.create_customer(metadata={"k": "v" * 501}, **key),
            lambda: payments.create_customer(metadata={"k": ""}, **key),
            lambda: payments.create_customer(metadata={"a[b]": "v"}, **key),
            lambda: payments.create_customer(metadata={str(n): "v" for n in range(51)}, **key),
            lambda: payments.create_checkout_session([], **page),
            lambda: payments.create_checkout_session([LineItem("p")] * 101, **page),
            lambda: payments.create_checkout_session([InlineItem("", 1, "usd")], **page),
            lambda: payments.create_price(100, "usd", product_name="", **key),
            lambda: payments.list_events(limit=101),
            lambda: payments.list_events(types=["t"] * 21),
            lambda: payments.list_events(cursor="../x"),
        ):
            with pytest.raises(InvalidArgument) as caught:
                await call()
            assert caught.value.outcome is Outcome.NOT_APPLIED
            assert caught.value.message
            refused += 1
        return refused

    script, refused = wire.run([wire.customer()], use)
    assert refused == 23
    assert script.connections == 0


OTHERS: Any = {
    "a customer": lambda p: p.get_customer("pi_1"),
    "a checkout session": lambda p: p.get_checkout_session("pi_1"),
    "a payment": lambda p: p.get_payment_intent("cs_test_1"),
    "a refund": lambda p: p.get_refund("ch_1"),
    "an event": lambda p: p.list_events(cursor="cs_test_1"),
    "a price": lambda p: p.create_checkout_session(
        [LineItem("prod_1")], success_url="https://e.com", idempotency_key="k"
    ),
    "a payment method": lambda p: p.create_payment_intent(
        100, "usd", payment_method="cus_1", idempotency_key="k"
    ),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_the_id_of_another_kind_is_told_and_not_asked_for(wire: Any, kind: str) -> None:
    script, failed = wire.run([wire.customer()], OTHERS[kind])
    assert isinstance(failed, InvalidArgument)
    assert failed.outcome is Outcome.NOT_APPLIED
    assert f"not of {kind}" in failed.message
    assert "_…" in failed.hint
    assert script.connections == 0


@pytest.mark.parametrize("id", ["re_1", "pyr_1", "of-old", "4711", "mine_1"])
def test_a_refund_may_have_any_id_that_is_no_others(wire: Any, id: str) -> None:
    left = wire.refusal(404, type="invalid_request_error", code="resource_missing")
    script, found = wire.run([left], lambda p: p.get_refund(id))
    assert found is None
    assert script.connections == ("-" not in id)


@pytest.mark.parametrize("secret", ["sk_live_canary", "pi_1_secret_canary", "whsec_canary"])
def test_a_secret_is_no_id_and_is_shown_to_nobody(wire: Any, secret: str) -> None:
    script, failed = wire.run([wire.customer()], lambda p: p.get_payment_intent(secret))
    assert isinstance(failed, InvalidArgument)
    assert "canary" not in str(failed)
    assert script.connections == 0


@pytest.mark.parametrize("strange", ["", ".", "..", "a/b", "a?b", "a#b", "é", "a b", "a\nb"])
def test_what_can_be_no_id_is_not_asked_for(wire: Any, strange: str) -> None:
    script, found = wire.run([wire.customer()], lambda p: p.get_customer(strange))
    assert found is None
    script, failed = wire.run(
        [wire.customer()], lambda p: p.cancel_payment_intent(strange, idempotency_key="k")
    )
    assert isinstance(failed, ObjectAbsent)
    assert script.connections == 0
