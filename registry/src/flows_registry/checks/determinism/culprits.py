"""Which of its surroundings a difference comes from: each that makes it alone, or else the fewest
that make it together, found by leaving them out."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from flows_registry.checks.determinism.axes import AXES, REPEAT, thread_schedule, together
from flows_registry.checks.determinism.replay import NAME, Difference, cases_of, replayed
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.lab import Profile

__all__ = ["DECLARED", "RACES", "SETS_MAX", "Axes", "Search", "culprits", "fewest", "located"]

DECLARED: Mapping[str, str] = {"clock": "resource::clock", "random numbers": "resource::rng"}
"""An operation that declares such a hint says that it depends on it."""

RACES = 3
"""In how many schedules threads race for what differs, before anything else is blamed."""

SETS_MAX = 40
"""So many sets of surroundings are tried to find the fewest; each takes a process of its own."""

_TOLD = {*AXES, REPEAT.name} - {thread_schedule(0).name, "answer order", "chunking"}
"""What is read by a call, of which a process can tell."""

Axes = tuple[str, ...]
Search = Generator[Sequence[Axes], Collection[Axes], Axes]
"""Gives sets to try, takes those of them that made the difference, and returns the fewest."""


def culprits(plan: Plan, backend: str, suspects: Sequence[Difference]) -> list[Difference]:
    """The differences, each with what makes it; none is named where it did not show again."""
    found = [_blamed(suspect, of) for suspect, of in _alone(plan, backend, suspects)]
    first: dict[str, int] = {}  # one of each operation: the others are the same defect
    for number, difference in enumerate(found):
        if not difference.causes:
            first.setdefault(difference.operation, number)
    searched = _jointly(plan, backend, [found[number] for number in first.values()])
    for number, difference in zip(first.values(), searched, strict=True):
        found[number] = difference
    return found


def located(plan: Plan, backend: str, differences: Sequence[Difference]) -> list[Difference]:
    """The differences, the first of each operation with the lines of the plugin that read what
    makes it: one more run, in which every call is told of."""
    found, asked = list(differences), dict[Axes, list[int]]()
    first: dict[str, int] = {}
    for number, difference in enumerate(differences):
        causes = tuple(cause for cause in difference.causes if cause in _TOLD)
        if causes and first.setdefault(difference.operation, number) == number:
            asked.setdefault(causes, []).append(number)
    groups = [
        (_telling(causes), cases_of(backend, [found[number].base for number in numbers]))
        for causes, numbers in asked.items()
    ]
    ran = plan.run_apart(NAME, backend, groups) if groups else []
    for numbers, runs in zip(asked.values(), ran, strict=True):
        for number, run in zip(numbers, runs, strict=True):
            found[number] = replace(found[number], sources=run.sources)
    return found


def _telling(causes: Axes) -> Profile:
    """These axes; and whoever reads along them is told of."""
    profile = together(causes)
    named = f"{' + '.join(causes)}, told of"
    return replace(profile, name=named, inside={**profile.inside, "tells": list(causes)})


def fewest(axes: Axes) -> Search:
    """The fewest of these that still make the difference, where all of them do and none alone.

    What shows no more once an axis is left out needs that axis; where the needed ones do not
    suffice, there are several such sets, and the search goes on without an axis that it can do
    without.
    """
    while len(axes) > 2:
        rests = {axis: tuple(other for other in axes if other != axis) for axis in axes}
        showing = yield [*rests.values()]
        needed = tuple(axis for axis in axes if rests[axis] not in showing)
        if needed == axes:
            break
        if len(needed) > 1 and needed in (yield [needed]):
            return needed
        axes = next(rest for rest in rests.values() if rest in showing)
    return axes


def _alone(
    plan: Plan, backend: str, suspects: Sequence[Difference]
) -> Iterable[tuple[Difference, list[Difference]]]:
    """Each suspect with what came of it along each axis alone, where that made a difference.

    Who wins a race differs from run to run, whatever else changes: it is looked for first.
    """
    bases = [suspect.base for suspect in suspects]
    profiles = [*map(thread_schedule, range(2, 2 + RACES)), *AXES.values()]
    groups = [(profile, bases) for profile in profiles] if suspects else []
    shown: list[list[Difference]] = [[] for _ in suspects]
    for group in replayed(plan, backend, groups):
        for number, (base, difference) in enumerate(group):
            if difference is not None and difference.causes[0] in _suspected(base):
                shown[number].append(difference)
    return zip(suspects, shown, strict=True)


def _suspected(base: Baseline) -> Axes:
    """The axes that an exercise's operation does not declare to depend on."""
    return tuple(axis for axis in AXES if DECLARED.get(axis) not in base.claim.hints)


def _blamed(suspect: Difference, alone: Sequence[Difference]) -> Difference:
    if not alone:
        return replace(suspect, causes=())
    named = tuple(dict.fromkeys(cause for difference in alone for cause in difference.causes))
    race = thread_schedule(0).name
    # What a race decides differs along any axis.
    return replace(alone[0], causes=(race,) if race in named else named)


def _jointly(plan: Plan, backend: str, suspects: Sequence[Difference]) -> list[Difference]:
    """The suspects with the fewest axes that make them together; a round of all searches at
    once."""
    searches = [fewest(_suspected(suspect.base)) for suspect in suspects]
    asked: dict[int, Sequence[Axes]]
    asked = {number: sets for number, one in enumerate(searches) if (sets := next(one, ()))}
    shown: dict[int, dict[Axes, Difference]] = {number: {} for number in range(len(suspects))}
    left = SETS_MAX
    while asked:
        wanted = dict.fromkeys(axes for sets in asked.values() for axes in sets)
        left -= len(wanted)
        if left < 0:
            break
        of = {axes: [number for number in asked if axes in asked[number]] for axes in wanted}
        for number, axes, difference in _tried(plan, backend, suspects, of):
            shown[number][axes] = difference
        told = {number: _sent(searches[number], shown[number]) for number in asked}
        asked = {number: sets for number, sets in told.items() if sets}
    return [_joint(suspect, shown[number]) for number, suspect in enumerate(suspects)]


def _joint(suspect: Difference, shown: Mapping[Axes, Difference]) -> Difference:
    if not shown:
        return suspect
    smallest = min(shown, key=len)
    return replace(shown[smallest], causes=smallest, joint=True)


def _sent(search: Search, showing: Collection[Axes]) -> Sequence[Axes]:
    """What it asks for next, or nothing where it has found its answer."""
    try:
        return search.send(showing)
    except StopIteration:
        return ()


def _tried(
    plan: Plan, backend: str, suspects: Sequence[Difference], sets: Mapping[Axes, Sequence[int]]
) -> Iterator[tuple[int, Axes, Difference]]:
    """What differs of which suspects along which axes together."""
    groups: list[tuple[Profile, list[Baseline]]] = [
        (together(axes), [suspects[number].base for number in numbers])
        for axes, numbers in sets.items()
    ]
    tried = replayed(plan, backend, groups)
    for (axes, numbers), group in zip(sets.items(), tried, strict=True):
        for number, (_, difference) in zip(numbers, group, strict=True):
            if difference is not None:
                yield number, axes, difference
