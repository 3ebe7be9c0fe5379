"""What a perfect service would answer: a sequential model, and what may be compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core_caps.capabilities.payments import (
    CARD_DECLINED,
    CheckoutPage,
    CheckoutSession,
    Customer,
    EventPage,
    InlineItem,
    PaymentIntent,
    Price,
    Refund,
)
from core_caps.contract.suite import Call, Result
from core_caps.errors import (
    InvalidArgument,
    KeyCollision,
    ObjectAbsent,
    PaymentDeclined,
    PreconditionFailed,
    ProviderError,
)

__all__ = ["PaymentsModel", "comparable"]

_TOLD = frozenset(
    {
        "customer.created",
        "price.created",
        "checkout.session.expired",
        "payment_intent.created",
        "payment_intent.succeeded",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "refund.created",
    }
)
"""The events that are compared: a service may tell more."""

_GONE = ("succeeded", "canceled")


@dataclass(slots=True, eq=False)
class _Made:
    """An object of the service, as it is by now.

    Attributes:
        value: what a read of it gives.
        method: the payment method of a payment.
        refunded: how much of it was given back.
    """

    value: Any
    method: str = ""
    refunded: int = 0


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was done under a key: the call, and how it was answered then."""

    work: object
    made: _Made | None
    answer: object


