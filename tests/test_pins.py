"""The command that writes the pins changes the pins, and nothing else."""

import importlib.util
import tomllib
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("pins.py")
SPEC = importlib.util.spec_from_file_location("house_pins", SOURCE)
assert SPEC is not None
assert SPEC.loader is not None
pins = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pins)

BARE = """\
[project]
name = "example"  # kept

[tool.uv]
package = false

[tool.uv.workspace]
members = ["a"]
"""
EXPORTED = """\
# by some command
click==8.1 ; python_full_version < '3.12'
click==8.5 ; python_full_version >= '3.12'
colorama==0.4.6 ; sys_platform == 'win32'
    # via click
-e ./core-caps
rich==15.0.0
"""


def test_a_marker_stays_where_a_name_has_several_versions() -> None:
    assert pins.pins_of(EXPORTED) == [
        "click==8.1 ; python_full_version < '3.12'",
        "click==8.5 ; python_full_version >= '3.12'",
        "colorama==0.4.6",
        "rich==15.0.0",
    ]


def test_pins_are_added_replaced_and_removed() -> None:
    first = pins.with_pins(BARE, {pins.NEEDED: ["a==1", "b==2 ; os_name == 'nt'"]})
    assert tomllib.loads(first)["tool"]["uv"] == {
        "package": False,
        "constraint-dependencies": ["a==1", "b==2 ; os_name == 'nt'"],
        "workspace": {"members": ["a"]},
    }
    second = pins.with_pins(first, {pins.NEEDED: ["a==3"], pins.BUILDING: ["hatchling==1"]})
    assert tomllib.loads(second)["tool"]["uv"]["constraint-dependencies"] == ["a==3"]
    assert pins.with_pins(second, {}) == BARE


def test_without_the_table_nothing_is_written() -> None:
    with pytest.raises(ValueError, match="no table"):
        pins.with_pins('[project]\nname = "x"\n', {pins.NEEDED: []})


def test_every_distribution_at_hand_is_pinned() -> None:
    """What the lock file of this checkout holds is what the pins say."""
    lock = SOURCE.parents[1] / "uv.lock"
    if not lock.exists():
        pytest.skip("no lock file: uv made none here")
    table = tomllib.loads((SOURCE.parents[1] / "pyproject.toml").read_text("utf-8"))
    pinned = {each.partition(" ;")[0] for each in table["tool"]["uv"][pins.NEEDED]}
    locked = tomllib.loads(lock.read_text("utf-8"))["package"]
    outside = {
        f"{each['name']}=={each['version']}" for each in locked if "registry" in each["source"]
    }
    assert outside <= pinned, "write them anew: python tests/pins.py"
