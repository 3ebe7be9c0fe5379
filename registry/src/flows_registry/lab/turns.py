"""Tasks of several askers, taken in turn: who asks for a thousand keeps nobody waiting who asks
for one."""

import itertools
import threading
from collections import deque
from collections.abc import Iterable
from typing import Generic, TypeVar

__all__ = ["RUN", "Turns"]

_Task = TypeVar("_Task")

RUN = 12
"""So many tasks of one asker are taken in a row: what follows one another can share a process."""


class Turns(Generic[_Task]):
    """A queue of batches: each taker has the next few tasks of the next batch."""

    def __init__(self) -> None:
        self._batches: deque[deque[_Task]] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, tasks: Iterable[_Task]) -> None:
        """Add one asker's tasks; they are taken in their order."""
        batch = deque(tasks)
        if batch:
            with self._changed:
                self._batches.append(batch)
                self._changed.notify_all()

    def take(self) -> list[_Task]:
        """The next tasks, once there are any; nothing when no more are to come."""
        with self._changed:
            while not self._batches and not self._closed:
                self._changed.wait()
            if self._closed:
                return []
            batch = self._batches.popleft()
            tasks = list(itertools.islice(batch, RUN))
            for _ in tasks:
                batch.popleft()
            if batch:
                self._batches.append(batch)
            return tasks

    def close(self) -> list[_Task]:
        """Let nobody take any more; what nobody took."""
        with self._changed:
            self._closed = True
            left = [task for batch in self._batches for task in batch]
            self._batches.clear()
            self._changed.notify_all()
            return left
