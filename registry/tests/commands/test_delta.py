"""`certify` again: what has not changed is carried, and says so; what has changed is run."""

import datetime as dt
import json
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from flows_registry.certify.before import before_of
from flows_registry.certify.remembered import remember, sealed_of
from flows_registry.commands.new import create
from flows_registry.main import main
from flows_registry.verdict import Certification, Verdict

pytestmark = pytest.mark.feature("AL-05", "AC-07")

Told = Callable[..., dict[str, Any]]

OF_BACKENDS = {"effects", "determinism", "contract", "injection", "policy", "budget"}
MANIFEST = "src/cap_twin/capability.toml"
MOCK = "src/cap_twin/mock.py"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a cache of its own, a plugin in it, and what its certification left."""
    folder = tmp_path_factory.mktemp("home")
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWS_CACHE", str(folder / "cache"))
        made = create("cap-twin", folder / "plugins")
        assert main(["certify", str(made)]) == 0
        for name in ("plugins", "cache/evidence"):
            shutil.copytree(folder / name, folder / "kept" / name)
        yield folder
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def plugin(home: Path) -> Path:
    """The plugin and its evidence, as the first certification left them."""
    for name in ("plugins", "cache/evidence"):
        shutil.rmtree(home / name)
        shutil.copytree(home / "kept" / name, home / name)
    return home / "plugins" / "cap-twin"


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Certify with these words: the one object that is printed."""

    def run(*words: str) -> dict[str, Any]:
        capsys.readouterr()
        main(["certify", *words, "--json"])
        return json.loads(capsys.readouterr().out)

    return run


def _ran(report: dict[str, Any]) -> set[str]:
    """The checks that were not carried."""
    return {check["check"] for check in report["checks"] if not check["facts"].get("carried")}


def _changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_what_has_not_changed_is_carried_and_says_from_where(
    plugin: Path, home: Path, told: Told
) -> None:
    first, evidence = sealed_of(plugin) or pytest.fail("nothing is remembered")
    report = told(str(plugin), "--evidence", str(home / "second"))
    assert (report["verdict"], _changes(report)) == ("certified", {})
    assert {check["check"] for check in report["checks"]} == {"package", *OF_BACKENDS}
    today = dt.datetime.now(dt.UTC).date().isoformat()
    for check in report["checks"]:
        origin = check["facts"]["carried"]
        assert (origin["evidence"], len(origin["key"])) == (evidence, 64)
        assert origin["from"] <= today
    assert report["facts"]["delta"]["again"] >= 5
    assert sum(c["cases"] for c in report["checks"]) == sum(c.cases for c in first.checks)

    again = told(str(plugin))
    assert [c["facts"]["carried"] for c in again["checks"]] == [
        c["facts"]["carried"] for c in report["checks"]
    ]


def test_every_file_of_the_evidence_says_so(
    plugin: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["certify", str(plugin), "--evidence", str(home / "files")]) == 0
    assert "carried from 2" in capsys.readouterr().out
    assert "carried from 2" in (home / "files/report.html").read_text()
    results = json.loads((home / "files/results.sarif").read_text())["runs"][0]["results"]
    passes = [each for each in results if each["kind"] == "pass"]
    assert all(each["properties"]["carried"]["evidence"] for each in passes)
    suites = ET.fromstring((home / "files/junit.xml").read_text())
    told = [each.get("name") for suite in suites for each in suite.iterfind("properties/property")]
    assert told == ["carried"] * len(suites)


def test_a_case_of_carried_evidence_runs_again(plugin: Path, told: Told) -> None:
    assert _ran(told(str(plugin))) == set()
    replayed = told(str(plugin), "--replay", "mock/put")
    assert replayed["same_bytes"]
    assert all(case["as_before"] for case in replayed["cases"])


def test_one_byte_of_code_carries_nothing(plugin: Path, told: Told) -> None:
    (plugin / MOCK).write_text((plugin / MOCK).read_text() + "#\n")
    report = told(str(plugin))
    assert (report["verdict"], _ran(report)) == ("certified", {"package", *OF_BACKENDS})
    assert _changes(report) == {"package": ["source"], **{name: ["code"] for name in OF_BACKENDS}}


def test_what_is_said_for_people_is_read_by_the_package_check_alone(
    plugin: Path, told: Told
) -> None:
    (plugin / "README.md").write_text("# Another one\n")
    _changed(plugin / MANIFEST, 'summary = "', 'summary = "Another ')
    assert _ran(told(str(plugin))) == {"package"}


