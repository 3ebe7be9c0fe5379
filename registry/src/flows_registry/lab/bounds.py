"""How much of the machine the processes within walls may take, and the watch that ends them.

Limits of the kernel count for each process alone, and some not for root; the watch counts all of
them together, from outside. Standard library only: it is imported where nothing else can be.
"""

import os
import re
import resource
import select
import signal
from collections.abc import Sequence
from contextlib import suppress

__all__ = ["STOPPED", "few_numbers", "limit", "stopped", "watched"]

STOPPED = 118
"""The exit code of who watched, where it ended what it watched."""

TASKS_MAX = 256
"""Processes and threads together."""

MEMORY_BYTES_MAX = 2 << 30
ADDRESSED_BYTES_MAX = 2 * MEMORY_BYTES_MAX
"""Of one process: the stacks of its threads are counted whole, used or not."""

DISK_BYTES_MAX = 2 << 30
FILES_MAX = 100_000
"""Files, in the folders that may be written to."""

FILE_BYTES_MAX = 1 << 30
DESCRIPTORS_MAX = 4096
LOOK_SECONDS = 0.1

_WORD = "stopped: "
_NUMBERS_MAX = 300 + TASKS_MAX
"""The numbers of a namespace's processes; the kernel keeps the lower 300 from being given twice."""

_OWN_NUMBERS_SINCE = (6, 14)
_PAGE_BYTES = resource.getpagesize()


def limit() -> None:
    """Bound what this process and each that it starts can take by itself."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, FILE_BYTES_MAX),
        (resource.RLIMIT_DATA, ADDRESSED_BYTES_MAX),
        (resource.RLIMIT_NOFILE, DESCRIPTORS_MAX),
        (resource.RLIMIT_NPROC, 4 * TASKS_MAX),  # of all that its user runs in these rooms
    ):
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))


def few_numbers(proc: str) -> None:
    """Give this process namespace, whose /proc is mounted there, no more numbers for processes and
    threads than it may run: nobody has to be in time to stop them. Earlier kernels know but one
    limit for all namespaces, and it is not ours to change."""
    release = tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2])
    if release >= _OWN_NUMBERS_SINCE:
        with suppress(OSError), open(f"{proc}/sys/kernel/pid_max", "w") as limit:  # noqa: PTH123
            limit.write(str(_NUMBERS_MAX))


def watched(first: int, folders: Sequence[str]) -> int:
    """Wait for the first process of a process namespace to end, whose /proc is at hand; end it
    where all in it together take too much, and say so.

    Returns:
        Its exit code, or STOPPED.
    """
    ending = os.pidfd_open(first)
    while not select.select([ending], [], [], LOOK_SECONDS)[0]:
        if too_much := _too_much(folders):
            print(f"\n{_WORD}{too_much}", flush=True)
            os.kill(first, signal.SIGKILL)  # and with it the kernel ends all others
            os.waitpid(first, 0)
            return STOPPED
    _, status = os.waitpid(first, 0)
    return os.waitstatus_to_exitcode(status)


def stopped(said: str) -> str:
    """Why the watch ended what printed this; "" where it did not."""
    reasons = re.findall(rf"(?m)^{_WORD}(.+)$", said)
    return reasons[-1] if reasons else ""


def _too_much(folders: Sequence[str]) -> str:
    """What is taken beyond measure, in words; "" where nothing is."""
    tasks, memory_bytes = _taken()
    if tasks > TASKS_MAX:
        return f"it runs more than {TASKS_MAX} processes and threads"
    if memory_bytes > MEMORY_BYTES_MAX:
        return f"it takes more than {MEMORY_BYTES_MAX >> 20} MiB of memory"
    files, file_bytes = _written(folders)
    if files > FILES_MAX:
        return f"it leaves more than {FILES_MAX} files"
    if file_bytes > DISK_BYTES_MAX:
        return f"it writes more than {DISK_BYTES_MAX >> 20} MiB to the disk"
    return ""


def _taken() -> tuple[int, int]:
    """How many processes and threads there are, and what memory they hold together."""
    processes = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    if len(processes) > TASKS_MAX:
        return len(processes), 0
    tasks = pages = 0
    for process in processes:
        with suppress(OSError, ValueError), open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123
            fields = file.read().rpartition(b")")[2].split()
            tasks, pages = tasks + int(fields[17]), pages + int(fields[21])
    if pages * _PAGE_BYTES <= MEMORY_BYTES_MAX:
        return tasks, pages * _PAGE_BYTES
    # Forks share most of their pages, which each of them counts as its own.
    return tasks, sum(map(_own_bytes, processes))


def _own_bytes(process: str) -> int:
    """A process's memory, what it shares counted in parts."""
    with suppress(OSError), open(f"/proc/{process}/smaps_rollup", "rb") as file:  # noqa: PTH123
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) << 10
    return 0


def _written(folders: Sequence[str]) -> tuple[int, int]:
    """How many files there are in these folders, and what they take on the disk."""
    files = taken = 0
    todo = [folder for folder in folders if os.path.isdir(folder)]  # noqa: PTH112
    while todo and files <= FILES_MAX:
        with suppress(OSError), os.scandir(todo.pop()) as entries:
            for entry in entries:
                files += 1
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        todo.append(entry.path)
                    else:
                        taken += entry.stat(follow_symlinks=False).st_blocks * 512
    return files, taken
