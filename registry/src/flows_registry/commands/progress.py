"""What a person sees while a long command runs: one line on a terminal that keeps changing, and
a line per finished part elsewhere. It goes to stderr; stdout is for results."""

import sys
import time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Progress"]

_REDRAW_SECONDS = 0.08
_BAR_WIDTH = 24


class Progress:
    """Progress of a certification.

    Args:
        quiet: show nothing, unless stderr is a terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._terminal = sys.stderr.isatty()
        self._silent = quiet and not self._terminal
        self._drawn_at = 0.0
        self._part = ""
        self._part_started = time.monotonic()
        self._drawn = False

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *exc: object) -> None:
        self._clear()

    def step(self, check: str, backend: str, done: int, total: int) -> None:
        """So many of a part's cases are done."""
        part = f"{check} {backend}".strip()
        now = time.monotonic()
        if part != self._part:
            self._part, self._part_started = part, now
        if self._silent:
            return
        if self._terminal:
            if done == total or now - self._drawn_at >= _REDRAW_SECONDS:
                self._draw(part, done, total, now)
        elif done == total and total > 1:
            seconds = now - self._part_started
            print(f"  {part}: {total} done in {seconds:.1f} s", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Something that is no count: a download, a start."""
        if self._silent:
            return
        if self._terminal:
            self._clear()
        print(f"  {text}", file=sys.stderr, flush=True)

    def _draw(self, part: str, done: int, total: int, now: float) -> None:
        self._drawn_at, self._drawn = now, True
        filled = _BAR_WIDTH * done // total if total else 0
        bar = "━" * filled + "─" * (_BAR_WIDTH - filled)
        count = f"{done}/{total}" if total > 1 else ""
        sys.stderr.write(f"\r\033[K  {part:<22} {bar} {count}")
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._terminal and self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._drawn = False
