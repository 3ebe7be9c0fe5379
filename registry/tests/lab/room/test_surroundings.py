"""Every common way to read what is not an argument gives another answer along its own axis, and
the same where only the process is another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from flows_registry.checks.determinism.axes import AXES, REPEAT, thread_schedule
from flows_registry.checks.determinism.culprits import RACES
from flows_registry.lab.case import Case
from flows_registry.lab.room.furniture import Profile
from flows_registry.lab.room.room import Room

from .conftest import Rooms, act, value_of
from .lab_prober.readings import READINGS

pytestmark = [pytest.mark.slow, pytest.mark.feature("P4-02", "CK-02", "S3-02")]

Seen = Mapping[str, Mapping[str, str]]
ALIKE = [name for name in READINGS if name != "thread schedule"]


@pytest.fixture(scope="module")
def alone(rooms: Rooms) -> Iterator[Room]:
    with rooms.alone() as made:
        yield made


def _seen(rooms: Rooms, room: Room, profile: Profile) -> Seen:
    """What every reading gives in these surroundings."""
    environment = {**rooms.profile.environment, **profile.environment}
    case = Case("probe", "prober/1", "mock", (act("readings"),))
    return value_of(room.run(case, replace(profile, environment=environment)))


@pytest.fixture(scope="module")
def pinned(rooms: Rooms, alone: Room) -> Seen:
    return _seen(rooms, alone, Profile())


@pytest.mark.parametrize("axis", ALIKE)
def test_what_is_read_differs_along_its_axis(
    rooms: Rooms, alone: Room, pinned: Seen, axis: str
) -> None:
    moved = _seen(rooms, alone, AXES[axis])
    assert not [name for name, seen in pinned[axis].items() if moved[axis][name] == seen]


def test_who_is_first_differs_in_some_schedule(rooms: Rooms, alone: Room, pinned: Seen) -> None:
    axis = "thread schedule"
    tried = [_seen(rooms, alone, thread_schedule(seed))[axis] for seed in range(1, 2 + RACES)]
    assert not [name for name in pinned[axis] if len({seen[name] for seen in tried}) == 1]


@pytest.mark.parametrize("axis", ALIKE)
def test_what_is_read_is_the_same_in_another_process(
    rooms: Rooms, alone: Room, pinned: Seen, axis: str
) -> None:
    again = _seen(rooms, alone, REPEAT)
    assert not [name for name, seen in pinned[axis].items() if again[axis][name] != seen]


UNTOLD = {
    "hash seed": {"set", "frozenset"},
    "time zone": {"time.tzname", "time.timezone"},
    "locale": {"file names"},
}
"""Ways that are no call: nothing tells of them."""


@pytest.mark.parametrize("axis", ALIKE)
def test_the_line_that_reads_is_told(rooms: Rooms, alone: Room, axis: str) -> None:
    inside = {**AXES[axis].inside, "tells": [axis]}
    telling = replace(AXES[axis], name=f"{axis}, told of", inside=inside)
    environment = {**rooms.profile.environment, **telling.environment}
    silent: set[str] = set()
    for name in READINGS[axis]:
        case = Case("probe", "prober/1", "mock", (act("reading", axis, name),))
        run = alone.run(case, replace(telling, environment=environment))
        value_of(run)
        if not any(site.startswith("lab_prober/readings.py:") for site in run.sources):
            silent.add(name)
    assert silent == UNTOLD.get(axis, set())
