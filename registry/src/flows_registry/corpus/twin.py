"""What a plugin of the corpus is: a base, a few edits, and what must be said of it."""

from dataclasses import dataclass

from flows_registry.verdict import Level, Verdict

__all__ = ["Edit", "Sound", "Twin"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of one file: `old` stands there exactly once; "" is a file that is new.

    `file` is below the package, or lies beside `pyproject.toml` where it begins with `./`.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Twin:
    """One defect.

    Attributes:
        name: what is wrong.
        base: the clean plugin it is made from.
        edits: the change.
        check: the check that must refuse it.
        codes: the findings' codes that must all be among those of this check.
        only: run only cases of this check whose name contains this text; for determinism the
            exercise in which it shows.
        policy: what the organisation asks, as a policy file, or "" for what is built in.
        level: how closely one has to look to find it, at least.
        verdict: what must be said; where nothing can be proved, that it is inconclusive.
        alone: the side of the effects check, or the axis or world of determinism, that finds it
            when no other does; "" where several do.
    """

    name: str
    base: str
    edits: tuple[Edit, ...]
    check: str
    codes: tuple[str, ...]
    only: str = ""
    alone: str = ""
    policy: str = ""
    level: Level = Level.INTERPRETER
    verdict: Verdict = Verdict.REFUSED


@dataclass(frozen=True, slots=True)
class Sound:
    """A plugin that no check may refuse, though it does what a hasty check would refuse.

    Attributes:
        name: what looks suspicious and is not.
        base: the plugin it is made from.
        edits: the change.
    """

    name: str
    base: str
    edits: tuple[Edit, ...] = ()
