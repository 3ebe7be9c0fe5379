"""A setting that is a folder: every case finds it empty, and what is written elsewhere is told."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flows_registry.lab.case import CaseRun
from flows_registry.lab.room.room import Room

from .conftest import NOT_ISOLATED, Rooms, act, value_of

pytestmark = [
    pytest.mark.feature("AL-07", "P4-03"),
    pytest.mark.skipif(NOT_ISOLATED is not None, reason=str(NOT_ISOLATED)),
]


@pytest.fixture
def room(rooms: Rooms) -> Iterator[Room]:
    """A room for the backend that keeps files."""
    furnished = {"backend": "files", "wire": None, "config": {}, "secrets": {}}
    with rooms.new(folders=["path"], **furnished) as made:
        yield made


def _kinds(run: CaseRun) -> set[str]:
    return {kind for kind, _ in run.watched}


def test_every_case_finds_the_folder_empty(rooms: Rooms, room: Room) -> None:
    for _ in range(3):  # scouting ran the first one once before
        run = rooms.run(room, act("keep", "a"), act("keep", "a"), backend="files")
        assert [value_of(run, 0), value_of(run, 1)] == [1, 2]
        assert _kinds(run) == {"own file"}


@pytest.mark.parametrize("place", ["../../work/astray", "{outside}/astray"])
def test_a_file_elsewhere_is_no_file_of_its_own(
    rooms: Rooms, room: Room, tmp_path: Path, place: str
) -> None:
    run = rooms.run(room, act("keep", place.format(outside=tmp_path)), backend="files")
    assert "file" in _kinds(run)


def test_a_file_that_is_carried_out_is_seen(rooms: Rooms, room: Room, tmp_path: Path) -> None:
    target = str(tmp_path / "target")
    run = rooms.run(room, act("carry_out", target), backend="files")
    assert ("file", target) in run.watched


def test_a_file_is_seen_that_its_process_keeps_to_itself(rooms: Rooms, room: Room) -> None:
    run = rooms.run(room, act("write_unheard", "unheard"), backend="files")
    assert value_of(run) is None
    assert [Path(path).name for kind, path in run.watched if kind == "file"] == ["unheard"]
