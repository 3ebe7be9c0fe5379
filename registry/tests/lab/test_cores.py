"""Each room has a core for itself alone, as long as there is one."""

import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import suppress

import pytest

pytestmark = [
    pytest.mark.feature("P4-03"),
    pytest.mark.skipif(
        not hasattr(os, "sched_setaffinity"), reason="here no process chooses its cores"
    ),
]

ROOM = """
import os, sys
from flows_registry.lab import cores
cores._NAME = "\\0" + sys.argv[1]  # so that no room of another test is in the way
with cores.core_of_its_own() as core:
    print(core, *sorted(os.sched_getaffinity(0)), flush=True)
    input()
"""
CORES = {str(core) for core in sorted(os.sched_getaffinity(0))}

Opened = tuple[subprocess.Popen[str], str, set[str]]
"""A room's process, the core it says it has, and those it may run on."""


@pytest.fixture
def opened() -> Generator[Callable[[], Opened]]:
    rooms: list[subprocess.Popen[str]] = []
    name = f"test {os.getpid()}, core {{core}} of user {{user}}"

    def open_one() -> Opened:
        room = subprocess.Popen(
            [sys.executable, "-c", ROOM, name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        rooms.append(room)
        assert room.stdout is not None
        core, *runs_on = room.stdout.readline().split()
        return room, core, set(runs_on)

    yield open_one
    for room in rooms:
        with suppress(ProcessLookupError):
            room.kill()
        room.communicate()


def test_no_two_rooms_work_on_one_core(opened: Callable[[], Opened]) -> None:
    rooms = [opened() for _ in CORES]
    assert {core for _, core, _ in rooms} == CORES
    assert all(runs_on == {core} for _, core, runs_on in rooms)


def test_a_room_for_which_none_is_left_runs_on_any(opened: Callable[[], Opened]) -> None:
    for _ in CORES:
        opened()
    _, core, runs_on = opened()
    assert (core, runs_on) == ("None", CORES)


def test_a_killed_room_leaves_its_core_to_the_next(opened: Callable[[], Opened]) -> None:
    rooms = [opened() for _ in CORES]
    killed, core, _ = rooms[-1]
    killed.kill()
    killed.wait()
    assert opened()[1] == core
