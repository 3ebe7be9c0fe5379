"""What works: each row of docs/features.toml with the tests that carry its id.

    python tests/features.py              every row, with its tests
    python tests/features.py --missing    the rows that no test carries
    python tests/features.py --json       one object, for programs
    python tests/features.py PATH …       only the tests found there

Tests are collected, not run: `tox` runs them. A test that is skipped or expected to fail proves
nothing and is not counted. Exit code 1 when a test carries an id that no row has, or when the
collection fails.
"""

import argparse
import contextlib
import io
import json
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROWS = ROOT / "docs" / "features.toml"


@dataclass(frozen=True, slots=True)
class Feature:
    """One row: what must work."""

    id: str
    section: str
    text: str


@dataclass(slots=True, eq=False)  # pytest keeps plugins in sets
class Collector:
    """A pytest plugin that notes which test carries which ids."""

    tests: dict[str, Counter[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            if any(item.iter_markers("skip")) or any(item.iter_markers("xfail")):
                continue
            name = item.nodeid.partition("[")[0]
            for id_ in dict.fromkeys(
                id_ for mark in item.iter_markers("feature") for id_ in mark.args
            ):
                self.tests.setdefault(id_, Counter())[name] += 1

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failures.append(f"{report.nodeid}: {report.longreprtext}")


def read_rows(path: Path) -> tuple[Feature, ...]:
    """The rows, in the file's order.

    Raises:
        ValueError: an id is there twice.
    """
    rows = tuple(Feature(**row) for row in tomllib.loads(path.read_text("utf-8"))["feature"])
    twice = [id_ for id_, count in Counter(row.id for row in rows).items() if count > 1]
    if twice:
        raise ValueError(f"{path.name} has these ids twice: {', '.join(twice)}")
    return rows


def collect(paths: Sequence[str]) -> Collector:
    """Collect the tests under `paths` in this process; with none, those that pytest would run."""
    collector = Collector()
    said = io.StringIO()
    arguments = [
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        str(ROOT / "pyproject.toml"),
    ]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.chdir(ROOT):
        code = pytest.main([*arguments, f"--rootdir={ROOT}", *paths], plugins=[collector])
    fine = code in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    if not fine and not collector.failures:
        collector.failures.append(said.getvalue().strip())
    return collector


def as_json(rows: Iterable[Feature], tests: Mapping[str, Counter[str]]) -> str:
    """One object: every row with its tests and how many cases each has."""
    listed = [
        {
            "id": row.id,
            "section": row.section,
            "text": row.text,
            "tests": dict(tests.get(row.id, {})),
        }
        for row in rows
    ]
    return json.dumps({"features": listed, "unknown": _unknown(rows, tests)}, indent=2)


def as_text(
    rows: Sequence[Feature], tests: Mapping[str, Counter[str]], *, missing: bool
) -> Iterable[str]:
    """The rows by section: a tick and the tests, or a dot where no test carries the id."""
    shown = [row for row in rows if not (missing and row.id in tests)]
    width = max((len(row.id) for row in rows), default=0)
    for section, in_section in groupby(shown, key=lambda row: row.section):
        yield section
        for row in in_section:
            found = tests.get(row.id, Counter[str]())
            how_many = f" - {_plural(found.total(), 'test')}" if found else ""
            yield f"  {'✓' if found else '·'} {row.id.ljust(width)}  {row.text}{how_many}"
            for name, cases in sorted(found.items()):
                yield f"      {name}" + (f" x{cases}" if cases > 1 else "")
        yield ""
    carried = sum(row.id in tests for row in rows)
    yield f"{carried} of {_plural(len(rows), 'row')} have a test"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the list; 1 when an id is unknown or the tests cannot be collected."""
    parser = argparse.ArgumentParser(description="Each feature with the tests that carry its id.")
    parser.add_argument("paths", nargs="*", help="collect only these")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--missing", action="store_true", help="only rows without a test")
    parser.add_argument("--rows", type=Path, default=ROWS, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    rows = read_rows(chosen.rows)
    collected = collect([str(Path(path).resolve()) for path in chosen.paths])
    if chosen.json:
        print(as_json(rows, collected.tests))
    else:
        print("\n".join(as_text(rows, collected.tests, missing=chosen.missing)))
    for id_, names in _unknown(rows, collected.tests).items():
        print(f"unknown id {id_} on {', '.join(names)}", file=sys.stderr)
    for failure in collected.failures:
        print(f"not collected: {failure}", file=sys.stderr)
    return 1 if collected.failures or _unknown(rows, collected.tests) else 0


def _unknown(
    rows: Iterable[Feature], tests: Mapping[str, Counter[str]]
) -> dict[str, Sequence[str]]:
    known = {row.id for row in rows}
    return {id_: sorted(names) for id_, names in tests.items() if id_ not in known}


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


if __name__ == "__main__":
    sys.exit(main())
