"""Histories of payments: some declined, some given back, with a few wrong keys and ids."""

import random
from collections.abc import Callable, Mapping, Sequence

from core_caps.capabilities.payments import CARD_CHARGED, CARD_DECLINED, InlineItem
from core_caps.contract.suite import Call, Result

__all__ = ["generate", "read_back"]

_AMOUNTS = (1000, 2500)
_CURRENCIES = ("usd", "eur", "jpy")
_EMAILS = ("", "ada@example.com", "eve+é@example.com")
_METADATA: Sequence[Mapping[str, str]] = ({}, {"order": "a&b=é"}, {"a": "1", "b": "2"})
_PAGE = {"success_url": "https://example.com/"}
_UNKNOWN, _UNKNOWN_SHARE = "unknown", 0.05


def generate(source: random.Random, length: int, operations: frozenset[str]) -> Sequence[Call]:
    """A history over few amounts and methods; what it refers to was surely made."""
    weights = {"create_payment_intent": 5, "confirm_payment_intent": 4, "create_refund": 4}
    names = [name for name in _MAKERS if name in operations]
    if not names:
        return []
    calls: list[Call] = []
    for name in source.choices(names, [weights.get(name, 2) for name in names], k=length):
        call = _MAKERS[name](source, name, calls)
        reads = "idempotency_key" not in call.kwargs
        calls.append(call if reads else _collided(source, call, calls))
    return calls


def read_back(calls: Sequence[Call]) -> Sequence[Call]:
    """Everything that happened, under which key, and every session."""
    return [Call("list_events"), Call("list_checkout_sessions")]


_History = Sequence[Call]
_Maker = Callable[[random.Random, str, _History], Call]


def _keyed(calls: _History, operation: str, *args: object, **named: object) -> Call:
    return Call(operation, args, {**named, "idempotency_key": f"{operation}/{len(calls)}"})


def _customer(source: random.Random, operation: str, calls: _History) -> Call:
    named = {"email": source.choice(_EMAILS), "metadata": source.choice(_METADATA)}
    return _keyed(calls, operation, **named)


def _price(source: random.Random, operation: str, calls: _History) -> Call:
    amount, currency = source.choice(_AMOUNTS), source.choice(_CURRENCIES)
    interval = source.choice((None, "month"))
    return _keyed(calls, operation, amount, currency, product_name="Alert", interval=interval)


def _checkout(source: random.Random, operation: str, calls: _History) -> Call:
    currency = source.choice(_CURRENCIES)
    items = [
        InlineItem("Alert", source.choice(_AMOUNTS), currency, source.randint(1, 3))
        for _ in range(source.randint(1, 3))
    ]
    return _keyed(calls, operation, items, metadata=source.choice(_METADATA), **_PAGE)


def _intent(source: random.Random, operation: str, calls: _History) -> Call:
    amount = source.choices((*_AMOUNTS, -1), (10, 10, 1))[0]
    named: dict[str, object] = {"metadata": source.choice(_METADATA)}
    method = source.choices(("", CARD_CHARGED, CARD_DECLINED), (3, 6, 1))[0]
    if method:
        named |= {"payment_method": method, "confirm": source.random() < 0.7}
    return _keyed(calls, operation, amount, source.choice(_CURRENCIES), **named)


def _confirm(source: random.Random, operation: str, calls: _History) -> Call:
    method = source.choices((CARD_CHARGED, CARD_DECLINED), (4, 1))[0]
    about = _one_of(source, calls, "create_payment_intent")
    return _keyed(calls, operation, about, payment_method=method)


def _about(made: str) -> _Maker:
    """A write on an object that an earlier call made."""

    def maker(source: random.Random, operation: str, calls: _History) -> Call:
        return _keyed(calls, operation, _one_of(source, calls, made))

    return maker


def _refund(source: random.Random, operation: str, calls: _History) -> Call:
    amount = source.choice((None, 400, 600, 2500))
    named = {} if amount is None else {"amount": amount}
    return _keyed(calls, operation, _one_of(source, calls, "create_payment_intent"), **named)


def _read(made: str) -> _Maker:
    """A read of an object that an earlier call made."""

    def maker(source: random.Random, operation: str, calls: _History) -> Call:
        return Call(operation, (_one_of(source, calls, made),))

    return maker


def _list(source: random.Random, operation: str, calls: _History) -> Call:
    return Call(operation)


def _one_of(source: random.Random, calls: _History, operation: str) -> object:
    """What an earlier call made, of those that surely made something; now and then nothing."""
    made = [number for number, call in enumerate(calls) if _surely_made(call, operation)]
    known = made and source.random() > _UNKNOWN_SHARE
    return Result(source.choice(made[-3:]), "id") if known else _UNKNOWN


def _surely_made(call: Call, operation: str) -> bool:
    if call.operation != operation or _is_collided(call):
        return False
    declined = call.kwargs.get("payment_method") == CARD_DECLINED and call.kwargs.get("confirm")
    return not declined and not (call.args and call.args[0] == -1)


def _collided(source: random.Random, call: Call, calls: _History) -> Call:
    """The call, or now and then under a customer's key, which is another's."""
    customers = [each for each in calls if _surely_made(each, "create_customer")]
    if not customers or call.operation == "create_customer" or source.random() > 0.06:
        return call
    key = source.choice(customers).kwargs["idempotency_key"]
    return Call(call.operation, call.args, {**call.kwargs, "idempotency_key": key})


def _is_collided(call: Call) -> bool:
    return not str(call.kwargs.get("idempotency_key")).startswith(f"{call.operation}/")


_MAKERS: Mapping[str, _Maker] = {
    "create_customer": _customer,
    "create_price": _price,
    "create_checkout_session": _checkout,
    "expire_checkout_session": _about("create_checkout_session"),
    "create_payment_intent": _intent,
    "confirm_payment_intent": _confirm,
    "cancel_payment_intent": _about("create_payment_intent"),
    "create_refund": _refund,
    "get_customer": _read("create_customer"),
    "get_checkout_session": _read("create_checkout_session"),
    "get_payment_intent": _read("create_payment_intent"),
    "list_events": _list,
}
