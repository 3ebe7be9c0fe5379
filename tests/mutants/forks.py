"""Questions answered in processes of their own, forked from a warm one, a few at a time."""

import os
import pickle
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Ended", "forked"]

_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        answer: what its function gave.
        problem: why there is no answer, or "".
        timed_out: it was stopped.
        seconds: how long it took.
    """

    answer: Any
    problem: str
    timed_out: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Running:
    name: str
    began: float
    seconds_max: float
    answer: Path


def forked(
    questions: Iterable[tuple[str, Callable[[], Any], float]], *, jobs: int
) -> Iterator[tuple[str, Ended]]:
    """(name, how it ended) of each (name, function, seconds at most), as they end.

    A question is taken when there is room for it: it may be made only then.
    """
    waiting = iter(questions)
    running: dict[int, _Running] = {}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        try:
            while True:
                while len(running) < jobs and (question := next(waiting, None)) is not None:
                    name, function, seconds_max = question
                    answer = Path(folder) / f"{time.monotonic_ns()}"
                    process = _started(function, answer)
                    running[process] = _Running(name, time.monotonic(), seconds_max, answer)
                if not running:
                    return
                yield from _ended(running)
                time.sleep(_POLL_SECONDS)
        finally:
            for process in running:
                _stop(process)
                os.waitpid(process, 0)


def _started(function: Callable[[], Any], answer: Path) -> int:
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        os.setsid()
        _silence(answer.with_suffix(".told"))
        answer.write_bytes(pickle.dumps(function()))
        code = 0
    except BaseException:
        answer.with_suffix(".problem").write_text(traceback.format_exc())
    finally:
        os._exit(code)


def _silence(file: Path) -> None:
    with file.open("wb") as told, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(told.fileno(), 1)
        os.dup2(told.fileno(), 2)


def _ended(running: dict[int, _Running]) -> Iterator[tuple[str, Ended]]:
    for process, each in list(running.items()):
        seconds = time.monotonic() - each.began
        timed_out = seconds > each.seconds_max
        if timed_out:
            _stop(process)
        done, _ = os.waitpid(process, 0 if timed_out else os.WNOHANG)
        if done:
            del running[process]
            _stop(process)  # what it has left behind
            yield each.name, _told(each.answer, timed_out, seconds)


def _told(answer: Path, timed_out: bool, seconds: float) -> Ended:
    if not timed_out and answer.exists():
        return Ended(pickle.loads(answer.read_bytes()), "", False, seconds)
    problem = answer.with_suffix(".problem")
    told = problem.read_text() if problem.exists() else "it ended without a word"
    return Ended(None, told, timed_out, seconds)


def _stop(process: int) -> None:
    """End a process and everything in its session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)
