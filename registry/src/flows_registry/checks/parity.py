"""Does the plugin behave like the vendor? The same histories on the plugin and on a simulator.

The mock and every remote backend answer the same seeded histories as the vendor's own runtime run
offline, step by step. Where a backend's service is a Worker of the plugin's own, the runtime runs
that, and the mock and the lab's reference server are compared with it. Where no simulator speaks a
backend's wire, the mock is compared with that backend on the lab's reference server instead. A
plugin that has a mock and nothing else has nothing that it could drift from: parity does not
apply, and the contract alone holds its mock.
"""

import datetime as dt
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from core_caps.claims.lattice import Effects

from flows_registry.lab.case import Step
from flows_registry.lab.simulators.absence import Absent, SimulatorFailed
from flows_registry.lab.simulators.adapter import BindingAdapter, as_it_is
from flows_registry.lab.simulators.comparing import (
    Comparison,
    Mismatch,
    Rules,
    answer_of,
    compare,
    parting_of,
)
from flows_registry.lab.simulators.divergences import Divergence, read_divergences
from flows_registry.lab.simulators.histories import History, gather, shown
from flows_registry.lab.simulators.known import BINDINGS
from flows_registry.lab.simulators.shrinking import shrink
from flows_registry.lab.simulators.sides import (
    Pair,
    ParitySubject,
    SimulatorAccess,
    pairs_with_reference,
    pairs_with_simulator,
    pairs_with_worker,
    started,
)
from flows_registry.verdict import CheckResult, Finding, Reproduction, Verdict

__all__ = ["Effort", "parity"]

_FINDINGS_MAX = 5
_DRIFT = "PARITY001"
_EXPIRED = "PARITY002"
_NOT_COMPARED = "PARITY003"


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is compared.

    Attributes:
        seed: the same seed gives the same histories.
        histories: how many are generated, besides exercises and edges.
        length: how many calls each generated one has.
        shrink_seconds: how long one mismatch may be made smaller.
    """

    seed: int = 0
    histories: int = 20
    length: int = 12
    shrink_seconds: float = 3.0


def parity(
    subject: ParitySubject,
    *,
    access: SimulatorAccess | None = None,
    effort: Effort | None = None,
    bindings: Mapping[tuple[str, str], BindingAdapter] = BINDINGS,
    divergences: Sequence[Divergence] | None = None,
    today: dt.date | None = None,
) -> tuple[CheckResult, ...]:
    """One result for each backend that was compared; none where there is nothing to compare.

    REFUSED: an answer differs and no divergence explains it. INCONCLUSIVE: the simulator is not
    here, an operation was never compared, or only an expired divergence explains a difference.

    Args:
        subject: the plugin's side.
        access: where the simulator comes from.
        effort: how much is compared.
        bindings: which simulator answers for which wire.
        divergences: known differences; None is the table that ships.
        today: the day on which divergences are judged; None is today.
    """
    access, effort = access or SimulatorAccess(), effort or Effort()
    adapter = _adapter(subject, bindings)
    rules = Rules(
        subject.contract,
        surface=_surface(subject, adapter),
        divergences=tuple(read_divergences() if divergences is None else divergences),
        today=today or dt.datetime.now(dt.UTC).date(),
        traits=None if adapter is None else adapter.traits,
        not_simulated=frozenset()
        if adapter is None
        else subject.operations - set(adapter.operations),
    )
    histories = gather(
        subject.contract,
        subject.operations,
        boundaries={} if adapter is None else adapter.boundaries,
        asked=as_it_is if adapter is None else adapter.asked,
        seed=effort.seed,
        count=effort.histories,
        length=effort.length,
    )
    if adapter is None and not subject.workers:
        pairs = pairs_with_reference(subject, rules)
        real = ", ".join(dict.fromkeys(subject.services.values())) or None
        return _results(subject, pairs, histories, effort, {"simulator": real})
    began = time.monotonic()
    simulator = started(subject, access, adapter)
    if isinstance(simulator, Absent):
        return _inconclusive(subject, simulator)
    with simulator:
        facts = {
            "simulator": simulator.label,
            "simulator_start_seconds": round(time.monotonic() - began, 3),
        }
        try:
            if adapter is None:
                pairs = pairs_with_worker(subject, simulator, rules)
            else:
                pairs = pairs_with_simulator(subject, adapter, simulator, rules)
            return _results(subject, pairs, histories, effort, facts)
        except SimulatorFailed as error:
            return _inconclusive(subject, Absent(str(error), "Run the command again."))


def _adapter(
    subject: ParitySubject, bindings: Mapping[tuple[str, str], BindingAdapter]
) -> BindingAdapter | None:
    contract = subject.contract.spec.contract
    wires = sorted(set(subject.remotes.values()))
    return next((bindings[wire, contract] for wire in wires if (wire, contract) in bindings), None)


def _surface(subject: ParitySubject, adapter: BindingAdapter | None) -> str:
    if adapter is not None:
        return adapter.surface
    return "Worker of its own" if subject.workers else "reference"


def _inconclusive(subject: ParitySubject, absent: Absent) -> tuple[CheckResult, ...]:
    finding = Finding(
        _NOT_COMPARED,
        f"the simulator is not here: {absent.reason}",
        promised="every backend answers as the vendor's simulator does",
        observed="nothing was compared",
        fix=absent.next_step,
    )
    return tuple(
        CheckResult("parity", backend, Verdict.INCONCLUSIVE, 0, (finding,), subject.level)
        for backend in subject.backends
    )


def _results(
    subject: ParitySubject,
    pairs: Sequence[Pair],
    histories: tuple[History, ...],
    effort: Effort,
    facts: Mapping[str, Any],
) -> tuple[CheckResult, ...]:
    began = time.monotonic()
    _answer_all(pairs, histories)
    facts = {**facts, "answering_seconds": round(time.monotonic() - began, 3)}
    backends = dict.fromkeys(pair.backend for pair in pairs)
    return tuple(
        _result(subject, [pair for pair in pairs if pair.backend == name], histories, effort, facts)
        for name in backends
    )


def _answer_all(pairs: Sequence[Pair], histories: Sequence[History]) -> None:
    """Let the first pair's other side answer while the plugin does: it is a process of its own."""
    if not pairs:
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        other = pool.submit(pairs[0].other.answers, histories)
        for pair in pairs:
            pair.plugin.answers([history for history in histories if pair.applies(history)])
        other.result()