class PaymentsModel:
    """Objects, by the number of the call that made them. No time passes in it."""

    def __init__(self) -> None:
        self._made: list[_Made | None] = []
        self._kept: dict[str, _Kept] = {}
        self._sessions: list[_Made] = []
        self._told: list[tuple[str, str]] = []

    def apply(self, call: Call) -> object:
        """The comparable answer to a call.

        Raises:
            ProviderError: the protocol refuses it.
        """
        kept = _Kept(call, None, None)
        try:
            kept = self._answered(call)
        finally:
            self._made.append(kept.made)
        if isinstance(kept.answer, ProviderError):
            raise kept.answer
        return comparable(call, kept.answer)

    def state(self) -> object:
        """What happened, and the sessions."""
        return sorted(self._told), self._listed()

    def _answered(self, call: Call) -> _Kept:
        args = [self._resolved(value) for value in call.args]
        given = {name: self._resolved(value) for name, value in call.kwargs.items()}
        if "idempotency_key" not in given:
            return _Kept(call, None, self._read(call.operation, args))
        key, work = str(given.pop("idempotency_key")), (call.operation, args, given)
        _check(call)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = self._done(key, call.operation, args, given)
        elif kept.work != work:
            raise KeyCollision("another call", keys=[key])
        return kept

    def _done(self, key: str, operation: str, args: list[Any], given: dict[str, Any]) -> _Kept:
        """The call, made now; only a decline is an answer that is kept, of those that refuse."""
        work = (operation, args, given)
        try:
            made: _Made = getattr(self, f"_{operation}")(key, *args, **given)
        except PaymentDeclined as declined:
            return _Kept(work, None, declined)
        return _Kept(work, made, made.value)

    def _resolved(self, value: object) -> Any:
        return self._made[value.step] if isinstance(value, Result) else value

    def _read(self, operation: str, args: list[Any]) -> object:
        if operation == "list_events":
            return sorted(self._told)
        if operation == "list_checkout_sessions":
            return self._listed()
        return args[0].value if isinstance(args[0], _Made) else None

    def _listed(self) -> list[list[object]]:
        return sorted(_session(made.value) for made in self._sessions)

    def _create_customer(self, key: str, **given: Any) -> _Made:
        self._told.append(("customer.created", key))
        return _Made(Customer("", **given))

    def _create_price(self, key: str, amount: int, currency: str, **given: Any) -> _Made:
        self._told.append(("price.created", key))
        return _Made(Price("", "", amount, currency, given.get("interval")))

    def _create_checkout_session(
        self, key: str, items: Sequence[InlineItem], **given: Any
    ) -> _Made:
        amount = sum(item.amount * item.quantity for item in items)
        metadata = given.get("metadata", {})
        made = _Made(
            CheckoutSession("", "", "open", "unpaid", amount, items[0].currency, metadata=metadata)
        )
        self._sessions.append(made)
        return made

    def _expire_checkout_session(self, key: str, session: Any) -> _Made:
        if not isinstance(session, _Made):
            raise ObjectAbsent("no such session")
        was: CheckoutSession = session.value
        if was.status != "open":
            raise PreconditionFailed("it is not open")
        self._told.append(("checkout.session.expired", key))
        session.value = CheckoutSession(
            "", "", "expired", "unpaid", was.amount, was.currency, metadata=was.metadata
        )
        return session

    def _create_payment_intent(
        self,
        key: str,
        amount: int,
        currency: str,
        *,
        payment_method: str = "",
        confirm: bool = False,
        metadata: Mapping[str, str] | None = None,
    ) -> _Made:
        status = "requires_confirmation" if payment_method else "requires_payment_method"
        made = _Made(
            PaymentIntent("", amount, currency, status, metadata=metadata or {}), payment_method
        )
        self._told.append(("payment_intent.created", key))
        return self._confirmed(key, made) if confirm else made

    def _confirm_payment_intent(self, key: str, intent: Any, *, payment_method: str) -> _Made:
        if not isinstance(intent, _Made):
            raise ObjectAbsent("no such payment")
        if intent.value.status in _GONE:
            raise PreconditionFailed("it was made, or given up")
        intent.method = payment_method
        return self._confirmed(key, intent)

    def _confirmed(self, key: str, made: _Made) -> _Made:
        if made.method == CARD_DECLINED:
            self._told.append(("payment_intent.payment_failed", key))
            self._become(made, "requires_payment_method")
            raise PaymentDeclined("the bank said no")
        self._told.append(("payment_intent.succeeded", key))
        self._become(made, "succeeded")
        return made

    def _cancel_payment_intent(self, key: str, intent: Any) -> _Made:
        if not isinstance(intent, _Made):
            raise ObjectAbsent("no such payment")
        if intent.value.status in _GONE:
            raise PreconditionFailed("it was made, or given up")
        self._told.append(("payment_intent.canceled", key))
        self._become(intent, "canceled")
        return intent

    def _create_refund(self, key: str, intent: Any, *, amount: int | None = None) -> _Made:
        if not isinstance(intent, _Made):
            raise ObjectAbsent("no such payment")
        was: PaymentIntent = intent.value
        left = was.received - intent.refunded
        if left <= 0:
            raise PreconditionFailed("nothing is left")
        if amount is not None and amount > left:
            raise InvalidArgument("more than is left")
        given = left if amount is None else amount
        intent.refunded += given
        self._told.append(("refund.created", key))
        return _Made(Refund("", "", given, was.currency, "succeeded"))

    def _become(self, made: _Made, status: str) -> None:
        was: PaymentIntent = made.value
        received = was.amount if status == "succeeded" else 0
        made.value = PaymentIntent(
            "", was.amount, was.currency, status, received, metadata=was.metadata
        )


def comparable(call: Call, result: object) -> object:
    """What was made, without ids, addresses and times; what happened, by type and key."""
    match result:
        case Customer():
            return ["customer", result.email, result.name, dict(result.metadata)]
        case Price():
            return ["price", result.amount, result.currency, result.interval]
        case CheckoutSession():
            return _session(result)
        case PaymentIntent():
            given = [result.amount, result.currency, result.status, result.received]
            return ["payment", *given, dict(result.metadata)]
        case Refund():
            return ["refund", result.amount, result.currency]
        case CheckoutPage():
            return sorted(map(_session, result.sessions))
        case EventPage():
            pairs = ((event.type, event.idempotency_key) for event in result.events)
            return sorted(pair for pair in pairs if pair[0] in _TOLD)
        case _ if call.operation == "sign_webhook":
            return "signed"
        case _:
            return result


def _session(session: CheckoutSession) -> list[object]:
    metadata = sorted(session.metadata.items())
    return ["session", session.status, session.payment_status, session.amount, session.currency,
            metadata]  # fmt: skip


def _check(call: Call) -> None:
    if call.operation == "create_payment_intent" and call.args[0] == -1:
        raise InvalidArgument("no amount")
