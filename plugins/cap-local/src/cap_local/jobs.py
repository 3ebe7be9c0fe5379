"""A job that waits for its thread, who waits for it, and how what came of it is told."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Generator, Sequence
from typing import Any

from cap_local import errors
from cap_local.transactions import Job

__all__ = ["Waiting", "interruptible", "tell", "tell_failed"]

_INTERRUPTIBLE_STEPS = 10_000
"""After so many steps of SQLite's machine a job looks whether anybody still wants it."""


class Waiting:
    """A job, who waits for it, and whether anybody still does.

    Attributes:
        job: what is to be done with a connection.
        alone: it shares no transaction.
        given_up: nobody waits for it any more.
        result: what it returned; told once it is durable.
        error: what went wrong, in our words.
        loop: where somebody waits.
    """

    __slots__ = (
        "_claimed", "_heard", "_is_over", "_over",
        "alone", "error", "given_up", "job", "loop", "result",
    )  # fmt: skip

    def __init__(self, job: Job[Any], alone: bool) -> None:
        self.job = job
        self.alone = alone
        self.given_up = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.loop = asyncio.get_running_loop()
        self._claimed = threading.Lock()
        self._heard: asyncio.Future[Any] = self.loop.create_future()
        self._over: asyncio.Future[None] | None = None
        self._is_over = False

    def claim(self) -> bool:
        """Whether the job is the caller's, as it asks first: to be done, or never to be."""
        return self._claimed.acquire(blocking=False)

    async def done(self) -> Any:
        """What the job returns.

        Cancelled before the job began, it never happens; later, it is told to stop and waited for.
        """
        try:
            return await self._heard
        except asyncio.CancelledError:
            self.given_up = True
            if not self.claim() and not self._is_over:
                self._over = self.loop.create_future()
                await asyncio.wait([self._over])
            raise

    def fail(self, error: BaseException, *, committing: bool = False) -> None:
        """It went wrong."""
        said: BaseException = error
        if isinstance(error, sqlite3.Error):
            said = errors.told(error, committing=committing)
        elif isinstance(error, OSError):
            said = errors.disk_failed(error, writes=False)
        if said is not error:
            said.__cause__ = error
        self.error = said

    def hear(self) -> None:
        """Called in the loop: the job is over."""
        self._is_over = True
        if self._over is not None:
            self._over.set_result(None)
        if self._heard.done():
            return
        if self.error is None:
            self._heard.set_result(self.result)
        else:
            self._heard.set_exception(self.error)


@contextlib.contextmanager
def interruptible(connection: sqlite3.Connection, waiting: Waiting) -> Generator[None]:
    """Stop what runs inside once nobody waits for it."""
    connection.set_progress_handler(lambda: waiting.given_up, _INTERRUPTIBLE_STEPS)
    try:
        yield
    finally:
        connection.set_progress_handler(None, 0)


def tell(group: Sequence[Waiting]) -> None:
    """Tell that these jobs are over, with one call into each loop that waits for them."""
    for loop in {waiting.loop for waiting in group}:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_hear, [each for each in group if each.loop is loop])


def tell_failed(
    group: Sequence[Waiting], error: BaseException, *, committing: bool = False
) -> None:
    """Tell that these jobs went wrong."""
    for waiting in group:
        waiting.fail(error, committing=committing)
    tell(group)


def _hear(group: Sequence[Waiting]) -> None:
    for waiting in group:
        waiting.hear()
