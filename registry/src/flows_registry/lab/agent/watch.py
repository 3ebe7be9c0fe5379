"""What the interpreter itself reports of a case: files written, processes started, addresses."""

import os
import sys
from typing import Any

from .redirect import ATTEMPT

__all__ = ["Watch"]

_STARTS = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn"}
_CHANGES = {
    "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate",
    "os.chmod", "os.chown", "shutil.rmtree", "shutil.move", "shutil.copyfile", "sqlite3.connect",
}  # fmt: skip
_EVENTS_MAX = 200


class Watch:
    """An audit hook that notes what touches the machine. It cannot be removed, only ignored.

    Attributes:
        events: (kind, detail) of files, processes and connections.
        attempts: (host, port) of every connection tried, where connections are redirected.
    """

    def __init__(self) -> None:
        self.events: list[list[str]] = []
        self.attempts: list[list[Any]] = []
        self._on = False

    def start(self) -> None:
        """Begin to note events."""
        self._on = True
        sys.addaudithook(self._hook)

    def stop(self) -> None:
        """Note nothing more."""
        self._on = False

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._on or len(self.events) >= _EVENTS_MAX:
            return
        if event == ATTEMPT:
            self.attempts.append(list(arguments))
        elif event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
                self.events.append(["file", str(path)])
        elif event == "socket.connect":
            self.events.append(["connect", str(arguments[1])])
        elif event in _STARTS:
            self.events.append(["process", str(arguments[0]) if arguments else event])
        elif event in _CHANGES:
            self.events.append(["file", str(arguments[0])])
