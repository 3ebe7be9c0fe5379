"""Acme Ledger over its public API. https://ledger.acme.example/api"""

import asyncio
import email.utils
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.rng import Rng

from . import errors, rules
from .config import RemoteConfig
from .protocol import Account

__all__ = ["RemoteLedger"]

BODY_BYTES_MAX = 1024 * 1024


class _Malformed(Exception):
    """The answer is not what the API documents."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes

    def document(self) -> dict[str, Any]:
        """The JSON object that it holds."""
        if self.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise _Malformed("its content type is not application/json")
        try:
            found = json.loads(self.body.decode())
        except ValueError:
            raise _Malformed("it is no JSON in UTF-8") from None
        if not isinstance(found, dict):
            raise _Malformed("it is no JSON object")
        return found


class RemoteLedger:
    """The ledger as one client of the API sees it."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._config.api_token.reveal()}"},
            timeout=self._config.timeout_seconds,
            transport=httpx.AsyncHTTPTransport(verify=ssl.create_default_context(), retries=0),
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def account(self, name: str) -> Account | None:
        """The account, or None where there is none."""
        answer = await self._ask("account", "GET", f"/accounts/{rules.name(name)}", absent=404)
        return None if answer is None else self._account(answer)

    async def assign(self, name: str, owner: str) -> None:
        """Give an account to an owner; a new one starts at 0 cents."""
        path, content = f"/accounts/{rules.name(name)}", {"owner": rules.owner(owner)}
        answer = await self._ask("assign", "PUT", path, content)
        if self._account(answer or {}).owner != owner:
            raise errors.broken("assign", "it names another owner", writes=True)

    async def post(self, name: str, cents: int, *, idempotency_key: str) -> int:
        """Add cents to an account, once under the key; the balance after it."""
        answer = await self._ask(
            "post",
            "POST",
            f"/accounts/{rules.name(name)}/postings",
            {"cents": rules.amount(cents)},
            {"Idempotency-Key": rules.key(idempotency_key)},
        )
        match answer:
            case {"cents": int(balance)}:
                return balance
            case _:
                raise errors.broken("post", "it names no balance", writes=True)

    def _account(self, answer: Mapping[str, Any]) -> Account:
        match answer:
            case {"owner": str(owner), "cents": int(cents)}:
                return Account(owner, cents)
            case _:
                raise errors.broken("account", "it is no account", writes=False)

    async def _ask(
        self,
        operation: str,
        method: str,
        path: str,
        content: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        absent: int | None = None,
    ) -> dict[str, Any] | None:
        """What a documented success says; None where the service says that it is absent."""
        writes = method != "GET"
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                answer = await self._exchange(method, path, content, headers)
        except (TimeoutError, httpx.HTTPError) as problem:
            raise errors.failed(operation, problem, writes=writes) from None
        except _Malformed as problem:
            raise errors.broken(operation, str(problem), writes=writes) from None
        if answer.status == absent:
            return None
        if answer.status != (201 if method == "POST" else 200):
            wait = _wait(answer.headers.get("retry-after"), self._clock.now())
            raise errors.refused(operation, answer.status, writes=writes, wait=wait)
        try:
            return answer.document()
        except _Malformed as problem:
            raise errors.broken(operation, str(problem), writes=writes) from None

    async def _exchange(
        self,
        method: str,
        path: str,
        content: Mapping[str, Any] | None,
        headers: Mapping[str, str] | None,
    ) -> _Answer:
        if self._client is None:
            raise ClientClosed("this client is not open")
        asked = self._client.stream(
            method,
            self._config.base_url + path,
            json=content,
            headers={"Accept-Encoding": "identity", **(headers or {})},
        )
        async with asked as response:
            lengths = response.headers.get_list("content-length")
            if len(lengths) + ("transfer-encoding" in response.headers) != 1:
                raise _Malformed("it does not tell its length once")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > BODY_BYTES_MAX:
                    raise _Malformed("it is too long")
            return _Answer(response.status_code, response.headers, bytes(body))


def _wait(header: str | None, now: float) -> float | None:
    """The wait that a Retry-After header asks for, in seconds."""
    if header is None:
        return None
    if header.strip().isdigit():
        return float(header)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - now)
    except ValueError:
        return None
