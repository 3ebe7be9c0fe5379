"""A sound provider of Payments in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_payments.py` names the case that must notice.
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from core_caps.capabilities.payments import (
    CARD_DECLINED,
    CheckoutPage,
    CheckoutSession,
    Customer,
    Event,
    EventPage,
    InlineItem,
    LineItem,
    PaymentIntent,
    Price,
    Refund,
    SignedPayload,
)
from core_caps.clock import VirtualClock
from core_caps.errors import (
    ClientClosed,
    Conflict,
    InvalidArgument,
    KeyCollision,
    ObjectAbsent,
    Outcome,
    PaymentDeclined,
    PreconditionFailed,
    ProtocolViolation,
    ProviderError,
    SignatureInvalid,
    SignatureTooOld,
)

LIMITS = {
    "amount_units_max": 99_999_999,
    "usd_units_min": 50,
    "email_characters_max": 512,
    "recurring_items_max": 20,
    "metadata_keys_max": 50,
    "metadata_key_characters_max": 40,
    "metadata_value_characters_max": 500,
    "idempotency_key_characters_max": 255,
    "line_items_max": 100,
    "page_items_max": 100,
    "webhook_age_seconds_max": 300,
}
CURRENCIES = ("usd", "eur", "jpy")


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    objects: dict[str, Any] = field(default_factory=dict)
    methods: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    kept: dict[str, tuple[object, Any]] = field(default_factory=dict)
    busy: set[str] = field(default_factory=set)
    number: int = 0


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


class SoundPayments:
    """Keeps every promise of payments/1."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def get_customer(self, id: str) -> Customer | None:
        return await self._get(id, Customer)

    async def get_checkout_session(self, id: str) -> CheckoutSession | None:
        return await self._get(id, CheckoutSession)

    async def get_payment_intent(self, id: str) -> PaymentIntent | None:
        return await self._get(id, PaymentIntent)

    async def get_refund(self, id: str) -> Refund | None:
        return await self._get(id, Refund)

    async def list_checkout_sessions(
        self, *, customer: str = "", limit: int = 100, cursor: str | None = None
    ) -> CheckoutPage:
        await self._begin()
        self._text(customer)
        found = [
            each
            for each in reversed(self.service.objects.values())
            if isinstance(each, CheckoutSession) and customer in ("", each.customer)
        ]
        return CheckoutPage(*self._paged(found, limit, cursor))

    async def list_events(
        self, *, types: Sequence[str] = (), limit: int = 100, cursor: str | None = None
    ) -> EventPage:
        await self._begin()
        refuse(not isinstance(types, list | tuple), "no list")
        for each in types:
            self._text(each)
        found = [each for each in reversed(self.service.events) if self._wanted(each, types)]
        return EventPage(*self._paged(found, limit, cursor))

    async def create_customer(
        self,
        *,
        email: str = "",
        name: str = "",
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Customer:
        await self._begin()
        self._text(email, name)
        self._email(email)
        given = self._metadata(metadata)

        def create() -> Customer:
            made = self._keep(Customer(self._name("cus"), email, name, given))
            self._tell("customer.created", made.id, idempotency_key)
            return made

        work = ("create_customer", email, name, given)
        return await self._once(idempotency_key, work, create)

    async def create_price(
        self,
        amount: int,
        currency: str,
        *,
        product_name: str,
        interval: Any = None,
        idempotency_key: str,
    ) -> Price:
        await self._begin()
        self._money(amount, currency)
        self._text(product_name)
        refuse(interval not in (None, "day", "week", "month", "year"), "no interval")

        def create() -> Price:
            product = self._name("prod")
            made = self._keep(Price(self._name("price"), product, amount, currency, interval))
            self._tell("price.created", made.id, idempotency_key)
            return made

        work = ("create_price", amount, currency, product_name, interval)
        return await self._once(idempotency_key, work, create)

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
        await self._begin()
        refuse(not isinstance(items, list | tuple) or not items, "no items")
        refuse(len(items) > LIMITS["line_items_max"], "too many")
        for each in items:
            refuse(not isinstance(each, LineItem | InlineItem), "no item")
            refuse(type(each.quantity) is not int or each.quantity < 1, "no quantity")
            if isinstance(each, InlineItem):
                self._money(each.amount, each.currency, least=0)
                self._text(each.name)
            else:
                self._text(each.price)
        self._text(success_url, cancel_url, customer)
        self._address(success_url)
        self._address(cancel_url or success_url)
        given = self._metadata(metadata)

        def create() -> CheckoutSession:
            priced = [
                each if isinstance(each, InlineItem) else self._find(each.price, Price)
                for each in items
            ]
            refuse(recurring != any(each.interval for each in priced), "recurring or not")
            if recurring:
                self._recurs(sum(each.interval is not None for each in priced))
            name = self._name("cs")
            amount = self._sum(list(zip(priced, items, strict=True)))
            self._total(amount, priced[0].currency)
            return self._keep(
                CheckoutSession(
                    name,
                    f"https://pay.example/{name}",
                    "open",
                    "unpaid",
                    amount,
                    priced[0].currency,
                    customer,
                    metadata=given,
                    expires_at=self.service.clock.now() + 86_400,
                )
            )

        work = ("checkout", tuple(items), success_url, cancel_url, customer, given, recurring)
        return await self._once(idempotency_key, work, create)

    async def expire_checkout_session(self, id: str, *, idempotency_key: str) -> CheckoutSession:
        await self._begin()
        self._text(id)

        def expire() -> CheckoutSession:
            found = self._find(id, CheckoutSession)
            if found.status != "open":
                raise PreconditionFailed("not open")
            self._tell("checkout.session.expired", id, idempotency_key)
            return self._keep(replace(found, status="expired", url=""))

        return await self._once(idempotency_key, ("expire", id), expire)

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
        await self._begin()
        self._money(amount, currency)
        self._charge(amount, currency)
        self._text(customer, payment_method)
        refuse(not isinstance(confirm, bool), "no bool")
        given = self._metadata(metadata)

        def create() -> PaymentIntent:
            if customer:
                self._find(customer, Customer)
            status = "requires_confirmation" if payment_method else "requires_payment_method"
            name = self._name("pi")
            made = self._keep(PaymentIntent(name, amount, currency, status, 0, customer, given))
            self.service.methods[name] = payment_method
            self._tell("payment_intent.created", name, idempotency_key)
            return self._pay(made, payment_method, idempotency_key) if confirm else made

        work = ("pay", amount, currency, customer, payment_method, confirm, given)
        return await self._once(idempotency_key, work, create)

    async def confirm_payment_intent(
        self, id: str, *, payment_method: str = "", idempotency_key: str
    ) -> PaymentIntent:
        await self._begin()
        self._text(id, payment_method)

        def confirm() -> PaymentIntent:
            found = self._unpaid(id)
            method = payment_method or self.service.methods[id]
            return self._pay(found, method, idempotency_key)

        return await self._once(idempotency_key, ("confirm", id, payment_method), confirm)

    async def cancel_payment_intent(self, id: str, *, idempotency_key: str) -> PaymentIntent:
        await self._begin()
        self._text(id)

        def cancel() -> PaymentIntent:
            found = self._unpaid(id)
            self._tell("payment_intent.canceled", id, idempotency_key)
            return self._keep(replace(found, status="canceled"))

        return await self._once(idempotency_key, ("cancel", id), cancel)

    async def create_refund(
        self,
        payment_intent: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str] | None = None,
        idempotency_key: str,
    ) -> Refund:
        await self._begin()
        self._text(payment_intent)
        if amount is not None:
            self._money(amount, "usd")
        given = self._metadata(metadata)

        def refund() -> Refund:
            found = self._find(payment_intent, PaymentIntent)
            back = self._left(found) if amount is None else amount
            if self._left(found) <= 0:
                raise PreconditionFailed("nothing left")
            refuse(back > self._left(found), "more than is left")
            made = self._keep(
                Refund(self._name("re"), found.id, back, found.currency, "succeeded", given)
            )
            self._tell("refund.created", made.id, idempotency_key)
            return made

        return await self._once(idempotency_key, ("refund", payment_intent, amount, given), refund)

    async def parse_webhook(self, payload: bytes, signature: str) -> Event:
        await self._begin()
        refuse(not isinstance(payload, bytes), "no bytes")
        at, _, mac = signature.partition(",")
        if not signature.isascii() or not self._same(self._mac(at, payload), mac):
            raise SignatureInvalid("another signature")
        if self.service.clock.now() - float(at) > LIMITS["webhook_age_seconds_max"]:
            raise SignatureTooOld("too old")
        return self._event(payload)

    async def sign_webhook(self, payload: bytes) -> SignedPayload:
        await self._begin()
        refuse(not isinstance(payload, bytes), "no bytes")
        at = f"{self.service.clock.now():.0f}"
        return SignedPayload(payload, f"{at},{self._mac(at, payload)}")

    async def _begin(self) -> None:
        if not self.open:
            raise ClientClosed("closed")
        await asyncio.sleep(0)

    async def _get(self, id: str, kind: type) -> Any:
        await self._begin()
        self._text(id)
        found = self.service.objects.get(id)
        return found if isinstance(found, kind) else None

    async def _once(self, key: str, work: object, make: Callable[[], Any]) -> Any:
        self._text(key)
        refuse(not key or len(key) > LIMITS["idempotency_key_characters_max"], "no key")
        if key in self.service.busy:
            raise Conflict("in use")
        if key in self.service.kept:
            before, answer = self.service.kept[key]
            if before != work:
                raise KeyCollision("another call", keys=[key])
            if isinstance(answer, ProviderError):
                raise answer
            return answer
        self.service.busy.add(key)
        try:
            await asyncio.sleep(0)
            answer = make()
        except PaymentDeclined as declined:
            self._remember(key, work, declined)
            raise
        finally:
            self.service.busy.discard(key)
        self._remember(key, work, answer)
        return answer

    def _remember(self, key: str, work: object, answer: object) -> None:
        self.service.kept[key] = (work, answer)

    def _text(self, *texts: object) -> None:
        for text in texts:
            refuse(not isinstance(text, str), "no text")
            try:
                str(text).encode()
            except UnicodeEncodeError:
                raise InvalidArgument("no UTF-8 form") from None

    def _email(self, email: str) -> None:
        user, _, domain = email.partition("@")
        whole = user and "." in domain and not any(map(str.isspace, email))
        refuse(email and not whole, "no address")
        refuse(len(email) > LIMITS["email_characters_max"], "too long")

    def _address(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        refuse(not scheme or not rest, "no address")

    def _charge(self, amount: int, currency: str) -> None:
        refuse(currency == "usd" and amount < LIMITS["usd_units_min"], "too little")

    def _total(self, amount: int, currency: str) -> None:
        if amount:
            self._charge(amount, currency)
            refuse(amount > LIMITS["amount_units_max"], "too much")

    def _recurs(self, count: int) -> None:
        refuse(count > LIMITS["recurring_items_max"], "too many")

    def _money(self, amount: object, currency: object, *, least: int = 1) -> None:
        refuse(type(amount) is not int, "no whole number")
        refuse(not least <= amount <= LIMITS["amount_units_max"], "out of range")  # type: ignore[operator]
        self._text(currency)
        refuse(currency not in CURRENCIES, "no currency")

    def _metadata(self, metadata: Any) -> dict[str, str]:
        refuse(metadata is not None and not isinstance(metadata, dict), "no dict")
        given = dict(metadata or {})
        self._text(*given, *given.values())
        refuse(len(given) > LIMITS["metadata_keys_max"], "too many")
        for name, text in given.items():
            refuse(not 0 < len(name) <= LIMITS["metadata_key_characters_max"], "name")
            refuse(len(text) > LIMITS["metadata_value_characters_max"], "text")
        return given

    def _name(self, kind: str) -> str:
        self.service.number += 1
        return f"{kind}_{self.service.number}"

    def _keep(self, made: Any) -> Any:
        self.service.objects[made.id] = made
        return made

    def _find(self, id: str, kind: type) -> Any:
        found = self.service.objects.get(id)
        if not isinstance(found, kind):
            raise ObjectAbsent(f"no {kind.__name__}")
        return found

    def _tell(self, type: str, about: str, key: str) -> None:
        name, now = self._name("evt"), self.service.clock.now()
        self.service.events.append(Event(name, type, now, {"id": about}, key))

    def _wanted(self, event: Event, types: Sequence[str]) -> bool:
        return not types or event.type in types

    def _sum(self, items: Sequence[tuple[Any, Any]]) -> int:
        return sum(priced.amount * item.quantity for priced, item in items)

    def _unpaid(self, id: str) -> PaymentIntent:
        found = self._find(id, PaymentIntent)
        if found.status in ("succeeded", "canceled"):
            raise PreconditionFailed("made, or given up")
        return found

    def _pay(self, intent: PaymentIntent, method: str, key: str) -> PaymentIntent:
        if method == CARD_DECLINED:
            self._tell("payment_intent.payment_failed", intent.id, key)
            self._keep(replace(intent, status="requires_payment_method"))
            raise PaymentDeclined("no", reason="card_declined", payment_intent=intent.id)
        self._tell("payment_intent.succeeded", intent.id, key)
        return self._keep(replace(intent, status="succeeded", received=intent.amount))

    def _left(self, intent: PaymentIntent) -> int:
        back = [
            each.amount
            for each in self.service.objects.values()
            if isinstance(each, Refund) and each.payment_intent == intent.id
        ]
        return intent.received - sum(back)

    def _paged(self, found: list[Any], limit: Any, cursor: Any) -> tuple[list[Any], str | None]:
        refuse(type(limit) is not int or not 0 < limit <= LIMITS["page_items_max"], "no limit")
        if cursor is not None:
            names = [each.id for each in found]
            refuse(cursor not in names, "no cursor")
            found = found[names.index(cursor) + 1 :]
        page = found[:limit]
        return page, page[-1].id if len(found) > limit else None

    def _mac(self, at: str, payload: bytes) -> str:
        return hmac.new(b"secret", at.encode() + b"." + payload, hashlib.sha256).hexdigest()

    def _same(self, ours: str, theirs: str) -> bool:
        return hmac.compare_digest(ours, theirs)

    def _event(self, payload: bytes) -> Event:
        try:
            match json.loads(payload):
                case {
                    "id": str(id),
                    "type": str(type),
                    "created": int(at),
                    "data": {"object": dict(about)},
                    "request": {"idempotency_key": str(key)},
                }:
                    return Event(id, type, at, about, key)
        except ValueError:
            pass
        raise ProtocolViolation("no event", outcome=Outcome.NOT_APPLIED)


class MetadataIsLowered(SoundPayments):
    """`{"É": …}` comes back as `{"é": …}`; no metadata has such a name but blanks are cut, too."""

    def _metadata(self, metadata: Any) -> dict[str, str]:
        return {name: text.strip() for name, text in super()._metadata(metadata).items()}


class CustomerLosesItsName(SoundPayments):
    def _keep(self, made: Any) -> Any:
        super()._keep(replace(made, name="") if isinstance(made, Customer) else made)
        return made


class AmountIsAFloat(SoundPayments):
    def _keep(self, made: Any) -> Any:
        return super()._keep(
            replace(made, amount=float(made.amount)) if isinstance(made, Price) else made
        )


class QuantityIsForgotten(SoundPayments):
    def _sum(self, items: Sequence[tuple[Any, Any]]) -> int:
        return sum(priced.amount for priced, _ in items)


class ExpiredKeepsItsAddress(SoundPayments):
    def _keep(self, made: Any) -> Any:
        if isinstance(made, CheckoutSession) and not made.url:
            made = replace(made, url="https://pay.example/")
        return super()._keep(made)


class ExpiresWhatIsExpired(SoundPayments):
    def _find(self, id: str, kind: type) -> Any:
        found = super()._find(id, kind)
        return replace(found, status="open") if isinstance(found, CheckoutSession) else found


class PageRepeatsItsLast(SoundPayments):
    def _paged(self, found: list[Any], limit: Any, cursor: Any) -> tuple[list[Any], str | None]:
        page, cursor = super()._paged(found, limit, cursor)
        return page, page[-2].id if cursor and len(page) > 1 else cursor


class OldestFirst(SoundPayments):
    def _paged(self, found: list[Any], limit: Any, cursor: Any) -> tuple[list[Any], str | None]:
        return super()._paged(found[::-1], limit, cursor)


class CursorStartsAnew(SoundPayments):
    def _paged(self, found: list[Any], limit: Any, cursor: Any) -> tuple[list[Any], str | None]:
        known = cursor in [each.id for each in found]
        return super()._paged(found, limit, cursor if known else None)


class TypesAreIgnored(SoundPayments):
    def _wanted(self, event: Event, types: Sequence[str]) -> bool:
        return True


class ConfirmReceivesNothing(SoundPayments):
    def _pay(self, intent: PaymentIntent, method: str, key: str) -> PaymentIntent:
        return replace(super()._pay(intent, method, key), received=0)


class DeclineIsPaid(SoundPayments):
    def _pay(self, intent: PaymentIntent, method: str, key: str) -> PaymentIntent:
        return super()._pay(intent, "", key)


class DeclineNamesNoPayment(SoundPayments):
    def _pay(self, intent: PaymentIntent, method: str, key: str) -> PaymentIntent:
        try:
            return super()._pay(intent, method, key)
        except PaymentDeclined:
            raise PaymentDeclined("no", reason="card_declined") from None


class DeclineIsForgotten(SoundPayments):
    """The repeat of a declined creation begins another payment."""

    def _remember(self, key: str, work: object, answer: object) -> None:
        if not isinstance(answer, PaymentDeclined):
            super()._remember(key, work, answer)


class PaysAgain(SoundPayments):
    def _unpaid(self, id: str) -> PaymentIntent:
        found = self._find(id, PaymentIntent)
        return replace(found, status="requires_confirmation", received=0)


class CancelsWhatWasMade(SoundPayments):
    def _unpaid(self, id: str) -> PaymentIntent:
        found = self._find(id, PaymentIntent)
        if found.status == "canceled":
            raise PreconditionFailed("given up")
        return found


class PaysWhatWasGivenUp(SoundPayments):
    def _unpaid(self, id: str) -> PaymentIntent:
        found = self._find(id, PaymentIntent)
        if found.status == "succeeded":
            raise PreconditionFailed("made")
        return found


class AbsentIsAnError(SoundPayments):
    async def _get(self, id: str, kind: type) -> Any:
        found = await super()._get(id, kind)
        if found is None:
            raise ObjectAbsent("nothing")
        return found


class RefundsForgetTheOthers(SoundPayments):
    def _left(self, intent: PaymentIntent) -> int:
        return intent.received


class RefundIsCutToWhatIsLeft(SoundPayments):
    def _left(self, intent: PaymentIntent) -> int:
        return max(super()._left(intent), 10_000) if intent.received else 0


class RefundsTheWish(SoundPayments):
    """What was to be paid is given back, paid or not."""

    def _left(self, intent: PaymentIntent) -> int:
        return super()._left(intent) - intent.received + intent.amount


class KeysAreIgnored(SoundPayments):
    def _remember(self, key: str, work: object, answer: object) -> None:
        pass


class ExpiryHasNoKey(SoundPayments):
    def _remember(self, key: str, work: object, answer: object) -> None:
        if not isinstance(answer, CheckoutSession) or answer.status != "expired":
            super()._remember(key, work, answer)


class ConfirmHasNoKey(SoundPayments):
    def _remember(self, key: str, work: object, answer: object) -> None:
        if not isinstance(answer, PaymentIntent) or answer.status != "succeeded":
            super()._remember(key, work, answer)


class FirstCallCounts(SoundPayments):
    """A key with other arguments is answered as with the first ones."""

    async def _once(self, key: str, work: object, make: Callable[[], Any]) -> Any:
        return await super()._once(key, key, make)


class LooksThenPays(SoundPayments):
    """Nobody is kept away while the first is at work."""

    async def _once(self, key: str, work: object, make: Callable[[], Any]) -> Any:
        self.service.busy.clear()
        known = dict(self.service.kept)
        await asyncio.sleep(0)
        if key not in known:
            self.service.kept.pop(key, None)
        self.service.busy.clear()
        return await super()._once(key, work, make)


class RefusalTakesTheKey(SoundPayments):
    async def create_payment_intent(self, *args: Any, **named: Any) -> PaymentIntent:
        try:
            return await super().create_payment_intent(*args, **named)
        except InvalidArgument as error:
            self._remember(named["idempotency_key"], "refused", error)
            raise


class EventsHaveNoKey(SoundPayments):
    def _tell(self, type: str, about: str, key: str) -> None:
        super()._tell(type, about, "")


class EventsInMilliseconds(SoundPayments):
    def _tell(self, type: str, about: str, key: str) -> None:
        super()._tell(type, about, key)
        last = self.service.events[-1]
        self.service.events[-1] = replace(last, created_at=last.created_at * 1000)


class BelievesAnybody(SoundPayments):
    def _same(self, ours: str, theirs: str) -> bool:
        return True


class SignatureWithoutBody(SoundPayments):
    def _mac(self, at: str, payload: bytes) -> str:
        return super()._mac(at, payload[:20])


class SignatureWithoutTime(SoundPayments):
    """Whoever saw a webhook once sends it for ever, with a new time."""

    async def parse_webhook(self, payload: bytes, signature: str) -> Event:
        _, _, mac = signature.partition(",")
        return await super().parse_webhook(payload, f"{self.service.clock.now():.0f},{mac}")

    def _mac(self, at: str, payload: bytes) -> str:
        return super()._mac("", payload)


class EventIsReadLoosely(SoundPayments):
    def _event(self, payload: bytes) -> Event:
        try:
            return super()._event(payload)
        except ProtocolViolation:
            return Event("", "", 0, {})


class EventLosesItsKey(SoundPayments):
    def _event(self, payload: bytes) -> Event:
        return replace(super()._event(payload), idempotency_key="")


class TakesNegativeAmounts(SoundPayments):
    def _money(self, amount: object, currency: object, *, least: int = 1) -> None:
        super()._money(abs(amount) if isinstance(amount, int) else amount, currency, least=least)


class TakesTooLittle(SoundPayments):
    def _charge(self, amount: int, currency: str) -> None:
        pass


class PagesTakeTooLittle(SoundPayments):
    def _total(self, amount: int, currency: str) -> None:
        refuse(amount > LIMITS["amount_units_max"], "too much")


class NothingIsTooLittle(SoundPayments):
    def _total(self, amount: int, currency: str) -> None:
        super()._total(amount or 1, currency)


class SumHasNoBound(SoundPayments):
    def _total(self, amount: int, currency: str) -> None:
        super()._total(min(amount, LIMITS["amount_units_max"]), currency)


class RecursWithoutBound(SoundPayments):
    def _recurs(self, count: int) -> None:
        pass


class TakesAnyEmail(SoundPayments):
    def _email(self, email: str) -> None:
        refuse(len(email) > LIMITS["email_characters_max"], "too long")


class EmailHasNoBound(SoundPayments):
    def _email(self, email: str) -> None:
        super()._email(email[-LIMITS["email_characters_max"] :])


class LeadsAnywhere(SoundPayments):
    def _address(self, url: str) -> None:
        refuse(not url, "no address")


class CancelLeadsAnywhere(SoundPayments):
    async def create_checkout_session(self, items: Any, **given: Any) -> CheckoutSession:
        return await super().create_checkout_session(items, **(given | {"cancel_url": ""}))


class TakesAnyCurrency(SoundPayments):
    def _money(self, amount: object, currency: object, *, least: int = 1) -> None:
        super()._money(amount, "usd" if isinstance(currency, str) else currency, least=least)


class MetadataIsCut(SoundPayments):
    def _metadata(self, metadata: Any) -> dict[str, str]:
        if not isinstance(metadata, dict):
            return super()._metadata(metadata)
        cut = {k: v[:500] if isinstance(v, str) else v for k, v in metadata.items()}
        return super()._metadata(cut)


class MetadataCountsBytes(SoundPayments):
    def _metadata(self, metadata: Any) -> dict[str, str]:
        given = super()._metadata(metadata)
        refuse(any(len(text.encode()) > 500 for text in given.values()), "too long")
        return given


class KeysAreCut(SoundPayments):
    async def _once(self, key: str, work: object, make: Callable[[], Any]) -> Any:
        return await super()._once(key[:255], work, make)


class WritesWithoutAKey(SoundPayments):
    async def _once(self, key: str, work: object, make: Callable[[], Any]) -> Any:
        return await super()._once(key or self._name("key"), work, make)


class ItemsAreCut(SoundPayments):
    async def create_checkout_session(self, items: Any, **named: Any) -> CheckoutSession:
        cut = items[:100] if isinstance(items, list) else items
        return await super().create_checkout_session(cut, **named)


class RecurringIsIgnored(SoundPayments):
    async def create_checkout_session(self, items: Any, **named: Any) -> CheckoutSession:
        named.pop("recurring", None)
        for recurring in (True, False):
            try:
                return await super().create_checkout_session(items, recurring=recurring, **named)
            except InvalidArgument as error:
                if error.message != "recurring or not":
                    raise
        raise AssertionError("one of them fits")


class MakesUpPrices(SoundPayments):
    def _find(self, id: str, kind: type) -> Any:
        if kind is Price and id not in self.service.objects:
            return Price(id, "", 1, "usd")
        return super()._find(id, kind)


class LimitIsCut(SoundPayments):
    def _paged(self, found: list[Any], limit: Any, cursor: Any) -> tuple[list[Any], str | None]:
        return super()._paged(found, min(limit, 100) if type(limit) is int else limit, cursor)


class TripsOverTypes(SoundPayments):
    def _text(self, *texts: object) -> None:
        for text in texts:
            text.encode()  # type: ignore[attr-defined]


class OpenAfterClose(SoundPayments):
    async def __aexit__(self, *exc: object) -> None:
        pass


class EachClientHasItsOwnAccount(SoundPayments):
    def __init__(self, service: Service) -> None:
        super().__init__(Service(service.clock))


class ClosesTheAccount(SoundPayments):
    async def __aexit__(self, *exc: object) -> None:
        self.open = False
        self.service.busy = _Everything()


class _Everything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True
