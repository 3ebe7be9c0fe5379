"""Stripe's public API over one book: customers, prices, checkout, payments, refunds, events.

Written from the vendor's documents, apart from every plugin's mock.
https://docs.stripe.com/api https://docs.stripe.com/api/idempotent_requests
"""

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import unquote

from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response
from flows_registry.lab.references.stripe.book import Answered, Book, Row
from flows_registry.lab.references.stripe.fields import number, read, text
from flows_registry.lab.references.stripe.refusal import JSON, Refusal, failure
from flows_registry.lab.references.stripe.writes import ACTIONS, CREATIONS, DELETIONS, Write

__all__ = ["FACTORY", "Stripe"]

_ROUTE: Final = re.compile(
    r"/v1/(?P<collection>checkout/sessions|[a-z_]+)(?:/(?P<name>[^/]+)(?:/(?P<action>[a-z_]+))?)?\Z"
)
_CREDENTIAL: Final = re.compile(r"(Bearer|Basic) +(\S+)\Z", re.IGNORECASE)
_OBJECTS: Final[Mapping[str, tuple[str, str]]] = {
    "customers": ("customer", "id"),
    "prices": ("price", "id"),
    "checkout/sessions": ("checkout.session", "session"),
    "payment_intents": ("payment_intent", "intent"),
    "refunds": ("refund", "id"),
}
# https://docs.stripe.com/api/pagination
_PAGE_MAX: Final = 100
_PAGE_DEFAULT: Final = 10


class Stripe:
    """One account in test mode.

    Args:
        settings: none of them matter here.
        secrets: any of their values is a valid API key.
        now: seconds since 1970; sessions and keys follow it.
    """

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        self._keys = frozenset(secrets.values())
        self._now = now
        self._book = Book(now)

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        try:
            return self._routed(request)
        except Refusal as refusal:
            return refusal.response()

    def state(self) -> Mapping[str, Any]:
        """Every object and event; time alone changes nothing, and neither does a remembered key."""
        return self._book.shown()

    def reset(self) -> None:
        """Forget everything."""
        self._book = Book(self._now)

    def _routed(self, request: Request) -> Response:
        key = _key(request.header("authorization") or "")
        if not key:
            raise Refusal(401, "You did not provide an API key.")
        if key not in self._keys:
            raise Refusal(401, "Invalid API Key provided.")
        found = _ROUTE.match(request.raw_path)
        if found is None:
            raise _unknown(request)
        collection, name = found["collection"], unquote(found["name"] or "")
        if request.method == "GET" and found["action"] is None:
            return _success(self._read(request, collection, name))
        if request.method == "DELETE" and name and collection in DELETIONS:
            return _success(DELETIONS[collection](self._book, name))
        if request.method == "POST":
            action = found["action"]
            write = CREATIONS.get(collection) if not name else ACTIONS.get((collection, action))
            if write is not None:
                return self._written(request, write, name)
        raise _unknown(request)

    def _read(self, request: Request, collection: str, name: str) -> Row:
        query = request.target.partition("?")[2]
        if name:
            read(query, {})
            if collection not in _OBJECTS:
                raise _unknown(request)
            kind, param = _OBJECTS[collection]
            return self._book.left(kind, name) or self._book.get(kind, name, param, status=404)
        if collection == "events":
            given = read(query, {**_PAGE, "types[#]": text, "type": text})
            types = {value for key, value in given.items() if key.startswith("type")}
            events = [
                row for row in reversed(self._book.events) if not types or row["type"] in types
            ]
            return _page(events, given)
        if collection == "checkout/sessions":
            given = read(query, {**_PAGE, "customer": text})
            sessions = self._book.newest("checkout.session")
            if "customer" in given:
                self._book.get("customer", given["customer"], "customer")
                sessions = [row for row in sessions if row["customer"] == given["customer"]]
            return _page(sessions, given)
        raise _unknown(request)

    def _written(self, request: Request, write: Write, name: str) -> Response:
        key = request.header("idempotency-key")
        whole = (request.method, request.raw_path, request.body)
        if key is not None:
            kept = self._book.answered(key, whole)
            if kept is not None:
                return _replayed(kept)
        began = True
        try:
            response = _success(self._done(request, write, name, key))
        except Refusal as refusal:
            response, began = refusal.response(), refusal.began
        if key is not None and began:
            self._book.keys[key] = Answered(whole, response.status, response.body, self._now())
        return response

    def _done(self, request: Request, write: Write, name: str, key: str | None) -> Row:
        try:
            form = request.body.decode()
        except UnicodeDecodeError:
            raise Refusal(400, "Invalid request body.") from None
        return write.do(self._book, read(form, write.fields), name, key)


def _key(header: str) -> str:
    """The API key: a bearer's token, or the user of Basic. https://docs.stripe.com/authentication"""
    found = _CREDENTIAL.match(header)
    if found is None:
        return ""
    if found[1].lower() == "bearer":
        return found[2]
    try:
        return base64.b64decode(found[2], validate=True).decode().partition(":")[0]
    except ValueError:
        return ""


_PAGE: Final = {"limit": number, "starting_after": text}


def _page(rows: Sequence[Row], given: Mapping[str, Any]) -> Row:
    limit = given.get("limit", _PAGE_DEFAULT)
    if not 1 <= limit <= _PAGE_MAX:
        raise Refusal.parameter("Limit must be between 1 and 100.", "limit")
    after = given.get("starting_after")
    if after is not None:
        names = [row["id"] for row in rows]
        if after not in names:
            raise Refusal.missing("object", after, "starting_after")
        rows = rows[names.index(after) + 1 :]
    return {"object": "list", "data": list(rows[:limit]), "has_more": len(rows) > limit}


def _success(row: Row) -> Response:
    return Response(200, JSON, json.dumps(row).encode())


def _replayed(kept: Answered) -> Response:
    return Response(kept.status, (*JSON, ("idempotent-replayed", "true")), kept.body)


def _unknown(request: Request) -> Refusal:
    return Refusal(404, f"Unrecognized request URL ({request.method}: {request.raw_path}).")


FACTORY: Final = ReferenceFactory("stripe", Stripe, failure)
