"""How the cases of every contract name keys, look at what a write did, and see a call refused."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeVar

from core_caps.claims.guarantees import UNKNOWN, AtLeast, satisfies
from core_caps.contract.suite import Call, Stream, World, expect, expect_error, violated
from core_caps.errors import ClientClosed, InvalidArgument, Outcome

__all__ = [
    "STALE_SECONDS_MAX",
    "all_refused",
    "at",
    "closed",
    "pass_time",
    "refused",
    "seen",
]

STALE_SECONDS_MAX = 150
"""How long a case waits for a write to show where reading one's own writes is not promised."""

_T = TypeVar("_T")


def at(world: World, case: str, name: str = "") -> str:
    """A key of this case alone."""
    return f"{world.prefix}{case}/{name}"


async def pass_time(world: World, seconds: float) -> None:
    """Move the case's clock, or wait where it cannot be moved."""
    if world.advance is not None:
        await world.advance(seconds)
    else:
        await world.clock.sleep(seconds)


async def seen(
    world: World,
    promised: str,
    read: Callable[[], Awaitable[_T]],
    accept: Callable[[_T], bool],
) -> _T:
    """What a read gives once it is as promised.

    A provider that promises to read its own writes has one try; one that does not may show them
    late, so it is asked again while time passes.
    """
    result = await read()
    own_writes = AtLeast("read_your_writes")
    claimed = world.guarantees.get("consistency", UNKNOWN)
    waited, step = 0.0, 1.0
    while not accept(result):
        if satisfies(claimed, own_writes, guarantee="consistency") or waited >= STALE_SECONDS_MAX:
            violated(promised, _shown(result))
        await pass_time(world, step)
        waited, step = waited + step, min(step * 2, 60.0)
        result = await read()
    return result


async def refused(promised: str, call: Awaitable[object]) -> InvalidArgument:
    """Check that a call is refused for its arguments, and says that nothing changed."""
    error = await expect_error(InvalidArgument, promised, call)
    expect(f"{promised}: NOT_APPLIED", error.outcome is Outcome.NOT_APPLIED, error.outcome)
    return error


async def all_refused(provider: object, world: World, calls: Iterable[Call]) -> None:
    """Check that each call of an operation that is provided is refused for its arguments."""
    for call in calls:
        if call.operation in world.operations:
            await refused(f"{call.operation} refuses {_arguments(call)}", _made(provider, call))


async def closed(world: World, calls: Mapping[str, Callable[[], Awaitable[Any]]]) -> None:
    """Check that calls on a closed client are refused, each of an operation that is provided."""
    for name, call in calls.items():
        if name in world.operations:
            error = await expect_error(ClientClosed, f"a closed client refuses {name}", call())
            expect("refusing changes nothing", error.outcome is Outcome.NOT_APPLIED, error.outcome)


async def _made(provider: object, call: Call) -> object:
    """What a call gives; where a provider trips over an argument instead, that is told."""
    args = [item.open() if isinstance(item, Stream) else item for item in call.args]
    try:
        pending = getattr(provider, call.operation)(*args, **call.kwargs)
        if hasattr(pending, "__aiter__"):
            return [chunk async for chunk in pending]
        return await pending
    except (TypeError, AttributeError, LookupError) as error:
        violated(f"{call.operation} refuses {_arguments(call)}", f"{type(error).__name__}: {error}")


def _arguments(call: Call) -> str:
    shown = [repr(item) for item in call.args]
    return ", ".join([*shown, *(f"{name}={item!r}" for name, item in call.kwargs.items())])


def _shown(result: object) -> object:
    if isinstance(result, bytes) and len(result) > 200:
        return f"{len(result)} bytes, {result[:40]!r}…"
    if isinstance(result, list):
        return [getattr(line, "key", line) for line in result[:50]]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return result
