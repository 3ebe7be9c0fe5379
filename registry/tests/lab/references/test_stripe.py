"""The Stripe reference, spoken to by an ordinary HTTP client."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from flows_registry.lab.references.stripe import FACTORY, Stripe

from .serve import serve

pytestmark = pytest.mark.feature("P4-03", "S4-08")

KEY = "canary-key"
CARD, DECLINED = "pm_card_visa", "pm_card_chargeDeclined"


class Time:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def reference(time: Time) -> Stripe:
    return Stripe({}, {"api_key": KEY}, time)


@pytest.fixture
def client(reference: Stripe) -> Iterator[httpx.Client]:
    with serve(reference) as url:
        headers = {"authorization": f"Bearer {KEY}"}
        with httpx.Client(base_url=f"{url}/v1", headers=headers, trust_env=False) as client:
            yield client


def post(client: httpx.Client, path: str, key: str = "", **form: Any) -> httpx.Response:
    headers = {"idempotency-key": key} if key else {}
    return client.post(path, data=form, headers=headers)


def made(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response) -> tuple[int, str | None]:
    error = response.json()["error"]
    assert error["type"]
    assert error["message"]
    return response.status_code, error.get("code")


def pay(client: httpx.Client, amount: int = 1000, method: str = CARD, **more: Any) -> Any:
    form = {"amount": amount, "currency": "usd", "payment_method": method, "confirm": "true"}
    return post(client, "/payment_intents", **form, **more)


def told(client: httpx.Client) -> list[str]:
    return [event["type"] for event in made(client.get("/events"))["data"]]


def test_a_key_is_asked_for(client: httpx.Client) -> None:
    for header in ("", "Bearer other", "Basic " + base64.b64encode(b"x:").decode()):
        response = client.get("/events", headers={"authorization": header})
        assert refused(response)[0] == 401


def test_a_key_is_a_token_or_the_user_of_basic(client: httpx.Client) -> None:
    basic = base64.b64encode(f"{KEY}:".encode()).decode()
    for header in (f"Bearer {KEY}", f"bearer {KEY}", f"Basic {basic}"):
        assert made(client.get("/events", headers={"authorization": header}))["data"] == []


def test_a_deleted_customer_is_what_is_left_of_one(client: httpx.Client) -> None:
    customer = made(post(client, "/customers", email="ada@example.com"))["id"]
    left = {"id": customer, "object": "customer", "deleted": True}
    assert made(client.delete(f"/customers/{customer}")) == left
    assert made(client.get(f"/customers/{customer}")) == left
    assert refused(client.delete(f"/customers/{customer}")) == (404, "resource_missing")
    named = post(client, "/payment_intents", amount=1000, currency="usd", customer=customer)
    assert refused(named) == (400, "resource_missing")
    assert told(client) == ["customer.deleted", "customer.created"]


def test_a_session_that_only_keeps_a_method_has_no_amount(client: httpx.Client) -> None:
    form = {"mode": "setup", "success_url": "https://e.com"}
    assert refused(post(client, "/checkout/sessions", **form)) == (400, "parameter_missing")
    session = made(
        post(client, "/checkout/sessions", **form, **{"payment_method_types[0]": "card"})
    )
    given = (session["amount_total"], session["currency"], session["payment_intent"])
    assert given == (None, None, None)
    assert session["payment_status"] == "no_payment_required"
    assert made(post(client, "/checkout/sessions", **form, currency="usd"))["currency"] == "usd"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"success_url": "example.com"}, "url_invalid"),
        ({"success_url": "/thanks"}, "url_invalid"),
        ({"success_url": "https://"}, "url_invalid"),
        ({"cancel_url": "no address"}, "url_invalid"),
        ({"line_items[0][price_data][unit_amount]": 49}, "amount_too_small"),
        ({"line_items[0][quantity]": 1_000_000}, "amount_too_large"),
    ],
    ids=str,
)
def test_a_session_that_cannot_be_says_why(
    client: httpx.Client, changed: dict[str, Any], code: str
) -> None:
    form = {
        "mode": "payment",
        "success_url": "https://e.com",
        "line_items[0][price_data][unit_amount]": 1999,
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][product_data][name]": "Alert",
        "line_items[0][quantity]": 1,
    }
    assert made(post(client, "/checkout/sessions", **form))["amount_total"] == 1999
    assert refused(post(client, "/checkout/sessions", **form | changed)) == (400, code)


@pytest.mark.parametrize(
    "email", ["ada", "ada@", "@e.com", "ada@localhost", " ada@e.com", "a@b@c.d"]
)
def test_an_email_is_an_address(client: httpx.Client, email: str) -> None:
    assert refused(post(client, "/customers", email=email)) == (400, "email_invalid")


def test_the_same_key_replays_and_another_request_under_it_does_not(
    client: httpx.Client, reference: Stripe, time: Time
) -> None:
    first = post(client, "/customers", "k", email="a@b.de")
    state = reference.state()
    again = post(client, "/customers", "k", email="a@b.de")
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = post(client, "/customers", "k", email="e@f.de")
    assert other.json()["error"]["type"] == "idempotency_error"
    elsewhere = post(client, "/payment_intents", "k", amount=1000, currency="usd")
    assert refused(elsewhere)[0] == 400
    assert reference.state() == state
    time.now += 24 * 3600
    assert made(post(client, "/customers", "k", email="a@b.de"))["id"] != made(first)["id"]


def test_a_parameter_that_is_wrong_leaves_the_key_free(client: httpx.Client) -> None:
    wrong = ({"amount": "x"}, {"amount": "-5"}, {"amount": 5}, {"amount": 1000, "colour": "red"})
    for form in wrong:
        assert refused(post(client, "/payment_intents", "k", currency="usd", **form))[0] == 400
    assert made(post(client, "/payment_intents", "k", amount=1000, currency="usd"))["id"]


def test_a_decline_is_kept_and_the_payment_stays(client: httpx.Client) -> None:
    for _ in range(2):
        response = pay(client, method=DECLINED, key="k")
        assert refused(response) == (402, "card_declined")
        intent = response.json()["error"]["payment_intent"]
        assert intent["status"] == "requires_payment_method"
    failed = ["payment_intent.payment_failed", "charge.failed", "payment_intent.created"]
    assert told(client) == failed
    done = made(post(client, f"/payment_intents/{intent['id']}/confirm", payment_method=CARD))
    assert (done["status"], done["amount_received"]) == ("succeeded", 1000)


def test_no_more_is_refunded_than_was_paid(client: httpx.Client) -> None:
    intent = made(pay(client))["id"]
    assert made(post(client, "/refunds", payment_intent=intent, amount=600))["amount"] == 600
    assert refused(post(client, "/refunds", payment_intent=intent, amount=401)) == (400, None)
    assert made(post(client, "/refunds", payment_intent=intent))["amount"] == 400
    over = post(client, "/refunds", payment_intent=intent)
    assert refused(over) == (400, "charge_already_refunded")
    unpaid = made(post(client, "/payment_intents", amount=1000, currency="usd"))["id"]
    unexpected = (400, "payment_intent_unexpected_state")
    assert refused(post(client, "/refunds", payment_intent=unpaid)) == unexpected


def test_what_is_missing_is_404_in_a_path_and_400_in_a_parameter(client: httpx.Client) -> None:
    for path in ("/customers/x", "/payment_intents/x", "/checkout/sessions/x", "/refunds/x"):
        assert refused(client.get(path)) == (404, "resource_missing")
    assert refused(post(client, "/payment_intents/x/cancel")) == (404, "resource_missing")
    named = post(client, "/payment_intents", amount=1000, currency="usd", customer="cus_x")
    assert refused(named) == (400, "resource_missing")
    assert refused(client.get("/weather")) == (404, None)
    assert refused(client.delete("/customers/x")) == (404, "resource_missing")
    assert refused(client.delete("/refunds/x")) == (404, None)


def test_a_session_sums_its_items_and_is_expired_once(client: httpx.Client, time: Time) -> None:
    price = made(
        post(
            client,
            "/prices",
            **{"unit_amount": 1999, "currency": "usd", "product_data[name]": "Alert"},
        )
    )["id"]
    form = {
        "mode": "payment",
        "success_url": "https://e.com",
        "line_items[0][price]": price,
        "line_items[0][quantity]": 2,
        "line_items[1][price_data][unit_amount]": 1,
        "line_items[1][price_data][currency]": "usd",
        "line_items[1][price_data][product_data][name]": "Extra",
        "line_items[1][quantity]": 1,
        "metadata[search_id]": "42",
    }
    session = made(post(client, "/checkout/sessions", **form))
    assert (session["amount_total"], session["status"]) == (3999, "open")
    assert session["metadata"] == {"search_id": "42"}
    assert session["expires_at"] == time.now + 24 * 3600
    unfit = post(client, "/checkout/sessions", **{**form, "mode": "subscription"})
    assert refused(unfit)[0] == 400
    path = f"/checkout/sessions/{session['id']}"
    assert made(post(client, f"{path}/expire"))["url"] is None
    assert refused(post(client, f"{path}/expire")) == (400, None)


def test_lists_come_in_pages(client: httpx.Client) -> None:
    for number in range(5):
        post(client, "/customers", f"k{number}")
    first = made(client.get("/events", params={"limit": 2}))
    assert [event["request"]["idempotency_key"] for event in first["data"]] == ["k4", "k3"]
    assert first["has_more"] is True
    after = {"limit": 3, "starting_after": first["data"][-1]["id"]}
    rest = made(client.get("/events", params=after))
    assert [event["request"]["idempotency_key"] for event in rest["data"]] == ["k2", "k1", "k0"]
    assert rest["has_more"] is False
    assert refused(client.get("/events", params={"limit": 101}))[0] == 400
    nobody = client.get("/events", params={"starting_after": "evt_x"})
    assert refused(nobody) == (400, "resource_missing")
    assert made(client.get("/events", params={"types[0]": "price.created"}))["data"] == []


def test_time_and_reading_change_no_state(
    client: httpx.Client, reference: Stripe, time: Time
) -> None:
    intent = made(pay(client))["id"]
    state = reference.state()
    time.now += 3600
    for path in ("/events", "/checkout/sessions", f"/payment_intents/{intent}"):
        made(client.get(path))
    assert reference.state() == state
    reference.reset()
    assert reference.state() == {"objects": {}, "events": []}


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 409, 429, 500, 503])
def test_a_failure_is_the_vendors(status: int) -> None:
    answer = FACTORY.failure(status)
    assert answer.status == status
    assert b'"error"' in answer.body