def _result(
    subject: ParitySubject,
    pairs: Sequence[Pair],
    histories: tuple[History, ...],
    effort: Effort,
    facts: Mapping[str, Any],
) -> CheckResult:
    total = Comparison()
    findings: list[Finding] = []
    for pair in pairs:
        chosen = [history for history in histories if pair.applies(history)]
        found = _compared(pair, chosen)
        findings += _findings(pair, found, effort)
        _add(total, found)
    missing = subject.operations - set(total.steps) - pairs[0].rules.not_simulated
    if missing and not findings:  # a difference ends its history: what it hid is no second one
        findings.append(_vacuous(sorted(missing)))
    backend = pairs[0].backend
    return CheckResult(
        "parity",
        backend,
        _verdict(findings),
        total.histories,
        tuple(findings),
        subject.level,
        {**facts, **_facts(pairs, total, effort)},
    )


def _compared(pair: Pair, histories: Sequence[History]) -> Comparison:
    """The answers of both sides; what differs counts where it does so with no other history in
    the plugin's process."""
    plugin, other = pair.plugin.answers(histories), pair.other.answers(histories)
    found = compare(pair.rules, histories, plugin, other)
    doubtful = {id(mismatch.history) for mismatch in found.mismatches}
    if not doubtful:
        return found
    alone = [
        pair.plugin.play([history])[0] if id(history) in doubtful else steps
        for history, steps in zip(histories, plugin, strict=True)
    ]
    return compare(pair.rules, histories, alone, other)


def _add(total: Comparison, found: Comparison) -> None:
    total.histories += found.histories
    total.steps += found.steps
    total.excused += found.excused


def _verdict(findings: Sequence[Finding]) -> Verdict:
    codes = {finding.code for finding in findings}
    if _DRIFT in codes:
        return Verdict.REFUSED
    return Verdict.INCONCLUSIVE if codes else Verdict.PASSED


