"""The world moves on between a pin and its use: what is strict or pinned stays, byte for byte.

In one world everything else has changed and a year has gone by; in the other the pinned thing
itself was overwritten, which a pinned read may refuse but never hand out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from core_caps.claims.lattice import Determinism, Effects
from core_caps.contract.suite import Call, Result, Stream

from flows_registry.checks.determinism.replay import NAME, Difference, difference_of_results
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun

__all__ = ["MOVED", "OVERWRITTEN", "moved", "never_moved"]

MOVED = "world around its pin"
OVERWRITTEN = "content that stands under its pin"

ELAPSED_SECONDS = 40_000_003.0
"""More than a year between what was stored and its use."""

_OTHER = b"the world has moved on"


def moved(
    plan: Plan, backend: str, bases: Sequence[Baseline]
) -> Iterator[tuple[Baseline, Difference | None]]:
    """Each strict or pinned exercise in both worlds; where none can be made, nothing.

    A service may refuse some of the changes, a name that it does not know for one: a world is
    another as soon as one of them was made.
    """
    pinned = [base for base in bases if _is_pinned(base)]
    trials = [(base, MOVED, _changes_around(base)) for base in pinned]
    trials += [(base, OVERWRITTEN, _overwrites(base)) for base in pinned]
    trials = [trial for trial in trials if trial[2] or _needs_time_alone(trial[0], trial[1])]
    cases = [_case(backend, *trial) for trial in trials]
    for (base, world, _), run in zip(trials, plan.run(NAME, backend, cases), strict=True):
        changes = run.setup[len(base.exercise.setup) :]
        refused = changes and all(step.error is not None for step in changes)
        if not refused or _needs_time_alone(base, world):
            yield base, _difference(base, world, run)


def never_moved(
    bases: Sequence[Baseline], tried: Iterable[tuple[Baseline, Difference | None]]
) -> list[str]:
    """The strict or pinned operations that no other world was made for."""
    pinned = {base.exercise.call.operation for base in bases if _is_pinned(base)}
    return sorted(pinned - {base.exercise.call.operation for base, _ in tried})


def _is_pinned(base: Baseline) -> bool:
    hints = base.claim.hints
    return base.claim.determinism is Determinism.STRICT or any(
        hint.endswith("::pinned") for hint in hints
    )


def _needs_time_alone(base: Baseline, world: str) -> bool:
    """What reads nothing of the world meets no other change of it than that time goes by."""
    return world == MOVED and base.claim.effects is Effects.PURE


def _case(backend: str, base: Baseline, world: str, changes: Sequence[Call]) -> Case:
    return Case(
        f"{base.name}/{world}",
        base.capability.contract,
        backend,
        (base.exercise.call,),
        setup=(*base.exercise.setup, *changes),
        elapsed_seconds=ELAPSED_SECONDS if world == MOVED else 0.0,
    )


def _difference(base: Baseline, world: str, run: CaseRun) -> Difference | None:
    refused = bool(run.steps) and run.steps[0].error is not None
    if world == OVERWRITTEN and refused:
        return None
    return difference_of_results(base, run, world, (base.exercise.call,))


def _changes_around(base: Baseline) -> Sequence[Call]:
    """What is there written once more, everything else of the suite, and names close by."""
    own = [call for call in base.exercise.setup if _is_plain_write(base, call)]
    names = dict.fromkeys([*_texts(base.exercise.call), *(str(call.args[0]) for call in own)])
    others = [
        call
        for exercise in base.capability.exercises
        for call in exercise.setup
        if _is_plain_write(base, call) and call.args[0] not in names
    ]
    near = [
        _other(call, neighbour)
        for call in (own or others)[:1]
        for name in names
        for neighbour in (name[:-1], name + "z", name + "~")
        if neighbour
    ]
    return [*own, *others, *near]


def _overwrites(base: Baseline) -> Sequence[Call]:
    own = [call for call in base.exercise.setup if _is_plain_write(base, call)]
    return [_other(call, str(call.args[0])) for call in own]


def _other(call: Call, name: str) -> Call:
    """The same write of something else, under that name."""
    content = (_OTHER if isinstance(item, bytes) else item for item in call.args[1:])
    return replace(call, args=(name, *content))


def _is_plain_write(base: Baseline, call: Call) -> bool:
    """Whether the call writes what it names, and needs nothing of an earlier call."""
    claim = base.capability.claims[call.operation]
    writes = claim.effects is Effects.EFFECTFUL and not claim.delegates
    given = (*call.args, *call.kwargs.values())
    free = not any(isinstance(item, Result | Stream) for item in given)
    return writes and free and bool(_texts(call)) and isinstance(call.args[0], str)


def _texts(call: Call) -> list[str]:
    return [item for item in call.args if isinstance(item, str)]
