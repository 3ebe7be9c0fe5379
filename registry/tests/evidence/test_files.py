"""Evidence as files: everything is in them, they are the same bytes every time, and nobody else's
are taken for them."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from flows_registry.evidence.files import NAMES, as_files, as_zip
from flows_registry.evidence.model import schema
from flows_registry.evidence.reading import EvidenceUnusable, read
from flows_registry.evidence.writing import write
from flows_registry.verdict import Certification

pytestmark = pytest.mark.feature("AC-07", "AL-01")

HERE = Path(__file__).parent
MADE = ("certified", "refused")


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest, sample: ModuleType) -> Certification:
    return getattr(sample, request.param)()


@pytest.mark.parametrize("name", ["evidence", "evidence.zip"])
def test_what_is_written_is_read_back(made: Certification, tmp_path: Path, name: str) -> None:
    write(made, tmp_path / "new" / name)
    assert read(tmp_path / "new" / name) == made


def test_it_is_the_same_bytes_every_time(made: Certification, tmp_path: Path) -> None:
    write(made, tmp_path / "one")
    write(read(tmp_path / "one"), tmp_path / "two")
    for name in NAMES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert as_zip(as_files(made)) == as_zip(dict(reversed(as_files(made).items())))


def test_a_zip_holds_the_files_of_the_folder(made: Certification, tmp_path: Path) -> None:
    write(made, tmp_path / "evidence.zip")
    with zipfile.ZipFile(tmp_path / "evidence.zip") as archive:
        assert archive.namelist() == sorted(NAMES)
        assert {name: archive.read(name) for name in NAMES} == as_files(made)
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_it_is_as_its_published_schema_says(made: Certification) -> None:
    published = json.loads((HERE.parents[2] / "docs/evidence.schema.json").read_text())
    assert published == schema()
    files = as_files(made)
    jsonschema.validate(json.loads(files["evidence.json"]), published)
    record = {"$ref": "#/$defs/RecordEvidence", "$defs": published["$defs"]}
    for line in files["cases.jsonl"].splitlines():
        jsonschema.validate(json.loads(line), record)


@pytest.mark.parametrize("made_as", MADE)
@pytest.mark.parametrize(
    "name", ["evidence.json", "results.sarif", "junit.xml", "badge.svg", "report.html"]
)
def test_it_is_as_it_was_reviewed(sample: ModuleType, made_as: str, name: str) -> None:
    """`python registry/tests/evidence/golden.py` writes them anew."""
    golden = HERE / "golden" / made_as / name
    assert as_files(getattr(sample, made_as)())[name].decode() == golden.read_text("utf-8")


@pytest.mark.feature("CK-05")
def test_sarif_tells_what_passed_too(sample: ModuleType) -> None:
    said = json.loads(as_files(sample.refused())["results.sarif"])
    jsonschema.validate(said, json.loads((HERE / "sarif-2.1.0.schema.json").read_text()))
    (run,) = said["runs"]
    told = {(one["ruleId"], one["kind"], one["level"]) for one in run["results"]}
    assert told == {
        ("package", "pass", "none"),
        ("EGRESS101", "review", "none"),
        ("effects", "pass", "none"),
        ("CONTRACT014", "fail", "error"),
        ("CONTRACT021", "fail", "warning"),
        ("LAB002", "open", "none"),
        ("parity", "notApplicable", "none"),
    }
    waived = next(one for one in run["results"] if one["ruleId"] == "EGRESS101")
    assert "Ada" in waived["suppressions"][0]["justification"]
    rules = run["tool"]["driver"]["rules"]
    for one in run["results"]:
        assert rules[one["ruleIndex"]]["id"] == one["ruleId"]
    assert all(rule["help"]["text"] for rule in rules if rule["id"].startswith("CONTRACT"))


def test_junit_skips_nothing(sample: ModuleType) -> None:
    root = ET.fromstring(as_files(sample.refused())["junit.xml"])
    suites = {suite.get("name"): suite for suite in root}
    assert set(suites) == {"package", "effects remote", "contract remote", "injection remote"}
    assert not root.findall(".//skipped")
    assert suites["injection remote"].find("testcase/error") is not None
    contract = suites["contract remote"]
    assert [case.get("name") for case in contract.findall("testcase[failure]")] == [
        "remote/put/reset after commit"
    ]
    assert [case.get("name") for case in contract.findall("testcase[error]")] == [
        "remote/put/stall"
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("8", "1", "2")


def test_a_badge_says_it_in_a_word(sample: ModuleType) -> None:
    assert b"certified L2</text>" in as_files(sample.certified())["badge.svg"]
    assert b"refused</text>" in as_files(sample.refused())["badge.svg"]


def _lines(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        told = json.loads((folder / "evidence.json").read_text())
        change(told)
        (folder / "evidence.json").write_text(json.dumps(told))

    return apply


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a file is gone": lambda folder: (folder / "cases.jsonl").unlink(),
    "a case is gone": lambda folder: (folder / "cases.jsonl").write_bytes(
        b"".join((folder / "cases.jsonl").read_bytes().splitlines(keepends=True)[1:])
    ),
    "no JSON": lambda folder: (folder / "evidence.json").write_text("<html>"),
    "cut": lambda folder: (folder / "evidence.json").write_bytes(
        (folder / "evidence.json").read_bytes()[:-20]
    ),
    "nested without end": lambda folder: (folder / "evidence.json").write_text("[" * 200_000),
    "another shape": _lines(lambda told: told.update(schema=2)),
    "more than the shape has": _lines(lambda told: told.update(more=1)),
    "another level": _lines(lambda told: told["checks"][0].update(level="L9")),
    "another verdict": _lines(lambda told: told["checks"][0].update(verdict="splendid")),
    "a check without its cases": _lines(lambda told: told["checks"].pop()),
    "no number": lambda folder: (folder / "evidence.json").write_text('{"schema": NaN}'),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_evidence_is_refused(sample: ModuleType, tmp_path: Path, kind: str) -> None:
    write(sample.certified(), tmp_path / "evidence")
    DAMAGE[kind](tmp_path / "evidence")
    with pytest.raises(EvidenceUnusable) as refused:
        read(tmp_path / "evidence")
    assert refused.value.code == "LAB010"
    assert str(tmp_path) in refused.value.message
    assert refused.value.hint


def _archive(entries: list[tuple[str, bytes]]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return whole.getvalue()


@pytest.mark.parametrize(
    "entries",
    [
        [("../../evidence.json", b"{}"), ("/cases.jsonl", b"")],
        [(f"{number}.json", b"") for number in range(100)],
        [],
    ],
)
def test_a_zip_that_is_none_of_ours_is_refused(
    tmp_path: Path, entries: list[tuple[str, bytes]]
) -> None:
    file = tmp_path / "evidence.zip"
    file.write_bytes(_archive(entries))
    with pytest.raises(EvidenceUnusable):
        read(file)
    assert list(tmp_path.iterdir()) == [file]


def test_a_zip_that_grows_without_bound_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows_registry.evidence.reading.FILE_BYTES_MAX", 1 << 20)
    file = tmp_path / "evidence.zip"
    file.write_bytes(_archive([("evidence.json", b" " * (64 << 20)), ("cases.jsonl", b"")]))
    assert file.stat().st_size < 1 << 17
    with pytest.raises(EvidenceUnusable, match="larger than"):
        read(file)


def test_nothing_but_evidence_is_ever_replaced(sample: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "thesis.txt").write_text("years")
    (tmp_path / "file").write_text("years")
    for target in (tmp_path / "work", tmp_path / "file"):
        with pytest.raises(EvidenceUnusable):
            write(sample.certified(), target)
    assert (tmp_path / "work" / "thesis.txt").read_text() == "years"


WRITER = """
import importlib.util, sys
from pathlib import Path
from flows_registry.evidence.writing import write
spec = importlib.util.spec_from_file_location("evidence_sample", sys.argv[1])
sample = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = sample
spec.loader.exec_module(sample)
print("ready", flush=True)
while True:
    for made in (sample.certified, sample.refused):
        write(made(), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("name", ["evidence", "evidence.zip"])
def test_a_writer_that_is_killed_leaves_the_old_or_the_new(
    sample: ModuleType, tmp_path: Path, name: str
) -> None:
    whole = [sample.certified(), sample.refused()]
    target = tmp_path / name
    write(whole[0], target)
    for round_number in range(8):
        command = [sys.executable, "-c", WRITER, str(HERE / "sample.py"), str(target)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(0.02 + 0.013 * round_number)
            os.kill(writer.pid, signal.SIGKILL)
        assert read(target) in whole
    write(whole[1], target)
    assert read(target) == whole[1]
