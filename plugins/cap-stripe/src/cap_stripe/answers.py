"""Reading what the API answered: objects, lists and events. Nothing is guessed.

Every function here either returns what the API documents or raises Malformed with the reason.
What the API documents as nullable may be null: https://docs.stripe.com/api
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from core_caps.capabilities.payments import (
    CheckoutPage,
    CheckoutSession,
    Customer,
    Event,
    EventPage,
    Interval,
    PaymentIntent,
    Price,
    Refund,
)
from core_caps.http.failures import Malformed

from cap_stripe.arguments import INTERVALS

__all__ = [
    "checkout_page",
    "checkout_session",
    "customer",
    "event",
    "event_page",
    "payment_intent",
    "price",
    "refund",
    "unless_deleted",
]

_Item = TypeVar("_Item")


def unless_deleted(read: Callable[[object], _Item]) -> Callable[[object], _Item | None]:
    """The reader, for which what was deleted is None: its id is all that is left of it.

    https://docs.stripe.com/api/customers/retrieve
    """
    return lambda answer: None if _below(answer).get("deleted") is True else read(answer)


def customer(answer: object) -> Customer:
    """A customer."""
    given = _object(answer, "customer")
    return Customer(
        _text(given, "id"),
        _text(given, "email", missing=""),
        _text(given, "name", missing=""),
        _metadata(given),
    )


def price(answer: object) -> Price:
    """A price."""
    given = _object(answer, "price")
    interval: Interval | None = None
    recurring = given.get("recurring")
    if isinstance(recurring, Mapping):
        told = _text(cast("Mapping[str, object]", recurring), "interval")
        if told not in INTERVALS:
            raise Malformed(f"the interval {told[:20]!r} is none")
        interval = told
    return Price(
        _text(given, "id"),
        _reference(given, "product"),
        _whole(given, "unit_amount"),
        _text(given, "currency"),
        interval,
    )


def checkout_session(answer: object) -> CheckoutSession:
    """A checkout session."""
    given = _object(answer, "checkout.session")
    status = _text(given, "status", missing="")
    return CheckoutSession(
        id=_text(given, "id"),
        url=_text(given, "url", missing="") if status == "open" else "",
        status=status,
        payment_status=_text(given, "payment_status"),
        amount=None if given.get("amount_total") is None else _whole(given, "amount_total"),
        currency=_text(given, "currency", missing=""),
        customer=_reference(given, "customer"),
        payment_intent=_reference(given, "payment_intent"),
        metadata=_metadata(given),
        expires_at=float(_whole(given, "expires_at")),
    )


def payment_intent(answer: object) -> PaymentIntent:
    """A payment."""
    given = _object(answer, "payment_intent")
    return PaymentIntent(
        id=_text(given, "id"),
        amount=_whole(given, "amount"),
        currency=_text(given, "currency"),
        status=_text(given, "status"),
        received=_whole(given, "amount_received"),
        customer=_reference(given, "customer"),
        metadata=_metadata(given),
    )


def refund(answer: object) -> Refund:
    """A refund."""
    given = _object(answer, "refund")
    return Refund(
        id=_text(given, "id"),
        payment_intent=_reference(given, "payment_intent"),
        amount=_whole(given, "amount"),
        currency=_text(given, "currency"),
        status=_text(given, "status", missing=""),
        metadata=_metadata(given),
    )


def event(answer: object) -> Event:
    """An event. https://docs.stripe.com/api/events/object"""
    given = _object(answer, "event")
    about = _below(_below(given.get("data")).get("object"))
    if not about:
        raise Malformed("an event is about no object")
    caused = _below(given.get("request"))
    return Event(
        id=_text(given, "id"),
        type=_text(given, "type"),
        created_at=float(_whole(given, "created")),
        object=about,
        idempotency_key=_text(caused, "idempotency_key", missing=""),
        live=given.get("livemode") is True,
    )


def event_page(answer: object) -> EventPage:
    """Part of the events."""
    return EventPage(*_page(answer, event, lambda each: each.id))


def checkout_page(answer: object) -> CheckoutPage:
    """Part of the checkout sessions."""
    return CheckoutPage(*_page(answer, checkout_session, lambda each: each.id))


def _page(
    answer: object, read: Callable[[object], _Item], name: Callable[[_Item], str]
) -> tuple[Sequence[_Item], str | None]:
    given = _object(answer, "list")
    data, more = given.get("data"), given.get("has_more")
    if not isinstance(data, list) or not isinstance(more, bool):
        raise Malformed("a list lacks `data` or `has_more`")
    items = [read(each) for each in cast("list[object]", data)]
    if more and not items:
        raise Malformed("a list has more, and nothing to go on from")
    return tuple(items), name(items[-1]) if more else None


def _object(answer: object, kind: str) -> Mapping[str, object]:
    given = _below(answer)
    if given.get("object") != kind:
        raise Malformed(f"it is no {kind}")
    if given.get("deleted") is True:
        raise Malformed(f"the {kind} was deleted")
    return given


def _below(found: object) -> Mapping[str, object]:
    """What is in an object; nothing where it is none."""
    if isinstance(found, Mapping):
        return cast("Mapping[str, object]", found)
    return dict[str, object]()


def _text(given: Mapping[str, object], name: str, *, missing: str | None = None) -> str:
    found = given.get(name)
    if found is None and missing is not None:
        return missing
    if not isinstance(found, str) or not (found or missing is not None):
        raise Malformed(f"`{name}` is no text")
    return found


def _whole(given: Mapping[str, object], name: str) -> int:
    found = given.get(name)
    if type(found) is not int:
        raise Malformed(f"`{name}` is no whole number")
    return found


def _reference(given: Mapping[str, object], name: str) -> str:
    """The id of another object, or "": it stands there by its id, or whole."""
    match given.get(name):
        case None:
            return ""
        case str(found):
            return found
        case {"id": str(found)}:
            return found
        case _:
            raise Malformed(f"`{name}` is no id")


def _metadata(given: Mapping[str, object]) -> Mapping[str, str]:
    found = given.get("metadata")
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Malformed("`metadata` is no object")
    entries = cast("Mapping[str, object]", found)
    if not all(isinstance(text, str) for text in entries.values()):
        raise Malformed("`metadata` holds what is no text")
    return dict(cast("Mapping[str, str]", entries))
