"""A plugin with two capabilities: each is judged by itself, and what is said of one names it."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flows_registry.certify.run import CHECKS, Options, certify
from flows_registry.commands.report import as_text
from flows_registry.corpus import bases
from flows_registry.verdict import Certification, Finding, Verdict

pytestmark = pytest.mark.slow

ROOMS = 2


def _shown(found: Certification) -> str:
    return "\n".join(
        f"{result.check} {result.backend} {result.verdict.value} {f.code} {f.capability} "
        f"{f.message}: {f.observed[:300]}"
        for result in found.checks
        for f in result.findings
    )


@pytest.mark.feature("DC-05", "DC-01", "CK-01", "CK-02", "CK-05")
def test_both_capabilities_of_a_sound_plugin_are_certified(tmp_path: Path) -> None:
    files = bases.files_of(bases.PAIR)
    manifest = bases.path_of(bases.PAIR, "capability.toml")
    alone = re.sub(r"\[backends\.remote\].*?(?=\[limits\])", "", files[manifest], flags=re.S)
    path = bases.write({**files, manifest: alone}, tmp_path)
    found = certify(Options(path, jobs=ROOMS))
    assert found.as_json()["verdict"] == "certified", _shown(found)
    results = {result.check: result for result in found.checks}
    assert set(results) == set(CHECKS) - {"parity"}, "a mock alone has nothing to be compared with"
    for check in ("effects", "determinism", "contract", "injection"):
        each = results[check].facts["each"]
        assert [facts["capability"] for facts in each] == ["kv", "blob"]
    promises = [facts["promises"] for facts in results["contract"].facts["each"]]
    assert min(promises) > 20
    assert results["contract"].cases == sum(promises)


class Twin(NamedTuple):
    """A defect of one half: the edit, the check that refuses it, with which code, and where."""

    edit: tuple[str, str, str]
    check: str
    only: str
    code: str
    capability: str


_FORGETS = (
    "found = self._read(key, if_match, if_none_match)\n        if found is None or range",
    "found = self._read(key, if_match, if_none_match)\n"
    "        self._objects.pop(key, None)\n        if found is None or range",
)
_COPIES = "        self._objects[target] = Blob(found.data, info)\n"
_TWINS = {
    "a read of one takes away": Twin(
        ("mock.py", *_FORGETS), "effects", "mock/get", "EFFECT201", "blob"
    ),
    "a promise of one is broken": Twin(
        ("mock.py", _COPIES, ""), "contract", "mock/promise/", "CONTRACT001", "blob"
    ),
    "a write of one is dropped": Twin(
        ("mock.py", _COPIES, ""), "injection", "mock/duplicate", "INJECT004", "blob"
    ),
    "one depends on the clock": Twin(
        (
            "kv/mock.py",
            "return None if stored is None else stored.value\n",
            "return None if stored is None else stored.value + b'%f' % self._clock.now()\n",
        ),
        "determinism",
        "mock/get",
        "DET301",
        "kv",
    ),
    "one takes a refusal for absence": Twin(
        (
            "kv/remote.py",
            "        if absent and",
            "        if answer.status == 401:\n            return None\n        if absent and",
        ),
        "contract",
        "status 401",
        "CONTRACT012",
        "kv",
    ),
}


@pytest.mark.feature("DC-05", "P4-01", "P4-02", "P4-03", "P4-04")
@pytest.mark.parametrize("name", _TWINS)
def test_a_broken_half_is_refused_by_its_name_and_its_case_runs_again(
    name: str, tmp_path: Path
) -> None:
    twin = _TWINS[name]
    files = bases.edited(bases.files_of(bases.PAIR), bases.PAIR, [twin.edit])
    path = bases.write(files, tmp_path / "a plugin")
    found = certify(Options(path, ("package", twin.check), twin.only, jobs=ROOMS))
    finding = _the_finding(found, twin)
    words = shlex.split(finding.reproduce.command)
    case = words[words.index("--case") + 1]
    assert words[:2] == ["flows-registry", "certify"]
    assert case.startswith(f"{twin.capability}/")
    code, again = _run(words)
    (refusal,) = [check for check in again["checks"] if check["check"] != "package"]
    assert (code, refusal["check"], refusal["verdict"]) == (1, twin.check, "refused")
    assert (twin.code, twin.capability) in {
        (finding["code"], finding["capability"]) for finding in refusal["findings"]
    }
    assert refusal["facts"]["capability"] == twin.capability, "the other one was not asked about"
    assert 0 < refusal["cases"] < sum(result.cases for result in found.checks[1:])


def _the_finding(found: Certification, twin: Twin) -> Finding:
    """The first finding with the code that is meant; nothing else is refused."""
    (refused,) = [result for result in found.checks if result.verdict is Verdict.REFUSED]
    assert refused.check == twin.check, _shown(found)
    assert {finding.capability for finding in refused.findings} == {twin.capability}
    assert f"[{twin.check} {twin.capability}/{refused.backend}]" in as_text(found)
    meant = [finding for finding in refused.findings if finding.code == twin.code]
    assert meant, _shown(found)
    return meant[0]


def _run(words: list[str]) -> tuple[int, dict[str, Any]]:
    """The exit code of a printed command, and its report."""
    command = [sys.executable, "-m", "flows_registry.main", *words[1:], "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, json.loads(done.stdout)


@pytest.mark.feature("DC-05")
def test_a_case_of_one_capability_runs_nothing_of_the_other(tmp_path: Path) -> None:
    path = bases.write(bases.files_of(bases.PAIR), tmp_path)
    found = certify(Options(path, only="blob/mock/promise/delete", jobs=ROOMS))
    (result,) = found.checks[1:]
    assert (result.check, result.verdict) == ("contract", Verdict.PASSED), _shown(found)
    assert result.facts["capability"] == "blob"
    absent = certify(Options(path, ("contract",), only="blob/remote/get", jobs=ROOMS))
    assert absent.verdict is Verdict.INCONCLUSIVE
    assert "'blob/remote/get'" in absent.checks[-1].findings[0].message
