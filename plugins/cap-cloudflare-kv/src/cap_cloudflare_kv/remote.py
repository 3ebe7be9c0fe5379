"""Workers KV through the vendor's public REST API, with httpx."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Self, TypeVar
from urllib.parse import quote, urlencode

from core_caps.capabilities.cursors import seal, unseal
from core_caps.capabilities.key_value import Entry, KeyInfo, Metadata, Page
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.http.envelope import envelope
from core_caps.http.exchange import Call, Exchange, Service
from core_caps.http.failures import Refusal
from core_caps.http.json_bodies import written_json
from core_caps.rng import Rng

from cap_cloudflare_kv import answers, errors, limits
from cap_cloudflare_kv.bodies import bulk_body, put_body
from cap_cloudflare_kv.config import RemoteConfig

__all__ = ["RemoteKv"]

ENVELOPE_BYTES_MAX = 32 * 1024 * 1024
"""Of an answer in JSON: a page of 1000 keys and their metadata, escaped, fits several times."""

BULK_ANSWER_BYTES_MAX = 6 * limits.GET_MANY_BYTES_MAX + 1024 * 1024
"""Of a bulk get's answer: JSON escapes a byte in at most six."""

_Result = TypeVar("_Result")


class RemoteKv:
    """Workers KV as one client of the REST API sees it.

    Reads may be up to 60 seconds old (https://developers.cloudflare.com/kv/concepts/how-kv-works/).
    Nothing is ever repeated; every error states its outcome: a failed read is NOT_APPLIED, a write
    that may have arrived is UNKNOWN. Every operation may raise Unauthenticated, PermissionDenied,
    ContainerNotFound, RateLimited, Unavailable, TimedOut and ProtocolViolation, besides what it
    lists itself.
    """

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._scope = f"{config.account_id}/{config.namespace_id}"
        self._exchange: Exchange | None = None

    def __repr__(self) -> str:
        return f"RemoteKv({self._config.base_url}, namespace {self._config.namespace_id})"

    async def __aenter__(self) -> Self:
        self._exchange = Exchange(_service(self._config), self._clock)
        return self

    async def __aexit__(self, *exc: object) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            await exchange.close()

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
        """
        exchange = self._opened()
        path = _value_path(key)
        return await exchange.in_time("get", _get(exchange, "get", path), writes=False)

    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired.

        The API has no exact way to read both at once, so they are read one after the other: a
        write that falls between may give the old value with the new metadata. Metadata that
        others stored and that is no JSON object is returned as it is.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
        """
        exchange = self._opened()
        value_path = _value_path(key)

        async def read() -> Entry | None:
            value = await _get(exchange, "get_with_metadata", value_path)
            if value is None:
                return None
            return Entry(value, await _get_metadata(exchange, key))

        return await exchange.in_time("get_with_metadata", read(), writes=False)

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values; an absent key maps to None.

        The API's bulk get is for text. Where a value is no UTF-8, that value, or all of them
        where the service refuses the whole request, are read by themselves, one request each.
        Where the service drops a byte order mark from the front of a text, it is missing here
        and not from `get`.

        Raises:
            InvalidArgument: a key is refused, there are more than 100, or the values together
                exceed 25 MiB; NOT_APPLIED.
        """
        exchange = self._opened()
        asked = limits.checked_keys(keys, limits.GET_MANY_KEYS_MAX)

        async def read() -> Mapping[str, bytes | None]:
            if not asked:
                return {}
            exact = await _get_bulk(exchange, asked)
            return {
                key: exact[key]
                if key in exact
                else await _get(exchange, "get_many", _value_path(key))
                for key in asked
            }

        return await exchange.in_time("get_many", read(), writes=False)

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in UTF-8 byte order.

        A page may be empty and still have a cursor: recently deleted keys are passed over
        (https://developers.cloudflare.com/kv/api/list-keys/).

        Raises:
            InvalidArgument: the limit is not 1 to 1000, or the cursor is not one of this
                prefix's; NOT_APPLIED.
        """
        exchange = self._opened()
        limits.checked_prefix(prefix)
        limits.checked_limit(limit)
        position = self._position(cursor, prefix)
        page = await exchange.in_time(
            "list", _list(exchange, prefix, limit, position), writes=False
        )
        entries, following = page
        if following is None:
            return Page(entries)
        return Page(entries, seal(json.dumps(following), self._scope, prefix))

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Metadata | None = None,
    ) -> None:
        """Store a value, replacing what was there, its expiry and metadata included.

        Raises:
            InvalidArgument: a limit is broken; NOT_APPLIED.
        """
        exchange = self._opened()
        path = _value_path(key)
        content_type, body = put_body(limits.checked_value(value), metadata)
        limits.checked_expiry(ttl_seconds, expires_at, now=self._clock.now())
        if ttl_seconds is not None:
            path += f"?expiration_ttl={ttl_seconds}"
        elif expires_at is not None:
            path += f"?expiration={expires_at}"
        call = _write("put", "PUT", path, envelope, content_type, body)
        await exchange.in_time("put", exchange.send(call), writes=True)

    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Store several values without expiry or metadata, in one request.

        Raises:
            InvalidArgument: a limit is broken, for one entry or for all; NOT_APPLIED.
            Unavailable: the service names keys that it did not write; UNKNOWN.
        """
        exchange = self._opened()
        rows = [
            {"key": key, "value": base64.b64encode(value).decode(), "base64": True}
            for key, value in limits.checked_entries(entries).items()
        ]
        body = bulk_body(rows)
        if rows:
            read = partial(answers.failed_keys, stored=len(rows))
            call = _write("put_many", "PUT", "/bulk", read, "application/json", body)
            failed = await exchange.in_time("put_many", exchange.send(call), writes=True)
            _refuse_partial("put_many", failed, len(rows))

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
        """
        exchange = self._opened()
        call = _write("delete", "DELETE", _value_path(key), envelope)
        await exchange.in_time("delete", exchange.send(call, _is_absence), writes=True)

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys in one request; absent ones are success.

        Raises:
            InvalidArgument: a key is refused, or there are more than 10 000; NOT_APPLIED.
            Unavailable: the service names keys that it did not remove; UNKNOWN.
        """
        exchange = self._opened()
        asked = limits.checked_keys(keys, limits.DELETE_MANY_KEYS_MAX)
        if asked:
            body = bulk_body(asked)
            call = _write(
                "delete_many",
                "POST",
                "/bulk/delete",
                answers.failed_keys,
                body=body,
            )
            failed = await exchange.in_time("delete_many", exchange.send(call), writes=True)
            _refuse_partial("delete_many", failed, len(asked))

    def _opened(self) -> Exchange:
        if self._exchange is None:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )
        return self._exchange

    def _position(self, cursor: str | None, prefix: str) -> "_Position":
        if cursor is None:
            return None, None
        vendor, after = json.loads(unseal(cursor, self._scope, prefix))
        return vendor, after


_Position = tuple[str | None, str | None]
"""Where a listing stands: the vendor's cursor, and the last key already given of its page."""


