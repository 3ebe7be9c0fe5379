"""What is declared and never seen is refused where every way to it was gone, and not proven where
one was not; how much of the source ran is told."""

from pathlib import Path

import pytest
from flows_registry.certify.run import Options, certify
from flows_registry.corpus import bases
from flows_registry.verdict import CheckResult, Verdict

pytestmark = [pytest.mark.slow, pytest.mark.feature("P4-01", "CK-01", "DC-03")]

ROOMS = 2

GET = '        return await self._ask("get", "GET", path, answers.value)\n'
DECLARED = (
    "capability.toml",
    "[backends.mock]\n",
    '[capabilities.kv.deviations.get]\nhints = ["resource::kv::write"]\n'
    'effects = "effectful"\n\n[backends.mock]\n',
)
WRITING = (
    "remote.py",
    GET,
    '        if key.startswith("archive/2024/"):\n'
    '            await self._ask("get", "DELETE", path, answers.envelope)\n' + GET,
)


def _remote(folder: Path, *edits: tuple[str, str, str]) -> CheckResult:
    """What the effects check says of the plugin's remote backend, so edited."""
    path = bases.write(bases.edited(bases.files_of("urllib"), "urllib", edits), folder / "plugin")
    found = certify(Options(path, checks=("effects",), jobs=ROOMS))
    return next(check for check in found.checks if check.backend == "remote")


def _line(folder: Path, text: str) -> int:
    lines = (folder / "plugin/src/corpus_urllib/remote.py").read_text().splitlines()
    (found,) = [number for number, line in enumerate(lines, 1) if text in line]
    return found


def test_a_declared_write_that_no_way_leads_to_is_refused_with_the_ways(tmp_path: Path) -> None:
    remote = _remote(tmp_path, DECLARED)
    assert remote.verdict is Verdict.REFUSED
    (finding,) = remote.findings
    assert finding.code == "EFFECT204"
    assert "on the straight path" in finding.observed
    assert "when it meets 'status 500'" in finding.observed


def test_a_declared_write_on_a_way_that_no_case_took_is_not_proven(tmp_path: Path) -> None:
    remote = _remote(tmp_path, DECLARED, WRITING)
    assert remote.verdict is Verdict.INCONCLUSIVE
    (finding,) = remote.findings
    assert finding.code == "EFFECT205"
    line = _line(tmp_path, 'if key.startswith("archive/2024/")') + 1
    place = f"corpus_urllib/remote.py:{line} in get"
    assert place in finding.observed
    covered = remote.facts["coverage"]
    assert place in covered["unreached"]
    for ran, count in (covered["lines"], covered["branches"]):
        assert 0 < ran < count
