"""What the interpreter itself reports of a case: files written, processes started, addresses."""

import os
import sys
from typing import Any

from .redirect import ATTEMPT, LOOKUP

__all__ = ["Watch"]

_STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn"}
_CHANGES = {
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "shutil.rmtree", "shutil.move", "shutil.copyfile", "sqlite3.connect",
}  # fmt: skip
_TWO_NAMES = {"os.rename", "os.link", "shutil.move", "shutil.copyfile"}
_SENDS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_IN_MEMORY = {"", ":memory:"}
"""What sqlite takes for a database that is no file."""

_OF_A_KIND_MAX = 200


class Watch:
    """An audit hook that notes what touches the machine. It cannot be removed, only ignored.

    Attributes:
        events: (kind, detail) of files, processes, local sockets and connections, each once.
        attempts: (host, port) of every connection tried, where connections are redirected, each
            once.
        lookups: every name looked up, where names are answered inside, each once.
    """

    def __init__(self) -> None:
        self.events: list[list[str]] = []
        self.attempts: list[list[Any]] = []
        self.lookups: list[str] = []
        self._noted: dict[str, set[Any]] = {}
        self._on = self._hooked = False

    @property
    def written(self) -> list[str]:
        """The files among the events."""
        return [detail for kind, detail in self.events if kind == "file"]

    def start(self) -> None:
        """Begin to note events."""
        self._on = True
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hook)

    def forget(self) -> None:
        """Begin anew, as for another case."""
        self.events, self.attempts, self.lookups = [], [], []
        self._noted.clear()

    def stop(self) -> None:
        """Note nothing more."""
        self._on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on:
            return
        if event in (ATTEMPT, LOOKUP):
            self._tell(event, arguments)
        elif event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                self._note("file", str(path))
        elif event in _SENDS and isinstance(arguments[1], str | bytes):
            self._note("local socket", os.fsdecode(arguments[1]))
        elif event == "socket.connect":
            self._note("connect", str(arguments[1]))
        elif event in _STARTS:
            self._note("process", str(arguments[0]) if arguments else event)
        elif event in _CHANGES and arguments[0] not in _IN_MEMORY:
            for name in arguments[: 2 if event in _TWO_NAMES else 1]:
                self._note("file", os.fsdecode(name) if isinstance(name, bytes) else str(name))

    def _tell(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._is_new(event, arguments):
            return
        if event == ATTEMPT:
            self.attempts.append(list(arguments))
        else:
            self.lookups += arguments

    def _note(self, kind: str, detail: str) -> None:
        if self._is_new(kind, detail):
            self.events.append([kind, detail])

    def _is_new(self, kind: str, what: object) -> bool:
        """Whether it is the first of its like; no kind takes the place of another."""
        noted = self._noted.setdefault(kind, set())
        if what in noted or len(noted) >= _OF_A_KIND_MAX:
            return False
        noted.add(what)
        return True