def _service(config: RemoteConfig) -> Service:
    account = f"/accounts/{config.account_id}" if config.account_id else ""
    return Service(
        distribution="cap-cloudflare-kv",
        url=f"{config.base_url.rstrip('/')}{account}/storage/kv/namespaces/{config.namespace_id}",
        failures=errors.FAILURES,
        headers={"Authorization": f"Bearer {config.api_token.reveal()}"},
        secrets=(config.api_token,),
        timeout_seconds=config.timeout_seconds,
        connect_timeout_seconds=config.connect_timeout_seconds,
        transport=config.transport,
    )


def _is_absence(status: int, refusal: Refusal) -> bool:
    return status == 404 and errors.KEY_NOT_FOUND in refusal.codes


def _is_refusal_of_bytes(status: int, refusal: Refusal) -> bool:
    """No code is documented for it, only that values must be text; another 400 is an error."""
    return status == 400 and "text" in refusal.detail.lower()


def _value_path(key: str) -> str:
    return "/values/" + quote(limits.checked_key(key), safe="")


async def _get(exchange: Exchange, operation: str, path: str) -> bytes | None:
    return await exchange.send(
        Call(
            operation,
            "GET",
            path,
            writes=False,
            read=answers.value,
            size_bytes_max=limits.VALUE_SIZE_BYTES_MAX,
            accept="application/octet-stream",
        ),
        _is_absence,
    )


async def _get_metadata(exchange: Exchange, key: str) -> Metadata | None:
    return await exchange.send(
        Call(
            "get_with_metadata",
            "GET",
            "/metadata/" + quote(key, safe=""),
            writes=False,
            read=answers.metadata,
            size_bytes_max=ENVELOPE_BYTES_MAX,
        ),
        _is_absence,
    )


async def _get_bulk(exchange: Exchange, keys: Sequence[str]) -> Mapping[str, bytes | None]:
    """The values that one bulk get gives exactly; none where a value is refused for its bytes."""
    exact = await exchange.send(
        Call(
            "get_many",
            "POST",
            "/bulk/get",
            writes=False,
            read=partial(answers.bulk_values, keys=keys),
            size_bytes_max=BULK_ANSWER_BYTES_MAX,
            body=written_json({"keys": [*keys], "type": "text"}),
        ),
        _is_refusal_of_bytes,
    )
    return exact or {}


async def _list(
    exchange: Exchange, prefix: str, limit: int, position: _Position
) -> tuple[tuple[KeyInfo, ...], _Position | None]:
    """A page and where the next one begins.

    The API lists no fewer than 10 keys, so a smaller page is the front of one of the vendor's;
    the next one asks for the same again and goes on behind the last key given.
    """
    vendor, after = position
    asked = max(limit, limits.LIST_LIMIT_REST_MIN)
    query = {"limit": str(asked), "prefix": prefix, "cursor": vendor or ""}
    path = "/keys?" + urlencode({name: given for name, given in query.items() if given})
    page = await exchange.send(
        Call(
            "list",
            "GET",
            path,
            writes=False,
            read=partial(answers.listing, prefix=prefix, limit=asked),
            size_bytes_max=ENVELOPE_BYTES_MAX,
        )
    )
    entries, cursor = page
    if after is not None:
        given = after.encode()
        entries = [entry for entry in entries if entry.key.encode() > given]
    if len(entries) > limit:
        return tuple(entries[:limit]), (vendor, entries[limit - 1].key)
    return tuple(entries), None if cursor is None else (cursor, None)


def _write(
    operation: str,
    method: str,
    path: str,
    read: Callable[[bytes, str], _Result],
    content_type: str = "application/json",
    body: bytes | None = None,
) -> Call[_Result]:
    return Call(
        operation,
        method,
        path,
        writes=True,
        read=read,
        size_bytes_max=ENVELOPE_BYTES_MAX,
        content_type=content_type,
        body=body,
    )


def _refuse_partial(operation: str, failed: int | None, asked: int) -> None:
    if failed:
        raise errors.partial(operation, failed, asked)
