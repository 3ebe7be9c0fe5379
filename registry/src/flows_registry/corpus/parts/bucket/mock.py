"""The bucket in this process: its rules, and nothing random."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote, urlencode

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import seal, unseal
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, ObjectAbsent, ProtocolViolation
from core_caps.rng import Rng

from . import limits
from .config import MockConfig

__all__ = ["MockBucket"]

_STORES: dict[str, dict[str, Blob]] = {}
_STEP_BYTES = 256 * 1024


class MockBucket:
    """A bucket as one client sees it."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        self._objects: dict[str, Blob] = _STORES.setdefault(config.store, {}) if config.store else {}
        self._clock = clock
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def get(
        self, key: str, *, range: ByteRange | None = None, if_match: str | None = None, if_none_match: str | None = None
    ) -> Blob | None:
        """The object, or None when it is absent."""
        limits.range_of(range)
        found = self._read(key, if_match, if_none_match)
        if found is None or range is None:
            return found
        return replace(found, data=_slice(found.data, range))

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """The object in chunks."""
        found = self._read(key, if_match, None)
        if found is None:
            raise ObjectAbsent("there is no such object")
        for start in range(0, len(found.data), _STEP_BYTES):
            self._begin()
            yield found.data[start : start + _STEP_BYTES]

    async def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        found = self._read(key, None, None)
        return None if found is None else found.info

    async def list(
        self, *, prefix: str = "", delimiter: str | None = None, limit: int = 1000, cursor: str | None = None
    ) -> BlobPage:
        """A page of objects and common prefixes, in byte order."""
        self._begin()
        limits.listing_of(prefix, delimiter, limit)
        after = "" if cursor is None else unseal(cursor, prefix, delimiter)
        lines: dict[str, ObjectInfo | None] = {}
        for key in sorted(self._objects, key=str.encode):
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            name = prefix + head + cut if cut else key
            if key.startswith(prefix) and name.encode() > after.encode():
                info = replace(self._objects[key].info, http=HttpMetadata(), metadata={})
                lines.setdefault(name, None if cut else info)
        page = [*lines.items()][:limit]
        return BlobPage(
            tuple(info for _, info in page if info is not None),
            tuple(name for name, info in page if info is None),
            seal(page[-1][0], prefix, delimiter) if len(lines) > limit else None,
        )

    async def get_by_hash(self, digest: str) -> bytes | None:
        """The object whose content has this digest."""
        found = self._read(limits.digest_of(digest), None, None)
        if found is None:
            return None
        if hashlib.sha256(found.data).hexdigest() != digest.removeprefix("sha256:"):
            raise ProtocolViolation("the object under the digest has another content")
        return found.data

    async def put(
        self,
        key: str,
        data: bytes | AsyncIterator[bytes],
        *,
        size_bytes: int | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        http: HttpMetadata | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Store an object, whole or not at all."""
        self._begin()
        limits.key_of(key)
        limits.etag_of(if_match, if_none_match)
        limits.http_of(http)
        limits.metadata_of(metadata)
        limits.size_of(size_bytes, 0, complete=False)
        content = await _whole(data, size_bytes)
        self._begin()
        held = self._objects.get(key)
        limits.conditions(None if held is None else held.info.etag, if_match, if_none_match)
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        now = self._clock.now()
        info = ObjectInfo(key, len(content), etag, now, http or HttpMetadata(), dict(metadata or {}))
        self._objects[key] = Blob(content, info)
        return replace(info, metadata=dict(info.metadata))

    async def delete(self, key: str) -> None:
        """Remove an object; an absent one is success."""
        self._begin()
        self._objects.pop(limits.key_of(key), None)

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """Copy an object with all that is known of it."""
        limits.key_of(target)
        found = self._read(source, None, None)
        if found is None or source == target:
            return None if found is None else found.info
        info = replace(found.info, key=target, uploaded_at=self._clock.now())
        self._objects[target] = Blob(found.data, info)
        return replace(info, metadata=dict(info.metadata))

    async def presign(self, key: str, *, method: Any = "GET", expires_in_seconds: int = 3600) -> str:
        """A URL of the same shape that grants nothing."""
        self._begin()
        limits.signing_of(method, expires_in_seconds)
        granted = {"method": method, "date": int(self._clock.now()), "expires": expires_in_seconds}
        return f"https://bucket.mock.invalid/{quote(limits.key_of(key))}?{urlencode(granted)}"

    def _begin(self) -> None:
        if not self._open:
            raise ClientClosed("this client is not open")

    def _read(self, key: str, if_match: str | None, if_none_match: str | None) -> Blob | None:
        self._begin()
        limits.etag_of(if_match, if_none_match)
        found = self._objects.get(limits.key_of(key))
        if found is None:
            return None
        limits.conditions(found.info.etag, if_match, if_none_match)
        return replace(found, info=replace(found.info, metadata=dict(found.info.metadata)))


def _slice(data: bytes, wanted: ByteRange) -> bytes:
    if wanted.offset is None:
        limits.need(bool(data), "an empty object has no last bytes")
        return data[-(wanted.length or 0) :]
    if wanted.offset or wanted.length:
        limits.need(wanted.offset < len(data), "the range starts after the last byte")
    return data[wanted.offset :][: wanted.length]


async def _whole(data: bytes | AsyncIterator[bytes], stated: int | None) -> bytes:
    if not hasattr(data, "__aiter__"):
        limits.data_of(data)
        limits.size_of(stated, len(data), complete=True)
        return bytes(data)
    content = bytearray()
    async for chunk in data:
        content += limits.data_of(chunk)
        limits.size_of(stated, len(content), complete=False)
    limits.size_of(stated, len(content), complete=True)
    return bytes(content)
