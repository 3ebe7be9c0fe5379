"""Where a process meets time: every wait and every clock of the standard library, made virtual.

Installed at the agent's start, before the plugin is imported, so that the names it takes from
these modules are already ours; a forked case then says which timekeeper they obey.
"""

import time

from . import clocks, sockets, waits
from .followed import HELD
from .timekeeper import Timekeeper

__all__ = ["follow", "install"]


def install(*, offset_seconds: float = 0.0, origin: float | None = None) -> None:
    """Replace the clocks and waits; until `follow` is called they answer a frozen time.

    Args:
        offset_seconds: shift of the wall clock, for perturbation.
        origin: the wall clock while no timekeeper is followed; None is the real one's.
    """
    HELD.origin = time.time() if origin is None else origin
    HELD.offset = offset_seconds
    clocks.install()
    waits.install()
    sockets.install()


def follow(keeper: Timekeeper) -> None:
    """From now on every clock and wait obeys this timekeeper."""
    HELD.keeper = keeper
