"""Running foreign code: bounded in time and output, and injectable so that it may be confined."""

import functools
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import flows_registry.lab.confine
from flows_registry.lab.bounds import STOPPED, stopped
from flows_registry.lab.walls import Walls, no_walls

__all__ = ["OUTPUT_BYTES_MAX", "Confinement", "Ran", "Run", "can_confine", "run"]

OUTPUT_BYTES_MAX = 64 * 1024
"""How much of a command's output is kept: its end."""

_GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Confinement:
    """What a command that runs foreign code may touch; `Run` implementations enforce what they can.

    Attributes:
        writable: the only folders it may write to.
        visible: what it needs to read besides these and the system's programs.
    """

    writable: tuple[Path, ...]
    visible: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command.

    Attributes:
        returncode: its exit code; negative for a signal.
        output: the end of stdout and stderr together, at most OUTPUT_BYTES_MAX.
        seconds: wall time.
        timed_out: it was killed because it took too long.
        too_much: what it took of the machine when it was stopped for that, or "".
    """

    returncode: int
    output: str
    seconds: float
    timed_out: bool = False
    too_much: str = ""

    @property
    def ok(self) -> bool:
        """It ended by itself and said success."""
        return self.returncode == 0 and not self.timed_out

    @property
    def how(self) -> str:
        """How it ended, in words."""
        if self.timed_out:
            return "did not end in time"
        if self.too_much:
            return f"was stopped: {self.too_much}"
        return f"ended with code {self.returncode}"

    def tail(self, lines: int = 20) -> str:
        """The last lines of its output."""
        return "\n".join(self.output.strip().splitlines()[-lines:])


class Run(Protocol):
    """Runs a command to its end."""

    def __call__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        timeout_seconds: float,
        confined: Confinement | None = None,
        umask: int = 0o022,
    ) -> Ran:
        """Run `argv` with exactly this environment; a timeout is a result, not an error."""
        ...


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout_seconds: float,
    confined: Confinement | None = None,
    umask: int = 0o022,
) -> Ran:
    """Run a command in its own process group, confined as closely as this kernel lets us."""
    if confined is not None:
        with tempfile.TemporaryDirectory() as root:
            within = _confined(argv, confined, Path(root))
            return run(within, env=env, cwd=cwd, timeout_seconds=timeout_seconds, umask=umask)
    started = time.monotonic()
    process = subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        umask=umask,
    )
    assert process.stdout is not None
    with process.stdout as stream:
        output, in_time = _read(process, stream, started + timeout_seconds)
        # Whatever it left running goes with it: nothing may outlive its step.
        _kill_group(process.pid)
        returncode = process.wait()
    seconds = time.monotonic() - started
    too_much = (stopped(output) or "it takes too much") if returncode == STOPPED else ""
    return Ran(returncode, output, seconds, timed_out=not in_time, too_much=too_much)


def _confined(argv: Sequence[str], confined: Confinement, root: Path) -> Sequence[str]:
    """The command line that runs `argv` within walls; where there can be none, with the whole
    machine to read; else as it is."""
    if no_walls() is None:
        visible = (*confined.visible, *confined.writable)
        walls = Walls(root, visible, confined.writable, owner=True, network=False)
        return walls.within(argv)
    return [*_confining(confined.writable), *argv] if can_confine() else argv


@functools.cache
def can_confine() -> bool:
    """Whether a confined command really cannot write elsewhere; tried once, for real."""
    if not sys.platform.startswith("linux"):
        return False
    with tempfile.TemporaryDirectory() as folder:
        inside, outside = Path(folder, "inside"), Path(folder, "outside")
        inside.mkdir()
        script = f"touch {inside}/written; touch {outside} 2>/dev/null; true"
        done = subprocess.run(
            [*_confining((inside,)), "/bin/sh", "-c", script],
            capture_output=True,
            timeout=20,
            check=False,
        )
        return done.returncode == 0 and (inside / "written").exists() and not outside.exists()


def _confining(writable: Sequence[Path]) -> list[str]:
    """The words before a command that confine it."""
    program = flows_registry.lab.confine.__file__
    return [sys.executable, "-I", "-S", program, *map(str, writable), "--"]


def _read(process: subprocess.Popen[bytes], stream: IO[bytes], deadline: float) -> tuple[str, bool]:
    """The end of the output, and whether the process itself ended before the deadline."""
    kept = bytearray()
    ended_at: float | None = None
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while True:
            now = time.monotonic()
            if ended_at is None and process.poll() is not None:
                ended_at = now
            # A child that inherited the pipe must not keep us waiting once its parent is gone.
            if now >= deadline or (ended_at is not None and now - ended_at > _GRACE_SECONDS):
                break
            if selector.select(min(0.05 if ended_at is None else 0.01, deadline - now)):
                chunk = os.read(stream.fileno(), 65536)
                if not chunk:
                    break
                kept += chunk
                del kept[:-OUTPUT_BYTES_MAX]
    while ended_at is None and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    return kept.decode(errors="replace"), process.poll() is not None


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
