"""Enrolling a plugin's tests: three lines, from a folder of their own, loud when nothing runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from core_caps.contract.pytest_plugin import enrol
from core_caps.errors import ManifestInvalid

pytestmark = pytest.mark.feature("CK-05", "PH2-02")

MANIFEST = """
schema = 1
name = "sample"
summary = "A sample"
homepage = "https://example.com/"

[capabilities.kv]
contract = "kv/1"
operations = [
    "get", "get_with_metadata", "list", "put", "delete", "get_many", "put_many", "delete_many"
]
guarantees = { consistency = "linearizable", ttl = "exact" }

[backends.mock]
providers.kv = "cap_sample.broken_kv:SoundKv"

[limits]
ttl_seconds_min = { value = 60, source = "https://example.com/limits" }
"""

CONFTEST = """
import os
import pytest
from cap_sample import broken_kv
from core_caps.contract.pytest_plugin import Backend

@pytest.fixture
def backend():
    service = broken_kv.Service()
    provider = getattr(broken_kv, os.environ["PROVIDER"])
    name = os.environ.get("BACKEND", "mock")
    move = None if "STILL" in os.environ else service.clock.advance
    return Backend(name, lambda capability: provider(service), service.clock, advance=move)
"""

TEST = """
from core_caps.contract.pytest_plugin import enrol

test_contract = enrol("cap_sample")
"""


def _run(folder: Path, manifest: str = MANIFEST, **environment: str) -> tuple[int, str]:
    package, tests = folder / "site" / "cap_sample", folder / "tests"
    shutil.rmtree(folder / "site", ignore_errors=True)
    package.mkdir(parents=True)
    tests.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    (package / "capability.toml").write_text(manifest)
    shutil.copy(Path(__file__).with_name("broken_kv.py"), package)
    (tests / "conftest.py").write_text(CONFTEST)
    (tests / "test_contract.py").write_text(TEST)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tests, tests],
        env={**os.environ, "PYTHONPATH": str(folder / "site"), **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout


def test_enrolled_cases_run_from_a_folder_of_their_own(tmp_path: Path) -> None:
    code, output = _run(tmp_path, PROVIDER="SoundKv")
    assert code == 0, output
    assert "passed" in output
    code, output = _run(tmp_path, PROVIDER="KeepsOldMetadata")
    assert code == 1, output
    assert "test_contract[kv-put_drops_the_old_metadata]" in output
    assert "promised: put replaces metadata too" in output


def test_cases_that_cannot_run_are_skipped_with_their_reason(tmp_path: Path) -> None:
    code, output = _run(tmp_path, PROVIDER="SoundKv", STILL="1", PYTEST_ADDOPTS="-rs")
    assert code == 0, output
    assert "time cannot be moved on mock" in output


def test_what_a_half_cannot_set_up_is_skipped_with_what_it_needs(tmp_path: Path) -> None:
    every = (
        '"get", "get_with_metadata", "list", "put", "delete", "get_many", "put_many", "delete_many"'
    )
    assert every in MANIFEST
    reader = MANIFEST.replace(every, '"get", "get_with_metadata", "list", "get_many"')
    code, output = _run(tmp_path, reader, PROVIDER="ReadsOnly", PYTEST_ADDOPTS="-rs")
    assert code == 0, output
    assert "needs put, which is not provided" in output
    assert "needs delete, put, which is not provided" in output
    assert " passed" in output


def test_nothing_to_run_is_an_error(tmp_path: Path) -> None:
    code, output = _run(tmp_path, PROVIDER="SoundKv", BACKEND="remote")
    assert code == 1, output
    assert "the manifest has no backend 'remote'" in output
    unknown = MANIFEST.replace("kv/1", "kv/7")
    code, output = _run(tmp_path, unknown, PROVIDER="SoundKv")
    assert code == 2, output
    assert "names no suite for kv/7" in output


def test_a_package_without_a_manifest_is_refused() -> None:
    with pytest.raises(LookupError, match="no package 'cap_of_nobody'"):
        enrol("cap_of_nobody")
    with pytest.raises(ManifestInvalid):
        enrol("core_caps")
