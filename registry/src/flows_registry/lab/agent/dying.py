"""A client that dies: its process ends without a word, in the middle of whatever it does."""

import os

from .followed import HELD, now

__all__ = ["DEATH_EXIT", "DIES_AFTER_SECONDS", "die_later"]

DEATH_EXIT = 76
"""The exit status of a process that has died as its case wants."""

DIES_AFTER_SECONDS = 1.0
"""How long it has for its calls, in the case's time: it dies in the one that is not answered."""


def die_later() -> None:
    """Have this process end when the time has come, whatever its threads are at."""
    if HELD.keeper is not None:
        HELD.keeper.at(now() + DIES_AFTER_SECONDS, lambda: os._exit(DEATH_EXIT))
