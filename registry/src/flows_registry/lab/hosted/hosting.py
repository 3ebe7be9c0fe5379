"""A host from outside: start it, ask it within bounds, put it away.

The plugin's code runs in the host and nowhere else: not in the certifier, not in the fault server.
"""

import json
import os
import select
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from flows_registry.lab.walls import Walls, interpreters

__all__ = ["ANSWER_BYTES_MAX", "ASK_SECONDS_MAX", "Host", "HostBroken", "as_it_is", "walls_of"]

ASK_SECONDS_MAX = 20.0
"""How long one answer may take, in real time; the first one includes importing."""

ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""How long one answer may be."""

_PROGRAM = Path(__file__).parent / "host.py"
_SHOWN_BYTES = 200


class HostBroken(Exception):
    """What the plugin brings failed: it does not import, raised, hung, or answered too much."""


def as_it_is(argv: Sequence[str]) -> Sequence[str]:
    """A command line that enters nothing."""
    return argv


def walls_of(python: Path, root: Path, *, owner: bool) -> Walls:
    """The walls around a host: it reads its environment, and writes nothing.

    Args:
        python: the interpreter of the environment.
        root: an empty folder.
        owner: nobody has made a user namespace for it.
    """
    return Walls(root, [*interpreters(python), _PROGRAM.parent], (), owner=owner)


class Host:
    """One process of the plugin's own environment that answers questions about one object.

    Once it has failed it stays failed: every later question fails with the same words.

    Args:
        python: the interpreter of the clean environment.
        kind: "reference" or "suite".
        name: the object's lazy name.
        entering: the command line that runs another one inside a room's network.
        seconds_max: how long one answer may take.

    Raises:
        HostBroken: the object cannot be imported there.
    """

    def __init__(
        self,
        python: Path,
        kind: str,
        name: str,
        *,
        entering: Callable[[Sequence[str]], Sequence[str]] = as_it_is,
        seconds_max: float = ASK_SECONDS_MAX,
    ) -> None:
        self._what = f"the {kind} {name}"
        self._seconds_max = seconds_max
        self._lock = threading.Lock()
        self._failed: str | None = None
        self._line, theirs = socket.socketpair()
        self._line.settimeout(seconds_max)
        argv = [str(python), "-P", "-s", str(_PROGRAM), str(theirs.fileno()), kind, name]
        with theirs:
            self._process = subprocess.Popen(
                list(entering(argv)),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "PYTHONHASHSEED": "0",
                    "LC_ALL": "C.UTF-8",
                    "TZ": "UTC0",
                },
            )
        try:
            self._answer()
        except BaseException:
            self.close()
            raise

    def ask(self, question: str, **arguments: Any) -> Any:
        """The answer to one question.

        Raises:
            HostBroken: it raised, hung or ended, now or before.
        """
        with self._lock:
            if self._failed is not None:
                raise HostBroken(self._failed)
            try:
                self._line.sendall(json.dumps({"ask": question, **arguments}).encode() + b"\n")
            except TimeoutError:
                self._fail(f"did not take the question within {self._seconds_max:g} s")
            except OSError:
                self._fail("has ended")
            return self._answer()

    def close(self) -> None:
        """End the process."""
        self._failed = self._failed or f"{self._what} was put away"
        self._line.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait()

    def _answer(self) -> Any:
        end = time.monotonic() + self._seconds_max
        answer = bytearray()
        while not answer.endswith(b"\n"):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._line], [], [], left)[0]:
                self._fail(f"did not answer within {self._seconds_max:g} s")
            answer += self._chunk()
            if len(answer) > ANSWER_BYTES_MAX:
                self._fail(f"answered with more than {ANSWER_BYTES_MAX} bytes")
        match _message(answer):
            case {"answer": given}:
                return given
            case {"broken": text}:
                return self._fail(f"raised {text}")
            case _:
                return self._fail(f"answered {bytes(answer[:_SHOWN_BYTES])!r}, which is no answer")

    def _chunk(self) -> bytes:
        try:
            chunk = self._line.recv(1 << 20)
        except OSError:  # it ended before it had read everything
            chunk = b""
        return chunk or self._fail("ended without a word")

    def _fail(self, how: str) -> NoReturn:
        self._failed = f"{self._what} {how}"
        with suppress(ProcessLookupError):
            self._process.kill()
        raise HostBroken(self._failed)


def _message(line: bytearray) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None
