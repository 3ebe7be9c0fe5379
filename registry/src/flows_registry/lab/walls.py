"""The walls around a process that runs a plugin's code, seen from outside: see isolate."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from flows_registry.lab.isolate import SYSTEM

__all__ = ["Walls", "interpreters", "no_walls"]

_PROGRAM = (sys.executable, "-I", "-S", str(Path(__file__).with_name("isolate.py")))
_TRIED_SECONDS_MAX = 30.0
_HIDDEN_MAX = 5


class Walls:
    """What one kind of process sees of the machine.

    Args:
        root: an empty folder, for the root that it sees.
        visible: what it can read besides the system's programs.
        writable: which of these it can write to.
        owner: it has no user namespace yet.
        network: it stays in the network that it finds.
    """

    def __init__(
        self,
        root: Path,
        visible: Sequence[Path],
        writable: Sequence[Path],
        *,
        owner: bool,
        network: bool = True,
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._visible = visible
        self._told = {
            "root": str(root),
            "visible": [str(path) for path in visible],
            "writable": [str(path) for path in writable],
            "owner": owner,
            "network": network,
        }

    @property
    def hidden(self) -> list[Path]:
        """Some of what is here and must not be there: the user's folders."""
        home = Path.home()
        places = [Path.cwd(), *(sorted(home.iterdir()) if home.is_dir() else ())]
        return [place for place in places if not self._shows(place)][:_HIDDEN_MAX]

    def _shows(self, place: Path) -> bool:
        """Whether the place, something in it, or what it is in is visible."""
        shown = [*self._visible, *(Path("/", name) for name in SYSTEM)]
        return any(place.is_relative_to(p) or p.is_relative_to(place) for p in shown)

    def within(self, argv: Sequence[str]) -> list[str]:
        """The command line that runs `argv` within the walls."""
        return [*_PROGRAM, json.dumps(self._told), "--", *argv]


def interpreters(python: Path) -> list[Path]:
    """What an environment's interpreter needs to see of itself: the environment, and where the
    interpreter that it was made from lies."""
    return [python.parent.parent, Path(os.path.realpath(python)).parent.parent]


@functools.cache
def no_walls() -> str | None:
    """Why this machine cannot put walls around a process, or None where it can; tried once."""
    with tempfile.TemporaryDirectory() as folder:
        python = Path(sys.executable)
        walls = Walls(Path(folder), interpreters(python), (), owner=True)
        done = subprocess.run(
            walls.within([str(python), "-I", "-S", "-c", "print('within')"]),
            capture_output=True,
            text=True,
            timeout=_TRIED_SECONDS_MAX,
            check=False,
        )
        said = (done.stdout + done.stderr).strip().splitlines()
    return None if said[-1:] == ["within"] else (said or ["it says nothing"])[-1]
