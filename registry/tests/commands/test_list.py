"""`list` beside real installations: right at once, and without importing anything."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flows_registry.commands.new import create

from .conftest import Installation

pytestmark = pytest.mark.feature("DC-01", "DC-02")


@pytest.fixture
def plugin(tmp_path: Path, installation: Installation) -> Iterator[Path]:
    """A plugin's folder; whatever was installed under its name is gone afterwards."""
    folder = create("cap-shelf", tmp_path)
    # No import of a plugin goes unseen.
    (folder / "src/cap_shelf/__init__.py").write_text("raise RuntimeError('imported')\n")
    yield folder
    installation.uv("uninstall", "cap-shelf")


def test_it_follows_install_edit_and_uninstall(installation: Installation, plugin: Path) -> None:
    assert installation.rows() == []
    assert "no plugin" in installation.run("list").stdout
    installation.uv("install", str(plugin))
    (row,) = installation.rows()
    assert row["name"] == "shelf"
    assert row["distribution"] == "cap-shelf"
    assert row["version"] == "0.1.0"
    assert row["editable"] is False
    assert row["problems"] == []
    (capability,) = row["capabilities"]
    assert capability["contract"] == "kv/1"
    assert capability["operations"]["put"] == ["resource::kv::write"]
    assert capability["operations"]["get"] == ["resource::kv::read"]
    assert [each["name"] for each in row["backends"]] == ["mock"]
    installation.uv("uninstall", "cap-shelf")
    assert installation.rows() == []


def test_an_edit_of_an_editable_one_shows_at_once(installation: Installation, plugin: Path) -> None:
    installation.uv("install", "--editable", str(plugin))
    manifest = plugin / "src/cap_shelf/capability.toml"
    text = manifest.read_text()
    assert installation.rows()[0]["editable"] is True
    for number in range(3):
        # Same length, and within the grain of a clock: only looking at the file helps.
        manifest.write_text(text.replace("a key-value store", f"a key-value stor{number}", 1))
        assert installation.rows()[0]["summary"].endswith(f"stor{number}")
    manifest.write_text("schema = [broken")
    (problem,) = installation.rows()[0]["problems"]
    assert problem["code"] == "CAP106"
    shown = installation.run("list")
    assert shown.returncode == 0
    assert "CAP106" in shown.stdout
    assert "line 1" in shown.stdout
    manifest.unlink()
    assert installation.rows()[0]["problems"][0]["code"] == "CAP106"
    manifest.write_text(text)
    assert installation.rows()[0]["problems"] == []


def test_two_distributions_that_claim_one_name(
    installation: Installation, plugin: Path, tmp_path: Path
) -> None:
    other = create("cap-other", tmp_path)
    project = other / "pyproject.toml"
    project.write_text(project.read_text().replace('"other" =', '"shelf" ='))
    installation.uv("install", str(plugin), str(other))
    try:
        rows = installation.rows()
        assert [row["name"] for row in rows] == ["shelf", "shelf"]
        for row, another in zip(rows, reversed(rows), strict=True):
            codes = [each["code"] for each in row["problems"]]
            assert "CAP102" in codes
            assert any(another["distribution"] in each["message"] for each in row["problems"])
        assert "CAP102" in installation.run("list").stdout
    finally:
        installation.uv("uninstall", "cap-other")


