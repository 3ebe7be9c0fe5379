"""Seeded histories on one backend, compared with the model at every step and at the end."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from core_caps.claims.guarantees import AtLeast, satisfies
from core_caps.claims.lattice import Effects
from core_caps.contract.suite import Call, Contract

from flows_registry.checks.injection.histories import (
    Answer,
    answer_of,
    apply,
    conditional,
    duplicated,
    expected,
    linear,
    refers,
    rekeyed,
    reordered,
    spread,
)
from flows_registry.checks.injection.keys import (
    UNPROVEN,
    key_trials,
    keyless,
    never_keyed,
    repeated_under,
)
from flows_registry.checks.plan import Baseline, Plan, collapsed
from flows_registry.lab.case import Case, CaseRun
from flows_registry.lab.faults import Fault
from flows_registry.subject import Capability
from flows_registry.verdict import CheckResult, Finding, Verdict

__all__ = ["check_injection"]

NAME = "injection"
HISTORIES = 12
LENGTH = 14
GROUP = 3
LOST = 4
ONE_KEY_SHARE = 0.7
KINDS = ("duplicate", "reorder", "at once", "apart at once", "lost answer")
SHOWN_CALLS = 12


@dataclass(frozen=True, slots=True)
class _Trial:
    """One case and how to judge it: the findings of its run."""

    case: Case
    judge: Callable[[CaseRun], Iterator[Finding]]


def check_injection(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> CheckResult:
    """Whether a backend's service ends as a perfect one would, whatever the network does."""
    trials = [_Trial(case, judge) for case, judge in key_trials(plan, backend, baselines)]
    unjudged: list[str] = []
    unkeyed: list[str] = []
    lacking: list[Finding] = []
    static: list[Finding] = []
    repeats: dict[str, str] = {}
    for capability in plan.subject.capabilities.values():
        if capability.declared.name not in plan.backend(backend).providers:
            continue
        static += keyless(plan, capability)
        unkeyed += never_keyed(capability)
        repeats |= repeated_under(capability)
        contract = plan.contract(capability)
        if contract is None:
            unjudged.append(capability.contract)
            continue
        maker = _Maker(plan, backend, capability, contract)
        trials += maker.trials()
        lacking += maker.lacking()
    trials = [trial for trial in trials if plan.only in trial.case.name]
    runs = plan.run(NAME, backend, [trial.case for trial in trials])
    findings = [
        (finding.message, finding)
        for trial, run in zip(trials, runs, strict=True)
        for finding in trial.judge(run)
    ]
    judged = list(collapsed(findings))
    found = [*static, *(finding for finding in judged if finding.code != UNPROVEN)]
    verdict = Verdict.REFUSED if found else Verdict.PASSED
    if verdict is Verdict.PASSED:
        unjudged = unjudged if trials else ["any capability"]
        found = [*judged, *lacking, *_unproven(plan, unjudged, unkeyed)]
        verdict = Verdict.INCONCLUSIVE if found else Verdict.PASSED
    facts = {"seed": plan.seed, "length": LENGTH, "kinds": KINDS, "repeated_under": repeats}
    cases = len(trials) + len(static)
    return CheckResult(NAME, backend, verdict, cases, tuple(found), plan.lab.level, facts)


def _unproven(plan: Plan, unjudged: Sequence[str], unkeyed: Sequence[str]) -> Iterator[Finding]:
    """What keeps a check that found nothing wrong from saying that all is well."""
    if unjudged:
        yield Finding(
            "CONTRACT003",
            f"no model for {', '.join(unjudged)}",
            "histories are compared with the contract's sequential model",
            "the suite brings no model, no histories, or no read_back",
            plan.reproduce(NAME, ""),
            "give its Contract a model, generate, comparable and read_back",
        )
    for operation in unkeyed:
        yield Finding(
            "CONTRACT003",
            f"{operation} was never given a key",
            "a write that is repeated under a key is seen to send it",
            "no exercise of it gives one",
            plan.reproduce(NAME, ""),
            "give the key in an exercise of the contract's suite",
        )


