"""Promises about events, and about the webhooks that bring them."""

import json

from core_caps.capabilities.payments import Event, Payments, SignedPayload
from core_caps.contract.payment_service.reading import caused_by
from core_caps.contract.reading import at, pass_time, refused
from core_caps.contract.suite import World, expect, expect_error, promise
from core_caps.errors import (
    Outcome,
    ProtocolViolation,
    ProviderError,
    SignatureInvalid,
    SignatureTooOld,
    Unauthenticated,
)

__all__ = ["BODY", "CASES"]

_OBJECT = {"id": "cs_test_1", "object": "checkout.session", "metadata": {"é": '☂ \\ " &'}}
BODY = json.dumps(
    {
        "id": "evt_1",
        "object": "event",
        "type": "checkout.session.completed",
        "created": 1_700_000_000,
        "livemode": False,
        "data": {"object": _OBJECT},
        "request": {"id": None, "idempotency_key": "key-1"},
    },
    ensure_ascii=False,
).encode()
"""An event as a webhook brings it."""


@promise("create_customer", "list_events")
async def what_happens_is_told_with_the_key_of_its_request(
    payments: Payments, world: World
) -> None:
    """Once, about the very object, with a time; under the idempotency key that caused it."""
    key, before = at(world, "told", "k"), world.clock.now()
    made = await payments.create_customer(email="ada@example.com", idempotency_key=key)
    told = await caused_by(payments, key)
    expect("one thing happened", len(told) == 1, told)
    about = told[0].object.get("id")
    expect("to the customer that was created", about == made.id, told)
    expect("it has an id and a type", bool(told[0].id and told[0].type), told)
    late = told[0].created_at - before
    expect("created_at is when, in seconds since 1970", -120 < late < 120, told[0].created_at)


@promise("create_customer", "list_events")
async def events_are_listed_page_by_page(payments: Payments, world: World) -> None:
    """The newest first, each once; of some types, or all."""
    keys = [at(world, "pages", str(number)) for number in range(5)]
    for key in keys:
        await payments.create_customer(idempotency_key=key)
    (newest,) = await caused_by(payments, keys[-1])
    found: list[Event] = []
    cursor: str | None = None
    for _ in range(200):
        page = await payments.list_events(types=[newest.type], limit=2, cursor=cursor)
        expect("a page has no more than was asked for", len(page.events) <= 2, page)
        found += page.events
        cursor = page.cursor
        if cursor is None:
            break
    kinds = {event.type for event in found}
    expect("only of the types asked for", kinds == {newest.type}, kinds)
    listed = [event.idempotency_key for event in found if event.idempotency_key in keys]
    expect("each once, the newest first", listed == keys[::-1], listed)
    other = await payments.list_events(types=["no.such.type"])
    expect("of a type that never happened there is none", not other.events, other)


@promise("list_events")
async def a_page_has_a_size_and_a_cursor_is_ones_own(payments: Payments, world: World) -> None:
    """Neither nothing nor less is asked for, and no cursor is made up."""
    for limit in (0, -1):
        await refused(f"a limit of {limit} is refused", payments.list_events(limit=limit))
    await refused("a cursor of nobody is refused", payments.list_events(cursor="nobody's"))


@promise("parse_webhook", "sign_webhook")
async def what_is_signed_is_believed(payments: Payments, world: World) -> None:
    """The event is as its sender wrote it."""
    signed = await payments.sign_webhook(BODY)
    expect("signing leaves the payload as it is", signed.payload == BODY, signed)
    event = await payments.parse_webhook(signed.payload, signed.signature)
    wanted = Event(
        "evt_1", "checkout.session.completed", 1_700_000_000, _OBJECT, "key-1", live=False
    )
    expect("an event is as its sender wrote it", event == wanted, event)
    again = await payments.parse_webhook(signed.payload, signed.signature)
    expect("and the same when it comes twice", again == event, again)


@promise("parse_webhook", "sign_webhook")
async def what_was_changed_is_not_believed(payments: Payments, world: World) -> None:
    """One byte of the body, of the signature or of its time."""
    signed = await payments.sign_webhook(BODY)
    other = await payments.sign_webhook(BODY + b" ")
    changed = (
        SignedPayload(BODY.replace(b"evt_1", b"evt_2"), signed.signature),
        SignedPayload(BODY + b"\n", signed.signature),
        SignedPayload(b"", signed.signature),
        SignedPayload(BODY, other.signature),
        SignedPayload(BODY, _turned(signed.signature)),
        SignedPayload(BODY, signed.signature.upper()),
        SignedPayload(BODY, signed.signature[1:]),
        SignedPayload(BODY, signed.signature[:-1]),
        SignedPayload(BODY, ""),
        SignedPayload(BODY, "é"),
    )
    for one in changed:
        error = await expect_error(
            SignatureInvalid,
            "what was changed is not believed",
            payments.parse_webhook(one.payload, one.signature),
        )
        whole = error.outcome is Outcome.NOT_APPLIED
        expect("refusing is NOT_APPLIED", whole, error.outcome)


@promise("parse_webhook", "sign_webhook", limits=("webhook_age_seconds_max",), needs_time=True)
async def an_old_signature_is_refused(payments: Payments, world: World) -> None:
    """Good as long as the limit says, and not a second longer."""
    longest = world.limits["webhook_age_seconds_max"]
    signed = await payments.sign_webhook(BODY)
    await pass_time(world, longest - 1)
    await payments.parse_webhook(signed.payload, signed.signature)
    await pass_time(world, 3)
    error = await expect_error(
        SignatureTooOld,
        f"a signature of more than {longest} s is too old",
        payments.parse_webhook(signed.payload, signed.signature),
    )
    expect("NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
    await expect_error(
        SignatureInvalid,
        "no age excuses a wrong signature",
        payments.parse_webhook(BODY + b" ", signed.signature),
    )


@promise("parse_webhook", "sign_webhook")
async def a_signed_body_that_is_no_event_is_refused(payments: Payments, world: World) -> None:
    """ProtocolViolation: it is theirs, and says nothing that is understood."""
    event = json.loads(BODY)
    bodies = (b"", b"no json", b"\xff\xfe", b"[]", b"{}", json.dumps({**event, "id": 5}).encode())
    for body in (*bodies, json.dumps({**event, "data": None}).encode()):
        signed = await payments.sign_webhook(body)
        error = await expect_error(
            ProviderError,
            "a signed body that is no event is refused",
            payments.parse_webhook(signed.payload, signed.signature),
        )
        kind = isinstance(error, ProtocolViolation) and not isinstance(error, Unauthenticated)
        expect("as a ProtocolViolation", kind, type(error).__name__)
        expect("NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)


def _turned(signature: str) -> str:
    """The signature with its last hexadecimal digit changed."""
    return signature[:-1] + ("0" if signature[-1] != "0" else "1")


CASES = (
    what_happens_is_told_with_the_key_of_its_request,
    events_are_listed_page_by_page,
    a_page_has_a_size_and_a_cursor_is_ones_own,
    what_is_signed_is_believed,
    what_was_changed_is_not_believed,
    an_old_signature_is_refused,
    a_signed_body_that_is_no_event_is_refused,
)
