"""At least one way to use each operation: what the certifier meets with faults."""

from core_caps.capabilities.payments import CARD_CHARGED, InlineItem
from core_caps.contract.payment_service.events import BODY
from core_caps.contract.suite import PERSONAL, Call, Exercise, Result

__all__ = ["EXERCISES"]

_KEY = "3f2a9c5e" * 8
"""A key in the form in which keys are derived."""

_PAGE = {"success_url": "https://example.com/thanks?session={CHECKOUT_SESSION_ID}"}
_PERSON = {"email": PERSONAL["email"], "name": f"{PERSONAL['name']} Löve"}
_METADATA = {"search_id": "42", "é": "a&b=c+d %25"}


def _keyed(operation: str, *args: object, **named: object) -> Call:
    return Call(operation, args, {**named, "idempotency_key": _KEY})


def _first(operation: str, *args: object, **named: object) -> Call:
    """A call before the one under test, under a key of its own."""
    return Call(operation, args, {**named, "idempotency_key": f"before/{operation}"})


_CUSTOMER = _first("create_customer", email=PERSONAL["email"], name=PERSONAL["name"])
_ITEMS = [InlineItem("Alert ☂", 1999, "usd"), InlineItem("Extra & more", 250, "usd", 3)]
_SESSION = _first("create_checkout_session", _ITEMS, metadata=_METADATA, **_PAGE)
_INTENT = _first("create_payment_intent", 1999, "usd", metadata=_METADATA)
_PAID = _first("create_payment_intent", 1000, "usd", payment_method=CARD_CHARGED, confirm=True)
_ID = Result(0, "id")
_EVENTS = (Call("list_events"),)


def _after(made: Call, operation: str, name: str = "", **named: object) -> Exercise:
    """A write on what was made before."""
    return Exercise(name or operation, _keyed(operation, _ID, **named), (made,), _EVENTS)


def _read(made: Call, operation: str) -> Exercise:
    """A read of what was made before."""
    return Exercise(operation, Call(operation, (_ID,)), (made,))


EXERCISES = (
    Exercise("create_customer", _keyed("create_customer"), probe=_EVENTS),
    Exercise(
        "create_customer with everything",
        _keyed("create_customer", **_PERSON, metadata=_METADATA),
        probe=_EVENTS,
    ),
    _read(_CUSTOMER, "get_customer"),
    Exercise("create_price", _keyed("create_price", 1999, "usd", product_name="Alert")),
    Exercise(
        "create_price that recurs",
        _keyed("create_price", 500, "eur", product_name="Ü", interval="month"),
    ),
    Exercise("create_payment_intent", _keyed("create_payment_intent", 1999, "usd"), probe=_EVENTS),
    Exercise(
        "create_payment_intent and confirm",
        _keyed("create_payment_intent", 1000, "usd", payment_method=CARD_CHARGED, confirm=True),
        probe=_EVENTS,
    ),
    Exercise(
        "create_payment_intent of a customer",
        _keyed("create_payment_intent", 1999, "jpy", customer=_ID, metadata=_METADATA),
        (_CUSTOMER,),
        _EVENTS,
    ),
    _after(_INTENT, "confirm_payment_intent", payment_method=CARD_CHARGED),
    _after(_INTENT, "cancel_payment_intent"),
    _read(_INTENT, "get_payment_intent"),
    Exercise(
        "create_checkout_session",
        _keyed("create_checkout_session", _ITEMS, metadata=_METADATA, **_PAGE),
    ),
    Exercise(
        "create_checkout_session that recurs",
        _keyed(
            "create_checkout_session",
            [InlineItem("Alert", 500, "usd", interval="month")],
            cancel_url="https://example.com/",
            customer=_ID,
            recurring=True,
            **_PAGE,
        ),
        (_CUSTOMER,),
    ),
    _after(_SESSION, "expire_checkout_session"),
    _read(_SESSION, "get_checkout_session"),
    Exercise("list_checkout_sessions", Call("list_checkout_sessions"), (_SESSION,)),
    Exercise(
        "list_checkout_sessions of a customer",
        Call("list_checkout_sessions", (), {"customer": _ID, "limit": 1}),
        (_CUSTOMER, _SESSION),
    ),
    _after(_PAID, "create_refund"),
    _after(_PAID, "create_refund", "create_refund of a part", amount=600, metadata=_METADATA),
    Exercise(
        "get_refund",
        Call("get_refund", (Result(1, "id"),)),
        (_PAID, _first("create_refund", _ID, amount=600)),
    ),
    Exercise("list_events", Call("list_events"), (_CUSTOMER, _PAID)),
    Exercise(
        "list_events of some types",
        Call("list_events", (), {"types": ["customer.created"], "limit": 1}),
        (_CUSTOMER, _PAID),
    ),
    Exercise(
        "sign_webhook",
        Call("sign_webhook", (BODY,)),
    ),
    Exercise(
        "parse_webhook",
        Call("parse_webhook", (BODY, Result(0, "signature"))),
        (Call("sign_webhook", (BODY,)),),
    ),
)
