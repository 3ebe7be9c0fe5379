"""All that an error shows to whoever prints it, without the lines of source, which hold no value:
reading and parsing them would take longer than most cases do."""

import traceback
from collections.abc import Iterator
from types import TracebackType

__all__ = ["told"]

_CHAIN_MAX = 50
_FRAMES_MAX = 100


def told(error: BaseException) -> str:
    """What a traceback of it says, its chain and groups included; its own arguments and fields."""
    lines = [line for each in _chain(error) for line in _lines(each)]
    return "\n".join([*lines, str(error), repr(error), repr(error.args), repr(vars(error))])


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it stands on, each once."""
    seen: set[int] = set()
    waiting = [error]
    while waiting and len(seen) < _CHAIN_MAX:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        below: tuple[BaseException, ...] = getattr(each, "exceptions", ())
        if not isinstance(each, BaseExceptionGroup):
            below = ()
        waiting += [one for one in (each.__cause__, each.__context__, *below) if one is not None]


def _lines(error: BaseException) -> Iterator[str]:
    yield from _places(error.__traceback__)
    yield "".join(traceback.format_exception_only(error))


def _places(at: TracebackType | None) -> Iterator[str]:
    for _ in range(_FRAMES_MAX):
        if at is None:
            return
        code = at.tb_frame.f_code
        yield f"  {code.co_filename}:{at.tb_lineno} in {code.co_name}"
        at = at.tb_next
