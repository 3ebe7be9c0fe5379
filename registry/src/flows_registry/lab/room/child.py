"""A process of a room: a line to talk over, and a log of what it prints."""

import json
import socket
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows_registry.lab.room.line import Line

__all__ = ["START_SECONDS_MAX", "Child"]

START_SECONDS_MAX = 60.0
"""How long a process may take to say its first word, or to answer a question."""

_LOG_TAIL_CHARACTERS = 4000


class Child:
    """One started process.

    Args:
        what: to print, "the agent".
        argv: its command line; the descriptor of its line and its settings are added.
        settings: what it is told, JSON-shaped.
        environment: its environment, whole.
        directory: where it starts.
        log: the file for what it prints.
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
    ) -> None:
        self._log = log
        ours, theirs = socket.socketpair()
        self.line = Line(ours, what)
        with theirs, log.open("wb") as output:
            self._process = subprocess.Popen(
                [*argv, str(theirs.fileno()), json.dumps(settings)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=directory,
            )

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def log_tail(self) -> str:
        """The end of what it has printed."""
        return self._log.read_text(errors="replace")[-_LOG_TAIL_CHARACTERS:]

    def close(self, *, patience_seconds: float = 0.0) -> None:
        """Hang up, and kill it where it has not ended by itself after so long."""
        self.line.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=patience_seconds)
        self._process.kill()
        self._process.wait()