class _Maker:
    """Makes the trials of one capability on one backend."""

    def __init__(
        self, plan: Plan, backend: str, capability: Capability, contract: Contract
    ) -> None:
        self._plan = plan
        self._backend = backend
        self._capability = capability
        self._contract = contract
        self._made: list[Call] = []
        # What concurrent reads may answer is promised only from here on; the final state always is.
        promised = capability.declared.guarantees.get("consistency", "unknown")
        self._strong = satisfies(promised, AtLeast("per_key"), guarantee="consistency")
        self._writes = frozenset(
            name
            for name, claim in capability.claims.items()
            if claim.effects is Effects.EFFECTFUL and not claim.delegates
        )

    def trials(self) -> Iterator[_Trial]:
        """Every trial, from seeds that follow the plan's."""
        for number in range(HISTORIES):
            seed = f"{self._plan.seed}/{self._capability.contract}/{number}"
            source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
            operations = frozenset(self._capability.claims)
            calls = list(self._contract.generate(source, LENGTH, operations))
            self._made += calls
            yield self._duplicates(number, calls, source)
            yield self._reordered(number, calls, source)
            yield self._contended(number, calls, source)
            yield from self._apart(number, calls)
            if self._plan.backend(self._backend).wire is not None:
                yield self._lost_answers(number, calls, source)

    def lacking(self) -> Iterator[Finding]:
        """What the trials, once made, prove nothing of."""
        made = {call.operation for call in self._made}
        missing = sorted(self._writes - made if made else self._capability.claims)
        if missing:
            yield Finding(
                UNPROVEN,
                f"no history calls {', '.join(missing)}",
                "histories make every write, and something at all",
                f"{HISTORIES} histories of {self._capability.contract} never do",
                self._plan.reproduce(NAME, ""),
                f"let generate of the contract's suite make calls of {', '.join(missing)}",
            )
        if made and not self._contract.read_back(self._made):
            yield Finding(
                UNPROVEN,
                f"nobody sees what a history of {self._capability.contract} left",
                "afterwards, all that a history can have touched is read back",
                "read_back of the contract's suite gives no call",
                self._plan.reproduce(NAME, ""),
                "let it give calls that together show the state",
            )

    def _duplicates(self, number: int, calls: Sequence[Call], source: random.Random) -> _Trial:
        history = duplicated(calls, self._capability.claims, source)
        return self._sequential(f"duplicate {number}", history, ())

    def _reordered(self, number: int, calls: Sequence[Call], source: random.Random) -> _Trial:
        history = reordered(calls, self._capability.claims, source)
        return self._sequential(f"reorder {number}", history, ())

    def _lost_answers(self, number: int, calls: Sequence[Call], source: random.Random) -> _Trial:
        """Writes are applied and their answers lost: the error says UNKNOWN, the state is new."""
        lost = source.sample(range(len(calls)), k=min(LOST, len(calls)))
        faults = [Fault("reset after commit", at) for at in sorted(lost)]
        plain = [call for call in calls if not conditional(call) and not refers(call)]
        return self._sequential(f"lost answer {number}", plain, faults)

    def _sequential(self, name: str, history: Sequence[Call], faults: Sequence[Fault]) -> _Trial:
        look = [c for c in self._contract.read_back(history) if self._provided(c)]
        case = self._case(name, history, look, faults)

        def judge(run: CaseRun) -> Iterator[Finding]:
            yield from self._trouble(run)
            if run.trouble is None and run.opening is None:
                yield from self._explain(run, history, look)

        return _Trial(case, judge)

    def _contended(self, number: int, calls: Sequence[Call], source: random.Random) -> _Trial:
        """Calls made all at once, mostly on one key: contention reveals a check before an act."""
        plain = [call for call in calls if not refers(call)]
        before, group = plain[:-GROUP], plain[-GROUP:]
        keys = [key for call in group if (key := self._key(call))]
        if keys and source.random() < ONE_KEY_SHARE:
            group = [rekeyed(call, keys[0]) if self._key(call) else call for call in group]
        return self._at_once(f"at once {number}", before, group)

    def _apart(self, number: int, calls: Sequence[Call]) -> Iterator[_Trial]:
        """Writes to several keys all at once: a shared index must not lose any of them."""
        writes = [call for call in calls if call.operation in self._writes and self._key(call)]
        group = spread(writes)[: GROUP + 1]
        if len(group) > 1:
            yield self._at_once(f"apart at once {number}", (), group)

    def _key(self, call: Call) -> str | None:
        """The one key that a call touches, if it is one: the contract knows where to look."""
        key = call.args[0] if call.args else None
        looks = len(self._contract.read_back((call,))) - len(self._contract.read_back(()))
        return key if isinstance(key, str) and looks == 1 else None

    def _at_once(self, name: str, before: Sequence[Call], group: Sequence[Call]) -> _Trial:
        """A group of calls made all at once: some order of them explains every answer."""
        look = [c for c in self._contract.read_back((*before, *group)) if self._provided(c)]
        case = self._case(name, group, look, (), setup=before, concurrent=True)

        def judge(run: CaseRun) -> Iterator[Finding]:
            yield from self._trouble(run)
            given = tuple(
                answer_of(self._contract, call, step)
                for call, step in zip(group, run.steps, strict=False)
            )
            seen = tuple(
                answer_of(self._contract, call, step)
                for call, step in zip(look, run.probe, strict=False)
            )
            if run.steps and not self._explained(before, group, look, given, seen):
                yield self._disorder(run, group, given)

        return _Trial(case, judge)

    def _explained(
        self,
        before: Sequence[Call],
        group: Sequence[Call],
        look: Sequence[Call],
        given: tuple[Answer, ...],
        seen: tuple[Answer, ...],
    ) -> bool:
        for branch in linear(self._contract.model, before, group):
            if self._strong and branch.answers != given:
                continue
            ordered = [*before, *(group[number] for number in branch.order)]
            final = expected(self._contract.model, [*ordered, *look])[len(ordered) :]
            if tuple(final) == seen:
                return True
        return False

    def _case(
        self,
        name: str,
        calls: Sequence[Call],
        look: Sequence[Call],
        faults: Sequence[Fault],
        *,
        setup: Sequence[Call] = (),
        concurrent: bool = False,
    ) -> Case:
        return Case(
            f"{self._backend}/{name}",
            self._capability.contract,
            self._backend,
            tuple(calls),
            setup=tuple(setup),
            probe=tuple(look),
            faults=tuple(faults),
            perturbation={"delay_seed": name} if concurrent else {},
            concurrent=concurrent,
        )

    def _provided(self, call: Call) -> bool:
        return call.operation in self._capability.claims

    def _explain(
        self, run: CaseRun, history: Sequence[Call], look: Sequence[Call]
    ) -> Iterator[Finding]:
        """Some choice of what became of the calls whose answers were lost explains everything.

        An error that says NOT_APPLIED or APPLIED leaves no choice.
        """
        lost = [at for at in range(len(history)) if _lost(run, at)]
        open_to_choice = [at for at in lost if _outcome(run, at) == "unknown"]
        closest: Finding | None = None
        for chosen in itertools.product((True, False), repeat=len(open_to_choice)):
            applied = dict(zip(open_to_choice, chosen, strict=True))
            applied |= {at: _outcome(run, at) == "applied" for at in lost if at not in applied}
            mismatch = self._mismatch(run, history, look, applied)
            if mismatch is None:
                return
            closest = closest or mismatch
        if closest is not None:
            yield closest

    def _mismatch(
        self,
        run: CaseRun,
        history: Sequence[Call],
        look: Sequence[Call],
        applied: Mapping[int, bool],
    ) -> Finding | None:
        model = self._contract.model()
        for at, call in enumerate(history):
            if at in applied:
                if applied[at]:
                    apply(model, call)
                continue
            want, given = apply(model, call), answer_of(self._contract, call, run.steps[at])
            if want != given:
                return self._wrong(run, at, call, want, given)
        for at, call in enumerate(look):
            want, given = apply(model, call), answer_of(self._contract, call, run.probe[at])
            if want != given:
                return self._ended_wrong(run, call, want, given)
        return None

    # ---- findings

    def _trouble(self, run: CaseRun) -> Iterator[Finding]:
        problem = run.trouble or (run.opening and f"{run.opening.name}: {run.opening.message}")
        if problem:
            yield self._finding(
                run, "INJECT001", "the history did not run to its end",
                "every call answers or raises a ProviderError", problem,
                "see the error; a history is nothing but a few calls in a row",
            )  # fmt: skip

    def _ended_wrong(self, run: CaseRun, call: Call, want: Answer, given: Answer) -> Finding:
        return self._finding(
            run,
            "INJECT003",
            f"the service ended wrong: {_shown(call)}",
            f"a perfect service answers {_cut(want)}",
            f"it answered {_cut(given)}",
            "a repeated or unanswered write leaves the service as one write does, and an error "
            "says NOT_APPLIED only when nothing was applied",
        )

    def _wrong(self, run: CaseRun, at: int, call: Call, want: Answer, given: Answer) -> Finding:
        timeline = "; ".join(_shown(c) for c in run.case.calls[max(0, at - SHOWN_CALLS) : at + 1])
        return self._finding(
            run,
            "INJECT004",
            f"{call.operation} answered wrong in a seeded history",
            f"{_shown(call)} → {_cut(want)}",
            f"{_cut(given)} after: {timeline}",
            "the same call twice gives the same answer and the same state as once",
        )

    def _disorder(self, run: CaseRun, group: Sequence[Call], given: Sequence[Answer]) -> Finding:
        shown = "; ".join(f"{_shown(c)} → {_cut(a)}" for c, a in zip(group, given, strict=False))
        return self._finding(
            run,
            "INJECT005",
            "no order explains what concurrent calls answered",
            "calls made at once answer as if made one after the other, in some order",
            shown,
            "let the service decide (a condition sent with the write), never a read before it",
        )

    def _finding(
        self, run: CaseRun, code: str, message: str, promised: str, observed: str, fix: str
    ) -> Finding:
        reproduce = self._plan.reproduce(NAME, run.case.name)
        if self._plan.seed:
            reproduce += f" --seed {self._plan.seed}"
        return Finding(code, message, promised, observed, reproduce, fix)


def _lost(run: CaseRun, at: int) -> bool:
    """Whether this step's answer was lost on purpose: its error says that the line broke."""
    error = run.steps[at].error
    return (
        bool(run.case.faults)
        and error is not None
        and error.kind in ("Unavailable", "ProtocolViolation", "TimedOut")
    )


def _outcome(run: CaseRun, at: int) -> str:
    error = run.steps[at].error
    return (error.outcome if error else None) or "unknown"


def _shown(call: Call) -> str:
    parts = [_cut(value, 40) for value in call.args]
    parts += [f"{name}={_cut(value, 40)}" for name, value in call.kwargs.items()]
    return f"{call.operation}({', '.join(parts)})"


def _cut(value: object, size: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= size else f"{text[:size]}…"
