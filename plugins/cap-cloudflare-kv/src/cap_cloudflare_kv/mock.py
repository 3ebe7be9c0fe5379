"""Workers KV in this process, with the vendor's rules and limits and nothing random."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from core_caps.capabilities.cursors import seal, unseal
from core_caps.capabilities.key_value import Entry, KeyInfo, Metadata, Page
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, InvalidArgument, RateLimited
from core_caps.rng import Rng

from cap_cloudflare_kv import limits
from cap_cloudflare_kv.config import MockConfig

__all__ = ["MockKv"]

_WRITE_RATE_SECONDS = 1.0
"""One write a second to one key. https://developers.cloudflare.com/kv/platform/limits/"""


@dataclass(frozen=True, slots=True)
class _Stored:
    value: bytes
    metadata: str | None
    expires_at: int | None


@dataclass(slots=True)
class _Store:
    entries: dict[str, _Stored] = field(default_factory=dict[str, _Stored])
    written_at: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(slots=True)
class _Location:
    """What one place of the vendor's network remembers: values, absences and a listing.

    https://developers.cloudflare.com/kv/concepts/how-kv-works/
    """

    values: dict[str, tuple[float, _Stored | None]] = field(
        default_factory=dict[str, tuple[float, _Stored | None]]
    )
    listing: dict[str, _Stored] = field(default_factory=dict[str, _Stored])
    listed_at: float | None = None


_STORES: dict[str, _Store] = {}
"""The named stores of this process: they outlive their clients, as the service does."""


