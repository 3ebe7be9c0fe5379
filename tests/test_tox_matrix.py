"""The matrix: plain `tox` tests each plugin from its wheel, in an environment of its own."""

import configparser
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(
    tomllib.loads(file.read_text())["project"]["name"]
    for file in ROOT.glob("plugins/*/pyproject.toml")
)


def tox(tmp_path: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "tox", "-c", str(ROOT), "--workdir", str(tmp_path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.feature("DC-07")
def test_every_plugin_is_in_the_matrix(tmp_path: Path) -> None:
    by_default = tox(tmp_path, "list", "--no-desc", "-q", "-d").split()
    assert [name for name in by_default if name.startswith("cap-")] == PLUGINS
    assert {"core-caps", "flows-registry"} <= set(by_default)


@pytest.mark.feature("DC-07", "DC-01")
def test_each_is_tested_alone_from_its_wheel(tmp_path: Path) -> None:
    shown = configparser.ConfigParser(interpolation=None)
    every = ",".join(PLUGINS)
    shown.read_string(tox(tmp_path, "config", "-e", every, "-k", "commands_pre", "commands"))
    alone = ROOT / "tests" / "alone.py"
    for name in PLUGINS:
        environment = shown[f"testenv:{name}"]
        assert f"{alone} prepare {name}" in environment["commands_pre"], "its wheel is installed"
        assert environment["commands"].endswith(f"{alone} run {name}"), "its own tests are run"
