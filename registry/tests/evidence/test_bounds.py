"""Evidence is refused for what is wrong with it, and for nothing else that is wrong beside it."""

import json
import shutil
import zipfile
from pathlib import Path
from types import ModuleType

import pytest
from flows_registry.evidence.reading import EvidenceUnusable, aside, read
from flows_registry.evidence.writing import write

pytestmark = pytest.mark.feature("AC-07")


def _with_more(target: Path, entries: int) -> Path:
    """A zip of evidence with files of somebody else, so many in all."""
    with zipfile.ZipFile(target, "a") as archive:
        for number in range(entries - len(archive.namelist())):
            archive.writestr(f"{number}.txt", b"")
    return target


def test_a_zip_has_sixteen_entries_at_most(sample: ModuleType, tmp_path: Path) -> None:
    made = sample.certified()
    write(made, tmp_path / "full.zip")
    write(made, tmp_path / "over.zip")
    assert read(_with_more(tmp_path / "full.zip", 16)) == made
    with pytest.raises(EvidenceUnusable, match="more than 16 entries"):
        read(_with_more(tmp_path / "over.zip", 17))


def test_a_file_is_as_large_as_it_may_be_and_no_larger(
    sample: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sample.certified()
    write(made, tmp_path / "evidence")
    largest = max(
        (tmp_path / "evidence" / n).stat().st_size for n in ("evidence.json", "cases.jsonl")
    )
    monkeypatch.setattr("flows_registry.evidence.reading.FILE_BYTES_MAX", largest)
    assert read(tmp_path / "evidence") == made
    monkeypatch.setattr("flows_registry.evidence.reading.FILE_BYTES_MAX", largest - 1)
    with pytest.raises(EvidenceUnusable, match="larger than"):
        read(tmp_path / "evidence")


def test_what_is_no_number_is_refused_wherever_it_fits(sample: ModuleType, tmp_path: Path) -> None:
    write(sample.certified(), tmp_path / "evidence")
    file = tmp_path / "evidence" / "evidence.json"
    told = json.loads(file.read_text())
    told["facts"]["seconds"] = float("nan")
    file.write_text(json.dumps(told))
    with pytest.raises(EvidenceUnusable, match="NaN is no number"):
        read(tmp_path / "evidence")


def test_what_waits_aside_is_read_only_where_nothing_has_taken_its_place(
    sample: ModuleType, tmp_path: Path
) -> None:
    write(sample.certified(), tmp_path / "evidence")
    write(sample.refused(), aside(tmp_path / "evidence"))
    assert read(tmp_path / "evidence") == sample.certified()
    shutil.rmtree(tmp_path / "evidence")
    assert read(tmp_path / "evidence") == sample.refused()
