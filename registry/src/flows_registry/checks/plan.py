"""What every check is given, and the fault-free runs that several of them start from."""

import itertools
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core_caps.claims.egress import addresses
from core_caps.claims.lattice import Effects
from core_caps.claims.manifest import Backend, OperationClaim
from core_caps.contract.suite import Call, Contract, Exercise

from flows_registry.checks.ledger import BASELINE, Ledger
from flows_registry.checks.observed import Observations
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.lab import Lab, Profile
from flows_registry.policy.policy import Policy
from flows_registry.policy.reading import built_in
from flows_registry.subject import Capability, Subject
from flows_registry.verdict import CheckResult, Finding, Reproduction, about

__all__ = ["Baseline", "Plan", "collapsed"]

_BASE = Profile()


@dataclass(frozen=True, slots=True)
class Baseline:
    """One exercise on a healthy service.

    Attributes:
        capability: the capability it belongs to.
        exercise: the exercise.
        claim: what its operation claims.
        run: what came of it.
    """

    capability: Capability
    exercise: Exercise
    claim: OperationClaim
    run: CaseRun

    @property
    def name(self) -> str:
        """The exercise's case, with which the names of all others that start from it begin."""
        return self.run.case.name

    @property
    def writes(self) -> bool:
        """Whether the operation claims to change the service by itself."""
        return self.claim.effects is Effects.EFFECTFUL and not self.claim.delegates

    @property
    def writes_something_new(self) -> bool:
        """Whether a healthy call left something in the service that was not there: a put, no
        delete."""
        run = self.run
        changed = run.state_after != run.state_before
        return self.writes and changed and run.state_bytes_after >= run.state_bytes_before

    @property
    def problem(self) -> str | None:
        """Why the run proves nothing, or None when everything went well."""
        run = self.run
        if run.trouble:
            return run.trouble
        if run.opening is not None:
            return f"{run.opening.name}: {run.opening.message}"
        for step in (*run.setup, *run.steps):
            if step.error is not None:
                return f"{step.error.name}: {step.error.message}"
        return None if run.steps else "no call was made"


