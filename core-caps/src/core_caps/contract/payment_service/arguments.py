"""Promises about arguments of another type: each is refused, and nothing is written.

A table of calls: what a type checker would refuse is met at run time too.
"""

import math
from collections.abc import Iterator
from decimal import Decimal

from core_caps.capabilities.payments import InlineItem, LineItem, Payments
from core_caps.contract.payment_service.reading import CURRENCY, SUCCESS_URL
from core_caps.contract.reading import all_refused, at
from core_caps.contract.suite import Call, World, expect, promise

__all__ = ["CASES", "wrong_calls"]

_NO_TEXT = (None, 5, True, b"bytes", ("a", "tuple"), "lone surrogate \ud800")
_NO_AMOUNT = (None, "1999", 19.99, 1999.0, True, math.nan, Decimal(1999))
_NO_METADATA = (5, "text", ["list"], {"k": 5}, {"k": None}, {5: "v"}, {"": "v"}, {"k": "\ud800"})
_NO_SEQUENCE = (None, 5, "text", b"bytes")


def wrong_calls(key: str) -> Iterator[Call]:
    """Calls that no provider takes, with `key` where another argument is the wrong one."""
    keyed = {"idempotency_key": key}
    page = {"success_url": SUCCESS_URL, **keyed}
    for bad in _NO_TEXT:
        yield Call("create_customer", (), {"idempotency_key": bad})
        yield Call("create_customer", (), {"email": bad, **keyed})
        yield Call("create_customer", (), {"name": bad, **keyed})
        yield Call("create_price", (100, bad), {"product_name": "Alert", **keyed})
        yield Call("create_price", (100, CURRENCY), {"product_name": bad, **keyed})
        yield Call("create_payment_intent", (100, bad), keyed)
        yield Call("create_payment_intent", (100, CURRENCY), {"customer": bad, **keyed})
        yield Call("create_payment_intent", (100, CURRENCY), {"payment_method": bad, **keyed})
        yield Call("confirm_payment_intent", (bad,), keyed)
        yield Call("cancel_payment_intent", (bad,), keyed)
        yield Call("expire_checkout_session", (bad,), keyed)
        yield Call("create_refund", (bad,), keyed)
        yield Call("create_checkout_session", ([LineItem("p")],), {**page, "success_url": bad})
        yield Call("create_checkout_session", ([LineItem(bad)],), page)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("create_checkout_session", ([InlineItem("A", 1, bad)],), page)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        for read in ("customer", "checkout_session", "payment_intent", "refund"):
            yield Call(f"get_{read}", (bad,))
        yield Call("list_checkout_sessions", (), {"customer": bad})
        yield Call("list_events", (), {"types": [bad]})
    for bad in _NO_AMOUNT:
        yield Call("create_price", (bad, CURRENCY), {"product_name": "Alert", **keyed})
        yield Call("create_payment_intent", (bad, CURRENCY), keyed)
        yield Call("create_checkout_session", ([LineItem("p", bad)],), page)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("create_checkout_session", ([InlineItem("A", bad, CURRENCY)],), page)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        yield Call("list_events", (), {"limit": bad})
        if bad is not None:
            yield Call("create_refund", ("pi_1",), {"amount": bad, **keyed})
    for bad in _NO_METADATA:
        yield Call("create_customer", (), {"metadata": bad, **keyed})
        yield Call("create_refund", ("pi_1",), {"metadata": bad, **keyed})
    for bad in _NO_SEQUENCE:
        yield Call("create_checkout_session", (bad,), page)
        yield Call("list_events", (), {"types": bad})
    yield Call("create_checkout_session", (["price_1"],), page)
    for bad in ("", "fortnight", 5, True):
        yield Call("create_price", (100, CURRENCY), {"product_name": "A", "interval": bad, **keyed})
    for bad in (None, 5, "text", ["list"]):
        yield Call("parse_webhook", (bad, "t=1,v1=a"))
        yield Call("sign_webhook", (bad,))
    for bad in ("yes", 1, None):
        yield Call("create_payment_intent", (100, CURRENCY), {"confirm": bad, **keyed})


@promise(courtesy=True)
async def an_argument_of_another_type_is_refused(payments: Payments, world: World) -> None:
    """InvalidArgument, NOT_APPLIED, whichever operation and argument; nothing is written."""
    await all_refused(payments, world, wrong_calls(at(world, "arguments")))
    if "list_events" in world.operations and not world.prefix:
        left = (await payments.list_events()).events
        expect("a refused call writes nothing", not left, left)


CASES = (an_argument_of_another_type_is_refused,)
