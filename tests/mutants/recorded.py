"""A lab that writes down what it answers, and one that answers from what was written.

A case is known by what it is and by the surroundings it runs in; what ran several times has several
answers, in their order. Everything of the certifier that this module touches is that of the process
it is imported in: a mutant's, where a mutant is tried.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

from flows_registry.certify import run as running
from flows_registry.checks.effects import evidence
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.lab import Lab, Profile
from flows_registry.lab.stored import stored
from flows_registry.verdict import Level

__all__ = ["Answers", "RecordedLab", "Unrecorded", "answering"]

_BASE = Profile()


class Unrecorded(Exception):
    """Something was asked that nobody had asked when the answers were written down."""


@dataclass(slots=True)
class Answers:
    """What a lab said of one plugin.

    Attributes:
        level: how closely it looked.
        canaries: by backend, the credentials that it was given.
        runs: by case and profile, what came of it each time; an exception where it broke.
        promises: by contract and backend, the promises of a suite.
        derived: by provider, what was derived of its source.
    """

    level: Level | None = None
    canaries: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    runs: dict[str, list[CaseRun | Exception]] = field(
        default_factory=dict[str, list[CaseRun | Exception]]
    )
    promises: dict[tuple[str, str], list[str]] = field(
        default_factory=dict[tuple[str, str], list[str]]
    )
    derived: dict[str, Any] = field(default_factory=dict[str, Any])


@contextmanager
def answering(answers: Answers, *, asks: bool) -> Generator[None]:
    """Within it the certifier's lab is a recorded one.

    Args:
        answers: what is known, and where what is learned is noted.
        asks: whether the real lab is asked, and its answers noted.
    """
    certifier: Any = running
    source_side: Any = evidence
    lab, derive = certifier.Lab, source_side.derive_bounded

    def derived(sources: Path, provider: str, operations: Sequence[str]) -> Any:
        key = f"{provider} {' '.join(operations)}"
        if asks:
            answers.derived[key] = derive(sources, provider, operations)
        if key not in answers.derived:
            raise Unrecorded(key)
        return answers.derived[key]

    certifier.Lab, source_side.derive_bounded = partial(RecordedLab, answers, asks), derived
    try:
        yield
    finally:
        certifier.Lab, source_side.derive_bounded = lab, derive


class RecordedLab(Lab):
    """A lab with a memory.

    Args:
        answers: what it remembers.
        asks: whether it works as a lab does and notes what it answers.
        of_a_lab, named: what a lab is made from.
    """

    def __init__(self, answers: Answers, asks: bool, *of_a_lab: Any, **named: Any) -> None:
        super().__init__(*of_a_lab, **named)
        self._answers = answers
        self._asks = asks
        self._given = Counter[str]()
        if asks:
            answers.level, answers.canaries = super().level, dict(self._secrets)
        else:
            self._secrets = answers.canaries

    def __enter__(self) -> Self:
        return super().__enter__() if self._asks else self

    @property
    def level(self) -> Level:
        """As it was."""
        assert self._answers.level is not None
        return self._answers.level

    def run(
        self,
        cases: Sequence[Case],
        *,
        profile: Profile = _BASE,
        on_case: Callable[[CaseRun], None] = lambda run: None,
    ) -> list[CaseRun]:
        """As a lab does."""
        if self._asks:
            ask = super().run
            [runs] = self._noted([(profile, cases)], lambda: [ask(cases, profile=profile)])
        else:
            runs = [self._answered(profile, case) for case in cases]
        for run in runs:
            on_case(run)
        return runs

    def run_apart(
        self,
        groups: Sequence[tuple[Profile, Sequence[Case]]],
        *,
        on_case: Callable[[CaseRun], None] = lambda run: None,
    ) -> list[list[CaseRun]]:
        """As a lab does."""
        if not self._asks:
            return [[self._answered(profile, case) for case in cases] for profile, cases in groups]
        ask = super().run_apart
        return self._noted(groups, lambda: ask(groups))

    def promises(self, contract: str, backend: str) -> list[str]:
        """As a lab does."""
        if self._asks:
            self._answers.promises[contract, backend] = super().promises(contract, backend)
        if (contract, backend) not in self._answers.promises:
            raise Unrecorded(f"the promises of {contract} on {backend}")
        return self._answers.promises[contract, backend]

    def host(self, kind: str, name: str) -> Any:
        """As a lab does, where it is asked."""
        if not self._asks:
            raise Unrecorded(f"the {kind} {name}")
        return super().host(kind, name)

    def _noted(
        self,
        groups: Sequence[tuple[Profile, Sequence[Case]]],
        ask: Callable[[], list[list[CaseRun]]],
    ) -> list[list[CaseRun]]:
        asked = [_key(profile, case) for profile, cases in groups for case in cases]
        try:
            answered = ask()
        except Exception as problem:
            for key in asked:
                self._answers.runs.setdefault(key, []).append(problem)
            raise
        runs = (run for each in answered for run in each)
        for key, run in zip(asked, runs, strict=True):
            self._answers.runs.setdefault(key, []).append(run)
        return answered

    def _answered(self, profile: Profile, case: Case) -> CaseRun:
        """The next answer to this case; who asks once more than before hears the last one.

        What went well among others was not run alone: it is taken to go as well there.
        """
        runs = self._answers.runs
        keys = [_key(profile, each) for each in (case, replace(case, together=True))]
        key = next((key for key in keys if key in runs), None)
        if key is None:
            raise Unrecorded(f"{case.name} in {profile.name}")
        known = runs[key]
        number = min(self._given[key], len(known) - 1)
        self._given[key] += 1
        answer = known[number]
        if isinstance(answer, Exception):
            raise answer
        return replace(answer, case=case)


def _key(profile: Profile, case: Case) -> str:
    told = json.dumps(stored(case, profile), sort_keys=True, default=repr)
    return hashlib.sha256(told.encode()).hexdigest()
