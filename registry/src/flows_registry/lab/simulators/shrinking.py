"""Makes a failing history small: delta debugging over its calls, several candidates a run."""

import time
from collections.abc import Callable, Sequence

from flows_registry.lab.simulators.comparing import Mismatch
from flows_registry.lab.simulators.histories import History, without

__all__ = ["shrink"]

Examine = Callable[[Sequence[History]], Sequence[Mismatch | None]]
_CANDIDATES_MAX = 16


def shrink(mismatch: Mismatch, examine: Examine, *, seconds: float) -> Mismatch:
    """The smallest mismatch of the same signature that was found in time.

    Args:
        mismatch: where to start.
        examine: runs histories on both sides: the first mismatch of each, or None.
        seconds: stop looking after so long.
    """
    deadline = time.monotonic() + seconds
    best = mismatch
    head = History(mismatch.history.name, mismatch.history.calls[: mismatch.step + 1])
    if len(head.calls) < len(mismatch.history.calls):
        best = _best([head], mismatch, examine) or mismatch
    width = max(1, len(best.history.calls) // 2)
    while time.monotonic() < deadline:
        smaller = _best(_candidates(best.history, width), best, examine)
        if smaller is not None:
            best = smaller
            width = max(1, min(width, len(best.history.calls) // 2))
        elif width > 1:
            width //= 2
        else:
            break
    return best


def _candidates(history: History, width: int) -> list[History]:
    """The history without each run of `width` calls; its last call stays."""
    last = len(history.calls) - 1
    found: list[History] = []
    for first in range(0, last, width):
        calls = without(history.calls, set(range(first, min(first + width, last))))
        if calls and len(calls) < len(history.calls):
            found.append(History(history.name, calls))
    return found


def _best(candidates: Sequence[History], current: Mismatch, examine: Examine) -> Mismatch | None:
    for first in range(0, len(candidates), _CANDIDATES_MAX):
        results = examine(candidates[first : first + _CANDIDATES_MAX])
        same = [
            found for found in results if found is not None and found.signature == current.signature
        ]
        if same:
            best = min(same, key=lambda found: found.step)
            calls = best.history.calls[: best.step + 1]
            return Mismatch(
                History(best.history.name, calls), best.step, best.plugin, best.other, best.expired
            )
    return None
