"""`certify` leaves evidence behind, and runs one case of it again."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flows_registry.commands.new import create
from flows_registry.evidence.files import NAMES
from flows_registry.evidence.reading import read
from flows_registry.main import main
from flows_registry.verdict import Outcome

pytestmark = pytest.mark.feature("AC-07", "DC-05")

Told = Callable[..., tuple[int, dict[str, Any]]]

MOCK = "src/cap_twin/mock.py"
CASE = "mock/put"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a cache of its own."""
    folder = tmp_path_factory.mktemp("home")
    before = signal.getsignal(signal.SIGTERM)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FLOWS_CACHE", str(folder / "cache"))
        yield folder
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def plugin(home: Path) -> Path:
    """A plugin that was certified, in part."""
    made = create("cap-twin", home / "plugins")
    assert main(["certify", str(made), "--check", "effects", "--evidence", f"{home}/kept"]) == 0
    return made


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    """Certify with these words: the exit code, and the one object that is printed."""

    def run(*words: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main(["certify", *words, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return run


def test_it_lies_where_it_was_asked_for_and_in_the_cache(plugin: Path, home: Path) -> None:
    assert {file.name for file in (home / "kept").iterdir()} == set(NAMES)
    (cached,) = (home / "cache" / "evidence").glob("cap-twin-*/part")
    assert read(cached) == read(home / "kept")
    (result,) = [check for check in read(cached).checks if check.check == "effects"]
    assert len(result.records) >= result.cases > 0
    assert read(cached).facts["promised"]["capabilities"]["kv"]["operations"]["put"]


def test_a_person_is_told_where_the_report_is(
    plugin: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["certify", str(plugin), "--check", "package", "--evidence", f"{home}/two"]) == 0
    assert f"Report: {home}/two/report.html" in capsys.readouterr().out


def test_a_program_is_told_too(plugin: Path, home: Path, told: Told) -> None:
    code, said = told(str(plugin), "--check", "package", "--evidence", f"{home}/one.zip")
    assert (code, said["evidence"]) == (0, f"{home}/one.zip")
    assert read(home / "one.zip").subject == said["subject"]


def test_it_replaces_nobody_elses_work(plugin: Path, home: Path, told: Told) -> None:
    (home / "work").mkdir()
    (home / "work" / "thesis.txt").write_text("years")
    code, said = told(str(plugin), "--evidence", f"{home}/work")
    assert (code, said["error"]["code"]) == (2, "LAB010")
    assert [file.name for file in (home / "work").iterdir()] == ["thesis.txt"]


def test_a_case_runs_again_as_it_did(plugin: Path, home: Path, told: Told) -> None:
    code, said = told(str(plugin), "--replay", CASE, "--evidence", f"{home}/kept")
    assert (code, said["verdict"], said["same_bytes"]) == (0, "passed", True)
    (case,) = said["cases"]
    assert (case["as_before"], case["check"]) == (True, "effects")
    assert case["now"]["course"] == case["then"]["course"]
    assert any(line["text"].startswith("put(") for line in case["now"]["timeline"])


def test_a_case_that_goes_another_way_is_said_to(plugin: Path, home: Path, told: Told) -> None:
    before = (plugin / MOCK).read_text()
    changed = before.replace("async def put(", "async def put(", 1)
    head, _, tail = changed.partition("async def put(")
    signature, _, body = tail.partition(":\n")
    broken = f"{head}async def put({signature}:\n        raise RuntimeError('no')\n{body}"
    (plugin / MOCK).write_text(broken)
    try:
        code, said = told(str(plugin), "--replay", CASE, "--evidence", f"{home}/kept")
    finally:
        (plugin / MOCK).write_text(before)
    assert (code, said["verdict"], said["same_bytes"]) == (3, "inconclusive", False)
    assert said["cases"][0]["as_before"] is False
    assert "put → RuntimeError" in said["cases"][0]["now"]["course"]
    assert said["cases"][0]["then"]["outcome"] == Outcome.PASSED.value


def test_a_misspelt_case_is_answered_with_the_nearest(plugin: Path, home: Path, told: Told) -> None:
    code, said = told(str(plugin), "--replay", "mock/pt", "--evidence", f"{home}/kept")
    assert (code, said["error"]["code"]) == (2, "LAB011")
    assert "did you mean 'mock/put'" in said["error"]["fix"]


def test_without_evidence_there_is_nothing_to_replay(home: Path, told: Told) -> None:
    fresh = create("cap-fresh", home / "plugins")
    code, said = told(str(fresh), "--replay", CASE)
    assert (code, said["error"]["code"]) == (2, "LAB010")
    assert "--evidence" in said["error"]["fix"]


def test_foreign_evidence_is_refused(plugin: Path, home: Path, told: Told) -> None:
    (home / "foreign").mkdir(exist_ok=True)
    (home / "foreign" / "evidence.json").write_text('{"schema": 1}')
    code, said = told(str(plugin), "--replay", CASE, "--evidence", f"{home}/foreign")
    assert (code, said["error"]["code"]) == (2, "LAB010")
