"""`doctor`: each line is tried, and a line that fails says what to do."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from flows_registry.commands import doctor
from flows_registry.commands.doctor import Line, examine
from flows_registry.commands.new import create
from flows_registry.main import main

from .conftest import Installation

pytestmark = pytest.mark.feature("DC-05")


def test_every_line_is_there_and_the_exit_code_agrees(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["doctor", "--json"])
    told = json.loads(capsys.readouterr().out)
    subjects = {line["subject"] for line in told["lines"]}
    assert {
        "Python",
        "uv",
        "cache folder",
        "network namespaces",
        "certification",
        "Node.js",
    } <= subjects
    assert {"plugin cloudflare-kv", "plugin cloudflare-r2"} <= subjects
    assert told["healthy"] is all(line["ok"] for line in told["lines"])
    assert code == (0 if told["healthy"] else 1)
    for line in told["lines"]:
        assert line["found"]
        assert line["ok"] or line["next_step"]


def _said(subject: str) -> Line:
    (line,) = [line for line in examine() if line.subject == subject]
    return line


@pytest.mark.skipif(shutil.which("unshare") is None, reason="nobody else can tell: no unshare here")
def test_the_level_is_the_one_that_the_kernel_allows() -> None:
    command = ["unshare", "--user", "--map-root-user", "--net", "--mount", "true"]
    allowed = subprocess.run(command, capture_output=True, check=False)
    walled = subprocess.run(
        ["unshare", "-rmpf", "--mount-proc", "true"], capture_output=True, check=False
    )
    level = ("L3" if walled.returncode == 0 else "L2") if allowed.returncode == 0 else "L1"
    assert _said("network namespaces").ok is (level != "L1")
    assert _said("walls").ok is (walled.returncode == 0)
    assert _said("certification").found.startswith(f"up to {level}: ")


def test_without_namespaces_the_level_is_lower(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "isolation", lambda: "unshare: Operation not permitted")
    line = _said("network namespaces")
    assert (line.ok, line.found) == (False, "unshare: Operation not permitted")
    assert "user namespaces" in line.next_step
    assert _said("certification").found.startswith("up to L1: ")


def test_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    monkeypatch.setenv("FLOWS_CACHE", str(blocked / "cache"))
    (line,) = [line for line in examine() if line.subject == "cache folder"]
    assert not line.ok
    assert "FLOWS_CACHE" in line.next_step


def test_a_node_that_does_not_fit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = tmp_path / "node"
    fake.write_text("#!/bin/sh\necho v12.0.0\n")
    fake.chmod(0o755)
    monkeypatch.setenv("FLOWS_NODE", str(fake))
    lines = {line.subject: line for line in examine()}
    assert not lines["Node.js"].ok
    assert lines["Node.js"].next_step
    assert not lines["simulators"].ok


def test_unhealthy_plugins_are_named_with_the_problem(
    installation: Installation, tmp_path: Path
) -> None:
    plugin = create("cap-shaky", tmp_path)
    installation.uv("install", "--editable", str(plugin))
    try:
        assert "✓ plugin shaky" in installation.run("doctor").stdout
        (plugin / "src/cap_shaky/plugin.py").rename(plugin / "src/cap_shaky/plugins.py")
        done = installation.run("doctor")
        assert done.returncode == 1
        assert "✗ plugin shaky" in done.stdout
        assert "cap_shaky.plugin" in done.stdout
        (plugin / "src/cap_shaky/capability.toml").write_text("nonsense")
        done = installation.run("doctor")
        assert done.returncode == 1
        assert "CAP106" in done.stdout
        assert "Traceback" not in done.stderr
    finally:
        installation.uv("uninstall", "cap-shaky")
