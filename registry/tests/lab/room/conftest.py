"""A room for the prober: the plugin of this folder, which does what a test asks."""

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from core_caps.contract.suite import Call
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.room.certificates import issue
from flows_registry.lab.room.furniture import Furniture, Profile
from flows_registry.lab.room.holder import isolation
from flows_registry.lab.room.room import Room
from flows_registry.lab.walls import no_walls

HERE = Path(__file__).parent
HOST = "api.cloudflare.com"
TOKEN = "token-of-the-prober"
NOT_ISOLATED = isolation()
NOT_WALLED = no_walls()


class Rooms:
    """Makes rooms for the prober, and runs what it is asked to in them.

    Attributes:
        furniture: of a room whose backend has a service.
        profile: the surroundings in which the prober can be found.
    """

    def __init__(self, folder: Path) -> None:
        shutil.copytree(HERE / "lab_prober", folder / "site" / "lab_prober")
        metadata = folder / "site" / "lab_prober-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: lab-prober\nVersion: 1.0\n"
        )
        (metadata / "entry_points.txt").write_text(
            "[flows.capabilities]\nprober = lab_prober.plugin\n"
        )
        authority, certificates = issue(folder / "certificates", [HOST, "localhost"])
        self._folder = folder
        self._made = 0
        self.profile = Profile(environment={"PYTHONPATH": str(folder / "site")})
        self.furniture = Furniture(
            python=Path(sys.executable),
            plugin="prober",
            protocols={"prober/1": "lab_prober.protocol:Prober"},
            operations={"prober/1": ["act"]},
            worlds={},
            backend="remote",
            wire="cloudflare-kv",
            config={"account_id": "a" * 32, "namespace_id": "b" * 32},
            secrets={"api_token": TOKEN},
            warm=["lab_prober.provider"],
            ports=[443],
            authority=authority,
            certificates=certificates,
        )

    def new(self, *, isolated: bool = True, walled: bool = False, **changes: Any) -> Room:
        """A fresh room, to be used as a context manager."""
        self._made += 1
        visible = [self._folder / "site", Path(__file__).parents[4]]  # where its imports lie
        furniture = replace(self.furniture, visible=visible, **changes)
        directory = self._folder / f"room-{self._made}"
        return Room(furniture, directory, isolated=isolated, walled=walled)

    def alone(self, *, isolated: bool = True) -> Room:
        """A room for the backend without a service."""
        return self.new(isolated=isolated, backend="mock", wire=None, config={}, secrets={})

    def run(self, room: Room, *acts: Call, backend: str = "remote", **case: Any) -> CaseRun:
        """Make these calls in one case."""
        return room.run(Case("probe", "prober/1", backend, acts, **case), self.profile)


def act(name: str, *args: object) -> Call:
    """One thing to do."""
    return Call("act", (name, *args))


def value_of(run: CaseRun, step: int = -1) -> Any:
    """What the act gave."""
    assert run.trouble is None, run.trouble
    assert run.opening is None, run.opening.text
    assert run.steps[step].error is None, run.steps[step].error
    return run.steps[step].value


@pytest.fixture(scope="session")
def rooms(tmp_path_factory: pytest.TempPathFactory) -> Rooms:
    return Rooms(tmp_path_factory.mktemp("rooms"))


@pytest.fixture(scope="module")
def room(rooms: Rooms) -> Iterator[Room]:
    """An isolated room that the tests of a module share, as cases share one."""
    if NOT_ISOLATED is not None:
        pytest.skip(NOT_ISOLATED)
    with rooms.new() as made:
        yield made


@pytest.fixture
def run(rooms: Rooms, room: Room) -> Callable[..., CaseRun]:
    """Make calls in the module's room."""
    return lambda *acts, **case: rooms.run(room, *acts, **case)
