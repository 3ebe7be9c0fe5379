"""The service in this process: its rules, and nothing random."""

import asyncio
import json
from dataclasses import dataclass
from typing import Self

from core_caps.capabilities.key_value import Entry, KeyInfo, Metadata, Page
from core_caps.clock import Clock
from core_caps.errors import ClientClosed
from core_caps.rng import Rng

from . import limits
from .config import MockConfig
from .cursors import seal, unseal

__all__ = ["MockKv"]


@dataclass(frozen=True, slots=True)
class _Stored:
    value: bytes
    metadata: str | None
    expires_at: int | None


_STORES: dict[str, dict[str, _Stored]] = {}


class MockKv:
    """A key-value store as one client sees it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._entries: dict[str, _Stored] = (
            _STORES.setdefault(config.store, {}) if config.store else {}
        )
        self._clock = clock
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def get(self, key: str) -> bytes | None:
        """The value, or None when the key is absent or expired."""
        stored = await self._read(key)
        return None if stored is None else stored.value

    async def get_with_metadata(self, key: str) -> Entry | None:
        """The value with its metadata, or None when the key is absent or expired."""
        stored = await self._read(key)
        return None if stored is None else Entry(stored.value, _parsed(stored))

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        """Up to `limit` keys that start with `prefix`, in byte order."""
        await self._begin()
        limits.prefix_of(prefix)
        limits.page_size(limit)
        _, after = unseal(cursor, prefix)
        found = [
            KeyInfo(key, stored.expires_at, _parsed(stored))
            for key, stored in sorted(self._entries.items(), key=lambda item: item[0].encode())
            if key.startswith(prefix) and self._alive(stored)
        ]
        if after is not None:
            found = [line for line in found if line.key.encode() > after.encode()]
        page = tuple(found[:limit])
        return Page(page, seal(prefix, None, page[-1].key) if len(found) > limit else None)

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
        await self._begin()
        limits.key_of(key)
        expires = limits.expiry(ttl_seconds, expires_at, now=self._clock.now())
        self._entries[key] = _Stored(
            limits.value_of(value), limits.metadata_text(metadata), expires
        )

    async def delete(self, key: str) -> None:
        """Remove a key; an absent key is success."""
        await self._begin()
        self._entries.pop(limits.key_of(key), None)

    async def _begin(self) -> None:
        if not self._open:
            raise ClientClosed("this client is not open")
        await asyncio.sleep(0)

    async def _read(self, key: str) -> _Stored | None:
        await self._begin()
        stored = self._entries.get(limits.key_of(key))
        return stored if stored is not None and self._alive(stored) else None

    def _alive(self, stored: _Stored) -> bool:
        return stored.expires_at is None or self._clock.now() < stored.expires_at


def _parsed(stored: _Stored) -> Metadata | None:
    return None if stored.metadata is None else json.loads(stored.metadata)
