"""What a finding of the package check says to run shows what it found, from any folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flows_registry.verdict import CheckResult

pytestmark = pytest.mark.feature("DC-05")

Check = Callable[..., CheckResult]

EXCLUDED = '[tool.hatch.build]\nexclude = ["*.toml"]\n\n'


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "shows"),
    [
        ("capability.toml", "mock:MockKv", "mock:MockKV", "has no attribute 'MockKV'"),
        ("capability.toml", "mock:MockKv", "mock:_parsed", "has no attribute 'Config'"),
        ("capability.toml", "mock:MockKv", "mocks:MockKv", "No module named 'cap_twin.mocks'"),
        ("plugin.py", "@hookimpl\n", "", "has no attribute 'flows_impl'"),
        ("mock.py", "import asyncio\n", "import asyncio\nimport idna\n", "named 'idna'"),
        ("mock.py", "class MockKv:", "def later():\n    import idna\n\nclass MockKv:", "'idna'"),
    ],
)
def test_what_does_not_import_is_seen_again(
    plugin: Path, checked: Check, tmp_path: Path, file: str, old: str, new: str, shows: str
) -> None:
    path = plugin / "src/cap_twin" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    (finding,) = checked(plugin).findings
    done = _run(finding.reproduce.command, tmp_path)
    assert done.returncode == 1
    assert shows in done.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("old", "new", "code", "shows"),
    [
        ("cap_twin.plugin", "cap_twin.plugins", "PACKAGE011", "twin = cap_twin.plugins"),
        ('license = "Apache-2.0"', "# none", "PACKAGE008", "Name: cap-twin"),
        ("[tool.pytest", EXCLUDED + "[tool.pytest", "PACKAGE010", ""),
    ],
)
def test_what_a_wheel_says_is_seen_again(
    plugin: Path, checked: Check, tmp_path: Path, old: str, new: str, code: str, shows: str
) -> None:
    project = plugin / "pyproject.toml"
    project.write_text(project.read_text().replace(old, new, 1))
    (finding,) = checked(plugin).findings
    assert finding.code == code
    done = _run(finding.reproduce.command, tmp_path)
    assert done.stderr == ""
    assert shows in done.stdout
