"""The bridge Worker of cap-cloudflare-do over one state: one request, one turn of one object.

The plugin's README documents its protocol; parity holds this against the Worker itself.
"""

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from flows_registry.lab.references.cloudflare_do import reading
from flows_registry.lab.references.cloudflare_do.ledgers import LEDGER, LedgerObject
from flows_registry.lab.references.cloudflare_do.objects import STORAGE, StorageObject
from flows_registry.lab.references.cloudflare_do.refusal import Refusal, answered, failure, invalid
from flows_registry.lab.references.exchange import ReferenceFactory, Request, Response

__all__ = ["FACTORY", "CloudflareDoBridge"]

_ROUTE = re.compile(r"/v1/([a-z_]+)\Z")
_BEARER = re.compile(r"Bearer +(\S+)\Z", re.IGNORECASE)
_SCOPES = ("BRIDGE_TOKEN of the bridge Worker",)
_OPERATIONS = frozenset({"new_id", *STORAGE, *LEDGER})


class CloudflareDoBridge:
    """The storage objects and the ledgers of one bridge.

    Args:
        settings: looked at by nobody: the bridge knows no settings of its clients.
        secrets: any of their values is a valid token.
        now: seconds since 1970; leases, retention and alarms follow it.
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
        now: Callable[[], float],
    ) -> None:
        self._tokens = frozenset(secrets.values())
        self._now = now
        self._objects: dict[str, StorageObject] = {}
        self._ledgers: dict[str, LedgerObject] = {}
        self._ids = 0

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        try:
            return answered(self._route(request))
        except Refusal as refusal:
            return refusal.response()

    def state(self) -> Mapping[str, Any]:
        """What every object holds; one that holds nothing is as if it had never been."""
        empty, unwritten = StorageObject(), LedgerObject()
        return {
            "objects": {
                name: one.shown() for name, one in sorted(self._objects.items()) if one != empty
            },
            "ledgers": {
                name: one.shown() for name, one in sorted(self._ledgers.items()) if one != unwritten
            },
        }

    def reset(self) -> None:
        """Forget everything."""
        self._objects.clear()
        self._ledgers.clear()
        self._ids = 0

    def scopes(self, request: Request) -> tuple[str, ...]:
        """The permissions any one of which the request needs: the bridge knows one token."""
        del request
        return _SCOPES

    def _route(self, request: Request) -> Any:
        found = _ROUTE.search(request.raw_path)
        if found is None or found[1] not in _OPERATIONS:
            raise Refusal(404, "no_such_operation", "this is cap-cloudflare-do's bridge")
        bearer = _BEARER.match(request.header("authorization") or "")
        if bearer is None or bearer[1] not in self._tokens:
            raise Refusal(401, "unauthenticated", "the token is not accepted")
        if request.method != "POST":
            raise Refusal(405, "no_such_method", "operations are POSTed")
        return self._applied(found[1], reading.content(request.body))

    def _applied(self, operation: str, given: Mapping[str, Any]) -> Any:
        if operation == "new_id":
            self._ids += 1
            return {"id": _id(f"{self._ids:032x}")}
        name, now = _named(given.get("object")), self._now()
        if operation in STORAGE:
            return STORAGE[operation](self._objects.setdefault(name, StorageObject()), given, now)
        return LEDGER[operation](self._ledgers.setdefault(name, LedgerObject()), given, now)


def _named(given: Any) -> str:
    """The object's place in the state; a name and an id are never the same."""
    fields = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    if fields.keys() == {"name"}:
        return f"name {reading.text(fields['name'], 'a name')}"
    if fields.keys() != {"id"}:
        raise invalid("object has a name or an id")
    identity = reading.text(fields["id"], "an id")
    if identity != _id(identity[:32]):
        raise invalid("the id is none of this namespace's")
    return f"id {identity}"


def _id(own: str) -> str:
    """64 hexadecimal digits, of which the second half vouch for the first."""
    return own + hashlib.sha256(f"namespace {own}".encode()).hexdigest()[:32]


FACTORY = ReferenceFactory(wire="cloudflare-do-bridge", create=CloudflareDoBridge, failure=failure)
