"""The folder of one certification goes with it, and what a killed one left goes later."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flows_registry.certify.scratch import LEFT_SECONDS, scratch_folder


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def _left(tmp_path: Path, process: int, *, seconds: float) -> Path:
    folder = tmp_path / f"flows-certify-{process}-x"
    (folder / "room-0").mkdir(parents=True)
    then = time.time() - seconds
    os.utime(folder, (then, then))
    return folder


def _dead() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as done:
        return done.pid


def test_it_goes_with_the_certification(tmp_path: Path) -> None:
    with scratch_folder(None) as folder:
        (folder / "thing").touch()
        assert folder.parent == tmp_path
    assert not list(tmp_path.iterdir())


def test_what_is_asked_for_is_kept(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "a" / "b") as folder:
        (folder / "thing").touch()
    assert (tmp_path / "a" / "b" / "thing").exists()


def test_what_a_killed_one_left_goes_and_nothing_else(tmp_path: Path) -> None:
    old = LEFT_SECONDS + 60
    left = _left(tmp_path, _dead(), seconds=old)
    kept = [
        _left(tmp_path, os.getpid(), seconds=old),
        _left(tmp_path, _dead() + 100_000_000, seconds=10),
        tmp_path / "somebody-else",
    ]
    kept[-1].mkdir()
    with scratch_folder(None):
        assert not left.exists()
        assert all(folder.exists() for folder in kept)
