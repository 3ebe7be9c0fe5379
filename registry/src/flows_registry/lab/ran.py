"""Which lines and branches of a plugin's own source ran in a case."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["NOTHING", "Branch", "Function", "Ran", "all_of"]


@dataclass(frozen=True, slots=True, order=True)
class Function:
    """A function of the plugin's source.

    Attributes:
        file: its path from where the package lies, `cap_x/remote.py`.
        line: its first line, decorators included.
        name: its name, without its class's.
    """

    file: str
    line: int
    name: str


Branch = tuple[Function, int, bool]
"""A jump under a condition, by its place in a function's code, and whether it was taken."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What ran.

    Attributes:
        files: the plugin's files that were imported, whether or not a function of them ran.
        functions: those that were entered.
        lines: (file, line) of all that ran in them.
        branches: those that were gone.
    """

    files: frozenset[str] = frozenset()
    functions: frozenset[Function] = frozenset()
    lines: frozenset[tuple[str, int]] = frozenset()
    branches: frozenset[Branch] = frozenset()

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> "Ran":
        """From the agent's report."""
        told = [
            (Function(file, line, name), lines, branches)
            for file, line, name, lines, branches in report.get("functions", ())
        ]
        return cls(
            frozenset(report.get("files", ())),
            frozenset(function for function, _, _ in told),
            frozenset((function.file, line) for function, lines, _ in told for line in lines),
            frozenset((of, at, jumped) for of, _, branches in told for at, jumped in branches),
        )


NOTHING = Ran()


def all_of(runs: Iterable[Ran]) -> Ran:
    """What ran in any of them."""
    files, functions = set[str](), set[Function]()
    lines, branches = set[tuple[str, int]](), set[Branch]()
    for ran in runs:
        files |= ran.files
        functions |= ran.functions
        lines |= ran.lines
        branches |= ran.branches
    return Ran(frozenset(files), frozenset(functions), frozenset(lines), frozenset(branches))
