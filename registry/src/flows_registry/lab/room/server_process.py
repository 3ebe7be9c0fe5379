"""The fault server from outside: started, told what a case is to meet, asked what it saw."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flows_registry.lab.broken import ReferenceBroken, RoomBroken
from flows_registry.lab.faults import Fault
from flows_registry.lab.room.child import START_SECONDS_MAX, Child
from flows_registry.lab.room.furniture import Furniture

__all__ = ["FaultServer"]

_PACKAGE_ROOT = Path(__file__).parents[3]

# Freed bodies are used again by the next case instead of going back to the kernel.
_KEEP_MEMORY = dict.fromkeys(("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"), str(1 << 29))


class FaultServer:
    """The server's process.

    Args:
        furniture: what its room is furnished with.
        directory: the room's.
        entering: makes the command line that runs in the room's network.
        isolated: there is a network of its own, where it answers on the vendor's ports.

    Raises:
        RoomBroken: it does not start; ReferenceBroken where the plugin's reference does not.
    """

    def __init__(
        self,
        furniture: Furniture,
        directory: Path,
        *,
        entering: Callable[[Sequence[str]], list[str]],
        isolated: bool,
        walled: bool,
    ) -> None:
        settings = {
            "wire": furniture.wire,
            "reference": furniture.reference,
            "python": str(furniture.python),
            "config": {**furniture.config, **furniture.services},
            "secrets": dict(furniture.secrets),
            "noted": list(furniture.noted),
            "page": str(directory / "page"),
            "isolated": isolated,
            "walls": str(directory / "reference-root") if walled and isolated else "",
            "ports": list(furniture.ports),
            "certificates": {kind: dict(files) for kind, files in furniture.certificates.items()},
        }
        command = [sys.executable, "-P", "-s", "-m", "flows_registry.lab.server"]
        self._child = Child(
            "the fault server",
            entering(command),
            settings,
            environment={
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(_own_paths()),
                **_KEEP_MEMORY,
            },
            directory=directory,
            log=directory / "server.log",
        )
        try:
            self.ports: list[int] = self._answer()["ports"]
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        """Forget the last case: an empty service, no connection."""
        self._ask({"begin": True})

    def arm(self, faults: Sequence[Fault], perturbation: Mapping[str, Any]) -> None:
        """From the next request on, note everything and serve these faults."""
        told = [fault.as_json() for fault in faults]
        self._ask({"arm": told, "perturbation": dict(perturbation)})

    def disarm(self) -> dict[str, Any]:
        """What it saw while armed."""
        return self._ask({"disarm": True})

    def rest(self) -> dict[str, Any]:
        """What went out while nothing was armed: at an import, before the calls, after them."""
        return self._ask({"rest": True})

    def trust(self) -> None:
        """Go on only if nothing has gone wrong inside it.

        Raises:
            RoomBroken: something has: with the traceback.
        """
        if self._child.line.has_news():
            self._answer()

    def close(self) -> None:
        """End it."""
        self._child.close()

    def _ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        self._child.line.send(message)
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        try:
            answer = self._child.line.receive(START_SECONDS_MAX)
        except (TimeoutError, RoomBroken) as error:
            raise RoomBroken(f"{error}\n{self._child.log_tail()}") from error
        if "reference broken" in answer:
            raise ReferenceBroken(answer["reference broken"])
        if "error" in answer:
            raise RoomBroken(answer["error"])
        return answer


def _own_paths() -> list[str]:
    return [str(_PACKAGE_ROOT), *(path for path in sys.path if path)]
