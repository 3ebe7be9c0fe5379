"""BlobStore: what is known of objects in SQLite, their bytes in files of their digest's name."""

import hashlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import BinaryIO, Self, TypeVar

from core_caps.capabilities.blob_store import Blob, BlobPage, ByteRange, HttpMetadata, ObjectInfo
from core_caps.capabilities.cursors import seal, unseal
from core_caps.clock import Clock
from core_caps.errors import ObjectAbsent, ProtocolViolation
from core_caps.rng import Rng

from cap_local.arguments import (
    checked_digest,
    checked_etag,
    checked_http,
    checked_key,
    checked_limit,
    checked_prefix,
    checked_range,
    checked_size,
    checked_texts,
)
from cap_local.blob_rows import SCHEMA, check, forget, give_up, info_of, page, store, unused
from cap_local.blob_streams import CHUNK_BYTES, bounds, chunks_of, part, received, verify
from cap_local.config import LocalConfig, MockConfig
from cap_local.contents import Contents, FolderContents, MemoryContents
from cap_local.database import Database, FileDatabase, MemoryDatabase

__all__ = ["LocalBlob", "MockBlob"]

_T = TypeVar("_T")

_LOOKS_MAX = 5
"""An object may be replaced between its row and its bytes: then both are looked for again."""


