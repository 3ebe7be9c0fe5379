"""A process of a room: a line to talk over, and a log of what it prints."""

import os
import secrets
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows_registry.lab.broken import AgentDisturbed, RoomBroken
from flows_registry.lab.room.line import Line

__all__ = ["START_SECONDS_MAX", "Child"]

START_SECONDS_MAX = 60.0
"""How long a process may take to say its first word, or to answer a question."""

_LOG_TAIL_CHARACTERS = 4000


class Child:
    """One started process.

    Args:
        what: to print, "the agent".
        argv: its command line; the descriptor of its line is added.
        settings: what it is told first, JSON-shaped.
        environment: its environment, whole.
        directory: where it starts.
        log: the file for what it prints.
        foreign: it runs what may write on its line; it is given a word that tells who speaks.
    """

    def __init__(
        self,
        what: str,
        argv: Sequence[str],
        settings: Mapping[str, Any],
        *,
        environment: Mapping[str, str],
        directory: Path,
        log: Path,
        foreign: bool = False,
    ) -> None:
        self._log = log
        ours, theirs = socket.socketpair()
        if foreign:
            word = secrets.token_hex(16)
            self.line = Line(ours, what, word=word, broken=AgentDisturbed)
            settings = {**settings, "word": word}
        else:
            self.line = Line(ours, what)
        with theirs, log.open("wb") as output:
            self._process = subprocess.Popen(
                [*argv, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=directory,
            )
        with suppress(RoomBroken):  # it may have ended at once: its log says why
            self.line.send(settings)

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def log_tail(self) -> str:
        """The end of what it has printed."""
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _LOG_TAIL_CHARACTERS))
            return log.read().decode(errors="replace")

    def close(self, *, patience_seconds: float = 0.0) -> None:
        """Hang up, and kill it where it has not ended by itself after so long."""
        self.line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=patience_seconds)
        self._process.kill()
        self._process.wait()
