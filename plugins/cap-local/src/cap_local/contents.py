"""Where the bytes of objects lie: in files named by their digest, or in the mock's memory.

A file is written aside and brought to the disk; it gets its name inside the transaction that
first refers to it, and loses it inside one that begins after nobody does. What a killed process
leaves aside tells by its lock that nobody writes it, and by its name what it may have become.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import io
import itertools
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from cap_local import errors
from cap_local.lanes import over, synced

__all__ = ["Aside", "Contents", "FolderContents", "MemoryContents"]

_T = TypeVar("_T")

THREADS_MAX = 4
"""Files read and written at the same time, for each open client."""

_numbers = itertools.count()


class Aside(Protocol):
    """Bytes that are being stored, and belong to no object yet."""

    async def write(self, chunk: bytes) -> None:
        """Take another chunk."""
        ...

    async def finish(self) -> str:
        """The digest of all chunks, which are on the disk from here on."""
        ...

    def adopt(self, connection: sqlite3.Connection) -> None:
        """Give the bytes their name, inside the transaction that refers to them."""
        ...

    def settled(self) -> None:
        """That transaction is committed."""
        ...


class Contents(Protocol):
    """The bytes of objects by their digest."""

    def begin(self) -> Mapping[Path, str]:
        """Be ready for use; what killed processes left aside, and what each may have become."""
        ...

    def end(self) -> None:
        """Let everything go."""
        ...

    def aside(self) -> contextlib.AbstractAsyncContextManager[Aside]:
        """A place for new bytes; what was not adopted is gone afterwards."""
        ...

    def open(self, connection: sqlite3.Connection, digest: str) -> BinaryIO | None:
        """The bytes, which stay readable whatever happens to their name, or None."""
        ...

    def remove(self, connection: sqlite3.Connection, digest: str) -> None:
        """Forget bytes that no object refers to."""
        ...

    async def do(self, work: Callable[[], _T]) -> _T:
        """What work on open bytes returns, done where it delays nobody."""
        ...


class FolderContents:
    """Files in a folder: `objects/ab/abcd…` and, while they are written, `aside/…`."""

    def __init__(self, folder: Path) -> None:
        self._objects = folder / "objects"
        self._aside = folder / "aside"
        self._pool: ThreadPoolExecutor | None = None

    def begin(self) -> Mapping[Path, str]:
        """See Contents.begin."""
        try:
            for folder in (self._objects, self._aside):
                folder.mkdir(parents=True, exist_ok=True)
            left = [path for path in self._aside.iterdir() if _abandoned(path)]
        except OSError as error:
            raise errors.disk_failed(error, writes=False) from error
        self._pool = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="cap-local files")
        return {path: path.suffix.removeprefix(".") for path in left}

    def end(self) -> None:
        """See Contents.end."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)

    @asynccontextmanager
    async def aside(self) -> AsyncGenerator[Aside]:
        """See Contents.aside."""
        path, file = await self.do(self._created)
        aside = _AsideFile(self, path, file)
        try:
            yield aside
        finally:
            aside.close()

    def open(self, connection: sqlite3.Connection, digest: str) -> BinaryIO | None:
        """See Contents.open."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            return None

    def remove(self, connection: sqlite3.Connection, digest: str) -> None:
        """See Contents.remove."""
        self.path(digest).unlink(missing_ok=True)

    async def do(self, work: Callable[[], _T]) -> _T:
        """See Contents.do; a cancelled call is over when its work is."""
        assert self._pool is not None
        done: Future[_T] = self._pool.submit(work)
        try:
            return await asyncio.wrap_future(done)
        except asyncio.CancelledError:
            if not done.cancel():
                await over(done)
            raise
        except OSError as error:
            raise errors.disk_failed(error, writes=False) from error

    def path(self, digest: str) -> Path:
        """The file of a digest."""
        return self._objects / digest[:2] / digest

    def _created(self) -> tuple[Path, BinaryIO]:
        """A new file aside, locked by this process for as long as it is open."""
        while True:
            path = self._aside / f"{os.getpid()}-{next(_numbers)}"
            with contextlib.suppress(FileExistsError):
                file = path.open("xb", buffering=0)
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink:
                    return path, file
                file.close()  # somebody swept it before it was locked


class _AsideFile:
    """A file that is being written, and its digest so far."""

    def __init__(self, contents: FolderContents, path: Path, file: BinaryIO) -> None:
        self._contents = contents
        self._path = path
        self._file = file
        self._hash = hashlib.sha256()
        self._named_twice = False

    async def write(self, chunk: bytes) -> None:
        """See Aside.write."""

        def work() -> None:
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._hash.update(chunk)

        await self._contents.do(work)

    async def finish(self) -> str:
        """See Aside.finish."""
        digest = self._hash.hexdigest()

        def work() -> None:
            os.fsync(self._file.fileno())
            named = self._path.with_suffix("." + digest)
            self._path.rename(named)
            self._path = named

        await self._contents.do(work)
        return digest

    def adopt(self, connection: sqlite3.Connection) -> None:
        """See Aside.adopt; until that is committed the file keeps its old name, too."""
        target = self._contents.path(self._hash.hexdigest())
        self._named_twice = True
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            synced(target.parent.parent)
        with contextlib.suppress(FileExistsError):
            target.hardlink_to(self._path)
        synced(target.parent)

    def settled(self) -> None:
        """See Aside.settled."""
        self._named_twice = False

    def close(self) -> None:
        """Remove it; where it may have become an object or not, the next sweep finds out."""
        if not self._named_twice:
            self._path.unlink(missing_ok=True)
        self._file.close()


class MemoryContents:
    """Bytes in a table of the mock's own database."""

    def begin(self) -> Mapping[Path, str]:
        """See Contents.begin; nothing outlives the process."""
        return {}

    def end(self) -> None:
        """See Contents.end."""

    @asynccontextmanager
    async def aside(self) -> AsyncGenerator[Aside]:
        """See Contents.aside."""
        yield _AsideBytes()

    def open(self, connection: sqlite3.Connection, digest: str) -> BinaryIO | None:
        """See Contents.open."""
        row = connection.execute("SELECT data FROM held WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else io.BytesIO(row[0])

    def remove(self, connection: sqlite3.Connection, digest: str) -> None:
        """See Contents.remove."""
        connection.execute("DELETE FROM held WHERE digest = ?", (digest,))

    async def do(self, work: Callable[[], _T]) -> _T:
        """See Contents.do."""
        await asyncio.sleep(0)
        return work()


class _AsideBytes:
    """Bytes that are being collected."""

    def __init__(self) -> None:
        self._data = bytearray()

    async def write(self, chunk: bytes) -> None:
        """See Aside.write."""
        self._data += chunk

    async def finish(self) -> str:
        """See Aside.finish."""
        return hashlib.sha256(self._data).hexdigest()

    def adopt(self, connection: sqlite3.Connection) -> None:
        """See Aside.adopt."""
        row = (hashlib.sha256(self._data).hexdigest(), bytes(self._data))
        connection.execute("INSERT OR IGNORE INTO held (digest, data) VALUES (?, ?)", row)

    def settled(self) -> None:
        """See Aside.settled."""


def _abandoned(path: Path) -> bool:
    """Whether nobody has the file open to write it any more, and it may have become an object.

    One that cannot have is removed, under its lock: whoever made it just now finds that out.
    """
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.suffix:
                path.unlink()
    except (BlockingIOError, FileNotFoundError):
        return False
    return bool(path.suffix)
