"""Payments for synchronous callers: the shapes of what `core_caps.sync.connect` yields.

What each operation promises stands in `core_caps.capabilities.payments`; a test keeps the two
equal.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from core_caps.capabilities.payments import (
    CheckoutPage,
    CheckoutSession,
    Customer,
    Event,
    EventPage,
    InlineItem,
    Interval,
    LineItem,
    PaymentIntent,
    Price,
    Refund,
    SignedPayload,
)

__all__ = ["SyncPayments", "SyncPaymentsReader", "SyncPaymentsWriter", "SyncWebhooks"]


class SyncPaymentsReader(Protocol):
    """The half of SyncPayments that only looks. What does not exist is None."""

    def get_customer(self, id: str) -> Customer | None:
        """The customer of that id."""
        ...

    def get_checkout_session(self, id: str) -> CheckoutSession | None:
        """The checkout session of that id."""
        ...

    def list_checkout_sessions(
        self, *, customer: str = "", limit: int = 100, cursor: str | None = None
    ) -> CheckoutPage:
        """The checkout sessions, the newest first."""
        ...

    def get_payment_intent(self, id: str) -> PaymentIntent | None:
        """The payment of that id."""
        ...

    def get_refund(self, id: str) -> Refund | None:
        """The refund of that id."""
        ...

    def list_events(
        self, *, types: Sequence[str] = (), limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        """What happened, the newest first; as far back as the service remembers."""
        ...


class SyncPaymentsWriter(Protocol):
    """The half of SyncPayments that changes something."""

    def create_customer(
        self,
        *,
        email: str = "",
        name: str = "",
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Customer:
        """A new customer."""
        ...

    def create_price(
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

    def create_checkout_session(
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
        """A new page on which a customer pays for these items."""
        ...

    def expire_checkout_session(self, id: str, *, idempotency_key: str) -> CheckoutSession:
        """Close an open checkout session; nobody can pay on it any more."""
        ...

    def create_payment_intent(
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
        """A new payment; with `confirm` it is made at once, by the payment method given."""
        ...

    def confirm_payment_intent(
        self, id: str, *, payment_method: str = "", idempotency_key: str
    ) -> PaymentIntent:
        """Make the payment."""
        ...

    def cancel_payment_intent(self, id: str, *, idempotency_key: str) -> PaymentIntent:
        """Give a payment up that was not made."""
        ...

    def create_refund(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Refund:
        """Give money back, at most what was paid and not given back yet."""
        ...


class SyncWebhooks(Protocol):
    """The half of SyncPayments that believes, or does not, what comes over the network."""

    def parse_webhook(self, payload: bytes, signature: str) -> Event:
        """The event that a webhook brought, if the service itself signed it lately."""
        ...

    def sign_webhook(self, payload: bytes) -> SignedPayload:
        """The payload, signed now as the service would: for tests, and for passing an event on."""
        ...


class SyncPayments(SyncPaymentsReader, SyncPaymentsWriter, SyncWebhooks, Protocol):
    """A payment service."""
