"""A plugin that only reads: opened as what it is, and never certified for what nobody could see."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flows_registry.corpus import bases


def reader(folder: Path) -> Path:
    """The corpus's plugin with a mock alone, without the operations that write."""
    files = bases.files_of("pure")
    manifest, mock = (bases.path_of("pure", name) for name in ("capability.toml", "mock.py"))
    reads = 'operations = ["get", "get_with_metadata", "list"]'
    files[manifest] = re.sub(r"operations = \[[^\]]*\]", reads, files[manifest])
    files[mock] = re.sub(
        r"    async def put\(.*?(?=    async def _begin)", "", files[mock], flags=re.S
    )
    assert "def put" not in files[mock]
    return bases.write(files, folder)


@pytest.mark.feature("CK-05", "DC-05")
def test_what_could_not_be_exercised_is_said_and_not_certified(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "flows_registry.main",
        "certify",
        str(reader(tmp_path)),
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    report = json.loads(done.stdout)
    assert report["verdict"] == "inconclusive", done.stdout
    checks = {check["check"]: check for check in report["checks"]}
    assert checks["package"]["verdict"] == "passed", "a half is a sound manifest"
    assert checks["contract"]["facts"]["promises"] > 3, "what a reader promises alone is run"
    (finding,) = checks["effects"]["findings"]
    assert finding["code"] == "EFFECT205"
    assert "never seen at work: get, get_with_metadata" in finding["message"]
