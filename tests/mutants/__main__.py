"""Every verdict path of the certifier broken once: what notices it, and what nobody notices.

    python -m mutants                            all of them
    python -m mutants policy.deciding checks.*   those of these modules
    python -m mutants --record --twins 5         first ask a real lab about five twins of each check
    python -m mutants --list …                   only say what would be changed

Exit code 1 where a mutant lives that is not listed in equivalent.toml.
"""

import argparse
import itertools
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from mutants import equivalent, scope
from mutants.books import book_of, is_recorded, plugins, record
from mutants.forks import Ended
from mutants.operators import Mutant, mutants_of, unchanged
from mutants.reach import Witness, measured, questions_of
from mutants.report import Run, shown
from mutants.trying import tried

_TESTS = (
    "checks/**/test_*.py", "certify/test_*.py", "policy/test_*.py", "evidence/test_files.py",
    "evidence/test_bounds.py", "evidence/test_redaction.py", "evidence/test_stored.py",
    "commands/test_certify*.py", "commands/test_evidence.py", "commands/test_self_test.py",
    "test_verdict.py",
)  # fmt: skip
_NOT_TESTS = (
    "test_package", "test_parity", "test_capability_calls.py", "test_derivation.py",
    "test_disguises.py", "test_snippets.py",
)  # fmt: skip
"""What builds packages or starts simulators, or tries the derivation, which is not mutated."""


def main() -> int:
    """As the module says."""
    asked = _asked()
    began = time.monotonic()
    mutants = [m for name in scope.modules(tuple(asked.modules)) for m in _mutants(name)]
    mutants = [mutant for mutant in mutants if asked.mutant in mutant.name]
    if asked.list:
        print("\n".join(f"{mutant.name}\n{mutant.diff}" for mutant in mutants))
        return 0
    checks = asked.check or sorted({c for m in mutants for c in scope.checks_of(m.module)})
    every = plugins(checks, twins=asked.twins, sound=asked.sound)
    chosen = [plugin for plugin in every if asked.only in plugin.name]
    if asked.record:
        missing = [plugin for plugin in chosen if not is_recorded(plugin)]
        record(missing, jobs=asked.jobs, told=_telling("recorded", len(missing)))
    books = {plugin.name: book_of(plugin) for plugin in chosen if is_recorded(plugin)}
    witnesses, broken = _witnesses(books, asked.jobs)
    witnesses = [each for each in witnesses if each.book or each.seconds <= asked.seconds]
    run = Run(equivalent.read())
    sound = [unchanged(name, scope.source_of(name).read_bytes()) for name in _modules(mutants)]
    for each in tried(sound, witnesses, books_max=asked.books, jobs=asked.jobs):
        if not each.lives:
            broken.append(f"{each.mutant.module} as it is, {each.fate} by {each.by}")
    for each in tried(mutants, witnesses, books_max=asked.books, jobs=asked.jobs):
        run.tried.append(each)
        if each in run.living:
            _progress(f"{each.mutant.name} lives: {each.fate}", stays=True)
        _progress(f"{len(run.tried)} of {len(mutants)} mutants, {len(run.living)} live")
    _progress("")
    run.seconds = time.monotonic() - began
    run.broken, run.books = broken, len(books)
    whole = asked.mutant == ""
    run.unused = equivalent.unused(run.listed, mutants) if whole else []
    print(json.dumps(run.as_json(), indent=1) if asked.json else shown(run))
    return 0 if run.is_whole else 1


def _asked() -> argparse.Namespace:
    words = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    words.add_argument("modules", nargs="*", default=["*"], help="below flows_registry; may hold *")
    words.add_argument("--mutant", default="", help="only mutants with this text in their name")
    words.add_argument("--list", action="store_true", help="only say what would be changed")
    words.add_argument("--record", action="store_true", help="ask a real lab about what is missing")
    words.add_argument(
        "--check",
        action="append",
        choices=scope.CHECKS,
        help="twins of this check alone; repeatable",
    )
    words.add_argument("--only", default="", help="plugins with this text in their name")
    words.add_argument("--twins", type=int, help="so many of each check; all of them")
    words.add_argument("--sound", type=int, default=2, help="so many sound plugins")
    words.add_argument("--books", type=int, default=40, help="plugins at most for one mutant")
    words.add_argument("--seconds", type=float, default=10, help="tests that take longer stay away")
    words.add_argument("--jobs", type=int, default=2)
    words.add_argument("--json", action="store_true")
    return words.parse_args()


def _mutants(module: str) -> list[Mutant]:
    return mutants_of(module, scope.source_of(module).read_bytes())


def _modules(mutants: Sequence[Mutant]) -> list[str]:
    return list(dict.fromkeys(mutant.module for mutant in mutants))


def _witnesses(books: dict[str, Path], jobs: int) -> tuple[Sequence[Witness], list[str]]:
    import flows_registry.main  # noqa: F401 - what is imported here, no process has to

    package = scope.package()
    tests = package.parents[1] / "tests"
    os.chdir(package.parents[2])
    files = sorted(
        {
            file
            for pattern in _TESTS
            for file in tests.glob(pattern)
            if not set(_NOT_TESTS) & set(file.parts)
        }
    )
    questions = questions_of(files, books, package)
    folder = scope.kept("reach")
    told = _telling("measured", len(questions))
    return measured(questions, folder, jobs=jobs, told=told)


def _telling(what: str, total: int) -> Callable[[str, Ended], None]:
    numbers = itertools.count(1)

    def told(name: str, ended: Ended) -> None:
        _progress(f"{what} {next(numbers)} of at most {total}: {name}")
        if ended.problem:
            _progress(f"{name}: {ended.problem}", stays=True)

    return told


def _progress(text: str, *, stays: bool = False) -> None:
    """One line of the terminal; elsewhere only what stays is told."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="\n" if stays else "", file=sys.stderr, flush=True)
    elif stays:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and everything that it runs ends, too
    sys.exit(main())
