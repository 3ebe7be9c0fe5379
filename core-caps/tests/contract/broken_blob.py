"""A sound provider of BlobStore in memory, and providers with one defect each.

A suite is worth what it catches: every class below the first differs from it in one subtle way,
and `test_blob.py` names the case that must notice.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.header import decode_header, make_header
from urllib.parse import quote

from core_caps.capabilities.blob_store import (
    Blob,
    BlobPage,
    ByteRange,
    HttpMetadata,
    ObjectInfo,
)
from core_caps.clock import VirtualClock
from core_caps.errors import (
    ClientClosed,
    InvalidArgument,
    ObjectAbsent,
    PreconditionFailed,
    ProtocolViolation,
)

KEY_MAX, METADATA_MAX, LIST_MAX, LIFE_MAX = 1024, 8192, 1000, 604_800
LIMITS = {
    "key_size_bytes_max": KEY_MAX,
    "metadata_size_bytes_max": METADATA_MAX,
    "list_limit_max": LIST_MAX,
    "presign_seconds_max": LIFE_MAX,
    "part_size_bytes_min": 5 * 1024 * 1024,
}


@dataclass
class Service:
    """What the clients of one test share."""

    clock: VirtualClock = field(default_factory=VirtualClock)
    objects: dict[str, Blob] = field(default_factory=dict)


def refuse(condition, message):
    if condition:
        raise InvalidArgument(message)


def whole(number):
    return isinstance(number, int) and not isinstance(number, bool)


class SoundStore:
    """Keeps every promise."""

    def __init__(self, service):
        self.objects = service.objects
        self.clock = service.clock
        self.open_ = False

    async def __aenter__(self):
        self.open_ = True
        return self

    async def __aexit__(self, *exc):
        self.open_ = False

    def check(self, key):
        if not self.open_:
            raise ClientClosed("closed")
        refuse(not 1 <= self.text(key) <= KEY_MAX, "key size")

    def text(self, given):
        refuse(not isinstance(given, str), "no text")
        try:
            return len(given.encode())
        except UnicodeEncodeError:
            raise InvalidArgument("no UTF-8 form") from None

    def etag(self, data):
        return hashlib.md5(data).hexdigest()

    def check_etags(self, *etags):
        for etag in etags:
            refuse(etag is not None and not self.text(etag), "no etag")
            refuse(etag is not None and not re.fullmatch(r"[\x21\x23-\x7e]+", etag), "no etag")

    def require(self, key, if_match, if_none_match):
        self.check_etags(if_match, if_none_match)
        held = self.objects.get(key)
        etag = held and held.info.etag
        if if_match is not None and (not held or if_match not in ("*", etag)):
            raise PreconditionFailed("if_match")
        if if_none_match is not None and held and if_none_match in ("*", etag):
            raise PreconditionFailed("if_none_match")

    def part(self, data, wanted):
        if wanted is None:
            return data
        refuse(not isinstance(wanted, ByteRange), "range")
        refuse(not whole(wanted.offset or 0) or not whole(wanted.length or 0), "range")
        if wanted.offset == 0 and wanted.length is None:
            return data
        offset, length = wanted.offset, wanted.length
        refuse(offset is None and length is None, "range")
        refuse(offset is not None and offset < 0, "offset")
        refuse(length is not None and length < 1, "length")
        if offset is None:
            refuse(not data, "range outside")
            return data[-length:]
        refuse(offset >= len(data), "range outside")
        return data[offset:] if length is None else data[offset : offset + length]

    async def get(self, key, *, range=None, if_match=None, if_none_match=None):
        self.check(key)
        if range is not None:
            self.part(b"x" * (1 << 16), range)  # what no object allows is refused for any
        self.check_etags(if_match)
        held = self.objects.get(key)
        self.require(key, if_match if held else None, if_none_match)
        return held and Blob(self.part(held.data, range), self.told(held.info))

    async def open(self, key, *, if_match=None):
        self.check(key)
        self.check_etags(if_match)
        held = self.objects.get(key)
        self.require(key, if_match if held else None, None)
        if held is None:
            raise ObjectAbsent(key)
        for start in range(0, len(held.data), 1 << 20):
            yield held.data[start : start + (1 << 20)]

    async def head(self, key):
        self.check(key)
        held = self.objects.get(key)
        return held and self.told(held.info)

    def told(self, info):
        return replace(info, metadata=dict(info.metadata))

    def order(self, key):
        return key.encode()

    def line(self, key):
        return replace(self.objects[key].info, http=HttpMetadata(), metadata={})

    async def list(self, *, prefix="", delimiter=None, limit=LIST_MAX, cursor=None):
        self.check("any")
        self.text(prefix)
        refuse(delimiter is not None and not self.text(delimiter), "delimiter")
        refuse(not whole(limit) or not 1 <= limit <= LIST_MAX, "limit")
        after = self.after(cursor, prefix, delimiter)
        lines = {}
        for key in sorted(self.objects, key=self.order):
            if not key.startswith(prefix):
                continue
            head, found, _ = key[len(prefix) :].partition(delimiter or "\0")
            name = prefix + head + found if delimiter and found else key
            if after is None or self.order(name) > self.order(after):
                lines[name] = self.line(key) if name == key and not found else None
        shown = [*lines][:limit]
        return BlobPage(
            tuple(lines[name] for name in shown if lines[name]),
            tuple(name for name in shown if not lines[name]),
            self.cursor(shown[-1], prefix, delimiter) if len(lines) > limit else None,
        )

    def cursor(self, last, prefix, delimiter):
        text = json.dumps([last, prefix, delimiter])
        sealed = [text, hashlib.sha256(text.encode()).hexdigest()]
        return base64.b64encode(json.dumps(sealed).encode()).decode()

    def after(self, cursor, prefix, delimiter):
        if cursor is None:
            return None
        try:
            text, seal = json.loads(base64.b64decode(cursor, validate=True))
            last, *listing = json.loads(text)
        except (ValueError, TypeError):
            raise InvalidArgument("cursor") from None
        refuse(seal != hashlib.sha256(text.encode()).hexdigest(), "cursor")
        refuse(listing != [prefix, delimiter], "cursor of another listing")
        return last

    async def get_by_hash(self, digest):
        self.check("any")
        self.text(digest)
        refuse(not re.fullmatch(r"sha256:[0-9a-f]{64}", digest), "digest")
        held = self.objects.get(digest)
        if held and hashlib.sha256(held.data).hexdigest() != digest[7:]:
            raise ProtocolViolation("another content")
        return held and held.data

    def check_beside(self, http, metadata):
        refuse(not isinstance(metadata, Mapping | None), "no mapping")
        refuse(not isinstance(http, HttpMetadata), "no HTTP metadata")
        due = http.expires_at
        refuse(due is not None and not (whole(due) and due >= 0), "time")
        size = 0
        for name, value in (metadata or {}).items():
            self.text(name), self.text(value)
            refuse(not re.fullmatch(r"[a-z0-9._-]+", name), "name")
            refuse(not value.isprintable(), "value")
            size += len(name) + len(value.encode())
        refuse(size > METADATA_MAX, "metadata size")
        for value in (http.content_type, http.cache_control, http.content_disposition):
            refuse(value is not None and not self.text(value), "header")
            refuse(value is not None and not value.isprintable(), "header")

    async def collect(self, data, size_bytes):
        content = bytearray()
        async for chunk in data:
            refuse(not isinstance(chunk, bytes), "chunk")
            content += chunk
        return bytes(content)

    async def put(
        self,
        key,
        data,
        *,
        size_bytes=None,
        if_match=None,
        if_none_match=None,
        http=None,
        metadata=None,
    ):
        self.check(key)
        http = HttpMetadata() if http is None else http
        self.check_beside(http, metadata)
        refuse(not isinstance(data, bytes) and not hasattr(data, "__aiter__"), "data")
        refuse(not whole(size_bytes or 0) or (size_bytes or 0) < 0, "size")
        content = data if isinstance(data, bytes) else await self.collect(data, size_bytes)
        refuse(size_bytes not in (None, len(content)), "size")
        self.require(key, if_match, if_none_match)
        info = ObjectInfo(key, len(content), self.etag(content), None, http, dict(metadata or {}))
        self.objects[key] = Blob(content, info)
        return self.told(info)

    async def delete(self, key):
        self.check(key)
        self.objects.pop(key, None)

    async def copy(self, source, target):
        self.check(source)
        self.check(target)
        held = self.objects.get(source)
        if held is None:
            return None
        self.objects[target] = Blob(held.data, replace(held.info, key=target))
        return self.told(self.objects[target].info)

    async def presign(self, key, *, method="GET", expires_in_seconds=3600):
        self.check(key)
        refuse(method not in ("GET", "PUT"), "method")
        refuse(not whole(expires_in_seconds) or not 1 <= expires_in_seconds <= LIFE_MAX, "life")
        query = f"method={method}&at={self.clock.now()}&for={expires_in_seconds}"
        return f"https://store.invalid/{quote(key)}?{query}"


class ConditionIgnored(SoundStore):
    """if_match and if_none_match are accepted and never looked at."""

    def require(self, key, if_match, if_none_match):
        pass


class CheckThenAct(SoundStore):
    """The condition is looked at before the stream is read, and not again."""

    async def put(self, key, data, *, if_match=None, if_none_match=None, **named):
        self.check(key)
        self.require(key, if_match, if_none_match)
        await asyncio.sleep(0)
        return await super().put(key, data, **named)


class IfMatchCreates(SoundStore):
    """if_match on an absent key stores."""

    async def put(self, key, data, *, if_match=None, **named):
        if key not in self.objects:
            if_match = None
        return await super().put(key, data, if_match=if_match, **named)


class EtagOfTheKey(SoundStore):
    """The etag does not change with the content."""

    def etag(self, data):
        return "0" * 32


class HalfAStream(SoundStore):
    """What a broken stream gave before is stored."""

    async def put(self, key, data, **named):
        if isinstance(data, bytes):
            return await super().put(key, data, **named)
        content = b""
        try:
            async for chunk in data:
                content += chunk
        except Exception:
            await super().put(key, content)
            raise
        return await super().put(key, content, **named)


class StreamErrorSwallowed(SoundStore):
    """A broken stream ends the object silently."""

    async def collect(self, data, size_bytes):
        content = b""
        try:
            async for chunk in data:
                content += chunk
        except Exception:
            return content
        return content


class PartLost(SoundStore):
    """Of a long stream the second MiB is lost, and nobody counts."""

    async def collect(self, data, size_bytes):
        content = await super().collect(data, size_bytes)
        return content[: 1 << 20] + content[2 << 20 :] if len(content) > 5 << 20 else content


class SizeCutOff(SoundStore):
    """A stream that is longer than stated is cut off at the stated size."""

    async def collect(self, data, size_bytes):
        return (await super().collect(data, size_bytes))[:size_bytes]


class SuffixFromTheStart(SoundStore):
    """A suffix range reads the first bytes."""

    def part(self, data, wanted):
        if wanted is not None and wanted.offset is None and wanted.length:
            return data[: wanted.length]
        return super().part(data, wanted)


class EmptyOutside(SoundStore):
    """A range outside the object is b""."""

    def part(self, data, wanted):
        if wanted is not None and wanted.offset is not None and wanted.offset >= len(data) > 0:
            return b""
        return super().part(data, wanted)


class RangeSizeTold(SoundStore):
    """A range tells its own size as the object's."""

    async def get(self, key, **named):
        found = await super().get(key, **named)
        return found and Blob(found.data, replace(found.info, size_bytes=len(found.data)))


