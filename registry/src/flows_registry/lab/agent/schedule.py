"""A thread schedule drawn from a seed: threads pause for a moment between lines, others run on.

How the operating system takes threads in turn depends on how busy the machine is, and two runs on
an idle one may well agree. A pause inside a thread leaves its place to whoever waits for it, so
what depends on the order comes out otherwise, on every machine.
"""

import itertools
import random
import sys
import threading
from types import FrameType
from typing import Any

from .clocks import real
from .timekeeper import THREAD_NAME, Timekeeper

__all__ = ["shuffle"]

PAUSE_SECONDS = 0.000_05
"""Long enough, in real time, that another thread takes its turn."""

OFTEN_LINES = 32
"""So many lines lie between two pauses at first; the longer a thread runs, the rarer they get."""

OFTEN_CALLS = 100
"""So many functions are followed line by line in any case; of more, ever fewer are."""

_Step = Any
"""What `sys.settrace` takes and gives; its type refers to itself."""


def shuffle(seed: int, keeper: Timekeeper) -> None:
    """Have every thread that is yet to start pause where the seed says."""
    numbers = itertools.count()

    def first_call(frame: FrameType, event: str, argument: Any) -> _Step:
        if threading.current_thread().name == THREAD_NAME:
            sys.settrace(None)
            return None
        pauses = _Pauses(random.Random(f"{seed} {next(numbers)}"), keeper)  # noqa: S311
        sys.settrace(pauses.called)
        return pauses.step

    threading.settrace(first_call)


class _Pauses:
    """Where one thread pauses; a long one is paused as often in its second half as in its first."""

    def __init__(self, source: random.Random, keeper: Timekeeper) -> None:
        self._source = source
        self._keeper = keeper
        self._calls = 0
        self._lines = 0
        self._next = 0

    def called(self, frame: FrameType, event: str, argument: Any) -> _Step:
        """Told of each call; being told of its lines, too, is what takes time."""
        self._calls += 1
        followed = self._source.random() * self._calls < OFTEN_CALLS
        return self.step if followed else None

    def step(self, frame: FrameType, event: str, argument: Any) -> _Step:
        """Told before each line; a trace function that returns itself goes on being told."""
        self._lines += 1
        if self._lines > self._next:
            self._next += self._source.randint(1, OFTEN_LINES + self._lines // OFTEN_LINES)
            self._pause()
        return self.step

    def _pause(self) -> None:
        own = threading.get_ident()
        self._keeper.pausing.add(own)
        try:
            real["sleep"](PAUSE_SECONDS)
        finally:
            self._keeper.pausing.discard(own)
