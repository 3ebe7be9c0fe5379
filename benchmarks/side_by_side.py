"""Measure ours beside a peer in one process with equal settings, and say whether a goal is met.

    from side_by_side import compare, report

    report([compare("keys, small", ours, peer, goal=">= 2.2x")])

Machines differ and drift, so only ratios of neighbours are claimed: each round times both, the
order alternates, and the figure is the median of the rounds' ratios.
"""

import argparse
import gc
import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import NoReturn

__all__ = ["Comparison", "Timed", "compare", "measure", "report"]

Timed = Callable[[], float | None]
"""One piece of work. It may return the figure it measured itself (seconds, or the unit that the
goal names); when it returns None its wall time is taken."""

ROUND_SECONDS_MIN = 0.02
"""A work shorter than this is repeated within one round, or the timer's grain would show."""

_GOAL = re.compile(r"(>=|<=|≥|≤)\s*([0-9.]+)\s*(x|[A-Za-zµ]+)?")
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the rounds of one comparison say.

    Attributes:
        ours: median figure, in seconds per call unless the goal names another unit.
        peer: the peer's median, or None when nothing was compared.
        ratio: median over the rounds of peer / ours, how many times faster ours is; where the goal
            bounds it from above, of ours / peer, how many times as long ours takes.
        goal: as it was given.
        met: whether the goal holds; None when there is none.
    """

    name: str
    ours: float
    peer: float | None
    ratio: float | None
    goal: str
    met: bool | None
    rounds: int


def compare(
    name: str, ours: Timed, peer: Timed, *, rounds: int = 15, goal: str = "", calls: int = 0
) -> Comparison:
    """Time ours beside the peer.

    Args:
        rounds: each times both once; one more, untimed, warms them up.
        goal: `>= 2.2x`: ours is at least 2.2 times as fast. `<= 3x`: ours takes at most 3 times
            as long. `<= 0.3 ms`: ours alone takes at most that.
        calls: how often a work runs within one timing; 0 chooses for each side alone.

    Raises:
        ValueError: the goal does not read like one of the above.
    """
    verdict = _goal(goal)
    ours_calls, peer_calls = calls or _calls(ours), calls or _calls(peer)
    ours_taken: list[float] = []
    peer_taken: list[float] = []
    for round_ in range(rounds):
        gc.collect()
        if round_ % 2:
            peer_taken.append(_take(peer, peer_calls))
            ours_taken.append(_take(ours, ours_calls))
        else:
            ours_taken.append(_take(ours, ours_calls))
            peer_taken.append(_take(peer, peer_calls))
    ratio = statistics.median(p / o for o, p in zip(ours_taken, peer_taken, strict=True))
    if _is_cost(goal):
        ratio = 1 / ratio
    median = statistics.median(ours_taken)
    return Comparison(
        name, median, statistics.median(peer_taken), ratio, goal, verdict(median, ratio), rounds
    )


def measure(
    name: str, ours: Timed, *, rounds: int = 15, goal: str = "", calls: int = 0
) -> Comparison:
    """Time one work alone, for goals that are absolute (`<= 0.3 ms`, `<= 48 MiB`).

    Raises:
        ValueError: the goal is a ratio, or does not read like a goal.
    """
    verdict = _goal(goal)
    ours_calls = calls or _calls(ours)
    taken: list[float] = []
    for _ in range(rounds):
        gc.collect()
        taken.append(_take(ours, ours_calls))
    median = statistics.median(taken)
    return Comparison(name, median, None, None, goal, verdict(median, None), rounds)


def report(comparisons: Sequence[Comparison], arguments: Sequence[str] | None = None) -> NoReturn:
    """Print the table (with `--json`, one object) and end: exit code 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description="Ours beside its peer; medians and their ratio.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    met = all(comparison.met is not False for comparison in comparisons)
    if chosen.json:
        print(json.dumps({"met": met, "comparisons": [asdict(each) for each in comparisons]}))
    else:
        _print_table(comparisons)
    sys.exit(0 if met else 1)


def _take(work: Timed, calls: int) -> float:
    """The figure of one call: what the work itself measured, or its share of the wall time."""
    own: float | None = None
    start = time.perf_counter()
    for _ in range(calls):
        own = work()
    elapsed = time.perf_counter() - start
    return elapsed / calls if own is None else own


def _calls(work: Timed) -> int:
    """Warm the work up and choose how many calls make one timing long enough."""
    calls = 1
    while True:
        start = time.perf_counter()
        for _ in range(calls):
            if work() is not None:
                return 1
        elapsed = time.perf_counter() - start
        if elapsed >= ROUND_SECONDS_MIN:
            return calls
        calls = max(calls * 2, min(calls * 100, int(calls * ROUND_SECONDS_MIN / (elapsed + 1e-9))))


def _goal(goal: str) -> Callable[[float, float | None], bool | None]:
    if not goal:
        return lambda _median, _ratio: None
    matched = _GOAL.fullmatch(goal.strip())
    if matched is None:
        raise ValueError(f"{goal!r} is no goal; write '>= 2.2x', '<= 3x' or '<= 0.3 ms'")
    sign, bound, unit = matched[1], float(matched[2]), matched[3]
    at_least = sign in (">=", "≥")
    if unit in (None, "x"):

        def relative(_median: float, ratio: float | None) -> bool:
            if ratio is None:
                raise ValueError(f"{goal!r} is a ratio, and there is nothing to compare with")
            return ratio >= bound if at_least else ratio <= bound

        return relative
    limit = bound * _SECONDS.get(unit, 1.0)
    return lambda median, _ratio: median >= limit if at_least else median <= limit


def _is_cost(goal: str) -> bool:
    """Whether the goal says how many times as long as the peer ours may take."""
    matched = _GOAL.fullmatch(goal.strip())
    return matched is not None and matched[1] in ("<=", "≤") and matched[3] in (None, "x")


def _print_table(comparisons: Sequence[Comparison]) -> None:
    rows = [("", "ours", "peer", "ratio", "goal", "")]
    for each in comparisons:
        matched = _GOAL.fullmatch(each.goal.strip())
        unit = (matched[3] if matched else None) or "x"
        plain = unit not in _SECONDS and unit != "x"
        shown = (lambda figure, u=unit: f"{figure:,.2f} {u}") if plain else _seconds
        rows.append(
            (
                each.name,
                shown(each.ours),
                "-" if each.peer is None else shown(each.peer),
                "-" if each.ratio is None else f"{each.ratio:.2f}x",
                each.goal,
                {True: "met", False: "MISSED", None: ""}[each.met],
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        first, *rest = (
            cell.ljust(width) if not column else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join((first, *rest)).rstrip())


def _seconds(figure: float) -> str:
    for unit, scale in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if figure >= scale:
            return f"{figure / scale:,.2f} {unit}"
    return f"{figure / 1e-9:,.0f} ns"