class MetadataMerged(SoundStore):
    """A put keeps the old object's metadata."""

    async def put(self, key, data, *, metadata=None, **named):
        held = self.objects.get(key)
        old = dict(held.info.metadata) if held else {}
        return await super().put(key, data, metadata={**old, **(metadata or {})}, **named)


class MetadataLatin(SoundStore):
    """Metadata outside Latin-1 is stored as question marks."""

    async def put(self, key, data, *, metadata=None, **named):
        latin = {
            n: v.encode("latin-1", "replace").decode("latin-1") for n, v in (metadata or {}).items()
        }
        return await super().put(key, data, metadata=latin, **named)


class WordsDecoded(SoundStore):
    """Metadata that looks like an RFC 2047 word is handed out decoded."""

    async def get(self, key, **named):
        found = await super().get(key, **named)
        if not found:
            return found
        decoded = {n: str(make_header(decode_header(v))) for n, v in found.info.metadata.items()}
        return Blob(found.data, replace(found.info, metadata=decoded))


class HeaderInjected(SoundStore):
    """Metadata with a line break is cleaned up silently."""

    def check_beside(self, http, metadata):
        pass


class SharesMetadata(SoundStore):
    """What is returned is what is kept, and changes with it."""

    def told(self, info):
        return info


class WhenInMilliseconds(SoundStore):
    """uploaded_at has the wire's unit."""

    async def head(self, key):
        info = await super().head(key)
        return info and replace(info, uploaded_at=self.clock.now() * 1000)


