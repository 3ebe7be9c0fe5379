"""What becomes of an answer: the table of errors, and answers that are none."""

import json
from typing import Any

import pytest
from core_caps.capabilities.payments import (
    CheckoutPage,
    CheckoutSession,
    Customer,
    PaymentIntent,
    Refund,
)
from core_caps.errors import (
    Conflict,
    ContainerNotFound,
    InvalidArgument,
    KeyCollision,
    ObjectAbsent,
    Outcome,
    PaymentDeclined,
    PermissionDenied,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    RateLimited,
    Unauthenticated,
    Unavailable,
)

pytestmark = pytest.mark.feature("S4-04", "S4-08", "P4-03")

REFUSED, API, IDEMPOTENCY = "invalid_request_error", "api_error", "idempotency_error"


@pytest.mark.parametrize(
    ("status", "error", "kind", "outcome"),
    [
        (400, {"type": REFUSED}, InvalidArgument, Outcome.NOT_APPLIED),
        (400, {"type": REFUSED, "code": "resource_missing"}, ObjectAbsent, Outcome.NOT_APPLIED),
        (400, {"type": IDEMPOTENCY}, KeyCollision, Outcome.NOT_APPLIED),
        (
            400,
            {"type": REFUSED, "code": "payment_intent_unexpected_state"},
            PreconditionFailed,
            Outcome.NOT_APPLIED,
        ),
        (
            400,
            {"type": REFUSED, "code": "charge_already_refunded"},
            PreconditionFailed,
            Outcome.NOT_APPLIED,
        ),
        (401, {"type": REFUSED}, Unauthenticated, Outcome.NOT_APPLIED),
        (
            402,
            {"type": "card_error", "code": "card_declined"},
            PaymentDeclined,
            Outcome.NOT_APPLIED,
        ),
        (403, {"type": REFUSED}, PermissionDenied, Outcome.NOT_APPLIED),
        (404, {"type": REFUSED}, ContainerNotFound, Outcome.NOT_APPLIED),
        (404, {"type": REFUSED, "code": "resource_missing"}, ObjectAbsent, Outcome.NOT_APPLIED),
        (
            409,
            {"type": IDEMPOTENCY, "code": "idempotency_key_in_use"},
            Conflict,
            Outcome.NOT_APPLIED,
        ),
        (424, {"type": API}, Unavailable, Outcome.NOT_APPLIED),
        (429, {"type": REFUSED, "code": "lock_timeout"}, RateLimited, Outcome.NOT_APPLIED),
        (500, {"type": API}, Unavailable, Outcome.UNKNOWN),
        (503, {"type": API}, Unavailable, Outcome.UNKNOWN),
    ],
)
def test_each_refusal_has_its_error_and_outcome(
    wire: Any, status: int, error: dict[str, str], kind: type[ProviderError], outcome: Outcome
) -> None:
    answer = wire.refusal(status, "Retry-After: 7", message=f"no, {wire.token}", **error)
    _, failed = wire.run([answer], lambda p: p.create_refund("pi_1", idempotency_key="k"))
    assert type(failed) is kind
    assert failed.outcome is outcome
    assert failed.hint
    assert wire.token not in str(failed)
    assert failed.__cause__ is None
    if status in (429, 503):
        assert failed.retry_after_seconds == 7


def test_a_decline_says_why_and_which_payment(wire: Any) -> None:
    answer = wire.refusal(
        402,
        type="card_error",
        code="card_declined",
        decline_code="insufficient_funds",
        message="Your card has insufficient funds.",
        payment_intent={"id": "pi_7", "object": "payment_intent"},
    )
    _, failed = wire.run([answer], lambda p: p.confirm_payment_intent("pi_7", idempotency_key="k"))
    assert isinstance(failed, PaymentDeclined)
    given = (failed.reason, failed.decline_code, failed.payment_intent)
    assert given == ("card_declined", "insufficient_funds", "pi_7")


def test_a_collision_names_its_key(wire: Any) -> None:
    answer = wire.refusal(400, type=IDEMPOTENCY, message="Keys can only be used with …")
    _, failed = wire.run([answer], lambda p: p.create_customer(idempotency_key="k-1"))
    assert isinstance(failed, KeyCollision)
    assert failed.keys == ("k-1",)


def test_a_session_that_is_not_open_has_no_code(wire: Any) -> None:
    answer = wire.refusal(400, type=REFUSED, message="Only Checkout Sessions with a status in …")
    _, failed = wire.run([answer], lambda p: p.expire_checkout_session("cs_1", idempotency_key="k"))
    assert isinstance(failed, PreconditionFailed)


@pytest.mark.parametrize("status", [400, 404])
def test_what_is_missing_is_none_to_a_read(wire: Any, status: int) -> None:
    answer = wire.refusal(status, type=REFUSED, code="resource_missing", message="No such …")
    _, found = wire.run([answer], lambda p: p.get_payment_intent("pi_1"))
    assert found is None


def test_a_route_that_is_missing_is_not(wire: Any) -> None:
    _, failed = wire.run([wire.refusal(404, type=REFUSED)], lambda p: p.get_payment_intent("pi_1"))
    assert isinstance(failed, ContainerNotFound)


