"""What is made once is kept, within bounds, and never half-made."""

import os
import time
from pathlib import Path

import pytest
from flows_registry.lab import cache


def _made(folder: Path, name: str, *, unused_seconds: float = 0) -> Path:
    path = cache.made_once(folder / name, lambda fresh: (fresh / "thing").touch())
    then = time.time() - unused_seconds
    os.utime(path, (then, then))
    return path


def test_it_is_made_once(tmp_path: Path) -> None:
    first = _made(tmp_path, "a")
    (first / "thing").write_text("kept")
    assert _made(tmp_path, "a") == first
    assert (first / "thing").read_text() == "kept"


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def broken(fresh: Path) -> None:
        (fresh / "half").touch()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        cache.made_once(tmp_path / "a", broken)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.lock"]


@pytest.mark.parametrize("asked", ["old", "new"])
def test_a_removal_that_is_cut_short_leaves_nothing_under_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    old = _made(tmp_path, "old", unused_seconds=cache.UNUSED_SECONDS_MAX + 10)
    removing: list[bool] = []

    def cut_short(*_: object, **__: object) -> None:
        removing.append(old.exists())
        raise KeyboardInterrupt

    monkeypatch.setattr(cache.shutil, "rmtree", cut_short)
    with pytest.raises(KeyboardInterrupt):
        cache.made_once(tmp_path / asked, Path.touch, fits=lambda _: False)
    assert removing == [False]


def test_the_longest_unused_go_and_what_may_be_in_use_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "KEPT_MAX", 2)
    for age in range(1, 5):
        _made(tmp_path, f"old-{age}", unused_seconds=age * cache.IN_USE_SECONDS * 2)
    for name in ("new-1", "new-2", "new-3"):
        _made(tmp_path, name)
    left = {entry.name for entry in tmp_path.iterdir() if entry.is_dir()}
    assert left == {"new-1", "new-2", "new-3"}


def test_what_nobody_used_for_long_goes_although_there_is_room(tmp_path: Path) -> None:
    old = _made(tmp_path, "old", unused_seconds=cache.UNUSED_SECONDS_MAX + 10)
    _made(tmp_path, "new")
    assert not old.exists()
