"""Payments through the official SDK: each operation is one request, and nothing is ever repeated.

How the requests travel is what the backends differ in.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import stripe
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
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, InvalidArgument, ObjectAbsent, ProviderError
from core_caps.http.failures import Malformed, retry_after_seconds

from cap_stripe import answers, errors, limits, sdk
from cap_stripe.webhooks import Signer

__all__ = ["StripePayments"]

_Result = TypeVar("_Result")
_Asked = Coroutine[Any, Any, stripe.StripeObject]

_METHODS = {"enabled": True, "allow_redirects": "never"}
"""Payment methods that need no page of their own: nobody is there to be redirected.
https://docs.stripe.com/api/payment_intents/create#create_payment_intent-automatic_payment_methods"""

SHOWN_CHARACTERS_MAX = 300


class StripePayments:
    """One Stripe account as one client sees it.

    Every operation may raise Unauthenticated, PermissionDenied, RateLimited, Unavailable, TimedOut
    and ProtocolViolation, besides what the protocol lists; every error states its outcome, and
    what may have arrived is UNKNOWN for a write. A write whose outcome is UNKNOWN is made again
    under its key.

    Args:
        signer: signs and believes webhooks.
        clock: tells how long until a Retry-After.
        timeout_seconds: the longest that one call takes; None is as long as it takes.
        hidden: texts that no error may show.
    """

    def __init__(
        self,
        signer: Signer,
        clock: Clock,
        *,
        timeout_seconds: float | None = None,
        hidden: Sequence[str] = (),
    ) -> None:
        self._signer = signer
        self._clock = clock
        self._seconds = timeout_seconds
        self._hidden = hidden
        self._client: stripe.StripeClient | None = None

    async def get_customer(self, id: str) -> Customer | None:
        """The customer of that id."""
        v1 = self._opened()
        return await self._found("get_customer", id, v1.customers.retrieve_async, answers.customer)

    async def get_checkout_session(self, id: str) -> CheckoutSession | None:
        """The checkout session of that id."""
        ask = self._opened().checkout.sessions.retrieve_async
        return await self._found("get_checkout_session", id, ask, answers.checkout_session)

    async def list_checkout_sessions(
        self, *, customer: str = "", limit: int = 100, cursor: str | None = None
    ) -> CheckoutPage:
        """The checkout sessions, the newest first."""
        ask = self._opened().checkout.sessions.list_async
        wanted = limits.checked_text("customer", customer)
        params = _paged(limit, cursor) | ({"customer": wanted} if wanted else {})
        if wanted and not limits.is_id(wanted):
            return CheckoutPage()
        return await self._listed("list_checkout_sessions", ask(params), answers.checkout_page)

    async def get_payment_intent(self, id: str) -> PaymentIntent | None:
        """The payment of that id."""
        ask = self._opened().payment_intents.retrieve_async
        return await self._found("get_payment_intent", id, ask, answers.payment_intent)

    async def get_refund(self, id: str) -> Refund | None:
        """The refund of that id."""
        ask = self._opened().refunds.retrieve_async
        return await self._found("get_refund", id, ask, answers.refund)

    async def list_events(
        self, *, types: Sequence[str] = (), limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        """What happened in the last 30 days, the newest first."""
        ask = self._opened().events.list_async
        wanted = limits.checked_types(types)
        params = _paged(limit, cursor) | ({"types": wanted} if wanted else {})
        return await self._listed("list_events", ask(params), answers.event_page)

    async def create_customer(
        self,
        *,
        email: str = "",
        name: str = "",
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Customer:
        """A new customer."""
        ask = self._opened().customers.create_async
        key = limits.checked_key(idempotency_key)
        params = _given(
            email=limits.checked_text("email", email),
            name=limits.checked_text("name", name),
            metadata=limits.checked_metadata(metadata),
        )
        return await self._written(
            "create_customer", ask(params, _under(key)), answers.customer, key
        )

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
        ask = self._opened().prices.create_async
        key = limits.checked_key(idempotency_key)
        params = {
            "unit_amount": limits.checked_amount(amount, least=0),
            "currency": limits.checked_currency(currency),
            "product_data": {"name": _named(product_name)},
            **_recurring(limits.checked_interval(interval)),
        }
        return await self._written("create_price", ask(params, _under(key)), answers.price, key)

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
        ask = self._opened().checkout.sessions.create_async
        key = limits.checked_key(idempotency_key)
        mode = "subscription" if limits.checked_flag("recurring", recurring) else "payment"
        params = _given(
            mode=mode,
            line_items=[_line(item) for item in limits.checked_items(items)],
            success_url=limits.checked_text("success_url", success_url),
            cancel_url=limits.checked_text("cancel_url", cancel_url),
            customer=limits.checked_text("customer", customer),
            metadata=limits.checked_metadata(metadata),
        )
        asked = ask(params, _under(key))
        return await self._written("create_checkout_session", asked, answers.checkout_session, key)

    async def expire_checkout_session(self, id: str, *, idempotency_key: str) -> CheckoutSession:
        """Close an open checkout session."""
        ask = self._opened().checkout.sessions.expire_async
        key = limits.checked_key(idempotency_key)
        asked = ask(_known("expire_checkout_session", id), {}, _under(key))
        return await self._written(
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
        ask = self._opened().payment_intents.create_async
        key = limits.checked_key(idempotency_key)
        params = _given(
            amount=limits.checked_amount(amount),
            currency=limits.checked_currency(currency),
            automatic_payment_methods=_METHODS,
            customer=limits.checked_text("customer", customer),
            payment_method=limits.checked_text("payment_method", payment_method),
            confirm=limits.checked_flag("confirm", confirm),
            metadata=limits.checked_metadata(metadata),
        )
        asked = ask(params, _under(key))
        return await self._written("create_payment_intent", asked, answers.payment_intent, key)

    async def confirm_payment_intent(
        self, id: str, *, payment_method: str = "", idempotency_key: str
    ) -> PaymentIntent:
        """Make the payment."""
        ask = self._opened().payment_intents.confirm_async
        key = limits.checked_key(idempotency_key)
        params = _given(payment_method=limits.checked_text("payment_method", payment_method))
        asked = ask(_known("confirm_payment_intent", id), params, _under(key))
        return await self._written("confirm_payment_intent", asked, answers.payment_intent, key)

    async def cancel_payment_intent(self, id: str, *, idempotency_key: str) -> PaymentIntent:
        """Give a payment up that was not made."""
        ask = self._opened().payment_intents.cancel_async
        key = limits.checked_key(idempotency_key)
        asked = ask(_known("cancel_payment_intent", id), {}, _under(key))
        return await self._written("cancel_payment_intent", asked, answers.payment_intent, key)

    async def create_refund(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Refund:
        """Give money back, at most what was paid and not given back yet."""
        ask = self._opened().refunds.create_async
        key = limits.checked_key(idempotency_key)
        params = _given(
            payment_intent=_known("create_refund", payment_intent),
            amount=None if amount is None else limits.checked_amount(amount),
            metadata=limits.checked_metadata(metadata),
        )
        return await self._written("create_refund", ask(params, _under(key)), answers.refund, key)

    async def parse_webhook(self, payload: bytes, signature: str) -> Event:
        """The event that a webhook brought, if Stripe itself signed it lately."""
        self._opened()
        return self._signer.parse(payload, signature)

    async def sign_webhook(self, payload: bytes) -> SignedPayload:
        """The payload, signed now as Stripe would."""
        self._opened()
        return self._signer.sign(payload)

    def _opened(self) -> Any:
        """What the SDK offers; its parameters are typed more narrowly than can be built up."""
        if self._client is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._client.v1

    async def _found(
        self,
        operation: str,
        id: str,
        ask: Callable[[str], _Asked],
        read: Callable[[object], _Result],
    ) -> _Result | None:
        """What has this id, or None."""
        if not limits.is_id(id):
            return None
        try:
            return await self._answered(operation, ask(id), read)
        except ObjectAbsent:
            return None

    async def _listed(
        self, operation: str, asked: _Asked, read: Callable[[object], _Result]
    ) -> _Result:
        """A page; a cursor that names nothing is an argument that is wrong."""
        try:
            return await self._answered(operation, asked, read)
        except ObjectAbsent as problem:
            said = problem.message
        raise InvalidArgument(said, hint="pass on the cursor of the same listing")

    async def _written(
        self,
        operation: str,
        asked: _Asked,
        read: Callable[[object], _Result],
        key: str,
        *,
        only_state: bool = False,
    ) -> _Result:
        """What was written."""
        return await self._answered(operation, asked, read, key=key, only_state=only_state)

    async def _answered(
        self,
        operation: str,
        asked: _Asked,
        read: Callable[[object], _Result],
        *,
        key: str = "",
        only_state: bool = False,
    ) -> _Result:
        """What the service answers, within the one deadline of the call.

        Raises:
            ProviderError: everything but a documented success, by the table in `errors`.
        """
        error: ProviderError
        try:
            async with asyncio.timeout(self._seconds):
                answer = await asked
            return read(sdk.content(answer))
        except stripe.StripeError as problem:
            error = self._refused(operation, problem, key, only_state=only_state)
        except sdk.NoAnswer as problem:
            error = problem.means(operation, bool(key))
        except Malformed as problem:
            error = errors.FAILURES.broken(operation, str(problem), writes=bool(key))
        except UnicodeDecodeError:  # the SDK's own, of a body that is no UTF-8
            error = errors.FAILURES.broken(operation, "it is no UTF-8", writes=bool(key))
        except TimeoutError:
            error = errors.FAILURES.late(operation, self._seconds or 0.0, writes=bool(key))
        # Raised out here so that it carries no exception of the SDK's.
        raise error

    def _refused(
        self, operation: str, problem: stripe.StripeError, key: str, *, only_state: bool
    ) -> ProviderError:
        status = problem.http_status or 200
        if status == 200:
            return errors.FAILURES.broken(operation, "it is no JSON in UTF-8", writes=bool(key))
        told: Mapping[str, str] = problem.headers or {}
        answer = errors.said(problem.json_body)
        return errors.refused(
            operation,
            status,
            answer._replace(message=self._shown(answer.message)),
            key=key,
            only_state=only_state,
            retry_after_seconds=retry_after_seconds(told.get("retry-after"), self._clock.now()),
        )

    def _shown(self, text: str) -> str:
        """The text without a secret; cut only then, or a piece of one could be left."""
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return "".join(each if each.isprintable() else " " for each in text)[:SHOWN_CHARACTERS_MAX]


def _under(key: str) -> Mapping[str, object]:
    return {"idempotency_key": key}


def _given(**params: object) -> dict[str, object]:
    """The parameters that say something; the vendor takes an empty text for "unset it"."""
    return {name: value for name, value in params.items() if value not in ("", None, {}, False)}


def _paged(limit: int, cursor: str | None) -> dict[str, object]:
    params: dict[str, object] = {"limit": limits.checked_limit(limit)}
    if cursor is not None:
        if not limits.is_id(cursor):
            raise InvalidArgument("the cursor is none", hint="pass on what a page gave")
        params["starting_after"] = cursor
    return params


def _known(operation: str, id: str) -> str:
    """An id that something may have."""
    if not limits.is_id(id):
        raise errors.absent(operation, id)
    return id


def _named(product_name: str) -> str:
    if not limits.checked_text("product_name", product_name):
        raise InvalidArgument("a product has no name", hint="the customer reads it")
    return product_name


def _recurring(interval: str | None) -> Mapping[str, object]:
    return {} if interval is None else {"recurring": {"interval": interval}}


def _line(item: LineItem | InlineItem) -> Mapping[str, object]:
    if isinstance(item, LineItem):
        return {"price": item.price, "quantity": item.quantity}
    priced = {
        "unit_amount": item.amount,
        "currency": item.currency,
        "product_data": {"name": item.name},
        **_recurring(item.interval),
    }
    return {"price_data": priced, "quantity": item.quantity}
