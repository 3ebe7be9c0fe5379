"""A job that waits for its thread, who waits for it, and how what came of it is told."""

import asyncio
import contextlib
import itertools
import sqlite3
import threading
from collections.abc import Iterable
from typing import Any

from cap_local import errors
from cap_local.transactions import Job

__all__ = ["Told", "Waiting", "failed", "tell"]


class Waiting:
    """A job, who waits for it, and whether anybody still does."""

    __slots__ = ("_claimed", "_heard", "_is_over", "_over", "alone", "given_up", "job", "loop")

    def __init__(self, job: Job[Any], alone: bool) -> None:
        self.job = job
        self.alone = alone
        self.given_up = False
        self.loop = asyncio.get_running_loop()
        self._claimed = threading.Lock()
        self._heard: asyncio.Future[Any] = self.loop.create_future()
        self._over: asyncio.Future[None] | None = None
        self._is_over = False

    def claim(self) -> bool:
        """Whether the job is the caller's, as it asks first: to be done, or never to be."""
        return self._claimed.acquire(blocking=False)

    async def result(self) -> Any:
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

    def told(self, result: Any, error: BaseException | None) -> None:
        """Called in the loop: the job is over."""
        self._is_over = True
        if self._over is not None:
            self._over.set_result(None)
        if self._heard.done():
            return
        if error is None:
            self._heard.set_result(result)
        else:
            self._heard.set_exception(error)


Told = tuple[Waiting, Any, BaseException | None]


def tell(told: Iterable[Told]) -> None:
    """Tell what came of jobs, with one call into the loop that waits for them."""
    for loop, its in itertools.groupby(told, key=lambda each: each[0].loop):
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_tell_here, list(its))


def _tell_here(told: Iterable[Told]) -> None:
    for waiting, result, error in told:
        waiting.told(result, error)


def failed(
    group: Iterable[Waiting], error: BaseException, *, committing: bool = False
) -> list[Told]:
    """That these jobs went wrong, in our words."""
    return [(waiting, None, _in_our_words(error, committing=committing)) for waiting in group]


def _in_our_words(error: BaseException, *, committing: bool) -> BaseException:
    said: BaseException = error
    if isinstance(error, sqlite3.Error):
        said = errors.told(error, committing=committing)
    elif isinstance(error, OSError):
        said = errors.disk_failed(error, writes=False)
    if said is not error:
        said.__cause__ = error
    return said
