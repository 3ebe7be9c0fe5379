"""Evidence read back. Whoever wrote it is not trusted: sizes are bounded, digests must agree, and
nothing that it names is imported, opened or unpacked to disk."""

import hashlib
import json
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from core_caps.errors import CapsError
from pydantic import ValidationError

from flows_registry.evidence.canonical import plain
from flows_registry.evidence.model import CheckEvidence, Evidence, FindingEvidence, RecordEvidence
from flows_registry.verdict import (
    CaseRecord,
    Certification,
    CheckResult,
    Finding,
    Level,
    Outcome,
    Reproduction,
    Severity,
    Verdict,
    Waived,
)

__all__ = ["FILE_BYTES_MAX", "EvidenceUnusable", "aside", "read"]

FILE_BYTES_MAX = 256 * 1024 * 1024
"""No file of any evidence is larger."""

_EVIDENCE, _CASES = "evidence.json", "cases.jsonl"
_READ = (_EVIDENCE, _CASES)
_ENTRIES_MAX = 16
_REWRITE = "certify again with `--evidence`, which writes it anew"


class EvidenceUnusable(CapsError):
    """Evidence is missing, damaged, or was not written by this program."""

    code = "LAB010"
    hint = _REWRITE

    def __init__(self, message: str, hint: str = _REWRITE) -> None:
        super().__init__(message, hint=hint)


def aside(target: Path) -> Path:
    """Where the evidence in a folder waits for the moment in which it is replaced."""
    return target.with_name(f".{target.name}-before")


def read(path: Path) -> Certification:
    """The certification that was written to this folder or zip.

    Raises:
        EvidenceUnusable: there is none, or it is damaged, or it is something else.
    """
    try:
        contents = _unpacked(path) if path.is_file() else _lying_in(path)
        return _certification(path, contents)
    except (OSError, zipfile.BadZipFile, ValueError, RecursionError, EOFError) as error:
        raise EvidenceUnusable(f"{path} holds no usable evidence: {_told(error)}") from error


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)[:300]


def _lying_in(folder: Path) -> Mapping[str, bytes]:
    if not folder.exists() and aside(folder).is_dir():
        folder = aside(folder)
    contents: dict[str, bytes] = {}
    for name in _READ:
        with (folder / name).open("rb") as file:
            contents[name] = file.read(FILE_BYTES_MAX + 1)
    return _bounded(contents)


def _unpacked(file: Path) -> Mapping[str, bytes]:
    """In memory; an archive's own word about a size is not taken."""
    contents: dict[str, bytes] = {}
    with zipfile.ZipFile(file) as archive:
        if len(archive.infolist()) > _ENTRIES_MAX:
            raise ValueError(f"it has more than {_ENTRIES_MAX} entries")
        for name in _READ:
            try:
                entry = archive.open(name)
            except KeyError:
                raise ValueError(f"it has no {name}") from None
            with entry:
                contents[name] = entry.read(FILE_BYTES_MAX + 1)
    return _bounded(contents)


def _bounded(contents: Mapping[str, bytes]) -> Mapping[str, bytes]:
    for name, content in contents.items():
        if len(content) > FILE_BYTES_MAX:
            raise ValueError(f"{name} is larger than {FILE_BYTES_MAX} bytes")
    return contents


def _certification(path: Path, contents: Mapping[str, bytes]) -> Certification:
    evidence = Evidence.model_validate(_json(contents[_EVIDENCE]))
    told = evidence.files.get(_CASES)
    if told is None or told.sha256 != hashlib.sha256(contents[_CASES]).hexdigest():
        raise ValueError(f"{_CASES} is not the one that {_EVIDENCE} tells of")
    records: defaultdict[tuple[str, str], list[CaseRecord]] = defaultdict(list)
    for place, record in _records(contents[_CASES]):
        records[place].append(record)
    checks = tuple(
        _check(check, tuple(records.pop((check.check, check.backend), ())))
        for check in evidence.checks
    )
    if records:
        raise ValueError(f"{_CASES} has cases of no check: {min(records)}")
    return Certification(evidence.subject, checks, evidence.facts, evidence.part)


def _json(content: bytes) -> Any:
    return json.loads(content, parse_constant=_no_number)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _records(content: bytes) -> Iterator[tuple[tuple[str, str], CaseRecord]]:
    for line in content.splitlines():
        told = RecordEvidence.model_validate(_json(line))
        yield (
            (told.check, told.backend),
            CaseRecord(
                name=told.name,
                operation=told.operation,
                faults=tuple(told.faults),
                outcome=Outcome(told.outcome),
                profile=told.profile,
                figures=told.figures,
                case=plain(told.case),
                course=tuple(told.course),
                timeline=tuple(told.timeline),
            ),
        )


def _check(told: CheckEvidence, records: tuple[CaseRecord, ...]) -> CheckResult:
    return CheckResult(
        told.check,
        told.backend,
        Verdict(told.verdict),
        told.cases,
        tuple(map(_finding, told.findings)),
        Level(int(told.level[1])),
        told.facts,
        records,
    )


def _finding(told: FindingEvidence) -> Finding:
    waived = told.waived
    first, *others = told.cases or [""]
    return Finding(
        told.code,
        told.message,
        told.promised,
        told.observed,
        Reproduction(told.reproduce, first),
        told.fix,
        told.capability,
        tuple(others),
        Severity(told.severity),
        told.because,
        Waived(**waived.model_dump()) if waived is not None else None,
    )
