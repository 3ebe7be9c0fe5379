"""What a person sees while a long command runs: one line on a terminal that keeps changing, and
a line per finished part elsewhere. It goes to stderr; stdout is for results."""

import shutil
import sys
import threading
import time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Progress"]

_REDRAW_SECONDS = 0.08
_BAR_WIDTH = 24


class Progress:
    """Progress of a certification, whose parts may be at work at the same time.

    Args:
        quiet: show nothing, unless stderr is a terminal.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._terminal = sys.stderr.isatty()
        self._silent = quiet and not self._terminal
        self._lock = threading.Lock()
        self._parts: dict[str, tuple[int, int]] = {}
        self._started: dict[str, float] = {}
        self._drawn_at = 0.0
        self._drawn = False

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._clear()

    def step(self, check: str, backend: str, done: int, total: int) -> None:
        """So many of a part's cases are done."""
        part = f"{check} {backend}".strip()
        with self._lock:
            now = time.monotonic()
            started = self._started.setdefault(part, now)
            if done == total:
                self._parts.pop(part, None)
                del self._started[part]
            else:
                self._parts[part] = done, total
            if self._silent:
                return
            if self._terminal:
                if done == total or now - self._drawn_at >= _REDRAW_SECONDS:
                    self._draw(now)
            elif done == total and total > 1:
                seconds = now - started
                print(f"  {part}: {total} done in {seconds:.1f} s", file=sys.stderr, flush=True)

    def say(self, text: str) -> None:
        """Something that is no count: a download, a start."""
        if self._silent:
            return
        with self._lock:
            self._clear()
            print(f"  {text}", file=sys.stderr, flush=True)

    def _draw(self, now: float) -> None:
        self._drawn_at, self._drawn = now, True
        done, total = map(sum, zip(*self._parts.values(), strict=True)) if self._parts else (0, 0)
        filled = _BAR_WIDTH * done // total if total else 0
        bar = "━" * filled + "─" * (_BAR_WIDTH - filled)
        parts = " · ".join(f"{part} {done}/{total}" for part, (done, total) in self._parts.items())
        width = shutil.get_terminal_size().columns - 1
        sys.stderr.write("\r\033[K" + f"  {bar} {parts}"[:width])
        sys.stderr.flush()

    def _clear(self) -> None:
        if self._terminal and self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._drawn = False
