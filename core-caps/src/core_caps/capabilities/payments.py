"""Payments: customers, prices, checkout pages, payments and refunds, each write under a key.

Money is whole numbers of the currency's smallest unit, 1999 and "usd", never a fraction. Every
write takes the idempotency key that was derived for its piece of work (`core_caps.keys`), and the
service itself applies what comes twice under one key once.

`PaymentsReader`, `PaymentsWriter` and `Webhooks` are the halves a flow may be limited to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core_caps.claims.operation import Repeat, capability, operation

__all__ = [
    "CARD_CHARGED",
    "CARD_DECLINED",
    "CheckoutPage",
    "CheckoutSession",
    "Customer",
    "Event",
    "EventPage",
    "InlineItem",
    "Interval",
    "LineItem",
    "PaymentIntent",
    "Payments",
    "PaymentsReader",
    "PaymentsWriter",
    "Price",
    "Refund",
    "SignedPayload",
    "Webhooks",
    "key_problem",
]

CARD_CHARGED = "pm_card_visa"
"""The payment method that every provider's test mode charges."""

CARD_DECLINED = "pm_card_chargeDeclined"
"""The payment method that every provider's test mode declines."""

Interval = Literal["day", "week", "month", "year"]
"""How often a price is charged again."""


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays.

    Attributes:
        email, name: "" where there is none.
        metadata: texts of one's own, by name.
    """

    id: str
    email: str = ""
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Price:
    """What one of a product costs.

    Attributes:
        product: the product's id.
        amount: in the currency's smallest unit.
        currency: three lower-case letters of ISO 4217.
        interval: how often it is charged again, or None for a price that is paid once.
    """

    id: str
    product: str
    amount: int
    currency: str
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class LineItem:
    """So many of what a price is for."""

    price: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class InlineItem:
    """So many of something that has no price of its own kept.

    Attributes:
        name: what the customer reads.
        amount: what one of it costs, in the currency's smallest unit.
        currency: three lower-case letters of ISO 4217.
        interval: how often it is charged again, or None.
    """

    name: str
    amount: int
    currency: str
    quantity: int = 1
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class CheckoutSession:
    """A page on which a customer pays.

    Attributes:
        url: the page's address, "" once the session is complete or expired, or where it has none.
        status: "open", "complete" or "expired"; "" of a session that is older than the states.
        payment_status: "unpaid", "paid" or "no_payment_required".
        amount: all items together, in the currency's smallest unit; None where nothing is paid
            for, as on a page that only keeps a payment method for later.
        currency: three lower-case letters of ISO 4217, "" where nothing is paid for.
        customer, payment_intent: ids, "" where there is none yet.
        metadata: what it was created with; it comes back in the events about the session.
        expires_at: in seconds since 1970.
    """

    id: str
    url: str
    status: str
    payment_status: str
    amount: int | None
    currency: str
    customer: str = ""
    payment_intent: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    expires_at: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckoutPage:
    """Part of the checkout sessions, the newest first.

    Attributes:
        cursor: pass it on to get what is older; None at the end.
    """

    sessions: Sequence[CheckoutSession] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentIntent:
    """One payment, from the wish to the money.

    Attributes:
        amount: what is to be paid, in the currency's smallest unit.
        received: what was paid.
        status: "requires_payment_method", "requires_confirmation", "requires_action",
            "processing", "requires_capture", "canceled" or "succeeded".
        customer: an id, or "".
        metadata: texts of one's own, by name.
    """

    id: str
    amount: int
    currency: str
    status: str
    received: int = 0
    customer: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back.

    Attributes:
        payment_intent: the payment that it comes from, "" where it comes from a charge alone.
        amount: in the currency's smallest unit.
        status: "pending", "requires_action", "succeeded", "failed" or "canceled"; "" where the
            service does not say.
    """

    id: str
    payment_intent: str
    amount: int
    currency: str
    status: str
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. It may be told several times and in any order; `id` is the same.

    Attributes:
        type: what happened, `checkout.session.completed`.
        created_at: when, in seconds since 1970.
        object: the thing that it happened to, as the vendor's JSON shows it.
        idempotency_key: the key of the request that caused it, or "".
        live: whether it is about real money.
    """

    id: str
    type: str
    created_at: float
    object: Mapping[str, object]
    idempotency_key: str = ""
    live: bool = False


@dataclass(frozen=True, slots=True)
class EventPage:
    """Part of the events, the newest first.

    Attributes:
        cursor: pass it on to get what is older; None at the end.
    """

    events: Sequence[Event] = ()
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class SignedPayload:
    """What a webhook sends: the body as it is, and the header that proves who sent it when."""

    payload: bytes
    signature: str


class PaymentsReader(Protocol):
    """The half of Payments that only looks. What does not exist is None."""

    @operation("resource::payment::read")
    async def get_customer(self, id: str) -> Customer | None:
        """The customer of that id; None once it was deleted, too."""
        ...

    @operation("resource::payment::read")
    async def get_checkout_session(self, id: str) -> CheckoutSession | None:
        """The checkout session of that id."""
        ...

    @operation("resource::payment::read")
    async def list_checkout_sessions(
        self, *, customer: str = "", limit: int = 100, cursor: str | None = None
    ) -> CheckoutPage:
        """The checkout sessions, the newest first.

        Args:
            customer: only those of this customer; "" is all.
            limit: sessions at most.
            cursor: what an earlier page gave, of a listing of the same customer.

        Raises:
            InvalidArgument: `limit` is out of range, or the cursor is none.
        """
        ...

    @operation("resource::payment::read")
    async def get_payment_intent(self, id: str) -> PaymentIntent | None:
        """The payment of that id."""
        ...

    @operation("resource::payment::read")
    async def get_refund(self, id: str) -> Refund | None:
        """The refund of that id."""
        ...

    @operation("resource::payment::read")
    async def list_events(
        self, *, types: Sequence[str] = (), limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        """What happened, the newest first; as far back as the service remembers.

        Args:
            types: only events of these types; all where there are none.
            limit: events at most.
            cursor: what an earlier page gave, of a listing of the same types.

        Raises:
            InvalidArgument: `limit` or `types` is out of range, or the cursor is none.
        """
        ...


class PaymentsWriter(Protocol):
    """The half of Payments that changes something.

    The same call again under the same key changes nothing more and is answered as the first was,
    a decline too; the key with another call is a KeyCollision (IDEM099). An argument beyond a
    limit is InvalidArgument; what a write is about, or names, and does not exist is ObjectAbsent;
    both NOT_APPLIED.
    """

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def create_customer(
        self,
        *,
        email: str = "",
        name: str = "",
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Customer:
        """A new customer."""
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def create_price(
        self,
        amount: int,
        currency: str,
        *,
        product_name: str,
        interval: Interval | None = None,
        idempotency_key: str,
    ) -> Price:
        """A new price, and the product of that name that it is for."""
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def create_checkout_session(
        self,
        items: Sequence[LineItem | InlineItem],
        *,
        success_url: str,
        cancel_url: str = "",
        customer: str = "",
        metadata: Mapping[str, str] | None = None,
        recurring: bool = False,
        idempotency_key: str,
    ) -> CheckoutSession:
        """A new page on which a customer pays for these items.

        Args:
            items: what is paid for, all in one currency.
            success_url: where the customer goes afterwards.
            cancel_url: where who does not want to pay goes.
            customer: the id of a customer who is known.
            metadata: texts that come back in every event about the session.
            recurring: items are charged again and again; at least one has an interval, and
                otherwise none.
            idempotency_key: the key of this piece of work.
        """
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def expire_checkout_session(self, id: str, *, idempotency_key: str) -> CheckoutSession:
        """Close an open checkout session; nobody can pay on it any more.

        Raises:
            PreconditionFailed: it is not open; NOT_APPLIED.
        """
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def create_payment_intent(
        self,
        amount: int,
        currency: str,
        *,
        customer: str = "",
        payment_method: str = "",
        confirm: bool = False,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> PaymentIntent:
        """A new payment; with `confirm` it is made at once, by the payment method given.

        Raises:
            PaymentDeclined: with `confirm`, nobody paid; the payment stays and can be confirmed
                by another method. `payment_intent` names it.
        """
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def confirm_payment_intent(
        self, id: str, *, payment_method: str = "", idempotency_key: str
    ) -> PaymentIntent:
        """Make the payment.

        Raises:
            PaymentDeclined: nobody paid; the payment can be confirmed by another method.
            PreconditionFailed: its status does not allow it, as when it succeeded; NOT_APPLIED.
        """
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def cancel_payment_intent(self, id: str, *, idempotency_key: str) -> PaymentIntent:
        """Give a payment up that was not made.

        Raises:
            PreconditionFailed: it was made or given up before; NOT_APPLIED.
        """
        ...

    @operation("resource::payment::write", repeat=Repeat.KEYED, key="idempotency_key")
    async def create_refund(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Refund:
        """Give money back, at most what was paid and not given back yet.

        Args:
            payment_intent: the payment.
            amount: how much of it; None is all that is left.
            metadata: texts of one's own.
            idempotency_key: the key of this piece of work.

        Raises:
            InvalidArgument: it is more than is left; NOT_APPLIED.
            PreconditionFailed: nothing was paid, or all was given back; NOT_APPLIED.
        """
        ...


class Webhooks(Protocol):
    """The half of Payments that believes, or does not, what comes over the network."""

    @operation("resource::clock")
    async def parse_webhook(self, payload: bytes, signature: str) -> Event:
        """The event that a webhook brought, if the service itself signed it lately.

        An event may come several times and in any order: know a repeat by its `id`.

        Args:
            payload: the request's body, byte for byte as it came.
            signature: the header in which the service signs it.

        Raises:
            SignatureInvalid: nobody who has the secret signed this body; NOT_APPLIED.
            SignatureTooOld: it was signed longer ago than is tolerated; NOT_APPLIED.
            ProtocolViolation: it is signed and is no event; NOT_APPLIED.
        """
        ...

    @operation("resource::clock")
    async def sign_webhook(self, payload: bytes) -> SignedPayload:
        """The payload, signed now as the service would: for tests, and for passing an event on."""
        ...


@capability("payments", version=1)
class Payments(PaymentsReader, PaymentsWriter, Webhooks, Protocol):
    """A payment service."""


def key_problem(event: Event, derived: object) -> str | None:
    """Why the request that caused an event was not made under the derived key, or None.

    The service tells with each event under which key its request came; where that is another than
    the flow derives for the same work, a repeat of the work is paid twice.

    Args:
        event: a recorded event.
        derived: the key that the flow derives now, as `idempotency_key` or its text.
    """
    if not event.idempotency_key:
        return f"{event.type} {event.id} was caused by no request under an idempotency key"
    if event.idempotency_key == str(derived):
        return None
    return (
        f"{event.type} {event.id} was made under the key {event.idempotency_key}, and the key of "
        f"its work is {derived}"
    )
