"""The namespace of a room, held open by a process, and the command lines that step into it."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from flows_registry.lab.broken import RoomBroken

__all__ = ["Holder", "isolation"]

_PROGRAM = (sys.executable, "-I", "-S", str(Path(__file__).with_name("namespace.py")))


def isolation() -> str | None:
    """Why this machine cannot give a room a network of its own, or None when it can."""
    if not sys.platform.startswith("linux"):
        return f"network namespaces need Linux; this is {sys.platform}"
    try:
        Holder({}).close()
    except RoomBroken as broken:
        return str(broken)
    return None


class Holder:
    """A fresh namespace, kept open until it is closed.

    Args:
        binds: file → file whose content it shows inside.

    Raises:
        RoomBroken: the kernel does not let us make one; the message says which step.
    """

    def __init__(self, binds: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*_PROGRAM, "hold"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(OSError):  # it may have ended at once: its answer says why
            self._process.stdin.write(json.dumps(dict(binds)) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer != "ready":
            self.close()
            raise RoomBroken(answer or "the kernel refused a namespace without a word")

    def entering(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` inside the namespace."""
        return [*_PROGRAM, "enter", str(self._process.pid), "--", *argv]

    def close(self) -> None:
        """Let go of the namespace; it ends with the last process inside."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
