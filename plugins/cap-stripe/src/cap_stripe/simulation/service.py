"""The service: requests in, answers out, over one account.

A request is taken under its key, worked on, answered; between the first two others may come, so
that what is concurrent on the network is concurrent here.
"""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from core_caps.clock import Clock
from core_caps.rng import Rng

from cap_stripe.limits import PAGE_ITEMS_MAX
from cap_stripe.sdk import Answer, Request
from cap_stripe.simulation import catalog, checkout, intents, refunds
from cap_stripe.simulation.account import Account, Cause, Thing
from cap_stripe.simulation.faults import Faults
from cap_stripe.simulation.forms import Params, parsed
from cap_stripe.simulation.idempotency import Keys
from cap_stripe.simulation.refusals import Refusal, missing, wrong

__all__ = ["Service"]

_Create = Callable[[Account, Params, Cause], Thing]
_Change = Callable[[Account, str, Params, Cause], Thing]
_Delete = Callable[[Account, str, Cause], Thing]

_CREATED: Mapping[str, _Create] = {
    "customers": catalog.create_customer,
    "products": catalog.create_product,
    "prices": catalog.create_price,
    "checkout/sessions": checkout.create,
    "payment_intents": intents.create,
    "refunds": refunds.create,
}
_CHANGED: Mapping[tuple[str, str], _Change] = {
    ("checkout/sessions", "expire"): checkout.expire,
    ("payment_intents", "confirm"): intents.confirm,
    ("payment_intents", "cancel"): intents.cancel,
}
_DELETED: Mapping[str, _Delete] = {"customers": catalog.delete_customer}
_KINDS: Mapping[str, tuple[str, str]] = {
    "customers": ("customer", "id"),
    "products": ("product", "id"),
    "prices": ("price", "id"),
    "checkout/sessions": ("checkout.session", "session"),
    "payment_intents": ("payment_intent", "intent"),
    "refunds": ("refund", "id"),
    "charges": ("charge", "id"),
    "events": ("event", "id"),
}
_ROUTE = re.compile(r"/v1/(checkout/sessions|[a-z_]+)(?:/([^/]+))?(?:/([a-z_]+))?")
_AUTHORIZATION = re.compile(r"(Bearer|Basic) +(\S+)", re.IGNORECASE)