def test_a_backend_whose_extra_is_not_installed_says_what_to_install(
    installation: Installation, plugin: Path
) -> None:
    with (plugin / "src/cap_shelf/capability.toml").open("a") as file:
        file.write(
            '\n[backends.remote]\nproviders.kv = "cap_shelf.remote:RemoteKv"\nextra = "remote"\n'
        )
    project = plugin / "pyproject.toml"
    asked = (
        "iniconfig>=2; python_version >= '3.1'",
        "colorama>=0.4; sys_platform == 'win32'",
        "tomli-w; implementation_name != 'pypy'",
    )
    lines = f"\nremote = {list(asked)}\ntest ="
    project.write_text(project.read_text().replace("\ntest =", lines))
    installation.uv("install", str(plugin))
    remote = {each["name"]: each for each in installation.rows()[0]["backends"]}["remote"]
    assert remote["installed"] is False
    assert remote["missing"] == ["iniconfig", "tomli-w"]
    assert "remote (pip install 'cap-shelf[remote]')" in installation.run("list").stdout
    installation.uv("install", f"{plugin}[remote]")
    try:
        remote = {each["name"]: each for each in installation.rows()[0]["backends"]}["remote"]
        assert remote["installed"] is True
        assert "pip install" not in installation.run("list").stdout
    finally:
        installation.uv("uninstall", "iniconfig", "tomli-w")


def test_one_plugin_in_full(installation: Installation, plugin: Path) -> None:
    installation.uv("install", str(plugin))
    for words in (("list", "shelf"), ("list", "-v"), ("list", "cap-shelf")):
        shown = installation.run(*words).stdout
        assert "resource::kv::write" in shown
        assert "mock" in shown
    full = installation.run("list", "shelf").stdout
    assert "mock: kv/1\n    store  str" in full
    missing = installation.run("list", "shelv")
    assert missing.returncode == 2
    assert "CAP103" in missing.stderr
    assert "shelf" in missing.stderr
    assert "Traceback" not in missing.stderr


def test_every_capability_of_a_plugin_is_shown(installation: Installation, plugin: Path) -> None:
    manifest = plugin / "src/cap_shelf/capability.toml"
    both = '[backends.mock]\nproviders.blob = "cap_shelf.mock:MockBlob"\n'
    text = manifest.read_text().replace("[backends.mock]\n", both)
    second = '\n[capabilities.blob]\ncontract = "blob/1"\noperations = ["put", "delete"]\n'
    manifest.write_text(text + second)
    installation.uv("install", str(plugin))
    (row,) = installation.rows()
    assert row["problems"] == []
    assert [each["contract"] for each in row["capabilities"]] == ["kv/1", "blob/1"]
    assert row["capabilities"][1]["operations"]["put"] == ["resource::blob::write"]
    assert set(row["backends"][0]["contracts"]) == {"kv/1", "blob/1"}
    assert "kv/1, blob/1" in installation.run("list").stdout
    full = installation.run("list", "shelf").stdout
    assert re.findall(r"capability +(\S+)", full) == ["kv/1", "blob/1"]


def test_settings_are_shown_as_they_are_given(installation: Installation, plugin: Path) -> None:
    manifest = plugin / "src/cap_shelf/capability.toml"
    declared = """
[backends.mock.config]
hosts = { type = "str", required = true, env = "SHELF_HOSTS", example = "a:1", summary = "where" }
attempts = { type = "int", default = 3 }
token = { type = "secret", example = "no-secret-at-all" }
"""
    text = re.sub(
        r"\n\[backends.mock.config\]\n.*?(?=\n\[|\Z)", "", manifest.read_text(), flags=re.S
    )
    manifest.write_text(text + declared)
    installation.uv("install", str(plugin))
    shown = installation.run("list", "shelf").stdout
    assert "hosts     str, required  where; as in 'a:1'; or $SHELF_HOSTS\n" in shown
    assert "attempts  int, 3\n" in shown
    assert "token     secret\n" in shown
    (row,) = json.loads(installation.run("list", "shelf", "--json").stdout)["plugins"]
    hosts, attempts, token = row["backends"][0]["settings"]
    assert (hosts["required"], hosts["env"], hosts["example"]) == (True, "SHELF_HOSTS", "a:1")
    assert (attempts["default"], token["example"]) == (3, None)


def test_it_works_where_nothing_can_be_cached(installation: Installation, plugin: Path) -> None:
    installation.uv("install", str(plugin))
    for home in ("/nowhere/at/all", os.devnull):
        shown = installation.run("list", HOME=home, XDG_CACHE_HOME=home)
        assert shown.returncode == 0
        assert "shelf" in shown.stdout