class MockKv:
    """Workers KV as one client sees it.

    Each client is a location of its own: it sees its own writes at once and, where
    `stale_read_seconds` is set, those of others only when what it remembers has aged.
    """

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._store = _STORES.setdefault(config.store, _Store()) if config.store else _Store()
        self._location = _Location()
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
        """
        await self._begin()
        stored = self._read(limits.checked_key(key))
        return None if stored is None else stored.value

    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, read together, or None when the key is absent or expired.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
        """
        await self._begin()
        stored = self._read(limits.checked_key(key))
        return None if stored is None else Entry(stored.value, _parsed(stored.metadata))

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """Several values; an absent key maps to None.

        Raises:
            InvalidArgument: a key is refused, there are more than 100, or the values together
                exceed 25 MiB; NOT_APPLIED.
        """
        await self._begin()
        found: dict[str, bytes | None] = {}
        for key in limits.checked_keys(keys, limits.GET_MANY_KEYS_MAX):
            stored = self._read(key)
            found[key] = None if stored is None else stored.value
        if sum(len(value) for value in found.values() if value) > limits.GET_MANY_BYTES_MAX:
            raise InvalidArgument(
                f"the values together exceed {limits.GET_MANY_BYTES_MAX} bytes",
                hint="ask for fewer keys in one call",
            )
        return found

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in UTF-8 byte order.

        Raises:
            InvalidArgument: the limit is not 1 to 1000, or the cursor is not one of this
                prefix's; NOT_APPLIED.
        """
        await self._begin()
        limits.checked_prefix(prefix)
        limits.checked_limit(limit)
        after = None if cursor is None else self._unseal(cursor, prefix).encode()
        now = self._clock.now()
        found = sorted(
            (key.encode(), key, stored)
            for key, stored in self._listing(now).items()
            if key.startswith(prefix) and not _expired(stored, now)
        )
        rest = [item for item in found if after is None or item[0] > after]
        entries = tuple(
            KeyInfo(key, stored.expires_at, _parsed(stored.metadata))
            for _, key, stored in rest[:limit]
        )
        if len(rest) <= limit:
            return Page(entries)
        return Page(entries, seal(entries[-1].key, self._config.store, prefix))

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
            RateLimited: the key was written within the last second and the mock was asked to
                mind that; NOT_APPLIED.
        """
        await self._begin()
        now = self._clock.now()
        limits.checked_key(key)
        held = limits.checked_value(value)
        text = limits.checked_metadata(metadata)
        limits.checked_expiry(ttl_seconds, expires_at, now=now)
        if ttl_seconds is not None:
            expires_at = int(now) + ttl_seconds
        self._write({key: _Stored(held, text, expires_at)}, now)

    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        """Store several values without expiry or metadata.

        Raises:
            InvalidArgument: a limit is broken, for one entry or for all; NOT_APPLIED.
            RateLimited: as for `put`; NOT_APPLIED.
        """
        await self._begin()
        held = {
            key: _Stored(value, None, None)
            for key, value in limits.checked_entries(entries).items()
        }
        if sum(len(stored.value) for stored in held.values()) > limits.BULK_BODY_BYTES_MAX:
            raise InvalidArgument(
                f"the values together exceed {limits.BULK_BODY_BYTES_MAX} bytes",
                hint="store fewer in one call",
            )
        self._write(held, self._clock.now())

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success.

        Raises:
            InvalidArgument: the key is refused; NOT_APPLIED.
            RateLimited: as for `put`; NOT_APPLIED.
        """
        await self._begin()
        self._write({limits.checked_key(key): None}, self._clock.now())

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Remove several keys.

        Raises:
            InvalidArgument: a key is refused, or there are more than 10 000; NOT_APPLIED.
            RateLimited: as for `put`; NOT_APPLIED.
        """
        await self._begin()
        checked = limits.checked_keys(keys, limits.DELETE_MANY_KEYS_MAX)
        self._write(dict.fromkeys(checked), self._clock.now())

    async def _begin(self) -> None:
        """Refuse a closed client, and let others run as a real request would."""
        if self._open:
            await asyncio.sleep(0)
        if not self._open:
            raise ClientClosed(
                "this client is not open", hint="keep the calls inside its `async with` block"
            )

    def _unseal(self, cursor: str, prefix: str) -> str:
        return unseal(cursor, self._config.store, prefix)

    def _read(self, key: str) -> _Stored | None:
        now = self._clock.now()
        known = self._location.values.get(key)
        if known is not None and now - known[0] < self._config.stale_read_seconds:
            stored = known[1]
        else:
            stored = self._store.entries.get(key)
            self._remember(key, stored, now)
        # Expiry comes before what the location remembers.
        # https://developers.cloudflare.com/kv/api/write-key-value-pairs/
        return None if stored is None or _expired(stored, now) else stored

    def _listing(self, now: float) -> Mapping[str, _Stored]:
        stale = self._config.stale_read_seconds
        if not stale:
            return self._store.entries
        place = self._location
        if place.listed_at is None or now - place.listed_at >= stale:
            place.listing, place.listed_at = dict(self._store.entries), now
        return place.listing

    def _write(self, changes: Mapping[str, _Stored | None], now: float) -> None:
        if self._config.limit_write_rate:
            self._mind_write_rate(changes, now)
        for key, stored in changes.items():
            _set(self._store.entries, key, stored)
            _set(self._location.listing, key, stored)
            self._remember(key, stored, now)

    def _mind_write_rate(self, keys: Mapping[str, object], now: float) -> None:
        for key in keys:
            if now - self._store.written_at.get(key, -_WRITE_RATE_SECONDS) < _WRITE_RATE_SECONDS:
                raise RateLimited(
                    "a key takes one write a second",
                    hint="write it less often, or spread it over several keys; "
                    "https://developers.cloudflare.com/kv/platform/limits/",
                    status=429,
                )
        self._store.written_at.update(dict.fromkeys(keys, now))

    def _remember(self, key: str, stored: _Stored | None, now: float) -> None:
        if self._config.stale_read_seconds:
            self._location.values[key] = (now, stored)


def _set(entries: dict[str, _Stored], key: str, stored: _Stored | None) -> None:
    if stored is None:
        entries.pop(key, None)
    else:
        entries[key] = stored


def _expired(stored: _Stored, now: float) -> bool:
    return stored.expires_at is not None and now >= stored.expires_at


def _parsed(metadata: str | None) -> Metadata | None:
    return None if metadata is None else json.loads(metadata)
