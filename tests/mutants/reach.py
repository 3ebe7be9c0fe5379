"""Which test comes by which line, measured once: a mutant is shown to those alone that come by.

What was measured holds for the sources it was measured on; it lies in the user's cache.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest

from mutants.forks import Ended, forked
from mutants.scope import files_digest, module_of

__all__ = ["PYTEST", "Witness", "measured", "of_tests", "questions_of"]

PYTEST = (
    "-q", "-x", "-m", "not slow", "--tb=no", "--no-header", "--disable-warnings",
    "-p", "no:cacheprovider", "-p", "no:xdist",
)  # fmt: skip
"""How a test is run, here and when a mutant is shown to it."""

MEASURING_SECONDS_MAX = 600.0


@dataclass(frozen=True, slots=True)
class Witness:
    """A test, or a plugin of the corpus, that is as it should be where nothing is mutated.

    Attributes:
        name: the test's id, or the plugin's name.
        lines: by module, the lines it comes by.
        seconds: how long it took.
        book: the plugin's book, or "" for a test.
    """

    name: str
    lines: Mapping[str, Sequence[int]]
    seconds: float
    book: str = ""

    def reaches(self, module: str, lines: range) -> bool:
        """Whether it comes by one of these lines; by any, where there are none."""
        own = self.lines.get(module, ())
        return any(line in lines for line in own) if lines else bool(own)


@dataclass(slots=True)
class _Measure:
    """What is told of one file of tests, or of one book."""

    witnesses: list[Witness] = field(default_factory=list[Witness])
    failed: list[str] = field(default_factory=list[str])


def measured(
    questions: Mapping[str, Callable[[], _Measure]],
    folder: Path,
    *,
    jobs: int,
    told: Callable[[str, Ended], None],
) -> tuple[list[Witness], list[str]]:
    """The witnesses, and the names of those that are not as they should be.

    Args:
        questions: by the name of what is known of the answer, how to measure.
        folder: where that is kept.
        jobs: how many at a time.
        told: told how each measuring ended.
    """
    folder.mkdir(parents=True, exist_ok=True)
    missing = [name for name in questions if not (folder / name).exists()]
    asked = ((name, questions[name], MEASURING_SECONDS_MAX) for name in missing)
    broken: list[str] = []
    for name, ended in forked(asked, jobs=jobs):
        told(name, ended)
        if ended.problem or ended.answer is None:
            broken.append(name)
        else:
            (folder / name).write_text(json.dumps(asdict(ended.answer)))
    known = [json.loads((folder / n).read_text()) for n in questions if (folder / n).exists()]
    witnesses = [Witness(**each) for one in known for each in one["witnesses"]]
    return witnesses, [*broken, *(name for one in known for name in one["failed"])]


def of_tests(file: Path, package: Path) -> _Measure:
    """What each test of a file comes by."""
    with _Watching(package) as watching:
        pytest.main([str(file), *(word for word in PYTEST if word != "-x")], plugins=[watching])
    lines = watching.lines()
    witnesses = [Witness(name, lines.get(name, {}), s) for name, s in watching.seconds.items()]
    return _Measure([] if watching.failed else witnesses, watching.failed)


def of_book(name: str, book: Path, package: Path) -> _Measure:
    """What judging a plugin comes by."""
    from mutants.books import judge

    began = time.monotonic()
    with _Watching(package) as watching:
        watching.begin(name)
        said = judge(book)
    if not said.as_meant:
        return _Measure(failed=[f"{name}: {said.told}"])
    seconds = time.monotonic() - began
    return _Measure([Witness(name, watching.lines().get(name, {}), seconds, str(book))])


class _Watching:
    """Within it, every line of the package that runs is noted, under the test that runs."""

    def __init__(self, package: Path) -> None:
        self._package = package
        self._coverage = coverage.Coverage(
            data_file=None, include=[f"{package}/*"], config_file=False, messages=False
        )
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def __enter__(self) -> "_Watching":
        self._coverage.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._coverage.stop()

    def begin(self, name: str) -> None:
        """From now on it is this test that runs."""
        self._coverage.switch_context(name)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Each test by its name."""
        name = _name(item.path, item.nodeid)
        began = time.monotonic()
        self.begin(name)
        try:
            return (yield)
        finally:
            self.begin("")
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - began

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What fails here tells nothing of a mutant."""
        if report.failed or report.skipped:
            self.failed.append(report.nodeid)

    def lines(self) -> dict[str, dict[str, list[int]]]:
        """By test and module, the lines that ran."""
        found: dict[str, dict[str, list[int]]] = {}
        data = self._coverage.get_data()
        for file in data.measured_files():
            module = module_of(Path(file), self._package)
            for line, contexts in data.contexts_by_lineno(file).items():
                for context in filter(None, contexts):
                    found.setdefault(context, {}).setdefault(module, []).append(line)
        return found


def _name(file: Path, test: str) -> str:
    """A test's name from anywhere, whatever its parameters."""
    return f"{file}::{test.partition('[')[0].partition('::')[2]}"


def questions_of(
    tests: Sequence[Path], books: Mapping[str, Path], package: Path
) -> dict[str, Callable[[], _Measure]]:
    """How each file of tests and each book is measured, by what its answer depends on."""
    source = files_digest(package)
    found: dict[str, Callable[[], _Measure]] = {}
    for file in tests:
        name = f"{file.stem}-{source[:12]}-{files_digest(file.parent)[:12]}"
        found[name] = partial(of_tests, file, package)
    for name, book in books.items():
        stamp = (book / "asked").stat().st_mtime_ns
        found[f"{book.name}-{source[:12]}-{stamp}"] = partial(of_book, name, book, package)
    return found
