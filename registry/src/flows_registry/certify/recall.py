"""What a self-test found: recall by check, false refusals, runs that disagree."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows_registry.certify.run import CHECKS
from flows_registry.verdict import Level, Verdict

__all__ = ["JUDGING", "SelfTest", "Trial"]

JUDGING = tuple(check for check in CHECKS if check != "parity")
"""The checks that have twins; parity compares with a vendor's simulator, which no twin has."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one plugin of the corpus.

    Attributes:
        name: what is wrong with it, or what only looks so.
        check: the check that is meant to refuse it; "" where it is sound.
        seed: where generated cases started.
        verdict: what was said of it.
        as_meant: whether that is what should be said.
        told: who said what instead; "" where all is well.
        level: how closely its checks looked.
        seconds: how long it took.
    """

    name: str
    check: str
    seed: int
    verdict: str
    as_meant: bool
    told: str
    level: Level = Level.STATIC
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "name": self.name,
            "kind": "broken" if self.check else "sound",
            "check": self.check or None,
            "seed": self.seed,
            "verdict": self.verdict,
            "as_meant": self.as_meant,
            "told": self.told,
            "level": str(self.level),
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class SelfTest:
    """What became of all of them."""

    trials: tuple[Trial, ...]
    seconds: float

    @property
    def level(self) -> Level:
        """The level of the run: no plugin was looked at more closely."""
        return max((trial.level for trial in self.trials), default=Level.STATIC)

    @property
    def recall(self) -> Mapping[str, tuple[int, int]]:
        """By check: how many of its twins it found, of how many."""
        of_check = {c: [t for t in self.trials if t.check == c] for c in JUDGING}
        return {
            check: (sum(trial.as_meant for trial in trials), len(trials))
            for check, trials in of_check.items()
            if trials
        }

    @property
    def missed(self) -> list[Trial]:
        """Twins that were not refused as they should be."""
        return [trial for trial in self.trials if trial.check and not trial.as_meant]

    @property
    def sound(self) -> list[Trial]:
        """The runs of sound plugins."""
        return [trial for trial in self.trials if not trial.check]

    @property
    def false_refusals(self) -> list[Trial]:
        """Sound plugins that were refused."""
        return [trial for trial in self.sound if trial.verdict == Verdict.REFUSED.value]

    @property
    def unproved(self) -> list[Trial]:
        """Sound plugins of which nothing was proved: no refusal, and no pass either."""
        return [t for t in self.sound if not t.as_meant and t not in self.false_refusals]

    @property
    def disagreeing(self) -> list[Trial]:
        """Runs of a sound plugin that ended otherwise than with most other seeds."""
        found: list[Trial] = []
        for name in dict.fromkeys(trial.name for trial in self.sound):
            runs = [trial for trial in self.sound if trial.name == name]
            said = [trial.verdict for trial in runs]
            usual = max(dict.fromkeys(said), key=said.count)
            found += [trial for trial in runs if trial.verdict != usual]
        return found

    @property
    def is_whole(self) -> bool:
        """Whether every twin was found, and every sound plugin passed every time."""
        return bool(self.trials) and all(trial.as_meant for trial in self.trials)

    def as_json(self) -> dict[str, Any]:
        """The published shape."""
        return {
            "whole": self.is_whole,
            "level": str(self.level),
            "recall": {
                check: {"found": found, "all": total}
                for check, (found, total) in self.recall.items()
            },
            "missed": [trial.name for trial in self.missed],
            "sound": len(self.sound),
            "false_refusals": [trial.name for trial in self.false_refusals],
            "unproved": [trial.name for trial in self.unproved],
            "disagreeing": [f"{each.name} (seed {each.seed})" for each in self.disagreeing],
            "plugins": [trial.as_json() for trial in self.trials],
            "seconds": self.seconds,
        }
