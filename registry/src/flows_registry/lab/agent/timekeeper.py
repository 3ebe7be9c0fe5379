"""Virtual time for a whole process: it stands still, and jumps when nothing is happening.

Nothing is happening when the kernel shows every other thread asleep, none of them having run for
a while, the fault server is idle and no byte is on its way to it. Then the clock jumps to the next
deadline: an hour of Retry-After costs about two milliseconds, and an answer that is on its way is
never jumped over. The test looks at the kernel and not at our own bookkeeping, so it holds for
asyncio, threads and C code alike.
"""

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from .page import NEVER, ORIGIN_SECONDS, Page

__all__ = ["THREAD_NAME", "Deadline", "Timekeeper"]

THREAD_NAME = "timekeeper"

_TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6", "/proc/self/net/udp")

_SWITCHES = b"\nvoluntary_ctxt_switches:"

_real_monotonic = time.monotonic
_real_sleep = time.sleep
_real_lock = threading.Lock

LOOK_EVERY_SECONDS = 0.001
"""How long all must be quiet before the clock jumps, in real time."""

WORK_SECONDS = 0.000_1
"""Who has run for so long since the last look was not asleep: no need to look at each thread."""

HANG_AFTER_SECONDS = 3.0
"""How long a process may be quiet without any deadline before it is called hung, in real time."""

ROUNDING_SECONDS = 1e-6
"""Added to each jump, so that no float rounding leaves a waiter just short of its deadline."""

GRACE_SECONDS = 2.0
"""How long to wait for bytes that nobody reads, or for a child process, in real time."""

BUSY_SECONDS_MAX = 20.0
"""How long to wait for a server that says it is busy: a loaded machine makes it slow."""


def _has_run() -> str:
    """The kernel's file that tells how long and how often a thread has run; where it keeps no
    such account, the longer one that ends with how often it was switched."""
    try:
        account = Path("/proc/self/schedstat").read_text()
    except OSError:
        return "status"
    return "status" if account.startswith("0 ") else "schedstat"


_HAS_RUN = _has_run()


class Deadline:
    """A moment at which somebody wants to be woken."""

    __slots__ = ("at", "cancelled", "fired", "wake")

    def __init__(self, at: float, wake: Callable[[], None]) -> None:
        self.at = at
        self.wake = wake
        self.fired = False
        self.cancelled = False


