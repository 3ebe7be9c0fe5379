"""A certification as files: what each is called and holds. `evidence.json` and `cases.jsonl` are
the evidence; the others say the same in the words of those who read them."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any

from flows_registry.evidence.badge import badge
from flows_registry.evidence.canonical import canonical, portable
from flows_registry.evidence.junit import junit
from flows_registry.evidence.model import SCHEMA
from flows_registry.evidence.page.page import page
from flows_registry.evidence.sarif import sarif
from flows_registry.verdict import Certification

__all__ = ["CASES", "EVIDENCE", "NAMES", "REPORT", "as_files", "as_zip"]

EVIDENCE, CASES, REPORT = "evidence.json", "cases.jsonl", "report.html"

NAMES = (EVIDENCE, CASES, "results.sarif", "junit.xml", REPORT, "badge.svg")
"""Every file of the evidence."""

_TOOL = f"flows-registry {version('flows-registry')}"
_DAY_ONE = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644 << 16


def as_files(certification: Certification) -> Mapping[str, bytes]:
    """The content of every file by its name; the same certification gives the same bytes."""
    files = {
        CASES: b"".join(_lines(certification)),
        "results.sarif": sarif(certification),
        "junit.xml": junit(certification),
        REPORT: page(certification),
        "badge.svg": badge(certification),
    }
    whole = {
        "schema": SCHEMA,
        "tool": _TOOL,
        **certification.as_json(),
        "files": {
            name: {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
            for name, content in files.items()
        },
    }
    return {EVIDENCE: canonical(whole) + b"\n", **files}


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """The files as one, the same bytes whenever and wherever it is made."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DAY_ONE)
            entry.create_system = 3
            entry.external_attr = _MODE
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    return whole.getvalue()


def _lines(certification: Certification) -> Iterator[bytes]:
    for check in certification.checks:
        for record in check.records:
            told: dict[str, Any] = record.as_json()
            case = portable(told["case"])
            where = {"check": check.check, "backend": check.backend}
            yield canonical({**where, **told, "case": case}) + b"\n"