class _Blob:
    """Objects on a database and contents; `LocalBlob` and `MockBlob` say on which."""

    def __init__(self, database: Database, contents: Contents, clock: Clock) -> None:
        self._database = database
        self._contents = contents
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Open, and find out what became of what killed processes left aside."""
        await self._database.__aenter__()
        try:
            left = self._contents.begin()
            if left:
                await self._write(lambda c: give_up(c, list(left.values())))
                for path in left:
                    path.unlink(missing_ok=True)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self._database.__aexit__(*exc)
        finally:
            self._contents.end()

    async def get(
        self,
        key: str,
        *,
        range: ByteRange | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob | None:
        """The object in memory, or None when absent; a whole one is verified.

        Raises:
            PreconditionFailed: the object exists and the condition does not hold.
            InvalidArgument: the range lies outside the object.
            ProtocolViolation: the bytes on the disk are not those that were stored.
        """
        wanted = checked_range(range)
        found = await self._opened(key, if_match, if_none_match)
        if found is None:
            return None
        info, file = found
        with file:
            if wanted is not None:
                start, length = bounds(wanted, info)
                return Blob(await self._contents.do(lambda: part(file, start, length)), info)
            data = await self._contents.do(file.read)
        verify(info, len(data), hashlib.sha256(data).hexdigest())
        return Blob(data, info)

    async def open(self, key: str, *, if_match: str | None = None) -> AsyncIterator[bytes]:
        """The object as a stream of chunks in bounded memory.

        Raises:
            ObjectAbsent: there is no such object.
            PreconditionFailed: `if_match` does not hold.
            ProtocolViolation: at the end, the bytes were not those that were stored.
        """
        found = await self._opened(key, if_match, None)
        if found is None:
            raise ObjectAbsent(f"there is no object {key!r}", hint="head(key) tells it as None")
        info, file = found
        digest, size = hashlib.sha256(), 0
        with file:
            while chunk := await self._contents.do(lambda: file.read(CHUNK_BYTES)):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
        verify(info, size, digest.hexdigest())

    async def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None when absent."""
        wanted = checked_key(key)
        return await self._database.read(lambda connection: info_of(connection, wanted))

    async def list(
        self,
        *,
        prefix: str = "",
        delimiter: str | None = None,
        limit: int = 1000,
        cursor: str | None = None,
    ) -> BlobPage:
        """Up to `limit` objects and common prefixes that start with `prefix`, in byte order.

        Raises:
            InvalidArgument: the limit is not 1 to 1000, or the cursor is not one of this
                listing's.
        """
        start, size = checked_prefix(prefix), checked_limit(limit)
        fold = None if delimiter is None else checked_key(delimiter)
        listing = ("blob", prefix, delimiter)
        after = b"" if cursor is None else bytes.fromhex(unseal(cursor, *listing))
        found, following = await self._database.read(
            lambda connection: page(connection, start, fold, size, after)
        )
        if following is None:
            return found
        return replace(found, cursor=seal(following.hex(), *listing))

    async def get_by_hash(self, digest: str) -> bytes | None:
        """The object stored under its own content digest, verified.

        Raises:
            InvalidArgument: the digest has another form.
            ProtocolViolation: the object of that name has another content.
        """
        found = await self.get(checked_digest(digest))
        if found is None:
            return None
        if found.info.etag != digest.removeprefix("sha256:"):
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
        """Store an object, whole or not at all; the conditions are judged as it is stored.

        Raises:
            PreconditionFailed: the condition does not hold; NOT_APPLIED.
            InvalidArgument: an argument cannot be stored; NOT_APPLIED.
        """
        name, stated = checked_key(key), checked_size(size_bytes)
        checked_etag(if_match)
        checked_etag(if_none_match)
        headers, texts = checked_http(http), checked_texts(metadata)
        chunks = chunks_of(data)
        await self._database.read(lambda connection: None)  # a closed client reads no stream
        async with self._contents.aside() as aside:
            size = await received(aside, chunks, stated)
            digest = await aside.finish()
            info = ObjectInfo(key, size, digest, self._clock.now(), headers, texts)

            def job(connection: sqlite3.Connection) -> None:
                check(key, info_of(connection, name), if_match, if_none_match)
                aside.adopt(connection)
                store(connection, info)

            await self._write(job)
            aside.settled()
        return info

    async def delete(self, key: str) -> None:
        """Remove an object; an absent one is success."""
        name = checked_key(key)

        await self._write(lambda connection: forget(connection, name))

    async def copy(self, source: str, target: str) -> ObjectInfo | None:
        """Copy within the store, metadata included; onto itself it changes nothing."""
        origin, now = checked_key(source), self._clock.now()
        checked_key(target)

        def job(connection: sqlite3.Connection) -> ObjectInfo | None:
            found = info_of(connection, origin)
            if found is None or source == target:
                return found
            copied = replace(found, key=target, uploaded_at=now)
            store(connection, copied)
            return copied

        return await self._write(job)

    async def _opened(
        self, key: str, if_match: str | None, if_none_match: str | None
    ) -> tuple[ObjectInfo, BinaryIO] | None:
        """What is known of an object, and its open bytes."""
        name = checked_key(key)
        checked_etag(if_match)
        checked_etag(if_none_match)

        def job(connection: sqlite3.Connection) -> tuple[ObjectInfo, BinaryIO | None] | None:
            info = info_of(connection, name)
            if info is None:
                return None
            check(key, info, if_match, if_none_match)
            return info, self._contents.open(connection, info.etag)

        for _ in range(_LOOKS_MAX):
            found = await self._database.read(job)
            if found is None:
                return None
            info, file = found
            if file is not None:
                return info, file
        raise ProtocolViolation(
            f"the bytes of {key!r} are not there",
            hint="something else than this plugin removed them: restore the folder",
        )

    async def _write(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """What a job returns; what earlier ones gave up is removed first.

        They were committed by then, so that no crash brings back an object without bytes; that is
        also why none shares its commit with another.
        """

        def whole(connection: sqlite3.Connection) -> _T:
            for digest in unused(connection):
                self._contents.remove(connection, digest)
            return job(connection)

        return await self._database.write(whole, alone=True)


class LocalBlob(_Blob):
    """Objects in the folder, shared by every process that names it."""

    Config = LocalConfig

    def __init__(self, config: LocalConfig, *, clock: Clock, rng: Rng) -> None:
        folder = config.folder / "blob"
        database = FileDatabase(folder / "objects.sqlite", SCHEMA)
        super().__init__(database, FolderContents(folder), clock)


class MockBlob(_Blob):
    """Objects in memory, shared by the clients that name the store."""

    Config = MockConfig

    def __init__(self, config: MockConfig, *, clock: Clock, rng: Rng) -> None:
        super().__init__(MemoryDatabase("blob", config.store, SCHEMA), MemoryContents(), clock)