def test_costs_are_read_by_the_budget(plugin: Path, told: Told) -> None:
    with (plugin / MANIFEST).open("a") as file:
        file.write("\n[costs.get]\nrequests = 1\n")
    assert _ran(told(str(plugin))) == {"package", "budget"}


def test_data_classes_are_read_by_the_policy(plugin: Path, told: Told) -> None:
    _changed(plugin / MANIFEST, '["user_content"]', '["user_content", "telemetry"]')
    assert _ran(told(str(plugin))) == {"package", "policy"}


def test_a_part_neither_carries_nor_is_carried(plugin: Path, told: Told) -> None:
    remembered = sealed_of(plugin)
    report = told(str(plugin), "--check", "effects")
    assert _ran(report) == {"package", "effects"}
    assert sealed_of(plugin) == remembered
    assert "stands_on" not in report["checks"][-1]["facts"]


def test_whoever_asks_for_all_gets_all(plugin: Path, told: Told) -> None:
    assert _ran(told(str(plugin), "--full")) == {"package", *OF_BACKENDS}


def test_another_seed_is_another_certification(plugin: Path, told: Told) -> None:
    assert _ran(told(str(plugin), "--seed", "7")) == OF_BACKENDS


def test_what_was_refused_runs_again(plugin: Path, told: Told) -> None:
    _forge(plugin, lambda c: _with_verdict(c, "budget", "refused"))
    assert _ran(told(str(plugin))) == {"budget"}


def test_evidence_that_was_tampered_with_is_not_taken_up(
    plugin: Path, home: Path, told: Told
) -> None:
    (file,) = (home / "cache/evidence").glob("cap-twin-*/whole/evidence.json")
    _changed(file, '"level":"L', '"level": "L')
    report = told(str(plugin))
    assert _ran(report) == {"package", *OF_BACKENDS}
    assert "LAB010" in report["facts"]["delta"]["told"]


def test_one_case_that_goes_another_way_has_everything_run(plugin: Path, told: Told) -> None:
    def forged(certification: Certification) -> Certification:
        checks = [
            replace(c, records=tuple(replace(r, course=("put → nothing",)) for r in c.records))
            for c in certification.checks
        ]
        return replace(certification, checks=tuple(checks))

    _forge(plugin, forged)
    report = told(str(plugin))
    assert (report["verdict"], _ran(report)) == ("certified", {"package", *OF_BACKENDS})
    assert "went another way" in report["facts"]["delta"]["told"]


def test_what_is_carried_expires(plugin: Path) -> None:
    today = dt.datetime.now(dt.UTC).date()
    for days, days_max, holds in ((0, 30, True), (29, 30, True), (30, 30, False), (0, 0, False)):
        before = before_of(plugin, today=today + dt.timedelta(days), days_max=days_max)
        parts = before.results["effects", "mock"].facts["stands_on"]
        assert (before.carried("effects", "mock", parts) is not None) == holds
        assert before.carried("effects", "mock", {**parts, "level": "L0"}) is None


def test_a_policy_says_for_how_long(plugin: Path, home: Path, told: Told) -> None:
    policy = home / "policy.toml"
    policy.write_text('schema = 1\nname = "every day anew"\ncarry_days_max = 0\n')
    report = told(str(plugin), "--policy", str(policy))
    assert _ran(report) == {"package", *OF_BACKENDS}


def test_another_policy_is_applied_to_what_is_carried(plugin: Path, home: Path, told: Told) -> None:
    policy = home / "closer.toml"
    policy.write_text('schema = 1\nname = "closer"\nlevel_min = "L3"\n')
    report = told(str(plugin), "--policy", str(policy), "--level", "L2")
    assert report["verdict"] == "refused"
    report = told(str(plugin), "--policy", str(policy), "--level", "L2")
    assert report["verdict"] == "refused"
    assert {check["check"] for check in report["checks"] if not check["backend"]} == {
        *("package", "policy")
    }
    assert _ran(report) == {"policy"}


def _changes(report: dict[str, Any]) -> dict[str, list[str]]:
    """By check, what was not as before where it was run."""
    return {
        check["check"]: check["facts"].get("changed", [report["facts"].get("delta")])
        for check in report["checks"]
        if not check["facts"].get("carried")
    }


def _forge(plugin: Path, change: Callable[[Certification], Certification]) -> None:
    """Put other evidence in the place of the last, sealed as it should be."""
    certification, _ = sealed_of(plugin) or pytest.fail("nothing is remembered")
    remember(plugin, change(certification))


def _with_verdict(certification: Certification, check: str, verdict: str) -> Certification:
    checks = [
        replace(c, verdict=Verdict(verdict)) if c.check == check else c
        for c in certification.checks
    ]
    return replace(certification, checks=tuple(checks))