class Timekeeper:
    """The clock of one case.

    Args:
        page: where the time is kept.
        server_ports: the fault server's ports; unread bytes there mean that somebody is coming.
        hung: called when the process waits without any deadline; it does not return.

    Attributes:
        files: held while the kernel's files are open; who holds it counts this process's own.
        paused: whether time stands still whatever happens.
        pausing: the threads that sleep for a moment of real time and are busy all the same.
    """

    def __init__(self, page: Page, server_ports: frozenset[int], hung: Callable[[], None]) -> None:
        self._page = page
        self._ports = server_ports
        self._hung = hung
        self._deadlines: list[tuple[float, int, Deadline]] = []
        self._tickets = itertools.count()
        self._lock = _real_lock()
        self._own_task = 0
        self.files = _real_lock()
        self.paused = False
        self.pausing: set[int] = set()

    def now(self) -> float:
        """The time of the case, in seconds since 1970."""
        return self._page.now

    def requests(self) -> int:
        """How many requests have come since the case was armed."""
        return self._page.requests

    def at(self, seconds: float, wake: Callable[[], None]) -> Deadline:
        """Have `wake` called when the time has come; `seconds` is since 1970."""
        deadline = Deadline(seconds, wake)
        with self._lock:
            heapq.heappush(self._deadlines, (seconds, next(self._tickets), deadline))
        return deadline

    def start(self) -> None:
        """Begin to keep time, in a thread of its own."""
        threading.Thread(target=self._keep, name=THREAD_NAME, daemon=True).start()

    def restart(self) -> None:
        """Begin anew, with nobody waiting: the next case finds the time that the first found."""
        with self._lock:
            self._deadlines.clear()
            self._page.now, self._page.due = ORIGIN_SECONDS, NEVER
        self.pausing.clear()
        self.paused = False

    def _keep(self) -> None:
        self._own_task = threading.get_native_id()
        quiet_since: float | None = None
        before = self._ran()
        worked = self._worked()
        while True:
            _real_sleep(LOOK_EVERY_SECONDS)
            worked, worked_before = self._worked(), worked
            if self.paused or self.pausing or worked - worked_before > WORK_SECONDS:
                quiet_since = before = None
                continue
            after = self._ran()
            still = after is not None and after == before
            before = after
            if not still or not self._all_asleep():
                quiet_since = None
                continue
            real_now = _real_monotonic()
            quiet_since = quiet_since or real_now
            quiet_seconds = real_now - quiet_since
            due = self._page.due
            if self._server_at_work(quiet_seconds):
                continue
            # The server was idle a moment ago. An answer that it had sent before has woken its
            # reader by now, so only a process that still sleeps is waiting for time.
            if self._ran() != after or not self._all_asleep():
                continue
            if self._has_children() and quiet_seconds < GRACE_SECONDS:
                continue
            if self._jump(due):
                quiet_since = None
                before = self._ran()
            elif quiet_seconds > HANG_AFTER_SECONDS:
                self._hung()
                return

    def _server_at_work(self, quiet_seconds: float) -> bool:
        """Whether it answers, or has yet to read what is on its way to it."""
        patient = quiet_seconds < BUSY_SECONDS_MAX
        if self._page.busy > 0 and patient:
            return True
        if self._bytes_on_the_way() and quiet_seconds < GRACE_SECONDS:
            return True
        # It may have read them while we looked; it says that it is busy before it reads.
        return self._page.busy > 0 and patient

    @staticmethod
    def _worked() -> float:
        """How long the other threads have run, in seconds of processor time, but for the moment
        between two looks at the clocks."""
        own = time.clock_gettime(time.CLOCK_THREAD_CPUTIME_ID)
        return time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID) - own

    def _ran(self) -> list[tuple[str, bytes]] | None:
        """What changes whenever another thread has run; None when one ended meanwhile."""
        looked = self._looked(_HAS_RUN)
        return looked and [(task, text.partition(_SWITCHES)[2] or text) for task, text in looked]

    def _all_asleep(self) -> bool:
        """Whether no other thread runs or is about to."""
        looked = self._looked("stat")
        return looked is not None and all(
            # The state follows the name, which stands in brackets and may hold any letter.
            line[line.rindex(b")") + 2 :].startswith(b"S")
            for _, line in looked
        )

    def _looked(self, at: str) -> list[tuple[str, bytes]] | None:
        """One of the kernel's files about each other thread. This is hot: no file objects."""
        own = str(self._own_task)
        seen: list[tuple[str, bytes]] = []
        with self.files:
            try:
                for task in os.listdir("/proc/self/task"):  # noqa: PTH208
                    if task == own:
                        continue
                    file = os.open(f"/proc/self/task/{task}/{at}", os.O_RDONLY)
                    try:
                        seen.append((task, os.read(file, 4096)))
                    finally:
                        os.close(file)
            except OSError:
                return None  # a thread ended while we looked
        return seen

    def _bytes_on_the_way(self) -> bool:
        """Whether the server has bytes it has not read, or connections it has not accepted."""
        for table in _TABLES:
            try:
                with self.files, open(table, "rb") as lines:  # noqa: PTH123
                    rows = lines.read().splitlines()[1:]
            except OSError:
                continue
            for row in rows:
                fields = row.split()
                port = int(fields[1].rpartition(b":")[2], 16)
                if port in self._ports and not fields[4].endswith(b":00000000"):
                    return True
        return False

    def _has_children(self) -> bool:
        with self.files:
            try:
                return bool(Path(f"/proc/self/task/{os.getpid()}/children").read_text().strip())
            except OSError:
                return False

    def _jump(self, due: float) -> bool:
        """Move to the next deadline and wake whoever waits for it; False when there is none.

        A server whose time has come is busy before it waits for another one: where what it waited
        for before it was idle is no longer what it waits for, it was woken meanwhile.
        """
        if self._page.due != due:
            return True
        with self._lock:
            while self._deadlines and self._deadlines[0][2].cancelled:
                heapq.heappop(self._deadlines)
            first = self._deadlines[0][0] if self._deadlines else NEVER
            target = min(first, due)
            if target == NEVER:
                return False
            start = self._page.now
            if target > start:
                self._page.now = target + ROUNDING_SECONDS
            reached: list[Deadline] = []
            while self._deadlines and self._deadlines[0][0] <= self._page.now:
                deadline = heapq.heappop(self._deadlines)[2]
                if not deadline.cancelled:
                    deadline.fired = True
                    reached.append(deadline)
        for deadline in reached:
            deadline.wake()
        return True
