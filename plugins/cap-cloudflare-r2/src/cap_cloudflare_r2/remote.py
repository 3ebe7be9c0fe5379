"""R2 over its S3 API, through boto3 in threads of our own.

Each call is one request, or as many as its README row says; nothing is ever sent twice.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Literal, Self

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import seal, unseal
from core_caps.clock import Clock
from core_caps.errors import (
    Conflict,
    InvalidArgument,
    ObjectAbsent,
    Outcome,
    PreconditionFailed,
    ProviderError,
)
from core_caps.rng import Rng

from cap_cloudflare_r2 import arguments, download, limits, transfer
from cap_cloudflare_r2.answers import etag_of, whole_size
from cap_cloudflare_r2.config import RemoteConfig
from cap_cloudflare_r2.requests import Requests
from cap_cloudflare_r2.translate import info_of, parameters_of
from cap_cloudflare_r2.wire import Exchange

__all__ = ["RemoteR2"]


class RemoteR2:
    """A BlobStore over one R2 bucket."""

    Config = RemoteConfig

    def __init__(self, config: RemoteConfig, *, clock: Clock, rng: Rng) -> None:
        del rng  # requests carry nothing random
        self._config = config
        self._seconds = config.timeout_seconds
        self._requests = Requests(config, clock)

    async def __aenter__(self) -> Self:
        await self._requests.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._requests.close()

    async def get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        """See BlobReader.get; whole objects are held against the MD5 that their etag is."""
        arguments.check_key(key)
        wanted = arguments.check_range(range)
        arguments.check_etag(if_match)
        arguments.check_etag(if_none_match)
        found = await self._requests.get(
            "get",
            key,
            seconds=self._seconds,
            wanted=wanted,
            if_match=if_match,
            if_none_match=if_none_match,
        )
        if found is None:
            return None
        if wanted is None:
            info = _info(found, key, len(found.body))
            await self._requests.verify(found, info.etag)
        else:
            info = _info(found, key, whole_size(found, wanted, len(found.body)))
        return Blob(found.body, info)

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """See BlobReader.open; the deadline is per chunk of 1 MiB."""
        arguments.check_key(key)
        arguments.check_etag(if_match)
        found = await self._requests.get(
            "open", key, seconds=self._seconds, if_match=if_match, streams=True
        )
        if found is None:
            raise ObjectAbsent(
                f"there is no object {key!r}", hint="head(key) tells absence as None", status=404
            )
        chunks = download.stream(self._requests, found, seconds=self._seconds)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    async def head(self, key: str) -> ObjectInfo | None:
        """See BlobReader.head; a 404 to HEAD has no body, so a GET asks what is absent."""
        arguments.check_key(key)
        return await self._head("head", key, until=self._until())

    async def list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = limits.LIST_LIMIT_MAX,
        cursor: str | None = None,
    ) -> BlobPage:
        """See BlobReader.list; S3 listings carry no metadata."""
        arguments.check_prefix(prefix, delimiter)
        arguments.check_limit(limit)
        parameters: dict[str, object] = {"Prefix": prefix, "MaxKeys": limit}
        if delimiter is not None:
            parameters["Delimiter"] = delimiter
        if cursor is not None:
            parameters["ContinuationToken"] = unseal(cursor, prefix, delimiter)
        exchange, answer = await self._requests.list(parameters, seconds=self._seconds)
        return _page(exchange, answer, prefix=prefix, delimiter=delimiter, limit=limit)

    async def get_by_hash(self, digest: str) -> bytes | None:
        """See BlobReader.get_by_hash."""
        key = arguments.check_digest(digest)
        found = await self._requests.get("get_by_hash", key, seconds=self._seconds)
        if found is None:
            return None
        await self._requests.verify_sha256(found, digest.removeprefix("sha256:"))
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
        """See BlobWriter.put; the deadline is per request, and time in `data` is its own."""
        self._requests.check_open("put")
        arguments.check_key(key)
        arguments.check_etag(if_match)
        arguments.check_etag(if_none_match)
        arguments.check_http(http)
        arguments.check_metadata(metadata)
        arguments.check_data(data)
        arguments.check_stated_size(size_bytes)
        target = transfer.Target(key, parameters_of(http, metadata), if_match, if_none_match)
        try:
            stored = await self._store(target, data, size_bytes)
        except ProviderError as error:
            # S3 answers an If-Match on an absent key with 404, R2 with 412.
            if if_match is not None and error.status == 404 and "NoSuchKey" in error.message:
                raise PreconditionFailed(
                    f"if_match: there is no object {key!r}", status=404
                ) from error
            raise
        return ObjectInfo(
            key=key,
            size_bytes=stored.size_bytes,
            etag=stored.etag,
            http=http or HttpMetadata(),
            metadata=dict(metadata or {}),
        )

    async def delete(self, key: str) -> None:
        """See BlobWriter.delete."""
        arguments.check_key(key)
        await self._requests.delete(key, seconds=self._seconds)

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """See BlobWriter.copy; exactly what HEAD saw, content and metadata, or Conflict.

        An etag says nothing of the metadata, so these are sent along instead of copied: else the
        target could have newer ones than the answer tells.
        """
        arguments.check_key(source)
        arguments.check_key(target)
        until = self._until()
        info = await self._head("copy", source, until=until)
        if info is None or source == target:
            return info
        if info.size_bytes > limits.COPY_SIZE_BYTES_MAX:
            raise InvalidArgument(
                f"{source!r} has {info.size_bytes} bytes; one copy takes at most "
                f"{limits.COPY_SIZE_BYTES_MAX}",
                hint="read it as a stream and put that",
            )
        try:
            etag = await self._requests.copy(
                source,
                target,
                parameters_of(info.http, info.metadata),
                source_etag=info.etag,
                seconds=self._left(until),
            )
        except PreconditionFailed as error:
            raise Conflict(
                f"copy: {source!r} was changed meanwhile", outcome=Outcome.NOT_APPLIED, status=412
            ) from error
        return None if etag is None else replace(info, key=target, etag=etag, uploaded_at=None)

    async def presign(
        self,
        key: str,
        *,
        method: Literal["GET", "PUT"] = "GET",
        expires_in_seconds: int = 3600,
    ) -> str:
        """See BlobStore.presign; made here, from our clock, without a request."""
        self._requests.check_open("presign")
        arguments.check_key(key)
        arguments.check_presign(method, expires_in_seconds)
        return self._requests.presigned(method, key, expires_in_seconds=expires_in_seconds)

    async def _head(self, operation: str, key: str, *, until: float) -> ObjectInfo | None:
        found = await self._requests.head(operation, key, seconds=self._left(until))
        if found is None:
            found = await self._requests.get(
                operation, key, seconds=self._left(until), streams=True
            )
            if found is None:
                return None
            self._requests.drop(found)  # it appeared meanwhile; its headers say it all
        if found.size_bytes is None:
            raise found.garbled("the answer does not say the object's size")
        return _info(found, key, found.size_bytes)

    async def _store(
        self, target: transfer.Target, data: bytes | AsyncIterator[bytes], size_bytes: int | None
    ) -> transfer.Stored:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            return await transfer.store_stream(
                self._requests,
                target,
                data,
                size_bytes=size_bytes,
                part_size_bytes=self._config.part_size_bytes,
                in_flight=self._config.parts_in_flight,
                seconds=self._seconds,
                abort_seconds=self._config.abort_timeout_seconds,
            )
        view = memoryview(data).cast("B")
        arguments.check_size(view.nbytes, size_bytes)
        if view.nbytes > limits.PUT_WHOLE_BYTES_MAX:
            return await transfer.store_parts(
                self._requests,
                target,
                transfer.windows(view, self._config.part_size_bytes),
                in_flight=self._config.parts_in_flight,
                seconds=self._seconds,
                abort_seconds=self._config.abort_timeout_seconds,
            )
        etag = await self._requests.put(
            target.key,
            (view,) if view.nbytes else (),
            {**target.stored, **target.conditions},
            seconds=self._seconds,
        )
        return transfer.Stored(etag, view.nbytes)

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._seconds

    def _left(self, until: float) -> float:
        return max(0.0, until - asyncio.get_running_loop().time())


def _info(exchange: Exchange, key: str, size_bytes: int) -> ObjectInfo:
    return info_of(key, exchange.headers, etag=etag_of(exchange), size_bytes=size_bytes)


def _page(
    exchange: Exchange, answer: Mapping[str, Any], *, prefix: str, delimiter: str | None, limit: int
) -> BlobPage:
    objects = tuple(_line(exchange, line) for line in answer.get("Contents", ()))
    prefixes = tuple(str(each.get("Prefix", "")) for each in answer.get("CommonPrefixes", ()))
    names = [*(info.key for info in objects), *prefixes]
    if not all(name.startswith(prefix) for name in names):
        raise exchange.garbled(f"the page holds keys that do not start with {prefix!r}")
    if len(names) > limit:
        raise exchange.garbled(f"the page holds {len(names)} lines; {limit} were asked for")
    cursor = None
    if answer.get("IsTruncated"):
        token = answer.get("NextContinuationToken")
        if not token:
            raise exchange.garbled("the page is truncated and names no next one")
        cursor = seal(token, prefix, delimiter)
    return BlobPage(objects, prefixes, cursor)


def _line(exchange: Exchange, line: Mapping[str, Any]) -> ObjectInfo:
    key, size, etag = line.get("Key"), line.get("Size"), line.get("ETag")
    if not isinstance(key, str) or not isinstance(size, int) or not isinstance(etag, str):
        raise exchange.garbled("a line of the page lacks its key, size or etag")
    written = line.get("LastModified")
    return ObjectInfo(
        key=key,
        size_bytes=size,
        etag=etag.strip('"'),
        uploaded_at=None if written is None else written.timestamp(),
    )