@pytest.mark.parametrize(
    ("status", "body", "content_type"),
    [
        (500, b"", ""),
        (502, b"<html>", "text/html"),
        (503, b"no json", "application/json"),
        (500, b'{"error": "text"}', "application/json"),
        (500, b"[]", "application/json"),
    ],
)
def test_an_error_that_says_nothing_is_known_by_its_status(
    wire: Any, status: int, body: bytes, content_type: str
) -> None:
    answer = wire.answer(status, body, content_type, "Retry-After: 3")
    _, failed = wire.run([answer], lambda p: p.create_customer(idempotency_key="k"))
    assert type(failed) is Unavailable
    assert (failed.outcome, failed.retry_after_seconds) == (Outcome.UNKNOWN, 3)


@pytest.mark.parametrize(
    "answer",
    [
        {"object": "product", "id": "prod_1"},
        {"object": "customer"},
        {"object": "customer", "id": 5},
        {"object": "customer", "id": "cus_1", "email": 5},
        {"object": "customer", "id": "cus_1", "metadata": {"k": 5}},
        {"object": "customer", "id": "cus_1", "metadata": []},
        [],
    ],
    ids=str,
)
def test_an_object_that_is_none_is_not_believed(wire: Any, answer: Any) -> None:
    body = wire.answer(200, json.dumps(answer).encode())
    for call, outcome in (
        (lambda p: p.create_customer(idempotency_key="k"), Outcome.UNKNOWN),
        (lambda p: p.get_customer("cus_1"), Outcome.NOT_APPLIED),
    ):
        _, failed = wire.run([body], call)
        assert isinstance(failed, ProtocolViolation)
        assert failed.outcome is outcome


def test_what_stands_there_whole_is_read_by_its_id(wire: Any) -> None:
    intent = wire.object(
        id="pi_1",
        object="payment_intent",
        amount=1000,
        amount_received=0,
        currency="usd",
        status="requires_payment_method",
        customer={"id": "cus_9", "object": "customer"},
        metadata=None,
    )
    _, found = wire.run([intent], lambda p: p.get_payment_intent("pi_1"))
    assert (found.customer, found.metadata) == ("cus_9", {})


def nulled(kind: str, **fields: Any) -> dict[str, Any]:
    """An object as bare as the API documents it."""
    return {"id": f"{kind[:2]}_1", "object": kind, "metadata": None, **fields}


SESSION: Any = nulled(
    "checkout.session",
    mode="setup",
    payment_status="no_payment_required",
    expires_at=1_800_000_000,
    **dict.fromkeys(("status", "url", "amount_total", "currency", "customer", "payment_intent")),
)


def test_a_listing_holds_sessions_without_an_amount(wire: Any) -> None:
    """What is null of a session: https://docs.stripe.com/api/checkout/sessions/object"""
    listed = wire.object(object="list", data=[SESSION], has_more=False)
    _, page = wire.run([listed], lambda p: p.list_checkout_sessions())
    assert page == CheckoutPage(
        (
            CheckoutSession(
                id="ch_1",
                url="",
                status="",
                payment_status="no_payment_required",
                amount=None,
                currency="",
                expires_at=1_800_000_000,
            ),
        )
    )


@pytest.mark.parametrize("field", ["id", "payment_status", "expires_at"])
def test_what_is_never_null_is_not_believed_to_be(wire: Any, field: str) -> None:
    answer = wire.object(**SESSION | {field: None})
    _, failed = wire.run([answer], lambda p: p.get_checkout_session("cs_1"))
    assert isinstance(failed, ProtocolViolation)
    assert f"`{field}`" in failed.message


@pytest.mark.parametrize("field", ["amount_total", "currency", "status", "customer"])
def test_what_may_be_null_may_not_be_anything_else(wire: Any, field: str) -> None:
    answer = wire.object(**SESSION | {field: 1.5})
    _, failed = wire.run([answer], lambda p: p.get_checkout_session("cs_1"))
    assert isinstance(failed, ProtocolViolation)


def test_bare_payments_and_refunds_are_read(wire: Any) -> None:
    """https://docs.stripe.com/api/refunds/object"""
    bare = nulled("refund", amount=5, currency="usd", status=None, payment_intent=None, charge="ch")
    _, refund = wire.run([wire.object(**bare)], lambda p: p.get_refund("re_1"))
    assert refund == Refund("re_1", "", 5, "usd", "")
    bare = nulled("payment_intent", amount=5, amount_received=0, currency="usd", status="canceled")
    _, intent = wire.run([wire.object(**bare, customer=None)], lambda p: p.get_payment_intent("p"))
    assert intent == PaymentIntent("pa_1", 5, "usd", "canceled")


@pytest.mark.parametrize(
    ("operation", "id", "kind"),
    [
        ("get_customer", "cus_1", "customer"),
        ("get_checkout_session", "cs_1", "checkout.session"),
        ("get_payment_intent", "pi_1", "payment_intent"),
        ("get_refund", "re_1", "refund"),
    ],
)
def test_what_was_deleted_is_absent(wire: Any, operation: str, id: str, kind: str) -> None:
    """https://docs.stripe.com/api/customers/retrieve"""
    left = wire.object(id=id, object=kind, deleted=True)
    _, found = wire.run([left], lambda p: getattr(p, operation)(id))
    assert found is None


def test_nothing_that_was_created_is_deleted(wire: Any) -> None:
    left = wire.customer(deleted=True)
    _, failed = wire.run([left], lambda p: p.create_customer(idempotency_key="k"))
    assert isinstance(failed, ProtocolViolation)
    assert failed.outcome is Outcome.UNKNOWN


def test_no_fields_are_needed_that_are_not_read(wire: Any) -> None:
    _, found = wire.run([wire.customer(more={"x": 1})], lambda p: p.get_customer("cus_1"))
    assert found == Customer("cus_1")
