"""The list of what works is complete, and says no more than the tests do."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "features.toml"

SOME_ROWS = """
feature = [
  { id = "A-01", section = "First", text = "one thing" },
  { id = "A-02", section = "First", text = "another" },
  { id = "B-01", section = "Second", text = "a third" },
]
"""
SOME_TESTS = """
import pytest

@pytest.mark.feature("A-01", "B-01")
@pytest.mark.parametrize("n", [1, 2])
def test_both(n): ...

@pytest.mark.feature("B-01")
class TestMore:
    def test_inside(self): ...

@pytest.mark.skip(reason="not yet")
@pytest.mark.feature("A-02")
def test_skipped(): ...

@pytest.mark.xfail
@pytest.mark.feature("A-02")
def test_expected_to_fail(): ...

def test_without_an_id(): ...
"""


def features(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "features.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PYTHONUTF8": "1"},
        check=False,
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "rows.toml").write_text(SOME_ROWS)
    (tmp_path / "test_some.py").write_text(SOME_TESTS)
    return tmp_path


def test_the_rows_are_all_there_once_and_readable() -> None:
    rows = tomllib.loads(ROWS.read_text("utf-8"))["feature"]
    assert len(rows) == len({row["id"] for row in rows}) == 250
    assert all(set(row) == {"id", "section", "text"} and all(row.values()) for row in rows)
    assert all(re.fullmatch(r"[A-Z]+[0-9]*-[0-9]{2}", row["id"]) for row in rows)


def test_each_row_is_listed_with_the_tests_that_carry_its_id(project: Path) -> None:
    listed = features(project, "--rows", project / "rows.toml")
    assert listed.stderr == ""
    assert listed.returncode == 0
    lines = [
        re.sub(r"\S*/test_some.py", "test_some.py", line) for line in listed.stdout.splitlines()
    ]
    assert lines == [
        "First",
        "  ✓ A-01  one thing - 2 tests",
        "      test_some.py::test_both x2",
        "  · A-02  another",
        "",
        "Second",
        "  ✓ B-01  a third - 3 tests",
        "      test_some.py::TestMore::test_inside",
        "      test_some.py::test_both x2",
        "",
        "2 of 3 rows have a test",
    ]


def test_missing_rows_alone(project: Path) -> None:
    listed = features(project, "--missing", "--rows", project / "rows.toml")
    assert listed.stdout.splitlines() == [
        "First",
        "  · A-02  another",
        "",
        "2 of 3 rows have a test",
    ]


def test_for_programs(project: Path) -> None:
    listed = json.loads(features(project, "--json", "--rows", project / "rows.toml").stdout)
    assert [row["id"] for row in listed["features"]] == ["A-01", "A-02", "B-01"]
    assert [sum(row["tests"].values()) for row in listed["features"]] == [2, 0, 3]
    assert listed["unknown"] == {}


def test_an_id_that_no_row_has_is_an_error(project: Path) -> None:
    (project / "test_more.py").write_text(
        "import pytest\n@pytest.mark.feature('A-03')\ndef test_it(): ...\n"
    )
    listed = features(project, "--rows", project / "rows.toml")
    assert listed.returncode == 1
    assert re.search(r"unknown id A-03 on \S*test_more.py::test_it", listed.stderr)


def test_a_file_that_cannot_be_collected_is_an_error(project: Path) -> None:
    (project / "test_broken.py").write_text("import no_such_module\n")
    listed = features(project, "--rows", project / "rows.toml")
    assert listed.returncode == 1
    assert "no_such_module" in listed.stderr


def test_an_id_twice_is_an_error(project: Path) -> None:
    (project / "rows.toml").write_text(SOME_ROWS.replace("A-02", "A-01"))
    listed = features(project, "--rows", project / "rows.toml")
    assert listed.returncode == 1
    assert "these ids twice: A-01" in listed.stderr


@pytest.mark.slow
def test_every_id_in_this_repository_has_a_row() -> None:
    listed = features("--json")
    assert listed.returncode == 0, listed.stderr
    assert json.loads(listed.stdout)["unknown"] == {}
