"""The other threads of this process, as the kernel tells of them: who has run, and who sleeps."""

import os
from collections.abc import Collection
from pathlib import Path

__all__ = ["Tasks"]

_FOLDER = "/proc/self/task"
_STATE = "stat"
_SWITCHES = b"\nvoluntary_ctxt_switches:"
_TOLD_BYTES_MAX = 4096


def _has_run() -> str:
    """The kernel's file that tells how long and how often a thread has run; where it keeps no
    such account, the longer one that ends with how often it was switched."""
    try:
        account = Path("/proc/self/schedstat").read_text()
    except OSError:
        return "status"
    return "status" if account.startswith("0 ") else "schedstat"


_HAS_RUN = _has_run()


class Tasks:
    """What the kernel tells of each thread but the one that looks.

    This is hot: each file is opened once and read again from its beginning.

    Args:
        own: the native number of the thread that looks.
    """

    def __init__(self, own: int) -> None:
        self._own = str(own)
        self._files: dict[str, tuple[int, int]] = {}

    @property
    def files(self) -> Collection[int]:
        """The files that are open here."""
        return [file for both in self._files.values() for file in both]

    def ran(self) -> list[tuple[str, bytes]] | None:
        """What changes whenever another thread has run; None when one ended meanwhile."""
        looked = self._looked(0)
        return looked and [(task, text.partition(_SWITCHES)[2] or text) for task, text in looked]

    def all_asleep(self) -> bool:
        """Whether no other thread runs or is about to."""
        looked = self._looked(1)
        return looked is not None and all(
            # The state follows the name, which stands in brackets and may hold any letter.
            line[line.rindex(b")") + 2 :].startswith(b"S")
            for _, line in looked
        )

    def _looked(self, which: int) -> list[tuple[str, bytes]] | None:
        """One of the two files about each; None when a thread ended meanwhile."""
        seen: list[tuple[str, bytes]] = []
        task = ""
        try:
            for task in os.listdir(_FOLDER):  # noqa: PTH208
                if task != self._own:
                    seen.append((task, os.pread(self._of(task)[which], _TOLD_BYTES_MAX, 0)))
        except OSError:
            self._forget(task)
            return None
        if len(seen) < len(self._files):
            for ended in self._files.keys() - {task for task, _ in seen}:
                self._forget(ended)
        return seen

    def _of(self, task: str) -> tuple[int, int]:
        """The two files about a thread, opened when it is first seen."""
        if task not in self._files:
            ran = os.open(f"{_FOLDER}/{task}/{_HAS_RUN}", os.O_RDONLY)
            try:
                self._files[task] = ran, os.open(f"{_FOLDER}/{task}/{_STATE}", os.O_RDONLY)
            except OSError:
                os.close(ran)
                raise
        return self._files[task]

    def _forget(self, task: str) -> None:
        for file in self._files.pop(task, ()):
            os.close(file)
