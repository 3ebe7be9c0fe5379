"""One method per S3 request: what is sent, which answers are successes, in a thread of ours.

Every method raises what `errors` says, within `seconds`; the exchange it returns holds the answer.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from core_caps.capabilities.blob_store import ByteRange
from core_caps.clock import Clock
from core_caps.errors import ProviderError

from cap_cloudflare_r2 import errors
from cap_cloudflare_r2.answers import (
    absent,
    conditions_of,
    etag_of,
    is_md5,
    range_header,
    unquoted,
)
from cap_cloudflare_r2.config import RemoteConfig
from cap_cloudflare_r2.connections import Connections
from cap_cloudflare_r2.lanes import Lanes
from cap_cloudflare_r2.pump import Pump
from cap_cloudflare_r2.sdk import S3, content_crc32, content_md5, open_s3, trusted
from cap_cloudflare_r2.wire import Exchange, Plan

__all__ = ["Pieces", "Requests"]

Pieces = Sequence[bytes | memoryview]
"""A body as consecutive pieces of memory, sent without joining them."""

_HASHED_AT_ONCE_BYTES = 64 * 1024
"""More than this is hashed in a thread: the event loop is not held up longer than 0.1 ms."""

_T = TypeVar("_T")


class Requests:
    """The requests of one bucket over one set of connections."""

    def __init__(self, config: RemoteConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._lanes: Lanes | None = None
        self._s3: S3 | None = None
        self._connections: Connections | None = None

    async def open(self) -> None:
        """Build the client, outside the event loop."""
        lanes = Lanes(self._config.threads)
        try:
            await lanes.aside(self._build)
        except BaseException:
            lanes.close()
            raise
        self._lanes = lanes

    def close(self) -> None:
        """Break off what is running and let every connection go."""
        lanes, self._lanes = self._lanes, None
        if lanes is not None:
            lanes.close()
        if self._connections is not None:
            self._connections.close()

    def check_open(self, operation: str) -> None:
        """Refuse a call on a client that is not open.

        Raises:
            ClientClosed: nothing was sent.
        """
        if self._lanes is None:
            raise errors.closed(operation=operation)

    async def get(
        self,
        operation: str,
        key: str,
        *,
        seconds: float,
        wanted: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
        streams: bool = False,
    ) -> Exchange | None:
        """GetObject; None when the key is absent."""
        parameters = conditions_of(if_match, if_none_match)
        if wanted is not None:
            parameters["Range"] = range_header(wanted)
        exchange = self._exchange(
            Plan(
                operation,
                writes=False,
                accepts=(200,) if wanted is None else (206,),
                streams=streams,
                conditional=if_none_match is not None,
            )
        )

        def work() -> None:
            with self._client.performing(exchange) as s3:
                s3.get_object(Bucket=self._config.bucket, Key=key, **parameters)

        return await self._unless_absent(exchange, work, seconds)

    async def head(self, operation: str, key: str, *, seconds: float) -> Exchange | None:
        """HeadObject; None for a 404, which has no body to say whether key or bucket is absent."""
        exchange = self._exchange(Plan(operation, writes=False, accepts=(200,)))

        def work() -> None:
            with self._client.performing(exchange) as s3:
                s3.head_object(Bucket=self._config.bucket, Key=key)

        try:
            await self._run(exchange, work, seconds)
        except ProviderError:
            if exchange.refusal is not None and exchange.refusal.status == 404:
                return None
            raise
        return exchange

    async def list(
        self, parameters: Mapping[str, object], *, seconds: float
    ) -> tuple[Exchange, Mapping[str, Any]]:
        """ListObjectsV2, with the answer as boto3 reads it."""
        exchange = self._exchange(
            Plan("list", writes=False, accepts=(200,), document="ListBucketResult")
        )

        def work() -> Mapping[str, Any]:
            with self._client.performing(exchange) as s3:
                return s3.list_objects_v2(Bucket=self._config.bucket, **parameters)

        return exchange, await self._run(exchange, work, seconds)

    async def put(
        self,
        key: str,
        pieces: Pieces,
        parameters: Mapping[str, object],
        *,
        seconds: float,
    ) -> str:
        """PutObject, guarded by Content-MD5; the etag."""
        exchange = self._exchange(Plan("put", writes=True, accepts=(200,)), pieces)

        def work() -> str:
            hexadecimal, encoded = content_md5(pieces)
            with self._client.performing(exchange) as s3:
                s3.put_object(Bucket=self._config.bucket, Key=key, ContentMD5=encoded, **parameters)
            etag = etag_of(exchange)
            if is_md5(etag) and etag != hexadecimal:
                raise exchange.garbled(f"the etag {etag} is not the content's MD5 {hexadecimal}")
            return etag

        return await self._run(exchange, work, seconds)

    async def delete(self, key: str, *, seconds: float) -> None:
        """DeleteObject; R2 answers 204 whether or not the key was there."""
        exchange = self._exchange(Plan("delete", writes=True, accepts=(204,)))

        def work() -> None:
            with self._client.performing(exchange) as s3:
                s3.delete_object(Bucket=self._config.bucket, Key=key)

        await self._unless_absent(exchange, work, seconds)

    async def copy(
        self,
        source: str,
        target: str,
        parameters: Mapping[str, object],
        *,
        source_etag: str,
        seconds: float,
    ) -> str | None:
        """CopyObject of that content, with this metadata; the new etag, None when absent."""
        exchange = self._exchange(
            Plan("copy", writes=True, accepts=(200,), document="CopyObjectResult")
        )

        def work() -> str:
            with self._client.performing(exchange) as s3:
                answer = s3.copy_object(
                    Bucket=self._config.bucket,
                    Key=target,
                    CopySource={"Bucket": self._config.bucket, "Key": source},
                    CopySourceIfMatch=f'"{source_etag}"',
                    MetadataDirective="REPLACE",
                    **parameters,
                )
            return unquoted(exchange, answer.get("CopyObjectResult", {}).get("ETag"))

        try:
            return await self._run(exchange, work, seconds)
        except ProviderError:
            if absent(exchange):
                return None
            raise

    async def create_upload(
        self, key: str, parameters: Mapping[str, object], *, seconds: float
    ) -> str:
        """CreateMultipartUpload, of parts with a CRC-32 each; the upload's id."""
        exchange = self._exchange(
            Plan("put", writes=True, accepts=(200,), document="InitiateMultipartUploadResult")
        )

        def work() -> str:
            with self._client.performing(exchange) as s3:
                answer = s3.create_multipart_upload(
                    Bucket=self._config.bucket, Key=key, ChecksumAlgorithm="CRC32", **parameters
                )
            upload = answer.get("UploadId")
            if not upload:
                raise exchange.garbled("the answer names no upload")
            return upload

        return await self._run(exchange, work, seconds)

    async def upload_part(
        self, key: str, upload: str, number: int, pieces: Pieces, *, seconds: float
    ) -> Mapping[str, object]:
        """UploadPart, guarded by its CRC-32; the part as completing names it."""
        exchange = self._exchange(Plan("put", writes=True, accepts=(200,)), pieces)

        def work() -> Mapping[str, object]:
            crc32 = content_crc32(pieces)
            self._client.send_part(exchange, key, upload=upload, number=number, crc32=crc32)
            etag = f'"{etag_of(exchange)}"'
            return {"PartNumber": number, "ETag": etag, "ChecksumCRC32": crc32}

        return await self._run(exchange, work, seconds)

    async def complete_upload(
        self,
        key: str,
        upload: str,
        parts: Sequence[Mapping[str, object]],
        conditions: Mapping[str, object],
        *,
        seconds: float,
    ) -> str:
        """CompleteMultipartUpload under its conditions; the object's etag.

        R2 holds If-Match and If-None-Match against the object at this moment:
        https://developers.cloudflare.com/r2/api/s3/conditional-operations/
        """
        exchange = self._exchange(
            Plan("put", writes=True, accepts=(200,), document="CompleteMultipartUploadResult")
        )

        def work() -> str:
            with self._client.performing(exchange) as s3:
                answer = s3.complete_multipart_upload(
                    Bucket=self._config.bucket,
                    Key=key,
                    UploadId=upload,
                    MultipartUpload={"Parts": parts},
                    **conditions,
                )
            return unquoted(exchange, answer.get("ETag"))

        return await self._run(exchange, work, seconds)

    async def abort_upload(self, key: str, upload: str, *, seconds: float) -> None:
        """AbortMultipartUpload; an upload that is gone already is success."""
        exchange = self._exchange(Plan("put", writes=True, accepts=(204,)))

        def work() -> None:
            with self._client.performing(exchange) as s3:
                s3.abort_multipart_upload(Bucket=self._config.bucket, Key=key, UploadId=upload)

        try:
            await self._run(exchange, work, seconds)
        except ProviderError:
            refusal = exchange.refusal
            if refusal is None or refusal.code != "NoSuchUpload":
                raise

    async def verify(self, exchange: Exchange, etag: str) -> None:
        """Hold a whole body against the MD5 that its etag is, where it is one.

        Raises:
            ProtocolViolation: it is another content.
        """
        if is_md5(etag) and await self._digest("md5", exchange.body) != etag:
            raise exchange.garbled(f"the content's MD5 is not the etag {etag}")

    async def verify_sha256(self, exchange: Exchange, digest: str) -> None:
        """Hold a whole body against the digest it was asked for.

        Raises:
            ProtocolViolation: it is another content.
        """
        if await self._digest("sha256", exchange.body) != digest:
            raise exchange.garbled(f"the content's SHA-256 is not {digest}")

    def pump(self, exchange: Exchange, chunk_bytes: int, depth: int) -> Pump:
        """A reader of a streamed body that is a few chunks ahead."""
        return Pump(self._open_lanes(exchange.plan.operation), exchange, chunk_bytes, depth)

    def in_thread(self, update: Callable[[bytes], None], chunk: bytes) -> "asyncio.Future[None]":
        """Begin to add a chunk to a digest, while others use the loop and the connection."""
        return self._open_lanes("open").aside(lambda: update(chunk))

    def drop(self, exchange: Exchange) -> None:
        """Let a streamed body go that nobody reads."""
        exchange.abandon()
        exchange.close()

    def presigned(self, method: str, key: str, *, expires_in_seconds: int) -> str:
        """A signed URL; nothing is sent."""
        return self._client.presigned(method, key, expires_in_seconds=expires_in_seconds)

    async def _digest(self, algorithm: str, content: bytes) -> str:
        if len(content) <= _HASHED_AT_ONCE_BYTES:
            return hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
        return await self._open_lanes("get").aside(
            lambda: hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
        )

    @property
    def _client(self) -> S3:
        assert self._s3 is not None
        return self._s3

    def _build(self) -> None:
        url = urlsplit(self._config.endpoint)
        tls = trusted(self._config.ca_bundle) if url.scheme == "https" else None
        host = url.hostname or ""
        if self._config.addressing == "virtual":
            host = f"{self._config.bucket}.{host}"
        self._s3 = open_s3(self._config, self._clock)
        self._connections = Connections(
            host=host,
            port=url.port or (443 if tls else 80),
            tls=tls,
            connect_timeout_seconds=self._config.connect_timeout_seconds,
            read_timeout_seconds=self._config.timeout_seconds,
            clock=self._clock,
            keep=self._config.threads,
        )

    def _open_lanes(self, operation: str) -> Lanes:
        if self._lanes is None:
            raise errors.closed(operation=operation)
        return self._lanes

    def _exchange(self, plan: Plan, pieces: Pieces = ()) -> Exchange:
        self.check_open(plan.operation)
        return Exchange(plan, cast("Connections", self._connections), pieces)

    async def _run(self, exchange: Exchange, work: Callable[[], _T], seconds: float) -> _T:
        lanes = self._open_lanes(exchange.plan.operation)
        return await lanes.run(exchange, work, seconds=seconds)

    async def _unless_absent(
        self, exchange: Exchange, work: Callable[[], None], seconds: float
    ) -> Exchange | None:
        try:
            await self._run(exchange, work, seconds)
        except ProviderError:
            if absent(exchange):
                return None
            raise
        return exchange
