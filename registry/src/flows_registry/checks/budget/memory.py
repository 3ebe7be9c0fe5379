"""How much memory calls take, and whether what streams grows with what is streamed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

from core_caps.contract.suite import Call, Stream

from flows_registry.checks.observed import Costs
from flows_registry.checks.plan import Baseline, Plan
from flows_registry.lab.case import Case, CaseRun

__all__ = ["Growth", "growth_of", "measured"]

NAME = "budget"

_MEBIBYTE = 1024 * 1024
_FIRST_LOOK = (2 * _MEBIBYTE, 8 * _MEBIBYTE)
_SECOND_LOOK = (16 * _MEBIBYTE, 48 * _MEBIBYTE)
"""What grows at first may fill a buffer of a bounded size; what still grows here has no bound."""

_SHARE_MAX = 0.5
"""So much of what more is streamed may more be held: half of it is no bounded buffer."""

_CHUNK = b"\xa5" * (64 * 1024)
_UNIT = bytes(range(251))


@dataclass(frozen=True, slots=True)
class Growth:
    """How an operation's memory follows the size of what it streams.

    Attributes:
        base: the exercise that it was seen in.
        case: the larger of its two cases.
        sizes: the sizes that were streamed, in bytes.
        held: the memory that was held at most, in bytes.
    """

    base: Baseline
    case: str
    sizes: tuple[int, int]
    held: tuple[int, int]

    @property
    def is_unbounded(self) -> bool:
        """Whether more content is more memory."""
        return self.held[1] - self.held[0] > _SHARE_MAX * (self.sizes[1] - self.sizes[0])


def measured(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> list[Costs]:
    """The memory that the first use of each operation takes."""
    firsts = {b.exercise.call.operation: b for b in reversed(baselines) if b.problem is None}
    cases = [
        replace(base.run.case, name=f"{base.name}/measured", measured=True, listening=False)
        for base in firsts.values()
    ]
    runs = plan.run(NAME, backend, plan.wanted(cases))
    return [
        Costs(
            run.case.name,
            run.case.calls[0].operation,
            {"memory_bytes": run.steps[0].memory_bytes},
            healthy=True,
        )
        for run in runs
        if run.steps and run.steps[0].error is None
    ]


def growth_of(plan: Plan, backend: str, baselines: Sequence[Baseline]) -> list[Growth]:
    """How the memory of every streaming operation grows; where the backend itself holds the
    content, in its own process, that says nothing."""
    declared = plan.backend(backend)
    elsewhere = declared.wire or any(setting.folder for setting in declared.config.values())
    if not elsewhere:
        return []
    streaming = {
        (base.exercise.call.operation, _gives(base)): base
        for base in reversed(baselines)
        if base.problem is None and (base.claim.streams or _gives(base))
    }
    first = _looked(plan, backend, list(streaming.values()), _FIRST_LOOK)
    again = [growth.base for growth in first if growth.is_unbounded]
    second = {growth.base.name: growth for growth in _looked(plan, backend, again, _SECOND_LOOK)}
    return [second.get(growth.base.name, growth) for growth in first]


def _gives(base: Baseline) -> bool:
    """Whether the call under test is given a stream that ends well."""
    given = (*base.exercise.call.args, *base.exercise.call.kwargs.values())
    return any(isinstance(value, Stream) and value.breaks_after is None for value in given)


def _looked(
    plan: Plan, backend: str, bases: Sequence[Baseline], sizes: tuple[int, int]
) -> list[Growth]:
    pairs = [(base, [_case(base, size) for size in sizes]) for base in bases]
    cases = [case for _, pair in pairs for case in pair if case is not None]
    wanted = {case.name for case in plan.wanted(cases)}
    runs = plan.run(NAME, backend, [case for case in cases if case.name in wanted])
    by_name = {run.case.name: run for run in runs}
    found: list[Growth] = []
    for base, pair in pairs:
        its = [by_name.get(case.name) if case else None for case in pair]
        small, large = (_held(run, size) for run, size in zip(its, sizes, strict=True))
        if small is not None and large is not None and pair[1] is not None:
            found.append(Growth(base, pair[1].name, sizes, (small, large)))
    return found


def _held(run: CaseRun | None, size: int) -> int | None:
    """The memory that a call held, if it streamed as much as it should."""
    if run is None or run.trouble or not run.steps or run.steps[0].error is not None:
        return None
    step = run.steps[0]
    if isinstance(step.value, int) and not isinstance(step.value, bool) and step.value < size:
        return None
    return step.memory_bytes


def _case(base: Baseline, size: int) -> Case | None:
    """The exercise with so much content, or None where nobody knows how."""
    exercise = base.exercise
    call, setup = exercise.call, exercise.setup
    if _gives(base):
        call = cast("Call", _with_stream(call, size))
    else:
        largest = max(_contents(setup), key=len, default=b"")
        if not largest:
            return None
        setup = cast("tuple[Call, ...]", _with_content(setup, largest, _content(size)))
    mebibytes = size // _MEBIBYTE
    return replace(
        base.run.case,
        name=f"{base.name}/of {mebibytes} MiB",
        calls=(call,),
        setup=setup,
        probe=(),
        measured=True,
        listening=False,
    )


def _content(size: int) -> bytes:
    return (_UNIT * (size // len(_UNIT) + 1))[:size]


def _with_stream(value: object, size: int) -> object:
    def changed(item: object) -> object:
        return Stream((_CHUNK,) * (size // len(_CHUNK))) if isinstance(item, Stream) else item

    call = cast("Call", value)
    kwargs = {
        name: size if name == "size_bytes" else changed(item) for name, item in call.kwargs.items()
    }
    return Call(call.operation, tuple(map(changed, call.args)), kwargs)


def _contents(value: object) -> Iterator[bytes]:
    """Every content in calls."""
    match value:
        case bytes():
            yield value
        case Mapping():
            for item in cast("Mapping[object, object]", value).values():
                yield from _contents(item)
        case list() | tuple():
            for item in cast("Sequence[object]", value):
                yield from _contents(item)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                yield from _contents(getattr(value, field.name))
        case _:
            return


def _with_content(value: object, old: bytes, new: bytes) -> object:
    """The calls with another content in the place of one."""
    match value:
        case bytes():
            return new if value == old else value
        case Mapping():
            given = cast("Mapping[object, object]", value)
            return {key: _with_content(item, old, new) for key, item in given.items()}
        case tuple():
            return tuple(_with_content(item, old, new) for item in cast("Sequence[object]", value))
        case list():
            return [_with_content(item, old, new) for item in cast("Sequence[object]", value)]
        case _ if is_dataclass(value) and not isinstance(value, type):
            kept: Any = value
            parts = {f.name: _with_content(getattr(kept, f.name), old, new) for f in fields(kept)}
            return replace(kept, **parts)
        case _:
            return value
