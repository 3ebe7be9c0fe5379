"""One mutant shown to everything that comes by what is changed, until something notices."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mutants.forgetting import put_in_place
from mutants.forks import Ended, forked
from mutants.operators import Mutant
from mutants.reach import PYTEST, Witness

__all__ = ["KILLED", "SURVIVED", "Tried", "tried"]

KILLED = "killed"
ASKED = "asked otherwise"
TIMED_OUT = "timed out"
SURVIVED = "survived"
UNREACHED = "unreached"

_SECONDS_MIN = 90.0
_TIMES = 20


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a mutant.

    Attributes:
        mutant: the mutant.
        fate: `killed`; `timed out`, where it does not end; `asked otherwise`, where it asks the lab
            for what nobody has asked it, so that no recorded plugin can tell; `survived`, or
            `unreached`, where nothing comes by.
        by: what noticed it first.
        seconds: how long that took.
    """

    mutant: Mutant
    fate: str
    by: str
    seconds: float

    @property
    def lives(self) -> bool:
        """Whether nothing noticed."""
        return self.fate in (SURVIVED, UNREACHED)


def tried(
    mutants: Sequence[Mutant], witnesses: Sequence[Witness], *, books_max: int, jobs: int
) -> Iterator[Tried]:
    """What becomes of each mutant, as it is found out."""
    by_name = {mutant.name: mutant for mutant in mutants}
    questions: list[tuple[str, Callable[[], Any], float]] = []
    for mutant in mutants:
        near = [each for each in witnesses if each.reaches(mutant.module, mutant.lines)]
        tests = sorted((w for w in near if not w.book), key=lambda w: w.seconds)
        books = sorted((w for w in near if w.book), key=lambda w: w.seconds)[:books_max]
        if not near:
            yield Tried(mutant, UNREACHED, "", 0.0)
            continue
        seconds = _SECONDS_MIN + _TIMES * sum(each.seconds for each in (*tests, *books))
        questions.append((mutant.name, partial(_noticed, mutant, tests, books), seconds))
    for name, ended in forked(questions, jobs=jobs):
        yield _told(by_name[name], ended)


def _told(mutant: Mutant, ended: Ended) -> Tried:
    if ended.timed_out:
        return Tried(mutant, TIMED_OUT, "", ended.seconds)
    if ended.problem:  # it cannot even be imported, or takes its process along
        return Tried(mutant, KILLED, ended.problem.strip().splitlines()[-1], ended.seconds)
    fate, by = ended.answer
    return Tried(mutant, fate, by, ended.seconds)


def _noticed(mutant: Mutant, tests: Sequence[Witness], books: Sequence[Witness]) -> tuple[str, str]:
    """The mutant's fate, and who noticed it; the process is the mutant's from here on."""
    put_in_place(mutant.module, mutant.source)
    by, otherwise = _misjudged(books) if books else ("", "")
    by = by or (_failing(each.name for each in tests) if tests else "")
    if by:
        return KILLED, by
    return (ASKED, otherwise) if otherwise else (SURVIVED, "")


def _failing(tests: Iterable[str]) -> str:
    """The first test that fails, or ""."""
    listening = _Listening()
    code = pytest.main([*tests, *PYTEST], plugins=[listening])
    return listening.failed or ("" if code == 0 else f"pytest ends with {code}")


class _Listening:
    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first one counts."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


def _misjudged(books: Sequence[Witness]) -> tuple[str, str]:
    """The first plugin of the corpus of which it does not say what it should, or ""; and the first
    question that it asks and nobody has asked before, or ""."""
    from mutants.books import judge
    from mutants.recorded import Unrecorded

    otherwise = ""
    for book in books:
        try:
            said = judge(Path(book.book))
        except Unrecorded as what:
            otherwise = otherwise or f"{book.name}: {what}"
        except Exception as problem:
            return f"{book.name}: {type(problem).__name__}", otherwise
        else:
            if not said.as_meant:
                return book.name, otherwise
    return "", otherwise
