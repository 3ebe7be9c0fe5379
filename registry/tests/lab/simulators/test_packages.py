"""Pinned packages arrive whole or not at all; npm is played by a script, once the real one."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import Node
from flows_registry.lab.simulators.packages import Installed, NpmPins, cache_root, fetch

NPM = """
import json, os, pathlib, shutil, sys, time
assert "--ignore-scripts" in sys.argv, sys.argv
assert not os.environ.get("NODE_OPTIONS")
with open({log!r}, "a") as log: log.write("run\\n")
time.sleep({seconds})
modules = pathlib.Path("node_modules/thing")
modules.mkdir(parents=True)
(modules / "index.js").write_text("//")
if {status}:
    print("npm error code EINTEGRITY")
    sys.exit({status})
lock = json.loads(pathlib.Path("package-lock.json").read_text())
lock["packages"].pop("")
lock["packages"]["node_modules/thing"].update({changed})
pathlib.Path("node_modules/.package-lock.json").write_text(json.dumps(lock))
"""


class World:
    """A cache folder, pins of one package and an npm that is a script."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cache = root / "cache"
        self.log = root / "runs"
        pins = root / "pins"
        pins.mkdir()
        (pins / "package.json").write_text(json.dumps({"dependencies": {"thing": "1.2.3"}}))
        lock = {"": {}, "node_modules/thing": {"version": "1.2.3", "integrity": "sha512-AAAA"}}
        (pins / "package-lock.json").write_text(json.dumps({"packages": lock}))
        self.pins = NpmPins("thing", pins, needs=("thing/index.js",))
        self.node = self.with_npm()

    def with_npm(self, *, seconds: float = 0.0, status: int = 0, **changed: str) -> Node:
        script = self.root / "npm.py"
        script.write_text(
            NPM.format(log=str(self.log), seconds=seconds, status=status, changed=changed)
        )
        npm = (sys.executable, str(script))
        self.node = Node(Path(sys.executable), (22, 0, 0), npm, "named")
        return self.node

    def fetch(self, **named: Any) -> Installed | Absent:
        return fetch(self.pins, node=self.node, cache=self.cache, **named)

    @property
    def runs(self) -> int:
        return len(self.log.read_text().split()) if self.log.exists() else 0

    @property
    def left(self) -> list[str]:
        return sorted(path.name for path in (self.cache / "npm").iterdir() if path.is_dir())


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.mark.feature("DC-04")
def test_fetched_once_then_from_the_cache_also_offline(world: World) -> None:
    said: list[str] = []
    first = world.fetch(progress=said.append)
    assert isinstance(first, Installed), first
    assert first.label == "thing 1.2.3"
    assert (first.root / "node_modules/thing/index.js").is_file()
    assert said[0].startswith("fetching thing 1.2.3")

    world.node = replace(world.node, npm=None)
    assert isinstance(world.fetch(), Installed)
    assert world.fetch(offline=True) == replace(first, fetched_seconds=0.0)
    assert world.runs == 1


@pytest.mark.feature("DC-04")
def test_a_cold_cache_without_a_way_to_fetch_is_absent(world: World) -> None:
    offline = world.fetch(offline=True)
    assert isinstance(offline, Absent)
    assert "not fetched" in offline.reason
    world.node = replace(world.node, npm=None)
    without_npm = world.fetch()
    assert isinstance(without_npm, Absent)
    assert "no npm" in without_npm.reason
    assert world.runs == 0


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize(
    ("npm", "reason"),
    [
        ({"status": 1}, "EINTEGRITY"),
        ({"integrity": "sha512-BBBB"}, "pinned is sha512-AAAA"),
        ({"version": "1.2.4"}, "pinned is 1.2.3"),
    ],
)
def test_a_failed_or_different_install_leaves_nothing(
    world: World, npm: dict[str, Any], reason: str
) -> None:
    world.with_npm(**npm)
    failed = world.fetch()

    assert isinstance(failed, Absent)
    assert reason in failed.reason
    assert world.left == []
    world.with_npm()
    assert isinstance(world.fetch(), Installed)


@pytest.mark.feature("DC-04")
def test_a_needed_file_that_vanished_is_fetched_again(world: World) -> None:
    first = world.fetch()
    assert isinstance(first, Installed)
    (first.root / "node_modules/thing/index.js").unlink()

    assert isinstance(world.fetch(offline=True), Absent)
    assert isinstance(world.fetch(), Installed)
    assert world.runs == 2


@pytest.mark.feature("DC-04")
def test_time_is_bounded_and_npm_is_ended(world: World) -> None:
    world.with_npm(seconds=30)
    began = time.monotonic()
    late = world.fetch(timeout_seconds=0.5)

    assert time.monotonic() - began < 5
    assert isinstance(late, Absent)
    assert "did not finish in time" in late.reason
    assert world.left == []


@pytest.mark.feature("DC-04")
def test_callers_at_the_same_time_share_one_fetch(world: World) -> None:
    world.with_npm(seconds=0.3)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: world.fetch(), range(4)))

    assert all(isinstance(installed, Installed) for installed in found)
    assert world.runs == 1


@pytest.mark.feature("DC-04")
def test_a_killed_fetch_leaves_nothing_that_is_taken_for_whole(world: World) -> None:
    world.with_npm(seconds=30)
    program = (
        "import sys; from pathlib import Path; from flows_registry.lab.simulators.node import Node;"
        "from flows_registry.lab.simulators.packages import NpmPins, fetch;"
        f"fetch(NpmPins('thing', Path({str(world.pins.folder)!r}), needs=('thing/index.js',)),"
        f"node=Node(Path(sys.executable), (22, 0, 0), {world.node.npm!r}, 'named'),"
        f"cache=Path({str(world.cache)!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    deadline = time.monotonic() + 20
    while world.runs == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()

    assert isinstance(world.fetch(offline=True), Absent)
    world.with_npm()
    assert isinstance(world.fetch(), Installed)
    assert len(world.left) == 1


@pytest.mark.feature("DC-04")
def test_a_cache_that_cannot_be_written_is_absent(world: World) -> None:
    world.cache.write_text("a file stands in the way")
    refused = world.fetch()

    assert isinstance(refused, Absent)
    assert "FLOWS_CACHE" in refused.next_step


@pytest.mark.feature("DC-04")
def test_the_pins_name_exact_versions_hashes_and_no_registry() -> None:
    from flows_registry.lab.simulators.packages import MINIFLARE

    text = (MINIFLARE.folder / "package-lock.json").read_text()
    packages = {name: facts for name, facts in json.loads(text)["packages"].items() if name}
    assert packages["node_modules/miniflare"]["version"] == MINIFLARE.version
    assert all(facts["integrity"].startswith("sha512-") for facts in packages.values())
    assert "resolved" not in text
    assert "https://" not in text


@pytest.mark.feature("DC-04")
def test_the_cache_has_a_place_of_its_own() -> None:
    assert cache_root({"FLOWS_CACHE": "/c"}) == Path("/c")
    assert cache_root({}).name == "flows-registry"
    if sys.platform == "linux":
        assert cache_root({"XDG_CACHE_HOME": "/x"}) == Path("/x/flows-registry")