def _facts(pairs: Sequence[Pair], total: Comparison, effort: Effort) -> dict[str, Any]:
    rows = pairs[0].rules.divergences
    contract = pairs[0].rules.contract.spec.contract
    return {
        "compared_with": [pair.other.label for pair in pairs],
        "seed": effort.seed,
        "histories": total.histories,
        "steps": sum(total.steps.values()),
        "steps_by_operation": dict(sorted(total.steps.items())),
        "not_simulated": sorted(pairs[0].rules.not_simulated),
        "divergences_met": dict(sorted(total.excused.items())),
        "divergences_unused": [
            row.name
            for row in rows
            if row.name not in total.excused and row.case.startswith(contract)
        ],
    }


def _vacuous(operations: Sequence[str]) -> Finding:
    names = ", ".join(operations)
    return Finding(
        _NOT_COMPARED,
        f"never compared: {names}",
        promised="every operation of the plugin is compared at least once",
        observed=f"no history reached {names}",
        fix="Give the contract an exercise of the operation, or do not list it as provided.",
    )


def _findings(pair: Pair, found: Comparison, effort: Effort) -> list[Finding]:
    """One finding for each kind of mismatch, made small; the most frequent kinds first."""
    kinds = Counter(mismatch.signature for mismatch in found.mismatches)
    findings: list[Finding] = []
    for signature, count in kinds.most_common(_FINDINGS_MAX):
        same = [mismatch for mismatch in found.mismatches if mismatch.signature == signature]
        shortest = min(same, key=lambda mismatch: mismatch.step)
        small = shrink(
            shortest,
            lambda histories: _examined(pair, histories),
            seconds=effort.shrink_seconds,
        )
        alone = _examined(pair, [small.history])[0]
        findings.append(_finding(pair, alone or shortest, count))
    return findings


def _examined(pair: Pair, histories: Sequence[History]) -> list[Mismatch | None]:
    plugin, other = pair.plugin.play(histories), pair.other.play(histories)
    return [
        next(iter(compare(pair.rules, [history], [left], [right]).mismatches), None)
        for history, left, right in zip(histories, plugin, other, strict=True)
    ]


def _finding(pair: Pair, mismatch: Mismatch, count: int) -> Finding:
    operation = mismatch.call.operation
    where = mismatch.history.name + (f", and {count - 1} more histories" if count > 1 else "")
    expired = mismatch.expired
    promised = f"{pair.other.label} answered {_said(pair.rules, mismatch, mismatch.other)}"
    observed = f"{pair.plugin.label} answered {_said(pair.rules, mismatch, mismatch.plugin)}"
    if parting := parting_of(pair.rules, mismatch):
        path, ours, theirs = parting
        promised, observed = f"{promised}\nat {path}: {theirs}", f"{observed}\nat {path}: {ours}"
    reproduce = Reproduction(
        f"on backend {pair.backend}, with an empty service; the last call differs\n"
        + shown(mismatch.history.calls[: mismatch.step + 1])
    )
    if expired is not None:
        return Finding(
            _EXPIRED,
            f"{operation} differs as the divergence {expired.name} says, which expired on "
            f"{expired.expires} ({where})",
            promised,
            observed,
            reproduce,
            fix=f"Look again: the simulator {expired.does}; the vendor documents: "
            f"{expired.document} ({expired.source}). Renew the row or remove it.",
        )
    return Finding(
        _DRIFT,
        f"{pair.backend} drifts from {pair.other.label} in {operation} ({where})",
        promised,
        observed,
        reproduce,
        fix=f"Let {pair.backend}'s {operation} answer as promised. Where the vendor's document "
        "says otherwise, report it with its address: the document wins.",
    )


def _said(rules: Rules, mismatch: Mismatch, step: Step) -> str:
    spec = rules.contract.spec.operations.get(mismatch.call.operation)
    writes = spec is None or spec.floor.effects is Effects.EFFECTFUL
    outcome = "" if step.error is None or not writes else f" (outcome {step.error.outcome})"
    return answer_of(rules, mismatch.call, step) + outcome
