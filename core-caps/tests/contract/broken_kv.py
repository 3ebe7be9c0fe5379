"""A sound provider of KeyValue in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_kv.py` names the case that must notice.
"""

import base64
import json
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from core_caps.capabilities.key_value import Entry, KeyInfo, Page
from core_caps.clock import VirtualClock
from core_caps.errors import ClientClosed, InvalidArgument

LIMITS = {
    "key_size_bytes_max": 512,
    "value_size_bytes_max": 100_000,
    "metadata_size_bytes_max": 1024,
    "ttl_seconds_min": 60,
    "list_limit_max": 1000,
    "get_many_keys_max": 100,
    "put_many_keys_max": 200,
    "delete_many_keys_max": 200,
}


@dataclass
class Held:
    value: bytes
    metadata: Any = None
    expires_at: int | None = None


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    held: dict[str, Held] = field(default_factory=dict)


def refuse(condition: object, problem: str) -> None:
    if condition:
        raise InvalidArgument(problem)


def whole(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool)


class SoundKv:
    """Keeps every promise of kv/1, and is linearizable."""

    def __init__(self, service: Service) -> None:
        self.service, self.open = service, False

    async def __aenter__(self) -> Self:
        self.open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self.open = False

    async def get(self, key: str) -> bytes | None:
        self._begin(key)
        held = self._living(key)
        return None if held is None else held.value

    async def get_with_metadata(self, key: str) -> Entry | None:
        self._begin(key)
        held = self._living(key)
        return None if held is None else Entry(held.value, self._copied(held.metadata))

    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        self._begin(*self._listed(keys))
        refuse(len(set(keys)) > LIMITS["get_many_keys_max"], "too many keys")
        return {key: await self.get(key) for key in keys}

    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        self._begin()
        self._check_text(prefix)
        refuse(not whole(limit) or not 1 <= limit <= LIMITS["list_limit_max"], "bad limit")
        after = None if cursor is None else self._opened(cursor, prefix)
        keys = [key for key in self._ordered() if self._matches(key, prefix)]
        rest = [key for key in keys if after is None or key.encode() > after.encode()]
        page = tuple(self._line(key) for key in rest[:limit])
        return Page(page, self._sealed(prefix, page[-1].key) if len(rest) > limit else None)

    async def put(
        self,
        key: str,
        value: bytes,
        *,
        ttl_seconds: int | None = None,
        expires_at: int | None = None,
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        self._begin(key)
        self._check_value(value)
        self._check_metadata(metadata)
        self._check_expiry(ttl_seconds, expires_at)
        if ttl_seconds is not None:
            expires_at = int(self.service.clock.now()) + ttl_seconds
        self._store(key, Held(value, self._copied(metadata), expires_at))

    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        refuse(not isinstance(entries, Mapping), "no mapping")
        self._begin(*entries)
        refuse(len(entries) > LIMITS["put_many_keys_max"], "too many entries")
        for value in entries.values():
            self._check_value(value)
        for key, value in entries.items():
            self._store(key, Held(value))

    async def delete(self, key: str) -> None:
        self._begin(key)
        self.service.held.pop(key, None)

    async def delete_many(self, keys: Sequence[str]) -> None:
        self._begin(*self._listed(keys))
        refuse(len(set(keys)) > LIMITS["delete_many_keys_max"], "too many keys")
        for key in keys:
            self.service.held.pop(key, None)

    def _begin(self, *keys: str) -> None:
        if not self.open:
            raise ClientClosed("closed")
        for key in keys:
            self._check_key(key)

    def _listed(self, keys: Sequence[str]) -> Sequence[str]:
        refuse(not isinstance(keys, list), "no list")
        return keys

    def _check_key(self, key: str) -> None:
        size = self._check_text(key)
        refuse(not key or size > LIMITS["key_size_bytes_max"], "bad key")

    def _check_text(self, text: str) -> int:
        refuse(not isinstance(text, str), "no text")
        try:
            return len(text.encode())
        except UnicodeEncodeError:
            raise InvalidArgument("no UTF-8 form") from None

    def _check_value(self, value: bytes) -> None:
        refuse(not isinstance(value, bytes), "no bytes")
        refuse(len(value) > LIMITS["value_size_bytes_max"], "too long")

    def _check_metadata(self, metadata: Any) -> None:
        refuse(not isinstance(metadata, Mapping | None), "no mapping")
        try:
            refuse(json.loads(json.dumps(metadata)) != metadata, "no JSON")
            text = json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            refuse(len(text.encode()) > LIMITS["metadata_size_bytes_max"], "too long")
        except (TypeError, ValueError) as problem:
            raise InvalidArgument(str(problem)) from None

    def _check_expiry(self, ttl_seconds: int | None, expires_at: int | None) -> None:
        refuse(ttl_seconds is not None and expires_at is not None, "both")
        refuse(not whole(ttl_seconds or 1) or not whole(expires_at or 1), "no whole seconds")
        least = LIMITS["ttl_seconds_min"]
        refuse(ttl_seconds is not None and ttl_seconds < least, "too short")
        earliest = int(self.service.clock.now()) + least
        refuse(expires_at is not None and expires_at < earliest, "too early")

    def _copied(self, metadata: Any) -> Any:
        return json.loads(json.dumps(metadata))

    def _store(self, key: str, held: Held) -> None:
        self.service.held[key] = held

    def _living(self, key: str) -> Held | None:
        held = self.service.held.get(key)
        return None if held is None or self._expired(held) else held

    def _expired(self, held: Held) -> bool:
        return held.expires_at is not None and self.service.clock.now() >= held.expires_at

    def _ordered(self) -> Sequence[str]:
        return sorted((key for key in self.service.held if self._living(key)), key=str.encode)

    def _matches(self, key: str, prefix: str) -> bool:
        return key.startswith(prefix)

    def _line(self, key: str) -> KeyInfo:
        held = self.service.held[key]
        return KeyInfo(key, held.expires_at, self._copied(held.metadata))

    def _sealed(self, prefix: str, after: str) -> str:
        return base64.b64encode(json.dumps([prefix, after]).encode()).decode()

    def _opened(self, cursor: str, prefix: str) -> str:
        try:
            sealed, after = json.loads(base64.b64decode(cursor, validate=True))
        except (TypeError, ValueError):
            raise InvalidArgument("bad cursor") from None
        refuse(sealed != prefix, "a cursor of another prefix")
        return after


class ReadsOnly:
    """The reading half of a sound provider, and nothing of the other."""

    def __init__(self, service: Service) -> None:
        self._whole = whole = SoundKv(service)
        self.get, self.get_with_metadata = whole.get, whole.get_with_metadata
        self.get_many, self.list = whole.get_many, whole.list

    async def __aenter__(self) -> Self:
        await self._whole.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._whole.__aexit__(*exc)


class AbsentIsEmpty(SoundKv):
    async def get(self, key: str) -> bytes | None:
        return await super().get(key) or b""


class EmptyIsAbsent(SoundKv):
    async def get(self, key: str) -> bytes | None:
        return await super().get(key) or None


class TextInside(SoundKv):
    async def get(self, key: str) -> bytes | None:
        value = await super().get(key)
        return None if value is None else value.decode(errors="replace").encode()


class DropsByteOrderMark(SoundKv):
    async def get(self, key: str) -> bytes | None:
        value = await super().get(key)
        return None if value is None else value.removeprefix(b"\xef\xbb\xbf")


class ReturnsItsBuffer(SoundKv):
    async def get(self, key: str) -> Any:
        value = await super().get(key)
        return None if value is None else bytearray(value)


class DecodesKeys(SoundKv):
    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(urllib.parse.unquote(key), value, **named)

    async def get(self, key: str) -> bytes | None:
        return await super().get(urllib.parse.unquote(key))


class FoldsCase(SoundKv):
    def _living(self, key: str) -> Held | None:
        folded = {name.lower(): name for name in self.service.held}
        return super()._living(folded.get(key.lower(), key))


class KeepsOldMetadata(SoundKv):
    async def put(self, key: str, value: bytes, *, metadata: Any = None, **named: Any) -> None:
        held = self.service.held.get(key)
        kept = held.metadata if metadata is None and held else metadata
        await super().put(key, value, metadata=kept, **named)


class KeepsOldExpiry(SoundKv):
    def _store(self, key: str, held: Held) -> None:
        old = self.service.held.get(key)
        if held.expires_at is None and old is not None:
            held.expires_at = old.expires_at
        super()._store(key, held)


class NoMetadataIsEmpty(SoundKv):
    async def get_with_metadata(self, key: str) -> Entry | None:
        entry = await super().get_with_metadata(key)
        return None if entry is None else Entry(entry.value, entry.metadata or {})


class EmptyMetadataIsNone(SoundKv):
    async def get_with_metadata(self, key: str) -> Entry | None:
        entry = await super().get_with_metadata(key)
        return None if entry is None else Entry(entry.value, entry.metadata or None)


class SharesMetadata(SoundKv):
    def _copied(self, metadata: Any) -> Any:
        return metadata


class CopiesTheSurface(SoundKv):
    def _copied(self, metadata: Any) -> Any:
        return metadata if metadata is None else dict(metadata)


class ListsItsOwn(SoundKv):
    def _line(self, key: str) -> KeyInfo:
        held = self.service.held[key]
        return KeyInfo(key, held.expires_at, held.metadata)


class CutsBlanks(SoundKv):
    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(key.strip(), value, **named)

    async def get(self, key: str) -> bytes | None:
        return await super().get(key.strip())


class KeysCutShort(SoundKv):
    def _living(self, key: str) -> Held | None:
        cut = {name[:400]: name for name in self.service.held}
        return super()._living(cut.get(key[:400], key))


class OneReadOfALongValue(SoundKv):
    async def get(self, key: str) -> bytes | None:
        value = await super().get(key)
        return None if value is None else value[: 1 << 16] if len(value) > 80_000 else value


class DeleteOfAbsentFails(SoundKv):
    async def delete(self, key: str) -> None:
        refuse(key not in self.service.held, "no such key")
        await super().delete(key)


class DeleteTakesAPrefix(SoundKv):
    async def delete(self, key: str) -> None:
        await super().delete(key)
        for other in [name for name in self.service.held if name.startswith(key)]:
            del self.service.held[other]


class LocaleOrder(SoundKv):
    def _ordered(self) -> Sequence[str]:
        return sorted(super()._ordered(), key=str.lower)


class Utf16Order(SoundKv):
    def _ordered(self) -> Sequence[str]:
        return sorted(super()._ordered(), key=lambda key: key.encode("utf-16-be"))


class PrefixIsPattern(SoundKv):
    def _matches(self, key: str, prefix: str) -> bool:
        wild = len(key) >= len(prefix)
        return wild and all(p in (k, "_") for k, p in zip(key, prefix, strict=False))


class PrefixIsFolder(SoundKv):
    def _matches(self, key: str, prefix: str) -> bool:
        return key == prefix or key.startswith(prefix if prefix.endswith("/") else prefix + "/")


class NoLimitIsTheGreatest(SoundKv):
    async def list(self, *, limit: int = 1000, **named: Any) -> Page:
        return await super().list(limit=max(limit, 0) or 1000, **named)


class LimitIsCut(SoundKv):
    async def list(self, *, limit: int = 1000, **named: Any) -> Page:
        return await super().list(limit=min(limit, 1000), **named)


class PageLosesItsLast(SoundKv):
    async def list(self, *, limit: int = 1000, **named: Any) -> Page:
        page = await super().list(limit=limit, **named)
        return page if page.cursor is None else Page(page.entries[:-1], page.cursor)


class PageRepeatsItsFirst(SoundKv):
    def _opened(self, cursor: str, prefix: str) -> str:
        return super()._opened(cursor, prefix)[:-1]


class CursorFoldsCase(SoundKv):
    async def list(self, *, prefix: str = "", limit: int = 1000, cursor: str | None = None) -> Page:
        page = await super().list(prefix=prefix, limit=limit, cursor=cursor)
        if cursor is None:
            return page
        after = self._opened(cursor, prefix).lower()
        return Page(tuple(line for line in page.entries if line.key.lower() > after), page.cursor)


class LaterPagesHaveNoPrefix(SoundKv):
    later = False

    async def list(self, *, cursor: str | None = None, **named: Any) -> Page:
        self.later = cursor is not None
        return await super().list(cursor=cursor, **named)

    def _matches(self, key: str, prefix: str) -> bool:
        return self.later or super()._matches(key, prefix)


class NoCursorAtAll(SoundKv):
    async def list(self, **named: Any) -> Page:
        return Page((await super().list(**named)).entries)


class EndlessListing(SoundKv):
    async def list(self, **named: Any) -> Page:
        page = await super().list(**named)
        return Page(
            page.entries, page.cursor or self._sealed(named.get("prefix", ""), "\U0010ffff")
        )


class BadCursorStartsAnew(SoundKv):
    def _opened(self, cursor: str, prefix: str) -> str:
        try:
            return super()._opened(cursor, prefix)
        except InvalidArgument:
            return ""


class CursorBringsItsPrefix(SoundKv):
    async def list(self, *, prefix: str = "", cursor: str | None = None, **named: Any) -> Page:
        if cursor is not None:
            try:
                prefix = json.loads(base64.b64decode(cursor, validate=True))[0]
            except ValueError:
                raise InvalidArgument("bad cursor") from None
        return await super().list(prefix=prefix, cursor=cursor, **named)


class ListsExpired(SoundKv):
    def _ordered(self) -> Sequence[str]:
        return sorted(self.service.held, key=str.encode)


class ListHidesMetadata(SoundKv):
    def _line(self, key: str) -> KeyInfo:
        return KeyInfo(key, self.service.held[key].expires_at)


class TtlIgnored(SoundKv):
    async def put(self, key: str, value: bytes, *, ttl_seconds: Any = None, **named: Any) -> None:
        self._check_expiry(ttl_seconds, named.get("expires_at"))
        await super().put(key, value, **named)


class TtlInMinutes(SoundKv):
    def _expired(self, held: Held) -> bool:
        return held.expires_at is not None and self.service.clock.now() >= held.expires_at + 60


class TtlInWholeMinutes(SoundKv):
    async def put(self, key: str, value: bytes, *, ttl_seconds: Any = None, **named: Any) -> None:
        self._check_expiry(ttl_seconds, named.get("expires_at"))
        minutes = None if ttl_seconds is None else -(-ttl_seconds // 60) * 60
        await super().put(key, value, ttl_seconds=minutes, **named)


class TtlShowsRelative(SoundKv):
    def _line(self, key: str) -> KeyInfo:
        line = super()._line(key)
        now = int(self.service.clock.now())
        left = None if line.expires_at is None else line.expires_at - now
        return KeyInfo(line.key, left, line.metadata)


class ShortTtlRaised(SoundKv):
    async def put(self, key: str, value: bytes, *, ttl_seconds: Any = None, **named: Any) -> None:
        ttl_seconds = None if ttl_seconds is None else max(60, ttl_seconds)
        await super().put(key, value, ttl_seconds=ttl_seconds, **named)


class TtlBeatsExpiresAt(SoundKv):
    async def put(self, key: str, value: bytes, *, ttl_seconds: Any = None, **named: Any) -> None:
        if ttl_seconds is not None:
            named.pop("expires_at", None)
        await super().put(key, value, ttl_seconds=ttl_seconds, **named)


class ChecksAfterStoring(SoundKv):
    async def put(self, key: str, value: bytes, *, metadata: Any = None, **named: Any) -> None:
        self._begin(key)
        self._store(key, Held(value))
        await super().put(key, value, metadata=metadata, **named)


class CountsLetters(SoundKv):
    def _check_key(self, key: str) -> None:
        refuse(not key or len(key) > LIMITS["key_size_bytes_max"], "bad key")
        refuse(any("\ud800" <= letter <= "\udfff" for letter in key), "surrogate")


class LimitOffByOne(SoundKv):
    def _check_value(self, value: bytes) -> None:
        super()._check_value(value)
        refuse(len(value) >= LIMITS["value_size_bytes_max"], "too long")


class ValueCutToLimit(SoundKv):
    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(key, value[: LIMITS["value_size_bytes_max"]], **named)


class MetadataCoerced(SoundKv):
    def _check_metadata(self, metadata: Any) -> None:
        super()._check_metadata(json.loads(json.dumps(metadata, default=str)))

    def _copied(self, metadata: Any) -> Any:
        return json.loads(json.dumps(metadata, default=str))


class TextAccepted(SoundKv):
    async def put(self, key: str, value: Any, **named: Any) -> None:
        await super().put(key, value.encode() if isinstance(value, str) else value, **named)


class EmptyKeyIsAKey(SoundKv):
    def _check_key(self, key: str) -> None:
        super()._check_key(key or "empty")


class SurrogateReplaced(SoundKv):
    def _check_key(self, key: str) -> None:
        super()._check_key(key.encode(errors="replace").decode())


class GetManyOmitsAbsent(SoundKv):
    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        found = await super().get_many(keys)
        return {key: value for key, value in found.items() if value is not None}


class GetManyIsText(SoundKv):
    async def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        found = await super().get_many(keys)
        return {
            key: value and value.decode(errors="replace").encode() for key, value in found.items()
        }


class PutManyStoresUntilBad(SoundKv):
    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        for key, value in entries.items():
            await self.put(key, value)


class BulkOfNothingFails(SoundKv):
    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        refuse(not entries, "nothing to put")
        await super().put_many(entries)


class PutManyMerges(SoundKv):
    async def put_many(self, entries: Mapping[str, bytes]) -> None:
        old = {key: self.service.held.get(key) for key in entries}
        await super().put_many(entries)
        for key, held in old.items():
            if held is not None:
                self.service.held[key].metadata = held.metadata


class DeleteManyStopsAtAbsent(SoundKv):
    async def delete_many(self, keys: Sequence[str]) -> None:
        self._begin(*keys)
        refuse(len(set(keys)) > LIMITS["delete_many_keys_max"], "too many keys")
        for key in sorted(keys, reverse=True):
            if self.service.held.pop(key, None) is None:
                return


class OpenAfterClose(SoundKv):
    async def __aexit__(self, *exc: object) -> None:
        """Forgets to close."""


class ClosesTheStore(SoundKv):
    async def __aexit__(self, *exc: object) -> None:
        await super().__aexit__(*exc)
        self.service.held.clear()


class CachesForever(SoundKv):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.cached: dict[str, bytes | None] = {}

    async def get(self, key: str) -> bytes | None:
        if key not in self.cached:
            self.cached[key] = await super().get(key)
        return self.cached[key]

    async def put(self, key: str, value: bytes, **named: Any) -> None:
        await super().put(key, value, **named)
        self.cached[key] = value

    async def delete(self, key: str) -> None:
        await super().delete(key)
        self.cached[key] = None


class CachesAbsence(SoundKv):
    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.missing: dict[str, float] = {}

    async def get(self, key: str) -> bytes | None:
        now = self.service.clock.now()
        if now - self.missing.get(key, -60.0) < 60:
            return None
        value = await super().get(key)
        if value is None:
            self.missing[key] = now
        return value


class MixesConcurrentAnswers(SoundKv):
    latest = ""

    async def get(self, key: str) -> bytes | None:
        import asyncio

        type(self).latest = key
        await asyncio.sleep(0)
        return await super().get(type(self).latest)


class TripsOverTypes(SoundKv):
    """What is no text is found out by accident."""

    def _check_text(self, text: str) -> int:
        return len(text.encode())


class TakesTextNumbers(SoundKv):
    """A page size is converted on the caller's behalf."""

    async def list(self, *, prefix: str = "", limit: Any = 1000, cursor: str | None = None) -> Page:
        limit = int(limit) if isinstance(limit, str) else limit
        return await super().list(prefix=prefix, limit=limit, cursor=cursor)
