"""Within walls a plugin reaches its service, its own folders, and nothing else of the machine."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flows_registry.lab.broken import RoomBroken
from flows_registry.lab.case import CaseRun
from flows_registry.lab.room.room import Room
from flows_registry.lab.walls import Walls

from .conftest import NOT_WALLED, Rooms, act, value_of

pytestmark = [
    pytest.mark.feature("S2-09", "P4-05"),
    pytest.mark.skipif(NOT_WALLED is not None, reason=str(NOT_WALLED)),
]

READ_ONLY = "OSError 30"


@pytest.fixture(scope="module")
def walled(rooms: Rooms) -> Iterator[Room]:
    with rooms.new(walled=True) as room:
        yield room


@pytest.fixture
def run(rooms: Rooms, walled: Room) -> Callable[..., CaseRun]:
    return lambda *acts, **case: rooms.run(walled, *acts, **case)


def test_the_service_answers(run: Callable[..., CaseRun]) -> None:
    answer = value_of(run(act("exchange", "PUT", "key", b"value")))
    assert answer["data"].startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/made", "/etc/made", "/usr/made", "/tmp/made", os.__file__])
def test_nothing_of_the_machine_can_be_written(run: Callable[..., CaseRun], path: str) -> None:
    assert value_of(run(act("write_to", path))) == READ_ONLY


def test_its_own_folders_can_be_written(run: Callable[..., CaseRun]) -> None:
    assert value_of(run(act("write_to", "made"))) == "made"


def test_the_users_files_are_not_there(run: Callable[..., CaseRun], tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    assert not value_of(run(act("can_be_seen", str(secret))))
    assert not value_of(run(act("can_be_seen", str(tmp_path))))


def test_no_other_process_is_seen_or_killed(run: Callable[..., CaseRun]) -> None:
    seen = value_of(run(act("processes")))
    assert seen[0] == 1
    assert len(seen) <= 3, "the agent, the case, and nobody else"
    assert value_of(run(act("kill", os.getpid()))) == "ProcessLookupError"


def test_it_has_no_power_over_its_walls(run: Callable[..., CaseRun]) -> None:
    assert value_of(run(act("mount_over", "/tmp"))) == "Operation not permitted"


def test_a_case_that_hangs_is_ended_from_outside(rooms: Rooms, tmp_path: Path) -> None:
    with rooms.new(walled=True) as room:
        ended = rooms.run(room, act("hang"), real_seconds_max=2.0)
        assert ended.trouble
        assert value_of(rooms.run(room, act("now"))) > 0


def test_walls_with_a_hole_are_told_before_the_plugin_is_imported(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Walls, "hidden", property(lambda self: [Path("/usr")]))
    with (
        pytest.raises(RoomBroken, match="do not hold: it can see /usr"),
        rooms.new(walled=True) as room,
    ):
        rooms.run(room, act("now"))


def test_without_walls_all_that_is_open_is_told(
    rooms: Rooms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The trial of the denials can fail: here nothing is denied."""
    monkeypatch.setattr(Walls, "within", lambda self, argv: list(argv))
    with (
        pytest.raises(RoomBroken, match=r"it can write to .*, see other processes, "),
        rooms.new(walled=True) as room,
    ):
        rooms.run(room, act("now"))