class CopyForgets(SoundStore):
    """A copy has the content and no metadata."""

    async def copy(self, source, target):
        found = await super().copy(source, target)
        if found:
            bare = replace(self.objects[target].info, metadata={}, http=HttpMetadata())
            self.objects[target] = Blob(self.objects[target].data, bare)
        return found


class CopyCreates(SoundStore):
    """Copying an absent object makes an empty one."""

    async def copy(self, source, target):
        if source not in self.objects:
            self.check(source)
            return await self.put(target, b"")
        return await super().copy(source, target)


class PageDropped(SoundStore):
    """Each page after the first starts one key late."""

    def after(self, cursor, prefix, delimiter):
        last = super().after(cursor, prefix, delimiter)
        later = sorted((k for k in self.objects if last is not None and k > last), key=self.order)
        return later[0] if later else last


class CursorFoldsCase(SoundStore):
    """A page goes on after the last key whatever the case of its letters."""

    async def list(self, *, prefix="", delimiter=None, limit=LIST_MAX, cursor=None):
        page = await super().list(prefix=prefix, delimiter=delimiter, limit=limit, cursor=cursor)
        last = self.after(cursor, prefix, delimiter)
        after = "" if last is None else last.lower()
        objects = tuple(info for info in page.objects if info.key.lower() > after)
        return replace(page, objects=objects)