@dataclass(frozen=True, slots=True)
class Plan:
    """What every check is given.

    Attributes:
        subject: what is certified.
        lab: where it runs.
        source: the subject's path as the user gave it, for reproductions.
        seed: where generated cases start.
        progress: called with (check, backend, cases done, cases in all).
        only: run only cases whose name contains this text, or "" for all.
        sources: the wheel's content, unpacked, for what reads source; None reads none.
        ledger: told of every case that has run.
        observations: told of them, too, and keeps what passes.
        policy: what the organisation asks.
    """

    subject: Subject
    lab: Lab
    source: str
    seed: int = 0
    progress: Callable[[str, str, int, int], None] = lambda check, backend, done, total: None
    only: str = ""
    sources: Path | None = None
    ledger: Ledger = field(default_factory=Ledger)
    observations: Observations = field(default_factory=Observations)
    policy: Policy = field(default_factory=built_in)

    def backend(self, name: str) -> Backend:
        """What the manifest says of a backend."""
        return self.subject.manifest.backends[name]

    def egress(self, name: str) -> frozenset[tuple[str, int]]:
        """The (host, port) pairs that a backend declares, its settings filled in."""
        backend = self.backend(name)
        config = {
            setting.name: setting.default if setting.example is None else setting.example
            for setting in backend.config.values()
        }
        return frozenset(addresses(backend.egress, config))

    def apart(self, backend: str) -> list["Plan"]:
        """A plan for each capability that a backend provides and that the user asked about: two
        of them may have operations of one name, and what the one does proves nothing about the
        other."""
        provided = self.backend(backend).providers
        return [
            replace(self, subject=replace(self.subject, capabilities={contract: capability}))
            for contract, capability in self.subject.capabilities.items()
            if capability.declared.name in provided and self._asks_about(capability)
        ]

    @property
    def has_several(self) -> bool:
        """Whether the plugin has more than one capability, so that a case has to say which."""
        return len(self.subject.manifest.capabilities) > 1

    def place(self, capability: Capability, backend: str) -> str:
        """What the names of a capability's cases on a backend begin with: `mock`, or `kv/mock`."""
        return f"{capability.declared.name}/{backend}" if self.has_several else backend

    def named(self, capability: Capability, result: CheckResult) -> CheckResult:
        """The result, saying which capability it is about where the plugin has several."""
        return about(capability.declared.name, result) if self.has_several else result

    def _asks_about(self, capability: Capability) -> bool:
        """Whether no other capability of the plugin is named at the beginning of `only`."""
        others = self.subject.manifest.capabilities.keys() - {capability.declared.name}
        return not any(self.only.startswith(f"{other}/") for other in others)

    def unproven(self, backend: str, baselines: Iterable[Baseline]) -> list[str]:
        """The provided operations that never succeeded on a healthy service; who asked for some
        cases only is not told what the others would have shown."""
        if self.only:
            return []
        proven = {base.exercise.call.operation for base in baselines if base.problem is None}
        provided = {
            operation
            for capability in self.subject.capabilities.values()
            if capability.declared.name in self.backend(backend).providers
            for operation in capability.claims
        }
        return sorted(provided - proven)

    def reproduce(self, check: str, case: str) -> Reproduction:
        """The command that runs one case again, or the whole check."""
        words = ["flows-registry", "certify", self.source, "--check", check]
        words += ["--case", case] if case else []
        words += ["--seed", str(self.seed)] if self.seed else []
        return Reproduction(shlex.join(words), case)

    def asked(self, check: str, baselines: Sequence[Baseline]) -> Sequence[Baseline]:
        """What a check starts from: one that replays whole exercises has no other cases to name."""
        if check not in ("effects", "determinism"):
            return baselines
        return [base for base in baselines if self.only in f"{base.name}/"]

    def wanted(self, cases: Iterable[Case]) -> list[Case]:
        """The cases that the user asked for."""
        return [case for case in cases if self.only in case.name]

    def contract(self, capability: Capability) -> Contract | None:
        """The capability's contract, where it brings a model to judge histories with."""
        return capability.judge if capability.judge.has_model else None

    def read_back(self, base: Baseline) -> Sequence[Call] | None:
        """Calls that show all that an exercise can have touched, or None where nobody knows."""
        calls = base.capability.judge.read_back((*base.exercise.setup, base.exercise.call))
        return [call for call in calls if call.operation in base.capability.claims] or None

    def run(
        self,
        check: str,
        backend: str,
        cases: Sequence[Case],
        profile: Profile | None = None,
        told_as: str = "",
        on_run: Callable[[CaseRun], None] = lambda run: None,
    ) -> list[CaseRun]:
        """Run cases in the lab, with progress; what they are observed as is the check itself
        unless another name is given. `on_run` is told of each, in their order, while later ones
        run."""
        tell = self._counting(check, backend, len(cases))

        def ended(run: CaseRun) -> None:
            tell(run)
            on_run(run)

        runs = self.lab.run(cases, profile=profile or _BASE, on_case=ended)
        for run in runs:
            self._ended(check, profile or _BASE, run, told_as)
        return runs

    def run_together(self, check: str, backend: str, cases: Sequence[Case]) -> list[CaseRun]:
        """Run cases in processes that several share, where each leaves its own as it found it.

        What went well among others went well; whatever did not is to be run again, alone.
        """
        return self.run(check, backend, [replace(case, together=True) for case in cases])

    def run_again(self, check: str, cases: Sequence[Case]) -> list[CaseRun]:
        """Run cases that have run before, for the run that counts."""
        runs = self.lab.run(cases)
        for run in runs:
            self._ended(check, _BASE, run)
        return runs

    def run_apart(
        self, check: str, backend: str, groups: Sequence[tuple[Profile, Sequence[Case]]]
    ) -> list[list[CaseRun]]:
        """Run groups of cases, each under a profile of its own, with progress over all."""
        tell = self._counting(check, backend, sum(len(cases) for _, cases in groups))
        runs = self.lab.run_apart(groups, on_case=tell)
        for (profile, _), its in zip(groups, runs, strict=True):
            for run in its:
                self._ended(check, profile, run)
        return runs

    def _ended(self, check: str, profile: Profile, run: CaseRun, told_as: str = "") -> None:
        self.ledger.add(check, profile, run)
        self.observations.add(told_as or check, run)

    def _counting(self, check: str, backend: str, total: int) -> Callable[[CaseRun], None]:
        numbers = itertools.count(1)
        self.progress(check, backend, 0, total)
        return lambda _: self.progress(check, backend, next(numbers), total)

    def baselines(self, backend: str) -> list[Baseline]:
        """Every exercise of every capability that this backend provides, run without faults."""
        provided = self.backend(backend).providers
        chosen = [
            (capability, exercise)
            for capability in self.subject.capabilities.values()
            if capability.declared.name in provided
            for exercise in self._exercises(capability, backend)
        ]
        cases = [
            Case(
                f"{self.place(capability, backend)}/{exercise.name}",
                capability.contract,
                backend,
                (exercise.call,),
                setup=exercise.setup,
                probe=exercise.probe,
                listening=True,
            )
            for capability, exercise in chosen
        ]
        return [
            Baseline(capability, exercise, capability.claims[exercise.call.operation], run)
            for (capability, exercise), run in zip(
                chosen, self.run(BASELINE, backend, cases), strict=True
            )
        ]

    def _exercises(self, capability: Capability, backend: str) -> Sequence[Exercise]:
        """Those that the cases asked for start from: a case of one exercise needs no other's."""
        places = {name: self.place(capability, name) for name in self.subject.manifest.backends}
        asked, here = f"{self.only}/", places[backend]
        if not any(asked.startswith(f"{place}/") for place in places.values()):
            return capability.exercises  # it may stand anywhere in a name
        if not asked.startswith(f"{here}/"):
            return ()
        named = [one for one in capability.exercises if asked.startswith(f"{here}/{one.name}/")]
        return named or capability.exercises


def collapsed(findings: Iterable[tuple[str, Finding]]) -> Iterator[Finding]:
    """One finding per (code, group), the first of each; it says how many more there were."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    same: dict[tuple[str, str], str] = {}
    for group, finding in findings:
        # The same observation under another name is the same defect seen again.
        known = same.setdefault((finding.code, finding.observed), group)
        groups.setdefault((finding.code, known), []).append(finding)
    for members in groups.values():
        first = members[0]
        more = len(members) - 1
        if more:
            also = dict.fromkeys(case for member in members for case in member.cases)
            also.pop(first.reproduce.case, None)
            told = f"{first.message} (and {more} more cases)"
            yield replace(first, message=told, also=tuple(also))
        else:
            yield first
