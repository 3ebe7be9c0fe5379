"""What a run over mutants says, for people and as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mutants.equivalent import Equivalent
from mutants.trying import Tried

__all__ = ["Run", "shown"]


@dataclass(slots=True)
class Run:
    """A run over mutants.

    Attributes:
        listed: the mutants of which no test can tell.
        tried: what became of each.
        books: how many plugins of the corpus could be judged.
        broken: what fails, or kills, where nothing is mutated.
        unused: what is listed, and is no mutant any more.
        seconds: how long all of it took.
    """

    listed: Sequence[Equivalent]
    tried: list[Tried] = field(default_factory=list[Tried])
    books: int = 0
    broken: Sequence[str] = ()
    unused: Sequence[Equivalent] = ()
    seconds: float = 0.0

    @property
    def living(self) -> list[Tried]:
        """Those that nobody noticed and nobody explains."""
        return [each for each in self.tried if each.lives and not self.explains(each)]

    @property
    def is_whole(self) -> bool:
        """Whether none of them lives, nothing explains what is not there, and what noticed them is
        as it should be where nothing is mutated."""
        return bool(self.tried) and not (self.living or self.unused or self.broken)

    def explains(self, each: Tried) -> bool:
        """Whether it is listed as one that makes no difference."""
        return any(known.covers(each.mutant) for known in self.listed)

    @property
    def modules(self) -> dict[str, Counter[str]]:
        """By module, how many met which fate."""
        found: dict[str, Counter[str]] = {}
        for each in self.tried:
            fate = "equivalent" if each.lives and self.explains(each) else each.fate
            found.setdefault(each.mutant.module, Counter())[fate] += 1
        return found

    def as_json(self) -> dict[str, Any]:
        """Everything."""
        return {
            "whole": self.is_whole,
            "mutants": len(self.tried),
            "living": [each.mutant.name for each in self.living],
            "modules": {module: dict(fates) for module, fates in self.modules.items()},
            "plugins": self.books,
            "broken": list(self.broken),
            "unused": [f"{each.module}: {each.new}" for each in self.unused],
            "seconds": round(self.seconds, 1),
            "tried": [
                {
                    "name": each.mutant.name,
                    "fate": each.fate,
                    "by": each.by,
                    "seconds": round(each.seconds, 3),
                    "diff": each.mutant.diff,
                }
                for each in self.tried
            ],
        }


def shown(run: Run) -> str:
    """The fates by module, and every mutant that lives as the lines that differ."""
    lines: list[str] = []
    for each in run.living:
        lines += [f"{each.mutant.name}: {each.fate}", each.mutant.diff, ""]
    for module, fates in run.modules.items():
        told = ", ".join(f"{number} {fate}" for fate, number in sorted(fates.items()))
        lines.append(f"{module}: {told}")
    lines += [f"not as it should be: {name}" for name in run.broken]
    lines += [f"listed, and no mutant: {each.module}: {each.new}" for each in run.unused]
    lines.append(
        f"{len(run.tried)} mutants, {len(run.living)} live; {run.books} plugins of the corpus; "
        f"{run.seconds:.0f} s"
    )
    return "\n".join(lines)
