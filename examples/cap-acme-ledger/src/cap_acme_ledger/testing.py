"""Acme's protocol as a state machine: the reference server of the wire `acme-ledger`."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from core_caps.contract.reference import Request, Response

__all__ = ["Reference"]

_ROUTE = re.compile(r"/v1/accounts/([a-z0-9-]{1,64})(/postings)?")


class Reference:
    """What a faultless Acme would answer."""

    def __init__(
        self, settings: Mapping[str, Any], secrets: Mapping[str, str], now: Callable[[], float]
    ) -> None:
        self._token = secrets["api_token"]
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._accounts: dict[str, dict[str, Any]] = {}
        self._posted: dict[str, list[Any]] = {}

    def state(self) -> Mapping[str, Any]:
        """Every account and every posting that was made."""
        return {"accounts": self._accounts, "posted": self._posted}

    def failure(self, status: int) -> Response:
        """Acme's error answer."""
        return _json(status, {"error": f"status {status}"})

    def handle(self, request: Request) -> Response:
        """Apply one request and answer it."""
        route = _ROUTE.fullmatch(request.path)
        if request.header("authorization") != f"Bearer {self._token}":
            return self.failure(401)
        if route is None:
            return self.failure(400)
        match request.method, bool(route[2]):
            case "GET", False:
                return self._shown(route[1])
            case "PUT", False:
                return self._assign(route[1], _document(request))
            case "POST", True:
                key = request.header("idempotency-key")
                return self._post(route[1], key, _document(request))
            case _:
                return self.failure(405)

    def _shown(self, name: str) -> Response:
        held = self._accounts.get(name)
        return self.failure(404) if held is None else _json(200, held)

    def _assign(self, name: str, document: Any) -> Response:
        match document:
            case {"owner": str(owner)} if 1 <= len(owner) <= 100:
                cents = self._accounts.get(name, {"cents": 0})["cents"]
                self._accounts[name] = {"owner": owner, "cents": cents}
                return self._shown(name)
            case _:
                return self.failure(422)

    def _post(self, name: str, key: str | None, document: Any) -> Response:
        match document:
            case {"cents": int(cents)} if key:
                pass
            case _:
                return self.failure(422)
        if key in self._posted:
            *posting, balance = self._posted[key]
            return _json(201, {"cents": balance}) if posting == [name, cents] else self.failure(409)
        if name not in self._accounts:
            return self.failure(404)
        self._accounts[name]["cents"] += cents
        self._posted[key] = [name, cents, self._accounts[name]["cents"]]
        return _json(201, {"cents": self._accounts[name]["cents"]})


def _document(request: Request) -> Any:
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _json(status: int, document: Mapping[str, Any]) -> Response:
    body = json.dumps(document).encode()
    return Response(status, (("Content-Type", "application/json"),), body)
