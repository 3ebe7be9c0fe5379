"""The corpus goes with the wheel: who installs flows-registry can try it."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from flows_registry.lab.environment import Environment, make_environment
from flows_registry.lab.uv import Uv

ROOT = Path(__file__).resolve().parents[1]
TWIN = "delete twice fails"


def _installed(scratch: Path) -> Environment:
    """An environment with flows-registry from its wheel and nothing of its source."""
    uv, wheels = Uv(), scratch / "wheels"
    scratch.mkdir()
    for folder in ("core-caps", "registry"):
        command = ("build", "-q", "--wheel", "--out-dir", str(wheels), str(ROOT / folder))
        done = uv(*command, cwd=scratch)
        assert done.returncode == 0, done
    named = {path.name.partition("-")[0]: path.as_uri() for path in wheels.glob("*.whl")}
    wanted = [f"{name.replace('_', '-')} @ {place}" for name, place in named.items()]
    return make_environment(wanted, uv=uv, scratch=scratch / "environment")


@pytest.mark.slow
@pytest.mark.feature("DC-05")
def test_the_self_test_runs_where_only_wheels_are_installed(tmp_path: Path) -> None:
    made = _installed(tmp_path / "made")
    surroundings = {
        name: text for name, text in os.environ.items() if not name.startswith("PYTHON")
    }
    done = subprocess.run(
        [made.python.parent / "flows-registry", "certify", "--self-test", "--case", TWIN, "--json"],
        cwd=tmp_path,
        env={**surroundings, "FLOWS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["recall"] == {"injection": {"found": 1, "all": 1}}
    assert [plugin["verdict"] for plugin in found["plugins"]] == ["refused"]
