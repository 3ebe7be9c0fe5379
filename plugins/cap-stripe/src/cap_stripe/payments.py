"""Payments through the official SDK: each operation checks what it was given, and asks once."""

from collections.abc import Mapping, Sequence

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
from core_caps.errors import ClientClosed

from cap_stripe import answers
from cap_stripe.api import Api
from cap_stripe.arguments import (
    checked_flag,
    checked_interval,
    checked_key,
    checked_metadata,
    checked_name,
    checked_text,
    checked_types,
)
from cap_stripe.ids import checked_id, is_id
from cap_stripe.items import checked_items, line, repeated
from cap_stripe.money import checked_amount, checked_currency
from cap_stripe.parameters import METHODS, given, known, paged, under
from cap_stripe.webhooks import Signer

__all__ = ["StripePayments"]


class StripePayments:
    """One Stripe account as one client sees it.

    Every operation may raise Unauthenticated, PermissionDenied, RateLimited, Unavailable, TimedOut
    and ProtocolViolation, besides what the protocol lists; every error states its outcome, and
    what may have arrived is UNKNOWN for a write. A write whose outcome is UNKNOWN is made again
    under its key. The id of something of another kind is InvalidArgument.

    Args:
        signer: signs and believes webhooks.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer
        self._api: Api | None = None

    async def get_customer(self, id: str) -> Customer | None:
        """The customer of that id."""
        api = self._opened()
        ask = api.v1.customers.retrieve_async
        return await api.found("get_customer", "a customer", id, ask, answers.customer)

    async def get_checkout_session(self, id: str) -> CheckoutSession | None:
        """The checkout session of that id."""
        api = self._opened()
        ask = api.v1.checkout.sessions.retrieve_async
        return await api.found(
            "get_checkout_session", "a checkout session", id, ask, answers.checkout_session
        )

    async def list_checkout_sessions(
        self, *, customer: str = "", limit: int = 100, cursor: str | None = None
    ) -> CheckoutPage:
        """The checkout sessions, the newest first."""
        api = self._opened()
        ask = api.v1.checkout.sessions.list_async
        params = paged("a checkout session", limit, cursor)
        if checked_id("a customer", customer):
            if not is_id(customer):
                return CheckoutPage()
            params["customer"] = customer
        return await api.listed("list_checkout_sessions", ask(params), answers.checkout_page)

    async def get_payment_intent(self, id: str) -> PaymentIntent | None:
        """The payment of that id."""
        api = self._opened()
        ask = api.v1.payment_intents.retrieve_async
        return await api.found("get_payment_intent", "a payment", id, ask, answers.payment_intent)

    async def get_refund(self, id: str) -> Refund | None:
        """The refund of that id."""
        api = self._opened()
        ask = api.v1.refunds.retrieve_async
        return await api.found("get_refund", "a refund", id, ask, answers.refund)

    async def list_events(
        self, *, types: Sequence[str] = (), limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        """What happened in the last 30 days, the newest first."""
        api = self._opened()
        ask = api.v1.events.list_async
        params = paged("an event", limit, cursor)
        if wanted := checked_types(types):
            params["types"] = wanted
        return await api.listed("list_events", ask(params), answers.event_page)

    async def create_customer(
        self,
        *,
        email: str = "",
        name: str = "",
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Customer:
        """A new customer."""
        api = self._opened()
        ask = api.v1.customers.create_async
        key = checked_key(idempotency_key)
        params = given(
            email=checked_text("email", email),
            name=checked_text("name", name),
            metadata=checked_metadata(metadata),
        )
        return await api.written("create_customer", ask(params, under(key)), answers.customer, key)

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
        api = self._opened()
        ask = api.v1.prices.create_async
        key = checked_key(idempotency_key)
        params = {
            "unit_amount": checked_amount(amount, checked_currency(currency), least=0),
            "currency": currency,
            "product_data": {"name": checked_name("a product", product_name)},
            **repeated(checked_interval(interval)),
        }
        return await api.written("create_price", ask(params, under(key)), answers.price, key)

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
        """A new page on which a customer pays for these items; it is open for a day."""
        api = self._opened()
        ask = api.v1.checkout.sessions.create_async
        key = checked_key(idempotency_key)
        repeats = checked_flag("recurring", recurring)
        params = given(
            mode="subscription" if repeats else "payment",
            line_items=[line(item) for item in checked_items(items)],
            success_url=checked_text("success_url", success_url),
            cancel_url=checked_text("cancel_url", cancel_url),
            customer=checked_id("a customer", customer),
            metadata=checked_metadata(metadata),
        )
        asked = ask(params, under(key))
        return await api.written("create_checkout_session", asked, answers.checkout_session, key)

    async def expire_checkout_session(self, id: str, *, idempotency_key: str) -> CheckoutSession:
        """Close an open checkout session."""
        api = self._opened()
        ask = api.v1.checkout.sessions.expire_async
        key = checked_key(idempotency_key)
        asked = ask(known("expire_checkout_session", "a checkout session", id), {}, under(key))
        return await api.written(
            "expire_checkout_session", asked, answers.checkout_session, key, only_state=True
        )

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
        """A new payment; with `confirm` it is made at once, by the payment method given."""
        api = self._opened()
        ask = api.v1.payment_intents.create_async
        key = checked_key(idempotency_key)
        params = given(
            amount=checked_amount(amount, checked_currency(currency)),
            currency=currency,
            automatic_payment_methods=METHODS,
            customer=checked_id("a customer", customer),
            payment_method=checked_id("a payment method", payment_method),
            confirm=checked_flag("confirm", confirm),
            metadata=checked_metadata(metadata),
        )
        asked = ask(params, under(key))
        return await api.written("create_payment_intent", asked, answers.payment_intent, key)

    async def confirm_payment_intent(
        self, id: str, *, payment_method: str = "", idempotency_key: str
    ) -> PaymentIntent:
        """Make the payment."""
        api = self._opened()
        ask = api.v1.payment_intents.confirm_async
        key = checked_key(idempotency_key)
        params = given(payment_method=checked_id("a payment method", payment_method))
        asked = ask(known("confirm_payment_intent", "a payment", id), params, under(key))
        return await api.written("confirm_payment_intent", asked, answers.payment_intent, key)

    async def cancel_payment_intent(self, id: str, *, idempotency_key: str) -> PaymentIntent:
        """Give a payment up that was not made."""
        api = self._opened()
        ask = api.v1.payment_intents.cancel_async
        key = checked_key(idempotency_key)
        asked = ask(known("cancel_payment_intent", "a payment", id), {}, under(key))
        return await api.written("cancel_payment_intent", asked, answers.payment_intent, key)

    async def create_refund(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Refund:
        """Give money back, at most what was paid and not given back yet."""
        api = self._opened()
        ask = api.v1.refunds.create_async
        key = checked_key(idempotency_key)
        params = given(
            payment_intent=known("create_refund", "a payment", payment_intent),
            amount=None if amount is None else checked_amount(amount, None),
            metadata=checked_metadata(metadata),
        )
        return await api.written("create_refund", ask(params, under(key)), answers.refund, key)

    async def parse_webhook(self, payload: bytes, signature: str) -> Event:
        """The event that a webhook brought, if Stripe itself signed it lately."""
        self._opened()
        return self._signer.parse(payload, signature)

    async def sign_webhook(self, payload: bytes) -> SignedPayload:
        """The payload, signed now as Stripe would."""
        self._opened()
        return self._signer.sign(payload)

    def _opened(self) -> Api:
        if self._api is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._api
