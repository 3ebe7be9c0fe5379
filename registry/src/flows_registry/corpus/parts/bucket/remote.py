"""A bucket over the S3 API, on nothing but the standard library."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Self
from urllib.parse import quote, urlsplit

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import unseal
from core_caps.clock import Clock
from core_caps.errors import ClientClosed, Conflict, InvalidArgument, ObjectAbsent, Outcome, PreconditionFailed
from core_caps.rng import Rng

from . import documents, errors, limits, signing
from .config import RemoteConfig
from .documents import Malformed
from .transport import Transport
from .waiting import wait
from .wire import Answer, Request, WireError

__all__ = ["RemoteBucket"]

_STEP_BYTES = 1024 * 1024
_ABORT_SECONDS = 3.0


class RemoteBucket:
    """A bucket as one client of the S3 API sees it."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        self._config = config
        self._clock = clock
        self._transport: Transport | None = None
        self._keys = {"key_id": config.access_key_id, "secret": config.secret_access_key.reveal()}
        self._url = config.base_url or f"https://{config.account_id}.r2.cloudflarestorage.com"
        self._host = urlsplit(self._url).netloc

    async def __aenter__(self) -> Self:
        self._transport = Transport(f"https://{self._host}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def get(
        self, key: str, *, range: ByteRange | None = None, if_match: str | None = None, if_none_match: str | None = None
    ) -> Blob | None:
        """The object, or None when it is absent."""
        answer = await self._read("get", key, limits.range_of(range), if_match, if_none_match)
        if answer is None:
            return None
        return Blob(answer.body, self._told("get", key, answer))

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """The object in chunks, each a range of the one version that came first."""
        start, etag = 0, if_match
        while True:
            step = f"bytes={start}-{start + _STEP_BYTES - 1}"
            answer = await self._read("open", key, step, etag, None, empty=not start)
            if answer is None:
                raise ObjectAbsent("there is no such object")
            info = self._told("open", key, answer)
            if answer.body:
                yield answer.body
            start, etag = start + len(answer.body), info.etag
            if start >= info.size_bytes:
                return

    async def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object, asked for with its first byte."""
        return await self._head("head", key)

    async def list(
        self, *, prefix: str = "", delimiter: str | None = None, limit: int = 1000, cursor: str | None = None
    ) -> BlobPage:
        """A page of objects and common prefixes, in byte order."""
        limits.listing_of(prefix, delimiter, limit)
        query = {"list-type": "2", "prefix": prefix, "max-keys": str(limit), **({} if delimiter is None else {"delimiter": delimiter})}
        if cursor is not None:
            query["continuation-token"] = unseal(cursor, prefix, delimiter)
        answer = await self._send("list", "GET", "", query)
        try:
            return documents.page_of(answer, prefix, delimiter, limit)
        except Malformed as problem:
            raise errors.broken("list", str(problem), writes=False) from None

    async def get_by_hash(self, digest: str) -> bytes | None:
        """The object whose content has this digest, verified."""
        key = limits.digest_of(digest)
        found = await self._read("get_by_hash", key, None, None, None)
        if found is None:
            return None
        if hashlib.sha256(found.body).hexdigest() != digest.removeprefix("sha256:"):
            raise errors.broken("get_by_hash", "its content has another digest", writes=False)
        return found.body

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
        """Store an object, whole or not at all; a long stream in parts."""
        self._opened()
        limits.key_of(key)
        limits.etag_of(if_match, if_none_match)
        limits.http_of(http)
        limits.metadata_of(metadata)
        limits.size_of(size_bytes, 0, complete=False)
        kept, met = documents.headers_of(http, metadata), _met(if_match, if_none_match)
        if not hasattr(data, "__aiter__"):
            limits.size_of(size_bytes, len(limits.data_of(data)), complete=True)
            etag, size = await self._whole(key, bytes(data), {**kept, **met}), len(data)
        else:
            etag, size = await self._streamed(key, data, size_bytes, kept, met)
        return ObjectInfo(key, size, etag, None, http or HttpMetadata(), dict(metadata or {}))

    async def delete(self, key: str) -> None:
        """Remove an object; an absent one is success."""
        await self._send("delete", "DELETE", limits.key_of(key), absent=True)

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """Copy the version that was seen, with all that is known of it."""
        limits.key_of(target)
        info = await self._head("copy", source)
        if info is None or source == target:
            return info
        headers = {
            **documents.headers_of(info.http, info.metadata),
            "x-amz-metadata-directive": "REPLACE",
            "x-amz-copy-source": f"/{self._config.bucket}/{quote(source, safe='/-_.~')}",
            "x-amz-copy-source-if-match": f'"{info.etag}"',
        }
        try:
            answer = await self._send("copy", "PUT", target, headers=headers, absent=True)
        except PreconditionFailed:
            raise Conflict("the source was changed meanwhile", outcome=Outcome.NOT_APPLIED) from None
        if answer.status == 404:
            return None
        return replace(info, key=target, etag=self._etag("copy", answer, "CopyObjectResult"), uploaded_at=None)

    async def presign(self, key: str, *, method: Any = "GET", expires_in_seconds: int = 3600) -> str:
        """A URL that grants one request on the object."""
        self._opened()
        limits.signing_of(method, expires_in_seconds)
        path, now = self._path(limits.key_of(key)), self._clock.now()
        named = {"seconds": expires_in_seconds, **self._keys, "now": now}
        return f"https://{self._host}" + signing.presigned(method, self._host, path, **named)

    async def _head(self, operation: str, key: str) -> ObjectInfo | None:
        answer = await self._read(operation, key, "bytes=0-0", None, None, empty=True)
        return None if answer is None else self._told(operation, key, answer)

    async def _read(
        self, operation: str, key: str, wanted: str | None, if_match: str | None, if_none_match: str | None,
        *, empty: bool = False,
    ) -> Answer | None:  # fmt: skip
        """The object or a range of it; where it may be empty, it is then asked for whole."""
        limits.etag_of(if_match, if_none_match)
        headers = {**_met(if_match, if_none_match), **({} if wanted is None else {"range": wanted})}
        answer = await self._send(operation, "GET", limits.key_of(key), headers=headers, absent=True)
        if answer.status == 404:
            return None
        if answer.status == 416:
            if not empty:
                raise InvalidArgument("the range lies outside of the object")
            return await self._read(operation, key, None, if_match, None)
        if answer.damage:
            raise errors.broken(operation, answer.damage, writes=False)
        digest, etag = hashlib.md5(answer.body, usedforsecurity=False), answer.headers.get("etag", "")
        if answer.status == 200 and "-" not in etag and etag.strip('"') != digest.hexdigest():
            raise errors.broken(operation, "its content is not what its etag tells", writes=False)
        return answer

    async def _whole(self, key: str, data: bytes, headers: Mapping[str, str]) -> str:
        return self._etag("put", await self._send("put", "PUT", key, headers=headers, body=data))

    async def _streamed(
        self, key: str, data: AsyncIterator[bytes], stated: int | None, kept: Mapping[str, str], met: Mapping[str, str]
    ) -> tuple[str, int]:
        part, size, upload = bytearray(), 0, ""
        etags: list[str] = []
        try:
            async for chunk in data:
                size += len(limits.data_of(chunk))
                limits.size_of(stated, size, complete=False)
                part += chunk
                while len(part) > self._config.part_size_bytes:
                    upload = upload or await self._begun(key, kept)
                    etags.append(await self._part(key, upload, len(etags) + 1, part))
            limits.size_of(stated, size, complete=True)
            if not upload:
                return await self._whole(key, bytes(part), {**kept, **met}), size
            etags.append(await self._part(key, upload, len(etags) + 1, part))
            return await self._completed(key, upload, etags, met), size
        except BaseException:
            if upload:
                await self._aborted(key, upload)
            raise

    async def _begun(self, key: str, kept: Mapping[str, str]) -> str:
        answer = await self._send("put", "POST", key, {"uploads": ""}, kept, b"")
        return self._text("put", answer, "InitiateMultipartUploadResult", "UploadId")

    async def _part(self, key: str, upload: str, number: int, content: bytearray) -> str:
        """Send a part, and take it away from the content."""
        size = self._config.part_size_bytes
        query = {"partNumber": str(number), "uploadId": upload}
        answer = await self._send("put", "PUT", key, query, body=bytes(content[:size]))
        del content[:size]
        return self._etag("put", answer)

    async def _completed(self, key: str, upload: str, etags: Sequence[str], met: Mapping[str, str]) -> str:
        parts = "".join(
            f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
            for number, etag in enumerate(etags, 1)
        )
        body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        answer = await self._send("put", "POST", key, {"uploadId": upload}, met, body)
        return self._etag("put", answer, "CompleteMultipartUploadResult")

    async def _aborted(self, key: str, upload: str) -> None:
        """Leave no unfinished upload behind, if that is possible in time."""
        abort = asyncio.ensure_future(self._send("put", "DELETE", key, {"uploadId": upload}, absent=True))
        await asyncio.wait({abort}, timeout=_ABORT_SECONDS)
        if not abort.done():
            abort.cancel()
        await asyncio.gather(abort, return_exceptions=True)

    async def _send(
        self,
        operation: str,
        method: str,
        key: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        absent: bool = False,
    ) -> Answer:
        """A documented success; where it is meant, also what says that there is no object."""
        transport, writes = self._opened(), method != "GET"
        path, asked = self._path(key), signing.query_of(query or {})
        named = {"host": self._host, **(headers or {})}
        if method in ("PUT", "POST"):
            named.setdefault("content-type", "application/octet-stream")
        known = {**self._keys, "now": self._clock.now()}
        sent = signing.signed(method, path, asked, named, body or b"", **known)
        payload = (body or b"") if method in ("PUT", "POST") else None
        request = Request(method, f"{path}?{asked}" if asked else path, sent, payload)
        try:
            async with asyncio.timeout(self._config.timeout_seconds):
                answer = await transport.exchange(request)
        except TimeoutError:
            raise errors.late(operation, writes=writes) from None
        except WireError as problem:
            raise errors.failed(operation, problem, writes=writes) from None
        gone = answer.status == 404 and not answer.damage and b"<Code>NoSuch" in answer.body
        if gone and absent and b"<Code>NoSuchBucket" not in answer.body:
            return answer
        if answer.status == 304 or (gone and "if-match" in named and b"NoSuchKey" in answer.body):
            raise PreconditionFailed("the condition does not hold", status=answer.status)
        if answer.status == 416 and "range" in named:
            return answer
        fine = 206 if "range" in named else 204 if method == "DELETE" else 200
        if answer.status != fine:
            after = wait(answer.headers.get("retry-after"), self._clock.now())
            raise errors.refused(operation, answer.status, writes=writes, wait=after)
        return answer

    def _opened(self) -> Transport:
        if self._transport is None:
            raise ClientClosed("this client is not open")
        return self._transport

    def _path(self, key: str) -> str:
        base = urlsplit(self._url).path.rstrip("/")
        return f"{base}/{self._config.bucket}" + (f"/{quote(key, safe='/-_.~')}" if key else "")

    def _told(self, operation: str, key: str, answer: Answer) -> ObjectInfo:
        whole = answer.headers.get("content-range", "").rpartition("/")[2]
        try:
            if answer.status == 206 and not whole.isdigit():
                raise Malformed("it does not say how long the object is")
            return documents.info_of(key, answer, int(whole) if answer.status == 206 else len(answer.body))
        except Malformed as problem:
            raise errors.broken(operation, str(problem), writes=False) from None

    def _etag(self, operation: str, answer: Answer, root: str = "") -> str:
        if root:
            return self._text(operation, answer, root, "ETag").strip('"')
        try:
            return documents.etag_in(answer)
        except Malformed as problem:
            raise errors.broken(operation, str(problem), writes=True) from None

    def _text(self, operation: str, answer: Answer, root: str, name: str) -> str:
        try:
            found = documents.document(answer, root).findtext(name)
        except Malformed as problem:
            raise errors.broken(operation, str(problem), writes=True) from None
        if not found:
            raise errors.broken(operation, f"it has no {name}", writes=True)
        return found


def _met(if_match: str | None, if_none_match: str | None) -> dict[str, str]:
    found = {"if-match": if_match, "if-none-match": if_none_match}
    return {name: etag if etag == "*" else f'"{etag}"' for name, etag in found.items() if etag is not None}
