"""Workers KV over its public REST API. https://developers.cloudflare.com/api/resources/kv/"""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

from core_caps.capabilities.key_value import Entry, Metadata, Page
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.rng import Rng

from . import answers, errors, limits
from .config import RemoteConfig
from .cursors import seal, unseal
from .transport import Transport
from .wire import Answer, Request, WireError

__all__ = ["RemoteKv"]

LIST_LIMIT_REST_MIN = 10

_Result = TypeVar("_Result")


class RemoteKv:
    """Workers KV as one client of the REST API sees it."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._rng = rng
        self._transport: Transport | None = None
        self._headers = {"Authorization": f"Bearer {config.api_token.reveal()}"}
        self._namespace = (
            f"/accounts/{config.account_id}/storage/kv/namespaces/{config.namespace_id}"
        )

    async def __aenter__(self) -> Self:
        self._transport = Transport(self._config.base_url)
        return self

    async def __aexit__(self, *exc: object) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired."""
        path = "/values/" + quote(limits.key_of(key), safe="")
        return await self._ask("get", "GET", path, answers.value)

    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired."""
        name = quote(limits.key_of(key), safe="")
        value = await self._ask("get_with_metadata", "GET", "/values/" + name, answers.value)
        if value is None:
            return None
        found = await self._ask("get_with_metadata", "GET", "/metadata/" + name, answers.envelope)
        return None if found is None else Entry(value, found.get("result"))

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in byte order."""
        self._opened()
        vendor, after = unseal(cursor, limits.prefix_of(prefix))
        asked = max(limits.page_size(limit), LIST_LIMIT_REST_MIN)
        query = {"limit": str(asked), "prefix": prefix, "cursor": vendor or ""}
        path = "/keys?" + urlencode({name: given for name, given in query.items() if given})
        page = await self._ask("list", "GET", path, answers.listing)
        lines, following = page or ([], None)
        if after is not None:
            lines = [line for line in lines if line.key.encode() > after.encode()]
        if len(lines) > limit:
            return Page(tuple(lines[:limit]), seal(prefix, vendor, lines[limit - 1].key))
        return Page(tuple(lines), seal(prefix, following, None) if following else None)

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Store a value, replacing what was there, its expiry and metadata included."""
        self._opened()
        path = "/values/" + quote(limits.key_of(key), safe="")
        content_type, body = _form(limits.value_of(value), limits.metadata_text(metadata))
        limits.expiry(ttl_seconds, expires_at, now=self._clock.now())
        if ttl_seconds is not None:
            path += f"?expiration_ttl={ttl_seconds}"
        elif expires_at is not None:
            path += f"?expiration={expires_at}"
        await self._ask("put", "PUT", path, answers.envelope, body, content_type)

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        path = "/values/" + quote(limits.key_of(key), safe="")
        await self._ask("delete", "DELETE", path, answers.envelope)

    def _opened(self) -> Transport:
        if self._transport is None:
            raise ClientClosed("this client is not open")
        return self._transport

    async def _ask(
        self,
        operation: str,
        method: str,
        path: str,
        read: Callable[[Answer], _Result],
        body: bytes | None = None,
        content_type: str = "",
    ) -> _Result | None:
        """What a documented success says; None where the key is absent."""
        transport, writes = self._opened(), method != "GET"
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = content_type
        request = Request(method, self._namespace + path, headers, body)
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                answer = await transport.exchange(request)
        except TimeoutError:
            raise errors.late(operation, writes=writes) from None
        except WireError as problem:
            raise errors.failed(operation, problem, writes=writes) from None
        absent = answer.status == 404 and answers.KEY_NOT_FOUND in answers.codes(answer)
        if absent and operation != "put":
            return None
        return self._read(operation, answer, read, writes=writes)

    def _read(
        self, operation: str, answer: Answer, read: Callable[[Answer], _Result], *, writes: bool
    ) -> _Result:
        if answer.status != 200:
            wait = answers.wait(answer.headers.get("retry-after"), self._clock.now())
            raise errors.refused(operation, answer.status, writes=writes, wait=wait)
        try:
            return read(answer)
        except answers.Malformed as problem:
            raise errors.broken(operation, str(problem), writes=writes) from None


def _form(value: bytes, metadata: str | None) -> tuple[str, bytes]:
    """The body of a put: the bytes alone, or a form where metadata goes with them."""
    if metadata is None:
        return "application/octet-stream", value
    boundary = hashlib.blake2s(value + metadata.encode()).hexdigest()
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="value"; filename="value"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    )
    middle = f'\r\n--{boundary}\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
    tail = f"{metadata}\r\n--{boundary}--\r\n"
    body = head.encode() + value + middle.encode() + tail.encode()
    return f"multipart/form-data; boundary={boundary}", body