class Service:
    """One account of the service.

    Args:
        clock: tells the time.
        rng: makes names.
        api_key: the key that is accepted; "" accepts any.

    Attributes:
        account: its objects and events.
        faults: what is to go wrong.
    """

    def __init__(self, clock: Clock, rng: Rng, *, api_key: str = "") -> None:
        self.account = Account(clock.now, rng)
        self.faults = Faults()
        self._keys = Keys(clock.now)
        self._api_key = api_key

    async def handle(self, request: Request) -> Answer:
        """The answer to a request.

        Raises:
            Lost: a fault keeps the answer back.
        """
        fault = self.faults.next()
        name = self.account.name("req")
        if fault is not None and not fault.after_commit:
            return self._told(name, *fault.answer())
        status, body, replayed = await self._answered(request, name)
        if fault is not None:
            return self._told(name, *fault.answer())
        more = {"idempotent-replayed": "true"} if replayed else {}
        key = request.headers.get("Idempotency-Key")
        return self._told(name, status, body, **more, **({"idempotency-key": key} if key else {}))

    def complete(self, session: str, method: str = "pm_card_visa") -> Thing:
        """Pay on a checkout session's page, as a customer does.

        Raises:
            Refusal: it is not open, or the bank says no.
        """
        checkout.expire_old(self.account)
        return checkout.complete(self.account, session, method)

    async def _answered(self, request: Request, name: str) -> tuple[int, bytes, bool]:
        """Status, body, and whether it was given before."""
        checkout.expire_old(self.account)
        try:
            self._authenticate(request)
            if request.method == "POST":
                return await self._written(request, name)
            if request.method == "GET":
                return 200, _json(self._read(request)), False
            if request.method == "DELETE":  # a key makes no difference: nothing is deleted twice
                return 200, _json(self._delete(request, Cause(name, None))), False
            raise Refusal(405, f"Method {request.method} is not allowed here.")
        except Refusal as refusal:
            return refusal.status, refusal.body, False

    async def _written(self, request: Request, name: str) -> tuple[int, bytes, bool]:
        key = request.headers.get("Idempotency-Key")
        path = _path(request.url)
        if key is None:
            return 200, _json(self._write(path, request, Cause(name, None))), False
        kept = self._keys.begin(key, (request.method, path, request.body.decode()))
        if kept is not None:
            return kept.status, kept.body, True
        try:
            await asyncio.sleep(0)  # others may come meanwhile
            status, body = 200, _json(self._write(path, request, Cause(name, key)))
        except Refusal as refusal:
            if not refusal.kept:
                self._keys.release(key)
                raise
            status, body = refusal.status, refusal.body
        except BaseException:
            self._keys.release(key)
            raise
        self._keys.finish(key, status, body)
        return status, body, False

    def _write(self, path: str, request: Request, cause: Cause) -> Thing:
        params = parsed(request.body.decode())
        match self._route(path):
            case (str(collection), "", "") if collection in _CREATED:
                return _CREATED[collection](self.account, params, cause)
            case (str(collection), str(id), str(verb)) if (collection, verb) in _CHANGED:
                return _CHANGED[collection, verb](self.account, id, params, cause)
            case _:
                raise _unrouted(request.method, path)

    def _delete(self, request: Request, cause: Cause) -> Thing:
        path = _path(request.url)
        match self._route(path):
            case (str(collection), str(id), "") if id and collection in _DELETED:
                return _DELETED[collection](self.account, id, cause)
            case _:
                raise _unrouted(request.method, path)

    def _read(self, request: Request) -> Thing:
        path = _path(request.url)
        params = parsed(request.url.partition("?")[2])
        match self._route(path):
            case ("events", "", ""):
                return self._events(params)
            case ("checkout/sessions", "", ""):
                return self._sessions(params)
            case ("events", str(id), "") if id:
                return self._event(id)
            case (str(collection), str(id), "") if id and collection in _KINDS:
                kind, param = _KINDS[collection]
                params.finish()
                return self.account.find(kind, id, param, in_path=True, or_deleted=True)
            case _:
                raise _unrouted(request.method, path)

    def _events(self, params: Params) -> Thing:
        types = params.texts("types") or ([one] if (one := params.text("type")) else [])
        found = [
            each for each in reversed(self.account.events) if not types or each["type"] in types
        ]
        return _listed(found, params, "event", "/v1/events")

    def _event(self, id: str) -> Thing:
        for event in self.account.events:
            if event["id"] == id:
                return event
        raise missing("event", id, "id", in_path=True)

    def _sessions(self, params: Params) -> Thing:
        customer = params.text("customer")
        if customer is not None:
            self.account.find("customer", customer, "customer")
        found = [
            each
            for each in self.account.all("checkout.session")
            if customer in (None, each["customer"])
        ]
        return _listed(found, params, "checkout.session", "/v1/checkout/sessions")

    def _route(self, path: str) -> tuple[str, str, str]:
        found = _ROUTE.fullmatch(path)
        if found is None:
            return "", "", ""
        return found[1], unquote(found[2] or ""), found[3] or ""

    def _authenticate(self, request: Request) -> None:
        key = _key(request.headers.get("Authorization", ""))
        if not key:
            raise Refusal(
                401,
                "You did not provide an API key: send it as `Authorization: Bearer KEY`, or as the "
                "user of Basic authentication (curl -u KEY:).",
            )
        if self._api_key and key != self._api_key:
            raise Refusal(401, "Invalid API Key provided.")

    def _told(self, name: str, status: int, body: bytes, **headers: str) -> Answer:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return Answer(
            status, {"content-type": "application/json", "request-id": name, **named}, body
        )


def _listed(found: Iterable[Thing], params: Params, kind: str, url: str) -> Thing:
    """A page of a list, after the object that `starting_after` names."""
    limit = params.whole("limit")
    after = params.text("starting_after")
    params.finish()
    if limit is None:
        limit = 10
    if not 1 <= limit <= PAGE_ITEMS_MAX:
        raise wrong(f"Limit must be between 1 and {PAGE_ITEMS_MAX}.", "limit")
    things = list(found)
    if after is not None:
        places = [place for place, thing in enumerate(things) if thing["id"] == after]
        if not places:
            raise missing(kind, after, "starting_after")
        things = things[places[0] + 1 :]
    return {
        "object": "list",
        "url": url,
        "data": things[:limit],
        "has_more": len(things) > limit,
    }


def _path(url: str) -> str:
    """The path of a URL, as it was sent."""
    rest = url.partition("://")[2] if "://" in url else url
    return "/" + rest.partition("/")[2].partition("?")[0]


def _key(header: str) -> str:
    """The API key, or "": a bearer's token, or the user of Basic.

    https://docs.stripe.com/authentication
    """
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        return ""
    if found[1].lower() == "bearer":
        return found[2]
    try:
        return base64.b64decode(found[2], validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


def _unrouted(method: str, path: str) -> Refusal:
    return Refusal(404, f"Unrecognized request URL ({method}: {path}).")


def _json(thing: Mapping[str, Any]) -> bytes:
    return json.dumps(thing).encode()
