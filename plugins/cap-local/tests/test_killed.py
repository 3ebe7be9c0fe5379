"""Processes that are killed while they write: what they were told is stored, is stored."""

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cap_local.blob import LocalBlob
from cap_local.config import LocalConfig
from cap_local.kv import LocalKv
from cap_local.sql import LocalSql
from core_caps.capabilities.blob_store import Blob
from core_caps.clock import SystemClock
from core_caps.rng import SeededRng

pytestmark = [pytest.mark.feature("DC-01"), pytest.mark.slow]

WRITER = Path(__file__).with_name("writer.py")
ROUNDS = 3
WRITES = 25


def _killed(capability: str, folder: Path, number: int) -> list[str]:
    """What two processes that wrote at once acknowledged before they were killed."""
    command = [sys.executable, str(WRITER), capability, str(folder)]
    writers = [
        subprocess.Popen([*command, f"{number}{name}"], stdout=subprocess.PIPE, text=True)
        for name in "ab"
    ]
    told: list[str] = []
    for writer in writers:
        assert writer.stdout is not None
        told += [writer.stdout.readline().strip() for _ in range(WRITES)]
    for writer in writers:
        writer.kill()
    for writer in writers:
        assert writer.stdout is not None
        # The last line may be torn; what was not told whole was not told.
        told += [line.strip() for line in writer.stdout if line.endswith("\n")]
        writer.stdout.close()
        writer.wait()
    assert all(told)
    return told


def _open(provider: type, folder: Path) -> Any:
    return provider(LocalConfig(str(folder)), clock=SystemClock(), rng=SeededRng())


def test_no_acknowledged_value_is_lost(tmp_path: Path) -> None:
    told = [name for number in range(ROUNDS) for name in _killed("kv", tmp_path, number)]

    async def main() -> None:
        async with _open(LocalKv, tmp_path) as kv:
            for name in told:
                entry = await kv.get_with_metadata(name)
                assert entry is not None, name
                assert (entry.value, entry.metadata) == (name.encode() * 100, {"name": name})

    asyncio.run(main())


def test_no_acknowledged_row_is_lost_and_each_has_its_key(tmp_path: Path) -> None:
    told = [name for number in range(ROUNDS) for name in _killed("sql", tmp_path, number)]

    async def main() -> None:
        async with _open(LocalSql, tmp_path) as sql:
            rows = {name for (name,) in (await sql.query("SELECT name FROM t")).rows}
            assert set(told) <= rows
            for name in rows:  # told or not: a row and its key are there together
                again = await sql.execute("INSERT INTO t VALUES ($1)", (name,), key=name)
                assert again.repeated

    asyncio.run(main())


def test_no_acknowledged_object_is_lost_and_nothing_half_written_stays(tmp_path: Path) -> None:
    told = [name for number in range(ROUNDS) for name in _killed("blob", tmp_path, number)]
    folder = tmp_path / "blob"

    async def main() -> set[str]:
        async with _open(LocalBlob, tmp_path) as blob:
            assert list((folder / "aside").iterdir()) == []
            await blob.delete("nothing")  # the next write removes what nobody refers to
            for name in told:
                found = await blob.get(name)
                assert found is not None, name
                assert found.data[: len(name)] == name.encode()
            return await _digests(blob)

    wanted = asyncio.run(main())
    assert {path.name for path in (folder / "objects").glob("*/*")} == wanted


async def _digests(blob: LocalBlob) -> set[str]:
    """The digest of every object, each read whole and so verified."""
    found: set[str] = set()
    cursor = None
    while True:
        page = await blob.list(cursor=cursor)
        for info in page.objects:
            whole = await blob.get(info.key)
            assert isinstance(whole, Blob)
            found.add(whole.info.etag)
        cursor = page.cursor
        if cursor is None:
            return found
