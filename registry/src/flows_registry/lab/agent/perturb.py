"""The axes along which a case is replayed: what may differ between two runs of the same thing.

Axes that need a fresh interpreter (hash seed, TZ, locale, environment, directory, addresses) are
set by whoever starts the agent; those here are set inside it, before the plugin is imported.
"""

import os
import random
import ssl
import sys
from collections.abc import Collection
from typing import Any

from . import file_times, listings, machine, patches
from .page import ORIGIN_SECONDS

__all__ = ["apply"]


def apply(profile: dict[str, Any], packages: Collection[str] = ()) -> None:
    """Pin or perturb what this process draws from outside, as the profile says.

    The profile's keys: `clock_offset_seconds`, `random_seed`, `reverse_listings`,
    `switch_seconds`, `stranger` (another machine and user), `comma_decimals`; `real_time` leaves
    everything as it is. `schedule_seed` and `tells` are for each case: see `schedule` and
    `sources`.

    Args:
        profile: what to pin, and what to perturb.
        packages: the plugin's own.
    """
    if profile.get("real_time"):
        return
    patches.install(
        offset_seconds=float(profile.get("clock_offset_seconds", 0.0)), origin=ORIGIN_SECONDS
    )
    file_times.install()
    listings.install(reverse=bool(profile.get("reverse_listings")))
    machine.pin_node()
    _pin_randomness(int(profile.get("random_seed", 0)))
    if profile.get("stranger"):
        machine.install_stranger(packages)
    if profile.get("comma_decimals"):
        machine.comma_decimals()
    if profile.get("switch_seconds"):
        sys.setswitchinterval(float(profile["switch_seconds"]))


def _pin_randomness(seed: int) -> None:
    source = random.Random(seed)  # noqa: S311 (repeatable on purpose)
    # Python gives every fork a seed of its own; this comes after that.
    os.register_at_fork(after_in_child=lambda: random.seed(seed))
    random.seed(seed)
    os.urandom = source.randbytes
    random._urandom = source.randbytes  # type: ignore[attr-defined]
    os.getrandom = lambda size, flags=0: source.randbytes(size)
    ssl.RAND_bytes = source.randbytes
    real_seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        real_seed(self, source.randbytes(32) if a is None else a, version)

    random.Random.seed = seeded  # type: ignore[method-assign]
