"""The bytes of objects on the disk: kept once, verified, given up and swept."""

import asyncio
import fcntl
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import pytest
from cap_local.blob import LocalBlob
from cap_local.config import LocalConfig
from cap_local.contents import FolderContents
from core_caps.capabilities.blob_store import ByteRange
from core_caps.clock import SystemClock
from core_caps.errors import PreconditionFailed, ProtocolViolation
from core_caps.rng import SeededRng

pytestmark = pytest.mark.feature("DC-01")


def _open(folder: Path) -> LocalBlob:
    return LocalBlob(LocalConfig(str(folder)), clock=SystemClock(), rng=SeededRng())


def _files(folder: Path, kind: str) -> set[str]:
    return {path.name for path in (folder / "blob" / kind).rglob("*") if path.is_file()}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_equal_contents_are_kept_once_and_given_up_together(tmp_path: Path) -> None:
    async def main() -> None:
        async with _open(tmp_path) as blob:
            for key in ("a", "b"):
                await blob.put(key, b"same")
            await blob.copy("a", "c")
            assert _files(tmp_path, "objects") == {_digest(b"same")}
            for key in ("a", "b"):
                await blob.delete(key)
            await blob.put("other", b"other")
            assert _files(tmp_path, "objects") == {_digest(b"same"), _digest(b"other")}
            await blob.delete("c")
            await blob.put("other", b"other")
            assert _files(tmp_path, "objects") == {_digest(b"other")}

    asyncio.run(main())


def test_a_refused_or_broken_put_leaves_nothing_aside(tmp_path: Path) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"x" * 1_000_000
        raise OSError("the source broke")

    async def main() -> None:
        async with _open(tmp_path) as blob:
            await blob.put("a", b"first")
            with pytest.raises(PreconditionFailed):
                await blob.put("a", b"second", if_none_match="*")
            with pytest.raises(OSError, match="the source broke"):
                await blob.put("a", breaking())
            assert _files(tmp_path, "objects") == {_digest(b"first")}
            assert _files(tmp_path, "aside") == set()

    asyncio.run(main())


def test_a_stream_that_was_begun_outlives_its_object(tmp_path: Path) -> None:
    data = bytes(range(256)) * 8192

    async def main() -> None:
        async with _open(tmp_path) as blob:
            await blob.put("a", data)
            stream = blob.open("a")
            first = await anext(stream)
            await blob.put("a", b"replaced")
            await blob.delete("a")
            await blob.delete("a")
            assert _files(tmp_path, "objects") == set()
            rest = [chunk async for chunk in stream]
            assert b"".join([first, *rest]) == data

    asyncio.run(main())


@pytest.mark.parametrize("damage", [b"", b"anither", b"another and more"])
def test_bytes_that_somebody_changed_are_not_handed_out(tmp_path: Path, damage: bytes) -> None:
    async def main() -> None:
        async with _open(tmp_path) as blob:
            await blob.put("a", b"another")
            digest = _digest(b"another")
            (tmp_path / "blob" / "objects" / digest[:2] / digest).write_bytes(damage)
            with pytest.raises(ProtocolViolation):
                await blob.get("a")
            with pytest.raises(ProtocolViolation):
                assert [chunk async for chunk in blob.open("a")]
            (tmp_path / "blob" / "objects" / digest[:2] / digest).unlink()
            for wanted in (None, ByteRange(0, 1)):
                with pytest.raises(ProtocolViolation, match="are not there"):
                    await blob.get("a", range=wanted)

    asyncio.run(main())


def test_what_is_being_written_is_not_swept(tmp_path: Path) -> None:
    reached, leave = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 1_000_000
        reached.set()
        await leave.wait()
        yield b"y"

    async def main() -> None:
        async with _open(tmp_path) as blob:
            putting = asyncio.ensure_future(blob.put("a", slow()))
            await reached.wait()
            async with _open(tmp_path) as other:  # opening sweeps
                await other.delete("nothing")
            leave.set()
            await putting
            found = await blob.get("a")
            assert found is not None
            assert found.info.size_bytes == 1_000_001

    asyncio.run(main())


def test_what_is_not_locked_yet_is_not_swept_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a client finds it that opens between another's making a file and its locking it."""
    contents, other = FolderContents(tmp_path), FolderContents(tmp_path)
    left: dict[Path, str] = {}
    lock = fcntl.flock

    def locking(file: BinaryIO, how: int) -> None:
        if how == fcntl.LOCK_EX and not left:
            left.update({tmp_path / "seen": "", **other.begin()})
        lock(file, how)

    async def main() -> str:
        async with contents.aside() as aside:
            for path in left:
                path.unlink(missing_ok=True)
            await aside.write(b"kept")
            return await aside.finish()

    contents.begin()
    monkeypatch.setattr(fcntl, "flock", locking)
    assert asyncio.run(main()) == _digest(b"kept")
    assert left
    contents.end()
    other.end()


def test_what_a_crash_left_between_name_and_row_is_swept(tmp_path: Path) -> None:
    """As a process leaves it that dies after it named the bytes and before it committed."""

    async def main() -> None:
        async with _open(tmp_path) as blob:
            await blob.put("kept", b"kept")
        for content in (b"kept", b"orphan"):
            digest = _digest(content)
            target = tmp_path / "blob" / "objects" / digest[:2] / digest
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
            (tmp_path / "blob" / "aside" / f"1-{content[0]}.{digest}").write_bytes(content)
        async with _open(tmp_path) as blob:
            await blob.delete("nothing")
            assert _files(tmp_path, "aside") == set()
            assert _files(tmp_path, "objects") == {_digest(b"kept")}
            assert await blob.get("kept") is not None

    asyncio.run(main())
