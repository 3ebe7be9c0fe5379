"""What the account refuses, as the vendor does: with its status, type, code and parameter."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from cap_stripe.config import MockConfig
from cap_stripe.mock import MockPayments
from cap_stripe.sdk import Request
from core_caps.capabilities.payments import CARD_CHARGED, InlineItem
from core_caps.clock import VirtualClock
from core_caps.errors import ObjectAbsent
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("S4-04", "S4-08")

Post = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]

BEARER = "Bearer sk_test_1"
ITEM = "line_items[0]"
INTENT = {"amount": 1000, "currency": "usd"}
PRICE = {"unit_amount": 1000, "currency": "usd", "product_data[name]": "Alert"}
SESSION = {
    "mode": "payment",
    "success_url": "https://e.com",
    f"{ITEM}[quantity]": 1,
    f"{ITEM}[price_data][unit_amount]": 1999,
    f"{ITEM}[price_data][currency]": "usd",
    f"{ITEM}[price_data][product_data][name]": "Alert",
}


def asked(use: Callable[[MockPayments, Post], Awaitable[Any]]) -> Any:
    """What `use` makes of an account of its own, and of requests that no operation makes."""

    async def main() -> Any:
        async with MockPayments(MockConfig(), clock=VirtualClock(), rng=SeededRng()) as payments:

            async def post(
                path: str,
                form: dict[str, Any],
                *,
                method: str = "POST",
                authorization: str = BEARER,
            ) -> tuple[int, dict[str, Any]]:
                headers = {"Authorization": authorization}
                url = f"https://api.stripe.com/v1/{path}"
                request = Request(method, url, headers, urlencode(form).encode())
                answer = await payments.service.handle(request)
                return answer.status, json.loads(answer.body)

            return await use(payments, post)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("path", "form", "code", "param"),
    [
        ("customers", {"email": "ada"}, "email_invalid", "email"),
        ("customers", {"email": "ada@localhost"}, "email_invalid", "email"),
        ("customers", {"email": " ada@e.com"}, "email_invalid", "email"),
        ("customers", {"email": "a" * 512 + "@e.com"}, "email_invalid", "email"),
        ("payment_intents", INTENT | {"amount": 49}, "amount_too_small", "amount"),
        ("payment_intents", {"amount": 1499, "currency": "czk"}, "amount_too_small", "amount"),
        ("payment_intents", INTENT | {"amount": 10**8}, "amount_too_large", "amount"),
        ("payment_intents", INTENT | {"amount": 0}, "parameter_invalid_integer", "amount"),
        ("payment_intents", {"amount": 1005, "currency": "kwd"}, None, "amount"),
        ("payment_intents", {"amount": 550, "currency": "isk"}, None, "amount"),
        ("payment_intents", INTENT | {"currency": "zzz"}, None, "currency"),
        ("payment_intents", INTENT | {"return_url": "e.com"}, "url_invalid", "return_url"),
        ("payment_intents", INTENT | {"colour": "red"}, "parameter_unknown", "colour"),
        ("prices", PRICE | {"unit_amount": -1}, "parameter_invalid_integer", "unit_amount"),
        ("prices", PRICE | {"recurring[interval]": "fortnight"}, None, "recurring[interval]"),
        ("checkout/sessions", SESSION | {"success_url": "e.com"}, "url_invalid", "success_url"),
        ("checkout/sessions", SESSION | {"success_url": "/paid"}, "url_invalid", "success_url"),
        ("checkout/sessions", SESSION | {"cancel_url": "https://"}, "url_invalid", "cancel_url"),
        ("checkout/sessions", SESSION | {"cancel_url": "http://a b"}, "url_invalid", "cancel_url"),
        ("checkout/sessions", SESSION | {"success_url": ""}, "parameter_missing", "success_url"),
        ("checkout/sessions", SESSION | {"mode": "setup"}, None, "line_items"),
        (
            "checkout/sessions",
            SESSION | {f"{ITEM}[price_data][unit_amount]": 49},
            "amount_too_small",
            None,
        ),
        ("checkout/sessions", SESSION | {f"{ITEM}[quantity]": 10**6}, "amount_too_large", None),
    ],
    ids=lambda each: str(each)[:60],
)
def test_a_parameter_is_refused_with_the_vendors_code(
    path: str, form: dict[str, Any], code: str | None, param: str | None
) -> None:
    async def use(payments: MockPayments, post: Post) -> None:
        status, answer = await post(path, form)
        error = answer["error"]
        assert (status, error["type"]) == (400, "invalid_request_error")
        assert (error.get("code"), error.get("param")) == (code, param)
        assert not (await payments.list_events()).events

    asked(use)


def test_what_can_be_charged_is() -> None:
    async def use(payments: MockPayments, post: Post) -> None:
        for amount, currency in ((10**12 - 1, "idr"), (1000, "kwd"), (500, "isk"), (1, "pen")):
            made = await payments.create_payment_intent(
                amount, currency, idempotency_key=f"{currency}"
            )
            assert (made.amount, made.currency) == (amount, currency)
        free = await payments.create_checkout_session(
            [InlineItem("Trial", 0, "usd")], success_url="app://paid", idempotency_key="free"
        )
        assert free.amount == 0
        assert payments.service.complete(free.id)["payment_status"] == "no_payment_required"

    asked(use)


def test_what_was_done_is_not_done_again() -> None:
    async def use(payments: MockPayments, post: Post) -> None:
        made = await payments.create_payment_intent(
            1000, "usd", payment_method=CARD_CHARGED, confirm=True, idempotency_key="k"
        )
        for verb in ("confirm", "cancel"):
            status, answer = await post(f"payment_intents/{made.id}/{verb}", {})
            assert (status, answer["error"]["code"]) == (400, "payment_intent_unexpected_state")
        status, answer = await post("refunds", {"payment_intent": made.id, "amount": 1001})
        assert (status, answer["error"]["param"]) == (400, "amount")

    asked(use)


def test_a_session_may_have_no_amount_and_is_listed_with_the_others() -> None:
    async def use(payments: MockPayments, post: Post) -> None:
        ordinary = await payments.create_checkout_session(
            [InlineItem("Alert", 1999, "usd")], success_url="https://e.com", idempotency_key="k"
        )
        form = {"mode": "setup", "success_url": "https://e.com"}
        _, missing = await post("checkout/sessions", form)
        assert missing["error"]["code"] == "parameter_missing"
        _, setup = await post("checkout/sessions", {**form, "payment_method_types[0]": "card"})
        listed = (await payments.list_checkout_sessions()).sessions
        assert [(each.id, each.amount, each.currency) for each in listed] == [
            (setup["id"], None, ""),
            (ordinary.id, 1999, "usd"),
        ]
        done = payments.service.complete(setup["id"])
        assert (done["status"], done["payment_intent"]) == ("complete", None)

    asked(use)


def test_a_deleted_customer_is_absent() -> None:
    async def use(payments: MockPayments, post: Post) -> None:
        made = await payments.create_customer(email="ada@e.com", idempotency_key="k")
        status, left = await post(f"customers/{made.id}", {}, method="DELETE")
        assert (status, left) == (200, {"id": made.id, "object": "customer", "deleted": True})
        assert await payments.get_customer(made.id) is None
        with pytest.raises(ObjectAbsent):
            await payments.create_payment_intent(1000, "usd", customer=made.id, idempotency_key="p")
        assert (await post(f"customers/{made.id}", {}, method="DELETE"))[0] == 404
        assert (await post(f"refunds/{made.id}", {}, method="DELETE"))[0] == 404
        (told,) = (await payments.list_events(types=["customer.deleted"])).events
        assert told.object["email"] == "ada@e.com"

    asked(use)


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (BEARER, 200),
        ("bearer sk_test_1", 200),
        (basic("sk_test_1:"), 200),
        (basic("sk_test_1"), 200),
        ("", 401),
        ("Bearer", 401),
        (basic(":sk_test_1"), 401),
        ("Basic ☂", 401),
        ("Digest sk_test_1", 401),
    ],
)
def test_the_key_is_a_bearer_or_the_user_of_basic(authorization: str, status: int) -> None:
    """https://docs.stripe.com/authentication"""

    async def use(payments: MockPayments, post: Post) -> int:
        return (await post("events", {}, method="GET", authorization=authorization))[0]

    assert asked(use) == status
