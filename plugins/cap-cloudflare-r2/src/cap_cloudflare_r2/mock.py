"""R2 in this process: deterministic, with the vendor's rules and limits, and no network.

Keys are one object when their NFC forms are, and are shown as last written:
https://developers.cloudflare.com/r2/reference/unicode-interoperability/
"""

import hashlib
import unicodedata
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self
from urllib.parse import quote, urlencode

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import seal, unseal
from core_caps.clock import Clock
from core_caps.errors import (
    ClientClosed,
    InvalidArgument,
    ObjectAbsent,
    ProtocolViolation,
)
from core_caps.rng import Rng

from cap_cloudflare_r2 import arguments, limits
from cap_cloudflare_r2.config import MockConfig

__all__ = ["Bucket", "MockR2"]

_CHUNK_BYTES = 256 * 1024


@dataclass(slots=True)
class Bucket:
    """A bucket's objects by the NFC form of their key; the service behind several clients."""

    objects: dict[str, Blob] = field(default_factory=dict[str, Blob])


_BUCKETS: dict[tuple[str, str], Bucket] = {}
"""The named stores of this process: they outlive their clients, as the service does."""


class MockR2:
    """A BlobStore over a bucket in memory."""

    Config = MockConfig

    def __init__(
        self, config: MockConfig, *, clock: Clock, rng: Rng, bucket: Bucket | None = None
    ) -> None:
        del rng  # nothing in R2 is random to its user
        self._config = config
        self._clock = clock
        if bucket is None and config.store:
            bucket = _BUCKETS.setdefault((config.store, config.bucket), Bucket())
        self._bucket = Bucket() if bucket is None else bucket
        self._open = False

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._open = False

    async def get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        """See BlobReader.get."""
        wanted = arguments.check_range(range)
        found = self._read(key, if_match, if_none_match)
        if found is None or wanted is None:
            return found
        return replace(found, data=_slice(found.data, wanted))

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """See BlobReader.open."""
        found = self._read(key, if_match, None)
        if found is None:
            raise ObjectAbsent(
                f"there is no object {key!r}", hint="head(key) tells absence as None"
            )
        for start in _steps(len(found.data)):
            self._check_open()
            yield found.data[start : start + _CHUNK_BYTES]

    async def head(self, key: str) -> ObjectInfo | None:
        """See BlobReader.head."""
        found = self._read(key, None, None)
        return None if found is None else found.info

    async def list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = limits.LIST_LIMIT_MAX,
        cursor: str | None = None,
    ) -> BlobPage:
        """See BlobReader.list; custom and HTTP metadata are left out, as S3 listings do."""
        self._check_open()
        arguments.check_prefix(prefix, delimiter)
        arguments.check_limit(limit)
        after = None if cursor is None else unseal(cursor, prefix, delimiter)
        return self._page(_nfc(prefix), delimiter, limit, after, shown=prefix)

    async def get_by_hash(self, digest: str) -> bytes | None:
        """See BlobReader.get_by_hash."""
        found = self._read(arguments.check_digest(digest), None, None)
        if found is None:
            return None
        if hashlib.sha256(found.data).hexdigest() != digest.removeprefix("sha256:"):
            raise ProtocolViolation(
                f"the object under {digest} has another content",
                hint="store each content under its own digest",
            )
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
        """See BlobWriter.put; a stream is read whole before anything is stored."""
        self._check_open()
        arguments.check_key(key)
        arguments.check_etag(if_match)
        arguments.check_etag(if_none_match)
        arguments.check_http(http)
        arguments.check_metadata(metadata)
        arguments.check_data(data)
        arguments.check_stated_size(size_bytes)
        streamed = not isinstance(data, (bytes, bytearray, memoryview))
        content = await _collected(data, size_bytes) if streamed else bytes(data)
        self._check_open()
        arguments.check_size(len(content), size_bytes)
        in_parts = len(content) > (
            self._config.part_size_bytes if streamed else limits.PUT_WHOLE_BYTES_MAX
        )
        self._check_condition(key, if_match, if_none_match)
        info = ObjectInfo(
            key=key,
            size_bytes=len(content),
            etag=_etag(content, self._config.part_size_bytes if in_parts else None),
            uploaded_at=self._clock.now(),
            http=http or HttpMetadata(),
            metadata=dict(metadata or {}),
        )
        self._bucket.objects[_nfc(key)] = Blob(content, info)
        return _told(info)

    async def delete(self, key: str) -> None:
        """See BlobWriter.delete."""
        self._check_open()
        arguments.check_key(key)
        self._bucket.objects.pop(_nfc(key), None)

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """See BlobWriter.copy; onto itself it changes nothing."""
        self._check_open()
        arguments.check_key(target)
        found = self._read(source, None, None)
        if found is None or _nfc(source) == _nfc(target):
            return None if found is None else found.info
        info = replace(found.info, key=target, uploaded_at=self._clock.now())
        self._bucket.objects[_nfc(target)] = Blob(found.data, info)
        return _told(info)

    async def presign(
        self,
        key: str,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires_in_seconds: int = 3600,
    ) -> str:
        """A URL of the same shape that grants nothing: its host can never resolve (RFC 2606)."""
        self._check_open()
        arguments.check_key(key)
        arguments.check_presign(method, expires_in_seconds)
        query = urlencode(
            {
                "X-Mock-Method": method,
                "X-Mock-Date": int(self._clock.now()),
                "X-Mock-Expires": expires_in_seconds,
            }
        )
        path = f"{self._config.bucket}/{quote(key, safe='/~')}"
        return f"https://cloudflare-r2.mock.invalid/{path}?{query}"

    def _check_open(self) -> None:
        if not self._open:
            raise ClientClosed(
                "the R2 client is not open", hint="use it inside its `async with` block"
            )

    def _read(self, key: str, if_match: str | None, if_none_match: str | None) -> Blob | None:
        self._check_open()
        arguments.check_key(key)
        arguments.check_etag(if_match)
        arguments.check_etag(if_none_match)
        found = self._bucket.objects.get(_nfc(key))
        if found is not None:
            self._check_condition(key, if_match, if_none_match)
        return None if found is None else replace(found, info=_told(found.info))

    def _check_condition(self, key: str, if_match: str | None, if_none_match: str | None) -> None:
        found = self._bucket.objects.get(_nfc(key))
        etag = None if found is None else found.info.etag
        arguments.check_conditions(key, etag, if_match, if_none_match)

    def _page(
        self, prefix: str, delimiter: str | None, limit: int, after: str | None, *, shown: str
    ) -> BlobPage:
        objects: list[ObjectInfo] = []
        prefixes: list[str] = []
        last = ""
        for key in sorted(self._bucket.objects, key=str.encode):
            if not key.startswith(prefix) or (after is not None and _passed(key, after)):
                continue
            folded = _common_prefix(key, prefix, delimiter)
            if folded is not None and prefixes and prefixes[-1] == folded:
                continue
            if len(objects) + len(prefixes) == limit:
                token = seal(last, shown, delimiter)
                return BlobPage(tuple(objects), tuple(prefixes), token)
            if folded is None:
                last = "k" + key
                info = self._bucket.objects[key].info
                objects.append(replace(info, http=HttpMetadata(), metadata={}))
            else:
                last = "p" + folded
                prefixes.append(folded)
        return BlobPage(tuple(objects), tuple(prefixes), None)


