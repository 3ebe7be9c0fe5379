"""The axes along which a case is replayed: what may differ between two runs of the same thing.

Axes that need a fresh interpreter (hash seed, TZ, locale, environment, directory, addresses) are
set by whoever starts the agent; those here are set inside it, before the plugin is imported.
"""

import os
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any, cast

from . import patches
from .page import ORIGIN_SECONDS

__all__ = ["apply"]


def apply(profile: dict[str, Any]) -> None:
    """Pin or perturb what this process draws from outside, as the profile says.

    The profile's keys: `clock_offset_seconds`, `random_seed`, `reverse_listings`,
    `switch_seconds`; `real_time` leaves everything as it is. `schedule_seed` is for each case: see
    `schedule`.
    """
    if profile.get("real_time"):
        return
    patches.install(
        offset_seconds=float(profile.get("clock_offset_seconds", 0.0)), origin=ORIGIN_SECONDS
    )
    _pin_randomness(int(profile.get("random_seed", 0)))
    if profile.get("reverse_listings"):
        _reverse_listings()
    if profile.get("switch_seconds"):
        sys.setswitchinterval(float(profile["switch_seconds"]))


def _pin_randomness(seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    random.seed(seed)
    os.urandom = source.randbytes
    random._urandom = source.randbytes  # type: ignore[attr-defined]
    os.getrandom = lambda size, flags=0: source.randbytes(size)


def _reverse_listings() -> None:
    real_listdir = cast("Callable[[Any], list[Any]]", os.listdir)
    real_scandir = cast("Callable[[Any], Any]", os.scandir)

    def listdir(path: Any = ".") -> list[Any]:
        return sorted(real_listdir(path), reverse=True)

    class Scan:
        def __init__(self, path: Any = ".") -> None:
            with real_scandir(path) as entries:
                self._entries = sorted(entries, key=lambda entry: entry.name, reverse=True)
            self._iterator: Iterator[Any] = iter(self._entries)

        def __iter__(self) -> "Scan":
            return self

        def __next__(self) -> Any:
            return next(self._iterator)

        def __enter__(self) -> "Scan":
            return self

        def __exit__(self, *exc: object) -> None:
            self.close()

        def close(self) -> None:
            self._iterator = iter(())

    replacements: dict[str, Callable[..., Any]] = {"listdir": listdir, "scandir": Scan}
    for name, replacement in replacements.items():
        setattr(os, name, replacement)