class LaterPagesHaveNoPrefix(SoundStore):
    """The last page of several goes on to keys that have not the prefix."""

    async def list(self, *, cursor=None, **named):
        page = await super().list(cursor=cursor, **named)
        if cursor is None or page.cursor is not None or not page.objects:
            return page
        last = page.objects[-1].key
        more = [key for key in sorted(self.objects, key=self.order) if key > last]
        return replace(page, objects=(*page.objects, *map(self.line, more)))


class Utf16Order(SoundStore):
    """Listings are in the order of UTF-16 code units."""

    def order(self, key):
        return key.encode("utf-16-be", "surrogatepass")


class PrefixTwice(SoundStore):
    """A common prefix is told on every page that its keys touch."""

    async def list(self, *, prefix="", delimiter=None, limit=LIST_MAX, cursor=None):
        page = await super().list(prefix=prefix, limit=limit, cursor=cursor)
        if delimiter is None:
            return page
        objects, prefixes = [], []
        for info in page.objects:
            head, found, _ = info.key[len(prefix) :].partition(delimiter)
            if not found:
                objects.append(info)
            elif prefix + head + found not in prefixes:
                prefixes.append(prefix + head + found)
        return BlobPage(tuple(objects), tuple(prefixes), page.cursor)


class AnyCursor(SoundStore):
    """A cursor that is not ours starts from the beginning."""

    def after(self, cursor, prefix, delimiter):
        try:
            return super().after(cursor, prefix, delimiter)
        except InvalidArgument:
            return None


class HashTrusted(SoundStore):
    """get_by_hash hands out whatever lies under the digest."""

    async def get_by_hash(self, digest):
        found = await self.get(digest)
        refuse(not re.fullmatch(r"sha256:[0-9a-f]{64}", digest), "digest")
        return found and found.data


class AbsenceRaised(SoundStore):
    """An absent object is an error."""

    async def get(self, key, **named):
        found = await super().get(key, **named)
        if found is None:
            raise ObjectAbsent(key)
        return found