def _told(info: ObjectInfo) -> ObjectInfo:
    """What a caller may change without changing what is stored."""
    return replace(info, metadata=dict(info.metadata))


def _nfc(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def _passed(key: str, after: str) -> bool:
    """Whether an earlier page showed the key, or the common prefix that stands for it."""
    place = after[1:]
    if after[0] == "p" and key.startswith(place):
        return True
    return key.encode() <= place.encode()


def _common_prefix(key: str, prefix: str, delimiter: str | None) -> str | None:
    if delimiter is None:
        return None
    head, found, _ = key[len(prefix) :].partition(delimiter)
    return prefix + head + found if found else None


def _slice(data: bytes, wanted: ByteRange) -> bytes:
    size = len(data)
    if wanted.offset is None:
        assert wanted.length is not None
        if size == 0:
            raise InvalidArgument("an empty object has no last bytes", hint="read it whole")
        return data[-wanted.length :]
    if wanted.offset >= size:
        raise InvalidArgument(
            f"the range starts at {wanted.offset}; the object has {size} bytes",
            hint="head(key) tells the size",
        )
    end = size if wanted.length is None else wanted.offset + wanted.length
    return data[wanted.offset : end]


async def _collected(data: AsyncIterator[bytes], size_bytes: int | None) -> bytes:
    content = bytearray()
    async for chunk in data:
        arguments.check_chunk(chunk)
        content += chunk
        if size_bytes is not None and len(content) > size_bytes:
            raise InvalidArgument(
                f"size_bytes says {size_bytes}, and the stream holds more",
                hint="leave size_bytes out where the size is not known",
            )
    return bytes(content)


def _etag(content: bytes, part_size_bytes: int | None) -> str:
    """MD5 of the content; of a multipart upload, the MD5 of its parts' MD5s and their number.

    Source: https://developers.cloudflare.com/r2/objects/multipart-objects/#etags
    """
    if part_size_bytes is None:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    parts = [
        hashlib.md5(content[start : start + part_size_bytes], usedforsecurity=False).digest()
        for start in range(0, len(content), part_size_bytes)
    ]
    whole = hashlib.md5(b"".join(parts), usedforsecurity=False)
    return f"{whole.hexdigest()}-{len(parts)}"


def _steps(size: int) -> "range":
    return range(0, size, _CHUNK_BYTES)
