"""Mutants that change nothing that anybody could notice, each with the reason why."""

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.operators import Mutant

__all__ = ["LISTED", "Equivalent", "read", "unused"]

LISTED = Path(__file__).with_name("equivalent.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that makes no difference.

    Attributes:
        module: the module's name, below the package.
        old: the lines before, with single spaces.
        new: the lines afterwards, so too.
        reason: why no test can tell.
    """

    module: str
    old: str
    new: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether the mutant is this one, wherever in its module it stands."""
        same = mutant.module.partition(".")[2] == self.module
        return same and (self.old, self.new) == (_side(mutant, "-"), _side(mutant, "+"))


def read(file: Path = LISTED) -> list[Equivalent]:
    """Those that are listed.

    Raises:
        ValueError: one has no reason.
    """
    found = [Equivalent(**each) for each in tomllib.loads(file.read_text()).get("equivalent", ())]
    for each in found:
        if not each.reason.strip():
            raise ValueError(f"{each.module}: {each.new!r} is listed without a reason")
    return found


def unused(listed: Sequence[Equivalent], mutants: Iterable[Mutant]) -> list[Equivalent]:
    """Those of the modules at hand that cover no mutant any more."""
    known = list(mutants)
    modules = {mutant.module.partition(".")[2] for mutant in known}
    return [
        each
        for each in listed
        if each.module in modules and not any(each.covers(mutant) for mutant in known)
    ]


def _side(mutant: Mutant, sign: str) -> str:
    lines = (line[1:] for line in mutant.diff.splitlines() if line.startswith(sign))
    return " ".join(" ".join(lines).split())