class OpenOfNothing(SoundStore):
    """open of an absent object is an empty stream."""

    async def open(self, key, **named):
        try:
            async for chunk in super().open(key, **named):
                yield chunk
        except ObjectAbsent:
            return


class StillOpen(SoundStore):
    """A closed client goes on."""

    async def __aexit__(self, *exc):
        pass


class OwnStore(SoundStore):
    """Each client has a store of its own."""

    def __init__(self, service):
        super().__init__(Service(service.clock))


class KeyFolded(SoundStore):
    """Keys are unquoted on the way."""

    def key_of(self, key):
        return key.replace("%2F", "/")

    async def put(self, key, data, **named):
        self.check(key)
        return replace(await super().put(self.key_of(key), data, **named), key=key)

    async def get(self, key, **named):
        found = await super().get(self.key_of(key), **named)
        return found and Blob(found.data, replace(found.info, key=key))


class SameSignature(SoundStore):
    """GET and PUT are signed alike: the reader's URL also writes."""

    async def presign(self, key, *, method="GET", expires_in_seconds=3600):
        return await super().presign(key, expires_in_seconds=expires_in_seconds)


class MutableBytes(SoundStore):
    """The content is handed out as the store's own bytearray."""

    async def get(self, key, **named):
        found = await super().get(key, **named)
        return found and Blob(bytearray(found.data), found.info)


class EncodesText(SoundStore):
    """Text is encoded on the caller's behalf."""

    async def put(self, key, data, **named):
        return await super().put(key, data.encode() if isinstance(data, str) else data, **named)


class DeleteOfAbsentFails(SoundStore):
    async def delete(self, key):
        self.check(key)
        if key not in self.objects:
            raise ObjectAbsent(key)
        await super().delete(key)


class OpenGivesOneChunk(SoundStore):
    """What is longer than one chunk is streamed up to its first."""

    async def open(self, key, **named):
        async for chunk in super().open(key, **named):
            yield chunk
            return


class PrefixIsAFolder(SoundStore):
    """A prefix selects whole names only."""

    async def list(self, *, prefix="", **named):
        page = await super().list(prefix=prefix, **named)
        stem = prefix.rstrip("/")
        kept = [each for each in page.objects if f"{each.key}/".startswith(f"{stem}/")]
        return replace(page, objects=tuple(kept))


class LastPageHasACursor(SoundStore):
    """That there is no more is found out by asking once more."""

    async def list(self, *, prefix="", delimiter=None, **named):
        page = await super().list(prefix=prefix, delimiter=delimiter, **named)
        if page.cursor or not page.objects:
            return page
        return replace(page, cursor=self.cursor(page.objects[-1].key, prefix, delimiter))


class LimitIsCut(SoundStore):
    async def list(self, *, limit=LIST_MAX, **named):
        return await super().list(limit=min(limit, LIST_MAX), **named)


class EmptyContentIsAbsent(SoundStore):
    async def get_by_hash(self, digest):
        return await super().get_by_hash(digest) or None


class DigestWithoutItsKind(SoundStore):
    """What has 64 digits is taken for a SHA-256."""

    async def get_by_hash(self, digest):
        return await super().get_by_hash(f"sha256:{digest.removeprefix('sha256:')}")


class SurrogateReplaced(SoundStore):
    def text(self, given):
        return super().text(given.encode(errors="replace").decode())


class LifeIsCut(SoundStore):
    """A life that is too long is cut to the longest, and that is not said."""

    async def presign(self, key, *, expires_in_seconds=3600, **named):
        cut = min(expires_in_seconds, LIFE_MAX)
        return await super().presign(key, expires_in_seconds=cut, **named)


class SignedOnce(SoundStore):
    """A URL is signed anew each day."""

    async def presign(self, key, **named):
        url = await super().presign(key, **named)
        return re.sub(r"at=([0-9.]+)", lambda at: f"at={float(at[1]) // 86_400}", url)


class MixesConcurrentAnswers(SoundStore):
    latest = ""

    async def get(self, key, **named):
        type(self).latest = key
        await asyncio.sleep(0)
        return await super().get(type(self).latest, **named)
