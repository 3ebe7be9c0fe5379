"""What is declared and was never seen: refused where every way to it was gone, else not proven."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from core_caps.claims.lattice import Effects

from flows_registry.checks.effects.evidence import Evidence
from flows_registry.checks.plan import Baseline
from flows_registry.lab.ran import all_of
from flows_registry.verdict import Finding

__all__ = ["not_taken", "over_declared", "ways_left", "without_change", "without_request"]


def over_declared(evidence: Evidence, base: Baseline, what: str) -> Finding:
    """An effect that is declared and never happens, wherever the cases went."""
    operation = base.exercise.call.operation
    paths = dict.fromkeys(one.path for one in evidence.seen if one.operation == operation)
    return Finding(
        "EFFECT204",
        f"{operation} never {what}",
        f"{operation} declares effects {base.claim.effects}",
        f"its cases went without any such effect: {', '.join(paths)}",
        evidence.reproduce(base.name),
        "declare the smaller effect, or make the operation do what it says",
    )


def without_change(evidence: Evidence) -> Iterator[Baseline]:
    """An exercise of each operation that declares to write, asks the service and never changes
    it."""
    changed = {s.operation for s in evidence.seen if s.run.state_before != s.run.state_after}
    reached = {b.exercise.call.operation for b in evidence.usable if b.run.exchanges}
    for operation, base in _first(evidence).items():
        if base.writes and operation in reached - changed:
            yield base


def without_request(evidence: Evidence) -> Iterator[Baseline]:
    """An exercise of each operation that declares to read, and never asks; without a service
    there is no wire to look at."""
    if evidence.plan.backend(evidence.backend).wire is None:
        return
    reached = {b.exercise.call.operation for b in evidence.usable if b.run.exchanges}
    for operation, base in _first(evidence).items():
        if base.claim.effects is Effects.READ_ONLY and operation not in reached:
            yield base


def not_taken(evidence: Evidence) -> Mapping[str, list[str]]:
    """The operations that could do what they declare where none of their cases has been, and
    where that is; who asked for some cases only is not told what the others would have taken."""
    if evidence.plan.only:
        return {}
    bases = (*without_change(evidence), *without_request(evidence))
    return {
        base.exercise.call.operation: left for base in bases if (left := ways_left(evidence, base))
    }


def ways_left(evidence: Evidence, base: Baseline) -> list[str]:
    """Lines that never ran on the way to a call that does what the operation declares, and places
    where nothing can be known."""
    operation = base.exercise.call.operation
    derived, told = evidence.derived.get(operation), evidence.coverage
    if derived is None or told is None:
        return []
    sinks = [sink for sink in derived.sinks if sink.effects >= base.claim.effects]
    way = {name.rpartition(".")[2] for sink in sinks for name in sink.path}
    ran = all_of(one.run.ran for one in evidence.seen if one.operation == operation)
    unknown = [str(top.location) for top in evidence.unreached.get(operation, ())]
    return replace(told, ran=ran).within(way) + unknown


def _first(evidence: Evidence) -> Mapping[str, Baseline]:
    return {base.exercise.call.operation: base for base in reversed(evidence.usable)}
