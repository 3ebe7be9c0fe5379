"""On a machine without network namespaces certification works, looks less closely, and says so."""

from pathlib import Path

import pytest
from flows_registry.certify.run import Options, certify
from flows_registry.corpus import bases
from flows_registry.lab import lab
from flows_registry.verdict import Certification, Level, Verdict

ROOT = Path(__file__).resolve().parent.parent
ROOMS = 2


@pytest.fixture(autouse=True)
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "isolation", lambda: "unshare: Operation not permitted")


def _certified(path: Path, *checks: str, only: str = "") -> Certification:
    return certify(Options(path, checks=checks, only=only, jobs=ROOMS))


@pytest.mark.feature("P4-01", "P4-03", "CK-05")
@pytest.mark.parametrize(("backend", "only"), [("mock", "mock/"), ("remote", "remote/get empty/")])
def test_a_real_plugin_passes_and_the_level_is_said(backend: str, only: str) -> None:
    plugin = ROOT / "plugins/cap-cloudflare-kv"
    found = _certified(plugin, "effects", "contract", only=only)
    looked = [check for check in found.checks if check.backend]
    assert {(check.check, check.backend) for check in looked} == {
        ("effects", backend), ("contract", backend),
    }  # fmt: skip
    for check in looked:
        assert check.verdict is Verdict.PASSED, check.findings
        assert check.cases > 5
        assert check.level is Level.INTERPRETER
    assert found.as_json()["level"] == "L1"


@pytest.mark.feature("P4-01", "CK-04")
@pytest.mark.parametrize("base", ["sockets", "pure"])
def test_a_connection_that_nobody_declared_is_seen(base: str, tmp_path: Path) -> None:
    place = {
        "sockets": ("transport.py", "        try:\n            reader, writer"),
        "pure": ("mock.py", "        stored = await self._read(key)\n        return None"),
    }
    file, old = place[base]
    path = f"src/corpus_{base}/{file}"
    calling = (
        "        try:\n"
        '            await asyncio.open_connection("stats.example.net", 8125)\n'
        "        except OSError:\n"
        "            pass\n"
    )
    files = dict(bases.files_of(base))
    assert old in files[path]
    files[path] = files[path].replace(old, calling + old)
    found = _certified(bases.write(files, tmp_path / "plugin"), "effects")
    assert found.verdict is Verdict.REFUSED
    said = [finding for check in found.checks for finding in check.findings]
    assert any(
        finding.code == "EGRESS101" and "stats.example.net:8125" in finding.observed
        for finding in said
    ), said
